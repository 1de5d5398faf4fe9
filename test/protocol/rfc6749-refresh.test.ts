import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aClientApplication, addToTenant, aPerson, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, type Browser, post, redeemForm, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let userId: string;
let browser: Browser;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
});

beforeEach(async () => {
  userId = await aPerson(database, tenant);
  browser = await aSignedInBrowser(database, tenant, userId);
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

const OIDC = ['openid', 'profile', 'offline_access'];
const sql = (text: string, values: unknown[]) => asSuperuser<Record<string, unknown>>(database, text, values);

async function aWebApp(scopes = [...OIDC, 'User.Read']) {
  const client = await aClientApplication(database, tenant);
  await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes });
  return client;
}

async function aSpa(scopes = [...OIDC, 'User.Read']) {
  const client = await aClientApplication(database, tenant, {
    spa: ['https://spa.example/callback'],
    isConfidential: false,
  });
  await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes });
  return client;
}

/** Signs in and redeems the code. */
async function begin(client: TestApplication, { isPublic = false, scope = `${OIDC.join(' ')} User.Read` } = {}) {
  const authorized = await authorize(server.origin, tenant, client, browser, { scope });
  const answer = await post(server.origin, tenant, 'token', redeemForm(client, authorized, isPublic));
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.body;
}

const refresh = (client: TestApplication, token: string, more: Record<string, string> = {}, isPublic = false) =>
  post(server.origin, tenant, 'token', { ...refreshForm(client, token, isPublic), ...more });

/** Lets the use of a refresh token lie so many seconds back. */
const age = (seconds: number) =>
  sql(
    `update artifacts set consumed_at = consumed_at - make_interval(secs => $2) where tenant_id = $1 and consumed_at is not null`,
    [tenant.id, seconds],
  );

describe('a refresh', () => {
  test('gives new tokens that say of the sign-in what the first ones said', async () => {
    const client = await aWebApp();
    const first = await begin(client);
    const { status, body } = await refresh(client, first.refresh_token, { client_info: '1' });
    expect(status).toBe(200);
    const [idToken, firstIdToken] = [decodeJwt(body.id_token), decodeJwt(first.id_token)];
    for (const name of ['iss', 'sub', 'aud', 'auth_time', 'sid', 'oid', 'amr', 'acr']) {
      expect([name, idToken[name]]).toEqual([name, firstIdToken[name]]);
      expect(idToken[name]).toBeDefined();
    }
    expect(idToken).not.toHaveProperty('nonce');
    expect(decodeJwt(body.access_token)).toMatchObject({
      scp: decodeJwt(first.access_token).scp,
      aud: DIRECTORY_APP_ID,
    });
    expect(body.scope.split(' ').sort()).toEqual(first.scope.split(' ').sort());
    expect(body.client_info).toEqual(expect.any(String));
    expect(body.refresh_token).toBe(first.refresh_token);
  });

  test('of a public client rotates at each use', async () => {
    const client = await aSpa();
    const first = await begin(client, { isPublic: true });
    const second = await refresh(client, first.refresh_token, {}, true);
    const third = await refresh(client, second.body.refresh_token, {}, true);
    expect([second.status, third.status]).toEqual([200, 200]);
    expect(new Set([first.refresh_token, second.body.refresh_token, third.body.refresh_token]).size).toBe(3);
  });

  test('reaches any resource that is consented, though the family began with another', async () => {
    const api = await aClientApplication(database, tenant, {
      name: 'API',
      identifierUris: [`api://orders-${crypto.randomUUID()}`],
      scopes: ['Orders.Read', 'Orders.Write'],
    });
    const client = await aWebApp();
    await consentTo(database, tenant, {
      clientId: client.servicePrincipalId,
      scopes: ['Orders.Read'],
      resourceAppId: api.appId,
    });
    const first = await begin(client);
    const { status, body } = await refresh(client, first.refresh_token, {
      scope: `api://${api.appId}/.default openid`,
    });
    expect(status).toBe(200);
    expect(decodeJwt(body.access_token)).toMatchObject({ aud: api.appId, scp: 'Orders.Read' });
    expect(body.scope.split(' ')).toEqual(
      expect.arrayContaining([`api://${api.appId}/Orders.Read`, `api://${api.appId}/.default`]),
    );
    expect(body.id_token).toBeDefined();
    const narrower = await refresh(client, first.refresh_token, { scope: `api://${api.appId}/Orders.Write` });
    expect([narrower.status, narrower.body.error, narrower.body.suberror]).toEqual([
      400,
      'invalid_grant',
      'consent_required',
    ]);
  });

  test('CON-03: never exceeds consent, whatever the application has come to require', async () => {
    const client = await aWebApp();
    const first = await begin(client);
    await sql(`update applications set required_resource_access = $3 where tenant_id = $1 and id = $2`, [
      tenant.id,
      client.id,
      JSON.stringify([{ resourceAppId: DIRECTORY_APP_ID, resourceAccess: [] }]),
    ]);
    const all = await refresh(client, first.refresh_token, { scope: 'https://graph.microsoft.com/.default' });
    expect(String(decodeJwt(all.body.access_token).scp).split(' ').sort()).toEqual([...OIDC, 'User.Read'].sort());
    const more = await refresh(client, first.refresh_token, { scope: 'User.ReadWrite.All' });
    expect([more.status, more.body.error, more.body.suberror]).toEqual([400, 'invalid_grant', 'consent_required']);
    const silent = await authorize(server.origin, tenant, client, browser, {
      scope: 'openid User.ReadWrite.All',
      prompt: 'none',
    });
    expect(silent.parameters.get('error')).toBe('consent_required');
  });

  test('CON-09: yields less when consent was reduced, and what was revoked never comes back to the family', async () => {
    const client = await aWebApp([...OIDC, 'User.Read', 'Group.Read.All']);
    const first = await begin(client, { scope: 'openid offline_access User.Read Group.Read.All' });
    expect(decodeJwt(first.access_token).scp).toContain('Group.Read.All');
    await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes: [...OIDC, 'User.Read'] });
    const reduced = await refresh(client, first.refresh_token);
    expect(reduced.status).toBe(200);
    expect(String(decodeJwt(reduced.body.access_token).scp).split(' ').sort()).toEqual([
      'User.Read',
      'offline_access',
      'openid',
    ]);
    await sql(
      `insert into revoked_scopes (tenant_id, client_id, resource_id, scope)
       select $1, $2, id, 'Group.Read.All' from service_principals where tenant_id = $1 and app_id = $3`,
      [tenant.id, client.servicePrincipalId, DIRECTORY_APP_ID],
    );
    await consentTo(database, tenant, {
      clientId: client.servicePrincipalId,
      scopes: [...OIDC, 'User.Read', 'Group.Read.All'],
    });
    const again = await refresh(client, first.refresh_token, { scope: 'User.Read Group.Read.All' });
    expect(decodeJwt(again.body.access_token).scp).toBe('User.Read');
    const anew = await begin(client, { scope: 'openid offline_access User.Read Group.Read.All' });
    expect(decodeJwt(anew.access_token).scp).toContain('Group.Read.All');
  });

  test('CON-11: ends when consent to offline_access is withdrawn, and with all consent', async () => {
    const client = await aWebApp();
    const first = await begin(client);
    await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes: ['openid', 'User.Read'] });
    const { status, body } = await refresh(client, first.refresh_token);
    expect([status, body.error, body.suberror]).toEqual([400, 'invalid_grant', 'consent_required']);
  });

  test('CON-12: wants the person still assigned, where the administrator requires it', async () => {
    const client = await aWebApp();
    const first = await begin(client);
    await sql('update service_principals set app_role_assignment_required = true where tenant_id = $1 and id = $2', [
      tenant.id,
      client.servicePrincipalId,
    ]);
    const refused = await refresh(client, first.refresh_token);
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_grant']);
    const back = await authorize(server.origin, tenant, client, browser);
    expect([back.answer.status, back.parameters.get('error')]).toEqual([303, 'access_denied']);
    const group = crypto.randomUUID();
    await sql(`insert into groups (tenant_id, id, display_name, mail_nickname) values ($1, $2, 'G', $3)`, [
      tenant.id,
      group,
      group,
    ]);
    await sql('insert into group_members (tenant_id, group_id, user_id) values ($1, $2, $3)', [
      tenant.id,
      group,
      userId,
    ]);
    await sql(
      `insert into app_role_assignments (tenant_id, id, principal_type, group_id, resource_id, app_role_id)
       values ($1, gen_random_uuid(), 'Group', $2, $3, '00000000-0000-0000-0000-000000000000')`,
      [tenant.id, group, client.servicePrincipalId],
    );
    expect((await refresh(client, first.refresh_token)).status).toBe(200);
    expect((await authorize(server.origin, tenant, client, browser)).parameters.get('code')).toEqual(
      expect.any(String),
    );
  });

  test.each([
    [
      'the client is disabled',
      'update service_principals set account_enabled = false where tenant_id = $1 and id = $3 and $2::text is not null',
    ],
    [
      'the person is disabled',
      'update users set account_enabled = false where tenant_id = $1 and id = $2 and $3::text is not null',
    ],
    [
      'the person’s sessions were revoked',
      `update users set sign_in_sessions_valid_from = now() + interval '1 second' where tenant_id = $1 and id = $2 and $3::text is not null`,
    ],
    ['the person is gone', 'delete from users where tenant_id = $1 and id = $2 and $3::text is not null'],
  ])('CON-13: is refused when %s', async (_what, statement) => {
    const client = await aWebApp();
    const first = await begin(client);
    await sql(statement, [tenant.id, userId, client.servicePrincipalId]);
    const { status, body } = await refresh(client, first.refresh_token);
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  });

  test('wants the client to which the token was issued, with its credential', async () => {
    const [client, other] = [await aWebApp(), await aWebApp()];
    const first = await begin(client);
    expect((await refresh(other, first.refresh_token)).body.error).toBe('invalid_grant');
    const bare = await post(server.origin, tenant, 'token', refreshForm(client, first.refresh_token, true));
    expect([bare.status, bare.body.error]).toEqual([401, 'invalid_client']);
    expect((await refresh(client, first.refresh_token)).status).toBe(200);
  });

  test('TEN-05: of one tenant is unknown to another, and the family lives on', async () => {
    const other = await aTenant(database, 'Fabrikam');
    const client = await aClientApplication(database, other, { isPublished: true });
    const servicePrincipalId = await addToTenant(database, tenant, client.appId, other.id);
    await consentTo(database, tenant, { clientId: servicePrincipalId, scopes: [...OIDC, 'User.Read'] });
    const first = await begin({ ...client, servicePrincipalId });
    const elsewhere = await post(server.origin, other, 'token', refreshForm(client, first.refresh_token));
    expect([elsewhere.status, elsewhere.body.error]).toEqual([400, 'invalid_grant']);
    expect((await refresh(client, first.refresh_token)).status).toBe(200);
  });

  test('KEY-07: works until the token’s end and not after it', async () => {
    const client = await aSpa();
    const first = await begin(client, { isPublic: true });
    const [family] = await sql(
      `select extract(epoch from a.expires_at - now())::float8 as left from artifacts a where a.tenant_id = $1 and model = 'RefreshToken' and user_id = $2`,
      [tenant.id, userId],
    );
    expect(Number(family?.left)).toBeGreaterThan(86_395);
    expect(Number(family?.left)).toBeLessThanOrEqual(86_400);
    await sql(
      `update artifacts set expires_at = now() - interval '1 second' where tenant_id = $1 and model = 'RefreshToken' and user_id = $2`,
      [tenant.id, userId],
    );
    expect((await refresh(client, first.refresh_token, {}, true)).body.error).toBe('invalid_grant');
    await sql(
      `update artifacts set expires_at = now() + interval '5 second' where tenant_id = $1 and model = 'RefreshToken' and user_id = $2`,
      [tenant.id, userId],
    );
    const again = await refresh(client, first.refresh_token, {}, true);
    expect(again.status).toBe(200);
  });
});

describe('a rotated refresh token', () => {
  test('gives the same child again within the grace, sealed so that the database alone yields nothing', async () => {
    const client = await aSpa();
    const first = await begin(client, { isPublic: true });
    const [second, retried] = [
      await refresh(client, first.refresh_token, {}, true),
      await refresh(client, first.refresh_token, {}, true),
    ];
    expect([retried.status, retried.body.refresh_token]).toEqual([200, second.body.refresh_token]);
    const [row] = await sql(`select * from artifacts where tenant_id = $1 and successor is not null and user_id = $2`, [
      tenant.id,
      userId,
    ]);
    expect(String(row?.successor)).not.toContain(second.body.refresh_token);
  });

  test('RAC-07, RAC-10: replayed after the grace kills the family at every process, and that outlives the failing request', async () => {
    const client = await aSpa();
    const first = await begin(client, { isPublic: true });
    const second = await refresh(client, first.refresh_token, {}, true);
    await age(11);
    const restarted = await anAuthenticationServer(database, { publicOrigin: server.origin });
    try {
      const replay = await post(restarted.origin, tenant, 'token', refreshForm(client, first.refresh_token, true));
      expect([replay.status, replay.body.error]).toEqual([400, 'invalid_grant']);
    } finally {
      await restarted.close();
    }
    const child = await refresh(client, second.body.refresh_token, {}, true);
    // Microsoft's clients know by the suberror that a person must sign in again.
    expect([child.status, child.body.error, child.body.suberror]).toEqual([400, 'invalid_grant', 'bad_token']);
    const userinfo = await fetch(`${server.origin}/${tenant.id}/oidc/userinfo`, {
      headers: { authorization: `Bearer ${second.body.access_token}` },
    });
    expect(userinfo.status).toBe(401);
  });

  test('within the grace still wants what a refresh wants', async () => {
    const client = await aSpa();
    const first = await begin(client, { isPublic: true });
    await refresh(client, first.refresh_token, {}, true);
    await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes: ['openid'] });
    expect((await refresh(client, first.refresh_token, {}, true)).body.error).toBe('invalid_grant');
  });

  test('of a confidential client is a day old before it rotates', async () => {
    const client = await aWebApp();
    const first = await begin(client);
    expect((await refresh(client, first.refresh_token)).body.refresh_token).toBe(first.refresh_token);
  });
});
