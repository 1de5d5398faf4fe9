import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { importPKCS8 } from 'jose';
import * as client from 'openid-client';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Deployment } from '../support/deployment.ts';
import { discovered, signIn } from './openid.ts';
import {
  ALICE,
  CALLBACK,
  CONTOSO,
  certificate,
  DAEMON,
  DESKTOP,
  ENTRIES_READ,
  FABRIKAM,
  LEDGER,
  servedOrganizations,
  WEB,
} from './organizations.ts';
import { PersonAtPages } from './person-at-pages.ts';
import { thrown } from './thrown.ts';

const GRAPH_DEFAULT = { scope: 'https://graph.microsoft.com/.default' };

let deployment: Deployment;
let issuer: string;
let web: client.Configuration;

beforeAll(async () => {
  deployment = await servedOrganizations();
  issuer = `${deployment.origin}/${CONTOSO.id}/v2.0`;
  web = await discovered(issuer, WEB, WEB.secret);
}, 240_000);

afterAll(() => deployment?.end());

describe('openid-client', () => {
  test('discovery, code and PKCE, ID token with nonce, userinfo', async () => {
    const tokens = await signIn(web, ALICE);
    expect(tokens.claims()).toMatchObject({ iss: issuer, aud: WEB.appId, preferred_username: ALICE.username });
    const userinfo = await client.fetchUserInfo(web, tokens.access_token, tokens.claims()?.sub ?? '');
    expect(userinfo).toMatchObject({ name: 'Alice Moreau' });
  });

  test('refresh, and refresh for another resource', async () => {
    const tokens = await signIn(web, ALICE);
    const again = await client.refreshTokenGrant(web, tokens.refresh_token ?? '');
    expect(again.claims()?.sub).toBe(tokens.claims()?.sub);
    const ledger = await client.refreshTokenGrant(web, again.refresh_token ?? tokens.refresh_token ?? '', {
      scope: ENTRIES_READ,
    });
    expect(await client.tokenIntrospection(web, ledger.access_token)).toMatchObject({
      ...{ active: true, aud: LEDGER.appId, scope: 'Entries.Read' },
    });
  });

  test('introspection and revocation; after it the refresh token is an invalid_grant', async () => {
    const tokens = await signIn(web, ALICE);
    await client.tokenRevocation(web, tokens.refresh_token ?? '');
    expect(await client.tokenIntrospection(web, tokens.access_token)).toEqual({ active: false });
    const error = await thrown(client.refreshTokenGrant(web, tokens.refresh_token ?? ''));
    expect(error).toBeInstanceOf(client.ResponseBodyError);
    expect(error).toMatchObject({ error: 'invalid_grant', status: 400 });
  });

  test.each([
    ['client_secret_post', () => client.ClientSecretPost(DAEMON.secret)],
    ['client_secret_basic', () => client.ClientSecretBasic(DAEMON.secret)],
    [
      'private_key_jwt (PS256)',
      async () => {
        const key = await crypto.subtle.importKey(
          'pkcs8',
          Buffer.from(certificate.privateKey.replace(/-----[^-]+-----|\s/g, ''), 'base64'),
          { name: 'RSA-PSS', hash: 'SHA-256' },
          false,
          ['sign'],
        );
        return client.PrivateKeyJwt(key);
      },
    ],
    [
      'private_key_jwt (RS256)',
      async () => client.PrivateKeyJwt((await importPKCS8(certificate.privateKey, 'RS256')) as client.CryptoKey),
    ],
  ])('client credentials by %s, twice', async (_name, authentication) => {
    const daemon = await discovered(issuer, DAEMON, await authentication());
    for (const _ of [1, 2]) {
      const tokens = await client.clientCredentialsGrant(daemon, GRAPH_DEFAULT);
      expect(await client.tokenIntrospection(daemon, tokens.access_token)).toMatchObject({ aud: DIRECTORY_APP_ID });
    }
  });

  test('device authorization', async () => {
    const desktop = await discovered(issuer, DESKTOP, client.None());
    const device = await client.initiateDeviceAuthorization(desktop, { scope: 'openid offline_access User.Read' });
    const alice = new PersonAtPages(deployment.origin, ALICE);
    const page = await alice.goThrough(device.verification_uri);
    await alice.answer(await alice.browser.submit(page, { user_code: device.user_code, decision: 'accept' }));
    const tokens = await client.pollDeviceAuthorizationGrant(desktop, { ...device, interval: 1 });
    expect(tokens.claims()).toMatchObject({ iss: issuer, aud: DESKTOP.appId });
  });

  test('logout that returns to the application', async () => {
    const tokens = await signIn(web, ALICE);
    const url = client.buildEndSessionUrl(web, {
      ...{ post_logout_redirect_uri: CALLBACK, id_token_hint: tokens.id_token ?? '', state: 'out' },
    });
    const alice = new PersonAtPages(deployment.origin, ALICE);
    expect((await alice.arrive(url)).href).toBe(`${CALLBACK}?state=out`);
  });

  describe('given wrong input', () => {
    test('an organization that is not there: says that the authority is what is wrong', async () => {
      const error = await thrown(discovered(`${deployment.origin}/nowhere.example/v2.0`, WEB, WEB.secret));
      expect(error).toMatchObject({ code: 'OAUTH_RESPONSE_IS_NOT_CONFORM', cause: { status: 400 } });
      const { cause } = error as { cause: Response };
      expect(await cause.json()).toMatchObject({ error_codes: [90002], error: 'invalid_request' });
    });

    test('the domain in place of the id: the issuers differ', async () => {
      const error = await thrown(discovered(`${deployment.origin}/${CONTOSO.domain}/v2.0`, WEB, WEB.secret));
      expect(error).toMatchObject({ code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED' });
    });

    test('a redirect URI that is not registered: a page for people, and nothing to the application', async () => {
      const url = client.buildAuthorizationUrl(web, {
        ...{ redirect_uri: 'https://app.example/other', scope: 'openid' },
        ...{ code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' },
      });
      const page = await new PersonAtPages(deployment.origin, ALICE).goThrough(url);
      expect([page.status, page.location]).toEqual([400, undefined]);
      expect(page.text).toContain('redirect_uri');
    });

    test('no PKCE: AuthorizationResponseError, invalid_request', async () => {
      const url = client.buildAuthorizationUrl(web, { redirect_uri: CALLBACK, scope: 'openid', state: 's' });
      const answer = await new PersonAtPages(deployment.origin, ALICE).arrive(url);
      const error = await thrown(client.authorizationCodeGrant(web, answer, { expectedState: 's' }));
      expect(error).toBeInstanceOf(client.AuthorizationResponseError);
      expect(error).toMatchObject({
        error: 'invalid_request',
        error_description: expect.stringMatching(/code_challenge|PKCE/),
      });
    });

    test('another verifier than was announced: ResponseBodyError, invalid_grant', async () => {
      const url = client.buildAuthorizationUrl(web, {
        ...{ redirect_uri: CALLBACK, scope: 'openid', state: 's' },
        ...{ code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' },
      });
      const answer = await new PersonAtPages(deployment.origin, ALICE).arrive(url);
      const pkceCodeVerifier = client.randomPKCECodeVerifier();
      const error = await thrown(client.authorizationCodeGrant(web, answer, { expectedState: 's', pkceCodeVerifier }));
      expect(error).toBeInstanceOf(client.ResponseBodyError);
      expect(error).toMatchObject({ error: 'invalid_grant' });
    });

    test('a secret that has expired: says so', async () => {
      const late = await discovered(issuer, WEB, WEB.expiredSecret);
      const error = await thrown(client.clientCredentialsGrant(late, GRAPH_DEFAULT));
      expect(error).toMatchObject({
        ...{
          error: 'invalid_client',
          status: 401,
          error_description: expect.stringContaining('AADSTS7000222: The client secret has expired'),
        },
      });
    });

    test('a scope that nobody publishes: invalid_scope, with its name', async () => {
      const answer = await thrown(signIn(web, ALICE, { scope: `openid ${ENTRIES_READ}s` }));
      expect(answer).toMatchObject({
        ...{ error: 'invalid_scope', error_description: expect.stringContaining('Entries.Reads') },
      });
    });

    test.each([
      [-600, /expired|clock/],
      [600, /future|clock/],
    ])('an assertion by a clock that is %i seconds off: says so', async (seconds, words) => {
      const key = (await importPKCS8(certificate.privateKey, 'RS256')) as client.CryptoKey;
      const off = client.PrivateKeyJwt(key, {
        [client.modifyAssertion]: (_header, payload) => {
          for (const name of ['iat', 'nbf', 'exp'] as const) payload[name] = Number(payload[name]) + seconds;
        },
      });
      const error = await thrown(client.clientCredentialsGrant(await discovered(issuer, DAEMON, off), GRAPH_DEFAULT));
      expect(error).toMatchObject({
        error: 'invalid_client',
        status: 401,
        error_description: expect.stringMatching(words),
      });
    });

    test('its own clock ten minutes behind: the ID token comes from its future, and clockSkew would settle it', async () => {
      const behind = (metadata: object) =>
        discovered(issuer, WEB, WEB.secret, { [client.clockSkew]: -600, ...metadata });
      expect(await thrown(signIn(await behind({}), ALICE))).toMatchObject({ code: 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED' });
      const tolerant = await behind({ [client.clockTolerance]: 601 });
      expect((await signIn(tolerant, ALICE)).claims()).toMatchObject({ iss: issuer });
    });

    test('the issuer of another organization: the person is not known there', async () => {
      const elsewhere = await discovered(`${deployment.origin}/${FABRIKAM.id}/v2.0`, WEB, WEB.secret);
      const error = await thrown(signIn(elsewhere, ALICE));
      expect(String(error)).toMatch(/no answer/);
    });
  });
});
