import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { type Answer, answerOf } from '../support/answer.ts';
import {
  aClientApplication,
  addToTenant,
  aPerson,
  assignRole,
  consentTo,
  type TestApplication,
} from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import {
  aSignedInBrowser,
  authorize,
  type Browser,
  credentialsOf,
  post,
  redeemForm,
  refreshForm,
} from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;
let userId: string;
let browser: Browser;
let web: TestApplication;
let api: TestApplication;
let stranger: TestApplication;

const SPA_ORIGIN = 'https://spa.example';
const OIDC = ['openid', 'profile', 'email', 'offline_access'];

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  userId = await aPerson(database, tenant);
  browser = await aSignedInBrowser(database, tenant, userId);
  web = await aClientApplication(database, tenant);
  api = await aClientApplication(database, tenant, {
    name: 'Orders',
    identifierUris: ['api://orders'],
    scopes: ['Orders.Read', 'Orders.Write'],
  });
  stranger = await aClientApplication(database, tenant);
  await consentTo(database, tenant, { clientId: web.servicePrincipalId, scopes: [...OIDC, 'User.Read'] });
  await consentTo(database, tenant, {
    clientId: web.servicePrincipalId,
    scopes: ['Orders.Read', 'Orders.Write'],
    resourceAppId: api.appId,
  });
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

async function tokens(scope = 'openid profile email offline_access User.Read', of = web, isPublic = false) {
  const authorized = await authorize(server.origin, tenant, of, browser, {
    scope,
    ...(scope.includes('openid') ? {} : { nonce: '' }),
  });
  const answer = await post(server.origin, tenant, 'token', redeemForm(of, authorized, isPublic));
  expect([answer.status, answer.body.error_description]).toEqual([200, undefined]);
  return answer.body;
}

const introspect = (by: TestApplication, token: string, at = tenant) =>
  post(server.origin, at, 'introspect', { ...credentialsOf(by), token });
const revoke = (by: TestApplication, token: string, at = tenant, isPublic = false) =>
  post(server.origin, at, 'revoke', { ...credentialsOf(by, isPublic), token });
const userinfo = async (token: string, { at = tenant, method = 'GET', headers = {} } = {}): Promise<Answer> =>
  answerOf(
    await fetch(`${server.origin}/${at.id}/oidc/userinfo`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
    }),
  );
const refresh = (token: string) => post(server.origin, tenant, 'token', refreshForm(web, token));

test('a revocation is answered without content, and without a type of it', async () => {
  const { refresh_token: token } = await tokens();
  const { status, headers, text } = await revoke(web, token);
  expect([status, headers.get('content-type'), text]).toEqual([200, null, '']);
});

describe('introspection', () => {
  test('tells a token’s client and its API what it may do now, and nobody else anything', async () => {
    const { access_token: token } = await tokens(
      'openid offline_access api://orders/Orders.Read api://orders/Orders.Write',
    );
    for (const by of [web, api]) {
      const { status, body } = await introspect(by, token);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        active: true,
        aud: api.appId,
        client_id: web.appId,
        sub: userId,
        scope: 'Orders.Read Orders.Write',
        token_type: 'Bearer',
      });
    }
    for (const unknown of [token, 'no-token-at-all', `${token.slice(0, -4)}AAAA`]) {
      const answer = await introspect(stranger, unknown);
      expect([answer.status, answer.body]).toEqual([200, { active: false }]);
    }
  });

  test('says of a token what live consent leaves of it (CON-08)', async () => {
    const { access_token: token } = await tokens(
      'openid offline_access api://orders/Orders.Read api://orders/Orders.Write',
    );
    const grant = (scopes: string[]) =>
      consentTo(database, tenant, { clientId: web.servicePrincipalId, scopes, resourceAppId: api.appId });
    await grant(['Orders.Read']);
    expect((await introspect(api, token)).body.scope).toBe('Orders.Read');
    await grant([]);
    expect((await introspect(api, token)).body).toEqual({ active: false });
    await grant(['Orders.Read', 'Orders.Write']);
  });

  test('of an app-only token follows the assignment and the service principal', async () => {
    const daemon = await aClientApplication(database, tenant);
    await assignRole(database, tenant, daemon.servicePrincipalId, 'User.Read.All');
    const { body } = await post(server.origin, tenant, 'token', {
      ...credentialsOf(daemon),
      grant_type: 'client_credentials',
    });
    expect((await introspect(daemon, body.access_token)).body).toMatchObject({
      active: true,
      roles: ['User.Read.All'],
    });
    await asSuperuser(
      database,
      'update service_principals set account_enabled = false where tenant_id = $1 and id = $2',
      [tenant.id, daemon.servicePrincipalId],
    );
    expect((await introspect(daemon, body.access_token)).body).toEqual({ active: false });
    await asSuperuser(
      database,
      'update service_principals set account_enabled = true where tenant_id = $1 and id = $2',
      [tenant.id, daemon.servicePrincipalId],
    );
    expect((await revoke(stranger, body.access_token)).status).toBe(200);
    expect((await introspect(daemon, body.access_token)).body.active).toBe(true);
    expect((await revoke(daemon, body.access_token)).status).toBe(200);
    expect((await introspect(daemon, body.access_token)).body).toEqual({ active: false });
  });

  test('of a refresh token is for its client alone', async () => {
    const { refresh_token: token } = await tokens();
    expect((await introspect(web, token)).body).toMatchObject({ active: true, client_id: web.appId });
    expect((await introspect(stranger, token)).body).toEqual({ active: false });
  });

  test('TEN-10: at another tenant, or with another tenant’s credentials, tells nothing', async () => {
    const { access_token, refresh_token } = await tokens();
    const foreign = await aClientApplication(database, other);
    const shared = await aClientApplication(database, other, { isPublished: true });
    await addToTenant(database, tenant, shared.appId, other.id);
    for (const token of [access_token, refresh_token]) {
      for (const by of [foreign, shared]) {
        const there = await introspect(by, token, other);
        expect([there.status, there.body]).toEqual([200, { active: false }]);
      }
      const here = await introspect(foreign, token);
      expect([here.status, here.body.error]).toEqual([401, 'invalid_client']);
    }
    expect((await refresh(refresh_token)).status).toBe(200);
  });

  test('wants exactly one token', async () => {
    const none = await post(server.origin, tenant, 'introspect', credentialsOf(web));
    expect([none.status, none.body.error]).toEqual([400, 'invalid_request']);
    const body = new URLSearchParams({ ...credentialsOf(web), token: 'a' });
    body.append('token', 'b');
    const two = await answerOf(
      await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/introspect`, { method: 'POST', body }),
    );
    expect([two.status, two.body.error]).toEqual([400, 'invalid_request']);
  });
});

describe('revocation', () => {
  test.each(['access_token', 'refresh_token'] as const)('of an %s ends its whole family', async (name) => {
    const given = await tokens();
    expect((await userinfo(given.access_token)).status).toBe(200);
    const answer = await revoke(web, given[name]);
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect((await userinfo(given.access_token)).status).toBe(401);
    expect((await introspect(web, given.refresh_token)).body).toEqual({ active: false });
    expect((await refresh(given.refresh_token)).body.error).toBe('invalid_grant');
  });

  test('TEN-11: of somebody else’s token answers as for none, and nothing happens', async () => {
    const given = await tokens();
    const foreign = await aClientApplication(database, other);
    for (const token of [given.access_token, given.refresh_token, 'no-token-at-all']) {
      for (const answer of [await revoke(stranger, token), await revoke(foreign, token, other)]) {
        expect([answer.status, answer.text]).toEqual([200, '']);
      }
    }
    expect((await refresh(given.refresh_token)).status).toBe(200);
    expect((await userinfo(given.access_token)).status).toBe(200);
  });
});

describe('userinfo', () => {
  test.each(['GET', 'POST'])('by %s says who it is, by the name that the ID token has for him', async (method) => {
    const given = await tokens();
    const { status, body, headers } = await userinfo(given.access_token, { method });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      sub: decodeJwt(given.id_token).sub,
      oid: userId,
      tid: tenant.id,
      email: 'alice@mail.example',
    });
    expect(body.preferred_username).toContain('alice-');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('says no more than the scopes allow, and nothing without openid or to a token of another API', async () => {
    const narrow = await userinfo((await tokens('openid')).access_token);
    expect(Object.keys(narrow.body).sort()).toEqual(['oid', 'sub', 'tid']);
    const without = await userinfo((await tokens('User.Read')).access_token);
    expect([without.status, without.body.error]).toEqual([403, 'insufficient_scope']);
    expect(without.headers.get('www-authenticate')).toContain('insufficient_scope');
    const orders = await tokens('api://orders/Orders.Read');
    for (const token of [orders.access_token, (await tokens()).id_token, 'nonsense', '']) {
      const refused = await userinfo(token);
      expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"']);
    }
  });

  test('asks live rows: withdrawn consent, a disabled person and another tenant end it', async () => {
    const given = await tokens();
    expect((await userinfo(given.access_token, { at: other })).status).toBe(401);
    const grant = (scopes: string[]) => consentTo(database, tenant, { clientId: web.servicePrincipalId, scopes });
    await grant(['User.Read']);
    expect((await userinfo(given.access_token)).status).toBe(403);
    await grant([...OIDC, 'User.Read']);
    await asSuperuser(database, 'update users set account_enabled = false where tenant_id = $1 and id = $2', [
      tenant.id,
      userId,
    ]);
    expect((await userinfo(given.access_token)).status).toBe(401);
    await asSuperuser(database, 'update users set account_enabled = true where tenant_id = $1 and id = $2', [
      tenant.id,
      userId,
    ]);
    expect((await userinfo(given.access_token)).status).toBe(200);
  });
});

describe('SES-13: cross-origin requests', () => {
  const PATHS = ['oauth2/v2.0/token', 'oauth2/v2.0/introspect', 'oauth2/v2.0/revoke', 'oidc/userinfo'];
  let spa: TestApplication;

  beforeAll(async () => {
    spa = await aClientApplication(database, tenant, {
      spa: [`${SPA_ORIGIN}/callback`],
      web: ['https://web.example/callback'],
      isConfidential: false,
    });
    await consentTo(database, tenant, { clientId: spa.servicePrincipalId, scopes: [...OIDC, 'User.Read'] });
  });

  const preflight = async (path: string, origin: string, at = tenant) =>
    answerOf(
      await fetch(`${server.origin}/${at.id}/${path}`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
      }),
    );

  test.each(PATHS)(
    'are let through a preflight to %s from a single-page application of the tenant only',
    async (path) => {
      const own = await preflight(path, SPA_ORIGIN);
      expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([204, SPA_ORIGIN]);
      expect(own.headers.get('vary')).toContain('Origin');
      const foreign = [
        'https://evil.example',
        'null',
        'https://web.example',
        `${SPA_ORIGIN}.evil.example`,
        'https://spa.exampl',
      ];
      for (const origin of foreign) {
        expect([origin, (await preflight(path, origin)).headers.get('access-control-allow-origin')]).toEqual([
          origin,
          null,
        ]);
      }
      expect((await preflight(path, SPA_ORIGIN, other)).headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  test('are answered to the client’s own origin, and never with credentials', async () => {
    const page = { ...spa, redirectUri: `${SPA_ORIGIN}/callback` };
    const form = redeemForm(page, await authorize(server.origin, tenant, page, browser), true);
    const answer = await post(server.origin, tenant, 'token', form, { origin: SPA_ORIGIN });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, SPA_ORIGIN]);
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    const info = await userinfo(answer.body.access_token, { headers: { origin: SPA_ORIGIN } });
    expect([info.status, info.headers.get('access-control-allow-origin')]).toEqual([200, SPA_ORIGIN]);
    const strange = await userinfo(answer.body.access_token, { headers: { origin: 'https://evil.example' } });
    expect(strange.headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each(['https://evil.example', 'null', 'https://web.example'])(
    'from %s can not read an answer',
    async (origin) => {
      for (const appId of [spa.appId, crypto.randomUUID()]) {
        const answer = await post(
          server.origin,
          tenant,
          'token',
          { client_id: appId, grant_type: 'refresh_token', refresh_token: 'x' },
          { origin },
        );
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      }
    },
  );
});

describe('openid-client, unmodified', () => {
  test('discovers, redeems, refreshes, reads userinfo, introspects and revokes', async () => {
    const issuer = new URL(`${server.origin}/${tenant.id}/v2.0`);
    const options = { execute: [client.allowInsecureRequests] };
    const configuration = await client.discovery(
      issuer,
      web.appId,
      undefined,
      client.ClientSecretPost(web.secret),
      options,
    );
    const authorized = await authorize(server.origin, tenant, web, browser, {
      scope: 'openid profile offline_access User.Read',
    });
    const location = new URL(authorized.answer.headers.get('location') ?? '');
    const first = await client.authorizationCodeGrant(configuration, location, {
      pkceCodeVerifier: authorized.verifier,
      expectedState: 'a-state',
      expectedNonce: 'a-nonce',
      idTokenExpected: true,
    });
    const sub = first.claims()?.sub ?? '';
    const info = await client.fetchUserInfo(configuration, first.access_token, sub);
    expect(info.oid).toBe(userId);
    const second = await client.refreshTokenGrant(configuration, first.refresh_token ?? '');
    expect(second.claims()?.sub).toBe(sub);
    expect(decodeJwt(second.access_token).aud).toBe(DIRECTORY_APP_ID);
    expect((await client.tokenIntrospection(configuration, second.access_token)).active).toBe(true);
    await client.tokenRevocation(configuration, second.refresh_token ?? '');
    expect((await client.tokenIntrospection(configuration, second.access_token)).active).toBe(false);
  });
});
