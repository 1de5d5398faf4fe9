import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { type Answer, answerOf } from '../support/answer.ts';
import { aClientApplication, addToTenant, aPerson, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, type Browser, credentialsOf, post, redeemForm } from '../support/authorize.ts';
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

const OIDC = ['openid', 'profile', 'offline_access'];
const ROLE = { id: crypto.randomUUID(), value: 'Payroll.Approver', allowedMemberTypes: ['User'] };

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  userId = await aPerson(database, tenant);
  browser = await aSignedInBrowser(database, tenant, userId);
  web = await aClientApplication(database, tenant, { appRoles: [ROLE] });
  api = await aClientApplication(database, tenant, { identifierUris: ['api://orders'], scopes: ['Orders.Read'] });
  await consentTo(database, tenant, { clientId: web.servicePrincipalId, scopes: [...OIDC, 'User.Read'] });
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

const begin = (overrides: Record<string, string> = {}, of = web, by = browser) =>
  authorize(server.origin, tenant, of, by, overrides);
const token = (form: Record<string, string>, at = tenant) => post(server.origin, at, 'token', form);
const outcome = ({ status, body }: Answer) => [status, body?.error];
const sql = (text: string, values: unknown[]) => asSuperuser<Record<string, unknown>>(database, text, values);
const GRANT_REFUSED = [400, 'invalid_grant'];

async function redeemed(overrides: Record<string, string> = {}, of = web) {
  const answer = await token(redeemForm(of, await begin(overrides, of)));
  expect(outcome(answer)).toEqual([200, undefined]);
  return answer.body;
}

describe('tokens of a sign-in', () => {
  test('say who, where, how and since when (wire.md, "Tokens")', async () => {
    await sql(
      `insert into app_role_assignments (tenant_id, id, principal_type, user_id, resource_id, app_role_id)
       values ($1, gen_random_uuid(), 'User', $2, $3, $4)`,
      [tenant.id, userId, web.servicePrincipalId, ROLE.id],
    );
    const role = crypto.randomUUID();
    await sql(
      'insert into role_assignments (tenant_id, id, role_definition_id, user_id) values ($1, gen_random_uuid(), $2, $3)',
      [tenant.id, role, userId],
    );
    const { access_token, id_token, ...rest } = await redeemed();
    const [access, id] = [decodeJwt(access_token), decodeJwt(id_token)];
    expect(decodeProtectedHeader(access_token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(decodeProtectedHeader(id_token).alg).toBe('RS256');
    const issuer = `${server.origin}/${tenant.id}/v2.0`;
    expect(access).toMatchObject({
      ...{ iss: issuer, aud: DIRECTORY_APP_ID, sub: userId, oid: userId, tid: tenant.id, ver: '2.0', azpacr: '1' },
      ...{ client_id: web.appId, azp: web.appId, wids: [role], uti: access.jti, sid: id.sid },
    });
    expect(access.scp).toBe(access.scope);
    expect(String(access.scp).split(' ').sort()).toEqual([...OIDC, 'User.Read'].sort());
    expect(access).not.toHaveProperty('roles');
    expect(id).toMatchObject({
      ...{
        iss: issuer,
        aud: web.appId,
        tid: tenant.id,
        oid: userId,
        ver: '2.0',
        nonce: 'a-nonce',
        roles: [ROLE.value],
      },
      ...{ acr: '1', amr: ['pwd'], auth_time: expect.any(Number), nbf: expect.any(Number), sid: expect.any(String) },
    });
    expect(id.sub).not.toBe(userId);
    expect(Object.keys(rest).sort()).toEqual(['expires_in', 'ext_expires_in', 'refresh_token', 'scope', 'token_type']);
  });

  test('of an API that the person has roles on carry them', async () => {
    const owner = await aClientApplication(database, tenant, {
      identifierUris: [`api://roles-${crypto.randomUUID()}`],
      scopes: ['Do'],
      appRoles: [ROLE],
    });
    await consentTo(database, tenant, { clientId: web.servicePrincipalId, scopes: ['Do'], resourceAppId: owner.appId });
    await sql(
      `insert into app_role_assignments (tenant_id, id, principal_type, user_id, resource_id, app_role_id)
       values ($1, gen_random_uuid(), 'User', $2, $3, $4)`,
      [tenant.id, userId, owner.servicePrincipalId, ROLE.id],
    );
    const { access_token } = await redeemed({ scope: `openid api://${owner.appId}/Do` });
    expect(decodeJwt(access_token)).toMatchObject({ aud: owner.appId, scp: 'Do', roles: [ROLE.value] });
  });

  test('of several resources: the one whose scopes are asked for when the code is redeemed', async () => {
    await consentTo(database, tenant, {
      clientId: web.servicePrincipalId,
      scopes: ['Orders.Read'],
      resourceAppId: api.appId,
    });
    const scope = 'openid offline_access User.Read api://orders/Orders.Read';
    for (const [asked, aud] of [
      ['api://orders/Orders.Read openid', api.appId],
      ['User.Read', DIRECTORY_APP_ID],
    ] as const) {
      const answer = await token({ ...redeemForm(web, await begin({ scope })), scope: asked });
      expect(decodeJwt(answer.body.access_token).aud).toBe(aud);
    }
  });
});

describe('a code', () => {
  test('TEN-04: of one tenant is unknown to another, and still good at its own', async () => {
    const shared = await aClientApplication(database, other, { isPublished: true });
    const servicePrincipalId = await addToTenant(database, tenant, shared.appId, other.id);
    await consentTo(database, tenant, { clientId: servicePrincipalId, scopes: [...OIDC, 'User.Read'] });
    const form = redeemForm(shared, await begin({}, shared));
    expect(outcome(await token(form, other))).toEqual(GRANT_REFUSED);
    expect((await token(form)).status).toBe(200);
  });

  test('RED-04, RED-08, RED-10: wants its redirect URI, verifier and client, and its minute', async () => {
    const form = redeemForm(web, await begin());
    const stranger = await aClientApplication(database, tenant);
    const wrong: [Record<string, string>, readonly unknown[]][] = [
      [{ redirect_uri: 'https://app.example/other' }, GRANT_REFUSED],
      [{ redirect_uri: '' }, [400, 'invalid_request']],
      [{ code_verifier: '' }, GRANT_REFUSED],
      [{ code_verifier: 'a'.repeat(43) }, GRANT_REFUSED],
      [credentialsOf(stranger), GRANT_REFUSED],
      [{ code: `${form.code.slice(0, -1)}_` }, GRANT_REFUSED],
    ];
    for (const [change, expected] of wrong) {
      const fields = Object.fromEntries(Object.entries({ ...form, ...change }).filter(([, value]) => value !== ''));
      expect([change, ...outcome(await token(fields))]).toEqual([change, ...expected]);
    }
    expect((await token(form)).status).toBe(200);
  });

  test('KEY-07: is good for sixty seconds', async () => {
    const authorized = await begin();
    const [row] = await sql(
      `select extract(epoch from expires_at - created_at)::float8 as seconds from artifacts
       where tenant_id = $1 and model = 'AuthorizationCode' order by created_at desc limit 1`,
      [tenant.id],
    );
    expect(Math.abs(Number(row?.seconds) - 60)).toBeLessThan(1.5);
    const expiring = (seconds: number) =>
      sql(
        `update artifacts set expires_at = now() + make_interval(secs => $2) where tenant_id = $1 and model = 'AuthorizationCode'`,
        [tenant.id, seconds],
      );
    await expiring(-1);
    expect(outcome(await token(redeemForm(web, authorized)))).toEqual(GRANT_REFUSED);
    await expiring(5);
    expect((await token(redeemForm(web, authorized))).status).toBe(200);
  });

  test('RED-10: of a person who was disabled is refused', async () => {
    const id = await aPerson(database, tenant, 'bob');
    const authorized = await begin({}, web, await aSignedInBrowser(database, tenant, id));
    await sql('update users set account_enabled = false where tenant_id = $1 and id = $2', [tenant.id, id]);
    expect(outcome(await token(redeemForm(web, authorized)))).toEqual(GRANT_REFUSED);
  });

  test('CON-22: consented for one API gives no token for another', async () => {
    const client = await aClientApplication(database, tenant);
    await consentTo(database, tenant, {
      clientId: client.servicePrincipalId,
      scopes: ['Orders.Read'],
      resourceAppId: api.appId,
    });
    const authorized = await begin({ scope: 'api://orders/Orders.Read', nonce: '' }, client);
    const form = redeemForm(client, authorized);
    expect(outcome(await token({ ...form, resource: 'https://graph.microsoft.com' }))).toEqual([400, 'invalid_target']);
    expect(decodeJwt((await token(form)).body.access_token).aud).toBe(api.appId);
  });
});

describe('a redirect URI', () => {
  const NEAR_MISSES = [
    'https://app.example/callback/extra',
    'https://app.example/callback/..',
    'https://app.example/callback/%2e%2e',
    'https://app.example/callback;x',
    'https://app.example/Callback',
    'https://APP.example/callback2',
    'https://app.example:8443/callback',
    'https://user@app.example/callback',
    'https://app.example/callback/',
    'https://app.example/callback?a=b',
    'https://app.example/callback#fragment',
    'https://app.example\\callback',
    'https://app.example/call\tback',
    'https://app.example/callback\r\n',
    'https://app。example/callback',
    'http://app.example/callback',
    'https://аpp.example/callback',
    'https://app.example.evil.example/callback',
    'https://evil.example/?https://app.example/callback',
    'javascript:alert(1)',
  ];

  test.each(NEAR_MISSES)(
    'RED-01, RED-05: %j is not the registered one: an error page, and no redirect',
    async (redirect_uri) => {
      const { answer } = await begin({ redirect_uri });
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
      expect(answer.headers.get('content-type')).toContain('text/html');
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
      expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    },
  );

  test('RED-02: of a native application may vary in its port on its registered loopback host', async () => {
    const native = await aClientApplication(database, tenant, {
      native: ['http://127.0.0.1/cb'],
      isConfidential: false,
    });
    await consentTo(database, tenant, { clientId: native.servicePrincipalId, scopes: [...OIDC, 'User.Read'] });
    for (const redirectUri of ['http://127.0.0.1/cb', 'http://127.0.0.1:49152/cb']) {
      const client = { ...native, redirectUri };
      const authorized = await begin({}, client);
      expect(authorized.answer.status).toBe(303);
      expect((await token(redeemForm(client, authorized, true))).status).toBe(200);
    }
    for (const redirect_uri of [
      'http://localhost/cb',
      'http://127.0.0.2/cb',
      'http://[::1]/cb',
      'http://127.0.0.1:80@evil.example/cb',
      'https://127.0.0.1/cb',
    ]) {
      const { answer } = await begin({ redirect_uri }, native);
      expect([redirect_uri, answer.status, answer.headers.get('location')]).toEqual([redirect_uri, 400, null]);
    }
  });

  test('RED-05: an unknown client is never redirected', async () => {
    for (const client_id of [crypto.randomUUID(), 'nonsense', '']) {
      const { answer } = await begin({ client_id });
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
    }
  });
});

describe('an authorization request', () => {
  const refused = async (overrides: Record<string, string>) => {
    const { parameters, answer } = await begin(overrides);
    return { status: answer.status, error: parameters.get('error'), parameters };
  };

  test.each([
    [{ code_challenge: '', code_challenge_method: '' }],
    [{ code_challenge_method: 'plain' }],
    [{ code_challenge_method: '' }],
    [{ code_challenge: 'too-short' }],
    [{ code_challenge: 'a'.repeat(129) }],
    [{ code_challenge: `${'a'.repeat(42)}!` }],
  ])('RED-06, RED-07: without a sound PKCE challenge (%j) is refused', async (overrides) => {
    expect(await refused(overrides)).toMatchObject({ status: 303, error: 'invalid_request' });
  });

  test('PKCE may be left out by a confidential application that is set so, and the code then takes no verifier (RED-08)', async () => {
    const client = await aClientApplication(database, tenant, { compatibility: { pkceOptional: true } });
    await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes: [...OIDC, 'User.Read'] });
    const bare = { code_challenge: '', code_challenge_method: '' };
    const first = await begin(bare, client);
    const { code_verifier: _unused, ...form } = redeemForm(client, first);
    expect((await token(form)).status).toBe(200);
    expect(outcome(await token(redeemForm(client, await begin(bare, client))))).toEqual(GRANT_REFUSED);
  });

  test.each(['token', 'id_token', 'code token', 'code id_token', 'none'])(
    'RED-11: for %s is refused',
    async (response_type) => {
      const { answer } = await begin({ response_type });
      expect([303, 400]).toContain(answer.status);
      expect(`${answer.headers.get('location')}${answer.text}`).toContain('unsupported_response_type');
    },
  );

  test('RED-11: by form_post is answered by a page that runs its own script and nothing else', async () => {
    const state = `"><script>alert(1)</script>`;
    const { answer } = await begin({ response_mode: 'form_post', state });
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain(state);
    expect(answer.headers.get('content-security-policy')).toMatch(/script-src 'sha256-[^']+'/);
    expect(answer.text).not.toMatch(/ on[a-z]+=/);
  });

  test('RED-12: success and failure carry this issuer and the state untouched', async () => {
    const state = 'a b&c=d+é%20';
    for (const overrides of [{ state }, { state, code_challenge_method: 'plain' }]) {
      const { parameters } = await begin(overrides);
      expect([parameters.get('iss'), parameters.get('state')]).toEqual([`${server.origin}/${tenant.id}/v2.0`, state]);
    }
  });

  test.each(['client_id', 'redirect_uri', 'state', 'scope'])(
    'RED-13: with %s twice is refused, here and at the token endpoint',
    async (name) => {
      const { answer } = await begin();
      const url = new URL(answer.headers.get('location') ?? '');
      expect(url.searchParams.get('code')).not.toBeNull();
      const query = new URLSearchParams({
        ...{ client_id: web.appId, redirect_uri: web.redirectUri, response_type: 'code', scope: 'openid', state: 's' },
        ...{ code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' },
      });
      query.append(name, query.get(name) ?? '');
      const doubled = await browser.ask(`${server.origin}/${tenant.id}/oauth2/v2.0/authorize?${query}`);
      expect([303, 400]).toContain(doubled.status);
      expect(doubled.headers.get('location') ?? 'error=invalid_request').toContain('error=invalid_request');
      const form = new URLSearchParams({ ...credentialsOf(web), grant_type: 'client_credentials', scope: '' });
      form.append('client_id', web.appId);
      const twice = await answerOf(
        await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/token`, { method: 'POST', body: form }),
      );
      expect(outcome(twice)).toEqual([400, 'invalid_request']);
    },
  );

  test('CON-23: with two APIs at once, doubled, unknown or too many scopes is refused quickly', async () => {
    const daemon = (scope: string) => token({ ...credentialsOf(web), grant_type: 'client_credentials', scope });
    expect(outcome(await daemon('https://graph.microsoft.com/.default api://orders/.default'))).toEqual([
      400,
      'invalid_scope',
    ]);
    expect(await refused({ scope: 'openid No.Such.Scope' })).toMatchObject({ status: 303, error: 'invalid_scope' });
    const many = Array.from({ length: 300 }, (_, index) => `scope-${index}`).join(' ');
    expect(await refused({ scope: `openid ${many}` })).toMatchObject({ status: 303, error: 'invalid_scope' });
    const began = process.cpuUsage();
    expect(outcome(await daemon('x '.repeat(30_000)))).toEqual([400, 'invalid_request']);
    const { user } = process.cpuUsage(began);
    expect(user / 1_000).toBeLessThan(500);
    expect((await begin({ scope: 'openid openid profile profile' })).parameters.get('code')).not.toBeNull();
  });

  test('CON-13: of an application that an administrator has disabled is refused', async () => {
    const client = await aClientApplication(database, tenant);
    await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes: ['openid'] });
    await sql('update service_principals set account_enabled = false where tenant_id = $1 and id = $2', [
      tenant.id,
      client.servicePrincipalId,
    ]);
    const { parameters, answer } = await begin({ scope: 'openid' }, client);
    expect([answer.status, parameters.get('error'), parameters.get('code')]).toEqual([303, 'access_denied', null]);
    expect(outcome(await token({ ...credentialsOf(client), grant_type: 'client_credentials' }))).toEqual([
      400,
      'unauthorized_client',
    ]);
  });

  test('TEN-07: with the session of another tenant finds nobody signed in', async () => {
    const shared = await aClientApplication(database, other, { isPublished: true });
    await addToTenant(database, tenant, shared.appId, other.id);
    const [[, value] = ['', '']] = [...browser.cookies];
    const elsewhere = await aSignedInBrowser(database, tenant, userId);
    elsewhere.cookies.set(`bailiwick-session-${other.id}`, value);
    const rows = () =>
      sql(`select id_hash, payload from artifacts where tenant_id = $1 and model = 'Session' and user_id is not null`, [
        other.id,
      ]);
    const before = await rows();
    const { parameters } = await authorize(server.origin, other, shared, elsewhere, {
      prompt: 'none',
      scope: 'openid',
    });
    expect([parameters.get('error'), await rows()]).toEqual(['login_required', before]);
  });

  test('TEN-12: with an ID token of another tenant as its hint is refused', async () => {
    const shared = await aClientApplication(database, other, { isPublished: true });
    const servicePrincipalId = await addToTenant(database, tenant, shared.appId, other.id);
    await consentTo(database, tenant, { clientId: servicePrincipalId, scopes: ['openid'] });
    const { id_token } = await redeemed({ scope: 'openid' }, shared);
    const { parameters } = await authorize(server.origin, other, shared, browser, {
      prompt: 'none',
      scope: 'openid',
      id_token_hint: id_token,
    });
    expect(parameters.get('error')).toBe('invalid_request');
    const logout = await browser.ask(
      `${server.origin}/${other.id}/oauth2/v2.0/logout?${new URLSearchParams({ id_token_hint: id_token })}`,
    );
    expect(logout.status).toBe(400);
    expect((await begin({ prompt: 'none' })).parameters.get('code')).not.toBeNull();
  });
});

describe('CON-01: client credentials', () => {
  test('of an application that the organization has not added give nothing', async () => {
    const evil = await aClientApplication(database, other, { isPublished: true });
    for (const scope of ['https://graph.microsoft.com/.default', 'User.Read.All', '']) {
      const answer = await token({
        ...credentialsOf(evil),
        grant_type: 'client_credentials',
        ...(scope ? { scope } : {}),
      });
      expect([scope, ...outcome(answer)]).toEqual([scope, 400, 'unauthorized_client']);
    }
  });
});

describe('answers', () => {
  test('SES-14: are never cached', async () => {
    const authorized = await begin();
    const poison = { 'x-forwarded-host': 'evil.example', 'x-original-url': '/admin', range: 'bytes=0-0' };
    const tokens = await post(server.origin, tenant, 'token', redeemForm(web, authorized), poison);
    const userinfo = await answerOf(
      await fetch(`${server.origin}/${tenant.id}/oidc/userinfo`, {
        headers: { ...poison, authorization: `Bearer ${tokens.body.access_token}` },
      }),
    );
    for (const { headers, status } of [authorized.answer, tokens, userinfo]) {
      expect([status < 400, headers.get('cache-control')]).toEqual([true, 'no-store']);
    }
  });

  test('NET-05: name the configured origin, whatever Host and X-Forwarded-* say', async () => {
    const evil = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'ftp',
      'x-forwarded-port': '1',
      forwarded: 'host=evil.example',
    };
    for (const path of [
      'v2.0/.well-known/openid-configuration',
      'oauth2/v2.0/logout',
      `oauth2/v2.0/authorize?client_id=${web.appId}`,
    ]) {
      const text = await raw(`/${tenant.id}/${path}`, evil);
      expect(text).not.toMatch(/evil|ftp:/);
    }
    const discovery = JSON.parse(await raw(`/${tenant.id}/v2.0/.well-known/openid-configuration`, evil));
    expect(discovery.token_endpoint).toBe(`${server.origin}/${tenant.id}/oauth2/v2.0/token`);
  });

  test('NET-06: the address in a record is the socket’s, not what a stranger writes in a header', async () => {
    const form = redeemForm(web, await begin());
    const answer = await post(server.origin, tenant, 'token', form, {
      'x-forwarded-for': '203.0.113.7',
      forwarded: 'for=203.0.113.7',
    });
    const [record] = await sql('select ip_address from sign_ins where tenant_id = $1 and token_id = $2', [
      tenant.id,
      decodeJwt(answer.body.access_token).jti,
    ]);
    expect(['127.0.0.1', '::1', '::ffff:127.0.0.1']).toContain(record?.ip_address);
  });

  test('KEY-03: the key set holds this tenant’s public keys and nothing private', async () => {
    const keysOf = async ({ id }: TestTenant) =>
      (await answerOf(await fetch(`${server.origin}/${id}/discovery/v2.0/keys`))).body.keys;
    const [own, foreign] = [await keysOf(tenant), await keysOf(other)];
    expect(own.length).toBeGreaterThan(1);
    for (const key of own) {
      expect(key).toMatchObject({ use: 'sig', kid: expect.any(String), alg: expect.stringMatching(/^(ES|RS)256$/) });
      expect(Object.keys(key).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth'].includes(name))).toEqual(
        [],
      );
    }
    const kids = (keys: { kid: string }[]) => keys.map(({ kid }) => kid);
    expect(kids(own).filter((kid) => kids(foreign).includes(kid))).toEqual([]);
  });
});

/** The body and `Location` of an answer to a request whose Host is another's, which `fetch` would not send. */
function raw(path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ port: new URL(server.origin).port, host: 'localhost', path, headers }, async (response) => {
      let text = response.headers.location ?? '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve(text);
    })
      .once('error', reject)
      .end();
  });
}
