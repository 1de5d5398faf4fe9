import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Deployment } from '../support/deployment.ts';
import { debianClient, python } from './debian.ts';
import { ALICE, CALLBACK, CONTOSO, DAEMON, servedOrganizations, WEB } from './organizations.ts';
import { PersonAtPages } from './person-at-pages.ts';

type Result = Readonly<Record<string, unknown>> & {
  readonly access_token: string;
  readonly refresh_token: string;
};

const SCOPE = 'openid profile offline_access User.Read';
const VERIFIER = 'lantern-walnut-meadow-lantern-walnut-meadow-72';
const [STATE, NONCE] = ['a state', 'a nonce'];

const flows = () => {
  let deployment: Deployment;
  let issuer: string;

  beforeAll(async () => {
    deployment = await servedOrganizations();
    issuer = `${deployment.origin}/${CONTOSO.id}/v2.0`;
  }, 240_000);

  afterAll(() => deployment?.end());

  /** What the calls came to: all by one session of one process. */
  function calls<Given = Result>(
    { appId, secret, ...more }: { readonly appId: string; readonly secret: string; readonly method?: string },
    ...asked: readonly (readonly [name: string, named: object])[]
  ): Promise<Given[]> {
    const settings = {
      ...{ client_id: appId, client_secret: secret, token_endpoint_auth_method: more.method ?? null },
      ...{ scope: SCOPE, redirect_uri: CALLBACK, code_challenge_method: 'S256' },
    };
    return python(deployment, 'authlib_calls.py', { issuer, settings, calls: asked });
  }

  async function arrived(named: object = { code_verifier: VERIFIER, nonce: NONCE }): Promise<URL> {
    const [url = ''] = await calls<string>(WEB, ['authorize', { state: STATE, ...named }]);
    return new PersonAtPages(deployment.origin, ALICE).arrive(url);
  }

  async function signedIn(): Promise<Result> {
    const named = { authorization_response: (await arrived()).href, state: STATE, code_verifier: VERIFIER };
    const [token] = await calls(WEB, ['fetch', named]);
    return token as Result;
  }

  test('discovery: the metadata is valid by its own checks', async () => {
    const [metadata] = await calls(WEB, ['discover', {}]);
    expect(metadata).toMatchObject({ issuer, code_challenge_methods_supported: ['S256'] });
  });

  test('code and PKCE by client_secret_basic; the ID token checked by the keys, with nonce; userinfo', async () => {
    const token = await signedIn();
    const [claims, userinfo] = await calls(WEB, ['id_token', { token, nonce: NONCE }], ['userinfo', { token }]);
    expect(claims).toMatchObject({ iss: issuer, aud: WEB.appId, preferred_username: ALICE.username });
    expect(userinfo).toMatchObject({ sub: claims?.sub, name: 'Alice Moreau' });
  });

  test('an ID token with another nonce than was sent: InvalidClaimError', async () => {
    const [claims] = await calls(WEB, ['id_token', { token: await signedIn(), nonce: 'another' }]);
    expect(claims).toMatchObject({ error: 'invalid_claim', description: expect.stringContaining('nonce') });
  });

  test('refresh with the configured scope, offline_access included', async () => {
    const token = await signedIn();
    const [again] = await calls(WEB, ['refresh', { refresh_token: token.refresh_token }]);
    expect(decodeJwt(again?.access_token ?? '')).toMatchObject({ aud: DIRECTORY_APP_ID, azp: WEB.appId });
    expect(again?.access_token).not.toBe(token.access_token);
  });

  test.each(['client_secret_basic', 'client_secret_post'])('client credentials by %s', async (method) => {
    const named = { grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' };
    const [token] = await calls({ ...DAEMON, method }, ['fetch', named]);
    expect(decodeJwt(token?.access_token ?? '')).toMatchObject({ aud: DIRECTORY_APP_ID, roles: ['User.Read.All'] });
  });

  test('introspection and revocation; after it the refresh token is an invalid_grant', async () => {
    const { access_token, refresh_token } = await signedIn();
    const results = await calls(
      WEB,
      ...([
        ['introspect', { token: access_token }],
        ['revoke', { token: refresh_token }],
        ['introspect', { token: access_token }],
        ['refresh', { refresh_token }],
      ] as const),
    );
    expect(results).toMatchObject([{ active: true, aud: DIRECTORY_APP_ID }, 200, {}, { error: 'invalid_grant' }]);
    expect(results[2]).toEqual({ active: false });
  });

  test('no PKCE: the answer to the application says what is missing', async () => {
    const { searchParams } = await arrived({});
    expect(Object.fromEntries(searchParams)).toMatchObject({
      ...{ error: 'invalid_request', error_description: expect.stringContaining('PKCE'), state: STATE },
    });
  });

  test('a secret that has expired: OAuthError, invalid_client, and says so', async () => {
    const named = { grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' };
    const [token] = await calls({ ...WEB, secret: WEB.expiredSecret }, ['fetch', named]);
    expect(token).toMatchObject({
      ...{ error: 'invalid_client', description: expect.stringContaining('The client secret has expired') },
    });
  });
};

// Its sessions are made of Requests, which it leaves to the application to bring.
debianClient('python3-authlib', flows, ['python3-requests']);
