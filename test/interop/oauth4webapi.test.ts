import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Deployment } from '../support/deployment.ts';
import { ALICE, CALLBACK, CONTOSO, DAEMON, ENTRIES_READ, LEDGER, servedOrganizations, WEB } from './organizations.ts';
import { PersonAtPages } from './person-at-pages.ts';
import { thrown } from './thrown.ts';

let deployment: Deployment;
let server: oauth.AuthorizationServer;
const web: oauth.Client = { client_id: WEB.appId };
const byWeb = oauth.ClientSecretPost(WEB.secret);

async function discovered(algorithm: 'oidc' | 'oauth2'): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(`${deployment.origin}/${CONTOSO.id}/v2.0`);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm }));
}

beforeAll(async () => {
  deployment = await servedOrganizations();
  server = await discovered('oidc');
}, 240_000);

afterAll(() => deployment?.end());

async function signIn(scope: string): Promise<oauth.TokenEndpointResponse> {
  const [verifier, state, nonce] = [
    oauth.generateRandomCodeVerifier(),
    oauth.generateRandomState(),
    oauth.generateRandomNonce(),
  ];
  const url = new URL(server.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    ...{ client_id: WEB.appId, redirect_uri: CALLBACK, response_type: 'code', scope, state, nonce },
    ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
  }).toString();
  const answer = await new PersonAtPages(deployment.origin, ALICE).arrive(url);
  const parameters = oauth.validateAuthResponse(server, web, answer, state);
  const response = await oauth.authorizationCodeGrantRequest(server, web, byWeb, parameters, CALLBACK, verifier);
  const expected = { expectedNonce: nonce, requireIdToken: true };
  const tokens = await oauth.processAuthorizationCodeResponse(server, web, response, expected);
  await oauth.validateApplicationLevelSignature(server, response);
  return tokens;
}

/** An API's side of a call, by RFC 9068. */
function validated(accessToken: string, audience: string): Promise<oauth.JWTAccessTokenClaims> {
  const request = new Request('https://ledger.example/entries', {
    headers: { Authorization: `Bearer ${accessToken}` },
  });
  return oauth.validateJwtAccessToken(server, request, audience);
}

describe('oauth4webapi', () => {
  test('metadata by OpenID Connect Discovery and by RFC 8414 say the same', async () => {
    const byOauth = await discovered('oauth2');
    expect([byOauth.issuer, byOauth.token_endpoint]).toEqual([server.issuer, server.token_endpoint]);
  });

  test('code and PKCE with iss in the answer (RFC 9207), ID token with its signature', async () => {
    const tokens = await signIn('openid profile User.Read');
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ iss: server.issuer, aud: WEB.appId });
  });

  test('an access token for an API is a JWT of RFC 9068 there, and nowhere else', async () => {
    const { access_token } = await signIn(`openid ${ENTRIES_READ}`);
    expect(await validated(access_token, LEDGER.appId)).toMatchObject({ client_id: WEB.appId, scope: 'Entries.Read' });
    expect(await thrown(validated(access_token, DIRECTORY_APP_ID))).toMatchObject({ code: oauth.JWT_CLAIM_COMPARISON });
  });

  test('token exchange (RFC 8693), client credentials, introspection', async () => {
    const { access_token } = await signIn(`openid ${ENTRIES_READ}`);
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
