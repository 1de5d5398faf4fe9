import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Deployment } from '../support/deployment.ts';
import { serverAt, signIn } from './oauth.ts';
import { ALICE, CALLBACK, CONTOSO, DAEMON, ENTRIES_READ, LEDGER, servedOrganizations, WEB } from './organizations.ts';
import { PersonAtPages } from './person-at-pages.ts';
import { thrown } from './thrown.ts';

let deployment: Deployment;
let server: oauth.AuthorizationServer;
const web: oauth.Client = { client_id: WEB.appId };

beforeAll(async () => {
  deployment = await servedOrganizations();
  server = await serverAt(`${deployment.origin}/${CONTOSO.id}/v2.0`);
}, 240_000);

afterAll(() => deployment?.end());

/** An API's side of a call, by RFC 9068. */
function validated(accessToken: string, audience: string): Promise<oauth.JWTAccessTokenClaims> {
  const request = new Request('https://ledger.example/entries', {
    headers: { Authorization: `Bearer ${accessToken}` },
  });
  return oauth.validateJwtAccessToken(server, request, audience);
}

describe('oauth4webapi', () => {
  test('metadata by OpenID Connect Discovery and by RFC 8414 say the same', async () => {
    const byOauth = await serverAt(server.issuer, 'oauth2');
    expect([byOauth.issuer, byOauth.token_endpoint]).toEqual([server.issuer, server.token_endpoint]);
  });

  test('code and PKCE with iss in the answer (RFC 9207), ID token with its signature', async () => {
    const tokens = await signIn(server, WEB, ALICE, 'openid profile User.Read');
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ iss: server.issuer, aud: WEB.appId });
  });

  test('an access token for an API is a JWT of RFC 9068 there, and nowhere else', async () => {
    const { access_token } = await signIn(server, WEB, ALICE, `openid ${ENTRIES_READ}`);
    expect(await validated(access_token, LEDGER.appId)).toMatchObject({ client_id: WEB.appId, scope: 'Entries.Read' });
    expect(await thrown(validated(access_token, DIRECTORY_APP_ID))).toMatchObject({ code: oauth.JWT_CLAIM_COMPARISON });
  });

  test('token exchange (RFC 8693), client credentials, introspection', async () => {
    const { access_token } = await signIn(server, WEB, ALICE, `openid ${ENTRIES_READ}`);
    const ledger: oauth.Client = { client_id: LEDGER.appId };
    const byLedger = oauth.ClientSecretBasic(LEDGER.secret);
    const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
    const parameters = new URLSearchParams({
      ...{ subject_token: access_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
      scope: 'https://graph.microsoft.com/User.Read',
    });
    const answer = await oauth.genericTokenEndpointRequest(server, ledger, byLedger, grant, parameters);
    const exchanged = await oauth.processGenericTokenEndpointResponse(server, ledger, answer);
    expect(await validated(exchanged.access_token, DIRECTORY_APP_ID)).toMatchObject({ client_id: LEDGER.appId });
    const daemon: oauth.Client = { client_id: DAEMON.appId };
    const byDaemon = oauth.ClientSecretBasic(DAEMON.secret);
    const asked = new URLSearchParams({ scope: `api://${LEDGER.appId}/.default` });
    const own = await oauth.processClientCredentialsResponse(
      server,
      daemon,
      await oauth.clientCredentialsGrantRequest(server, daemon, byDaemon, asked),
    );
    const told = await oauth.introspectionRequest(server, ledger, byLedger, own.access_token);
    expect(await oauth.processIntrospectionResponse(server, ledger, told)).toMatchObject({ active: true });
  });

  test('a declined sign-in: AuthorizationResponseError, access_denied', async () => {
    const url = new URL(server.authorization_endpoint ?? '');
    const code_challenge = await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier());
    url.search = new URLSearchParams({
      ...{ client_id: WEB.appId, redirect_uri: CALLBACK, response_type: 'code', scope: 'openid', state: 's' },
      ...{ code_challenge, code_challenge_method: 'S256' },
    }).toString();
    const answer = await new PersonAtPages(deployment.origin, ALICE).arrive(url, 'cancel');
    expect(() => oauth.validateAuthResponse(server, web, answer, 's')).toThrow(oauth.AuthorizationResponseError);
  });
});
