import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  aClientApplication,
  addToTenant,
  aPerson,
  assignRole,
  consentTo,
  type TestApplication,
} from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, credentialsOf, post, redeemForm, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { asSuperuser, aTenant, aUser, ORIGIN, type TestTenant } from '../support/tenants.ts';

/** A publisher takes its application back: everywhere, or from one organization. Two processes of each side. */
let database: TestDatabase;
let servers: TestAuthenticationServer[];
let directories: TestDirectoryServer[];
let home: TestTenant;
let away: TestTenant;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  const publicOrigin = ORIGIN;
  servers = [
    await anAuthenticationServer(database, { publicOrigin }),
    await anAuthenticationServer(database, { publicOrigin }),
  ];
  directories = [await aDirectoryServer(database), await aDirectoryServer(database)];
  [home, away] = [await aTenant(database, 'Home'), await aTenant(database, 'Away')];
  const scopes = ['Application.ReadWrite.All'];
  token = await (await aUser(database, home, { scopes, roles: ['Global Administrator'] })).token();
});

afterAll(async () => {
  expect([...servers, ...directories].flatMap(({ errors }) => errors)).toEqual([]);
  for (const each of [...servers, ...directories]) await each.close();
  await database.drop();
});

/** A published application with tokens of both kinds in both tenants, each asked for and used at both processes. */
async function inUse() {
  const client = await aClientApplication(database, home, { isPublished: true });
  const presences = new Map([
    [home, client.servicePrincipalId],
    [away, await addToTenant(database, away, client.appId, home.id)],
  ]);
  const tokens = new Map<TestTenant, { readonly access: string; readonly refresh: string; readonly app: string }>();
  for (const [tenant, clientId] of presences) {
    await consentTo(database, tenant, { clientId, scopes: ['openid', 'offline_access', 'User.Read'] });
    await assignRole(database, tenant, clientId, 'User.Read.All');
    const browser = await aSignedInBrowser(database, tenant, await aPerson(database, tenant));
    const scope = 'openid offline_access User.Read';
    const asked = await authorize(servers[0]?.origin ?? '', tenant, client, browser, { scope });
    const { body } = await post(servers[0]?.origin ?? '', tenant, 'token', redeemForm(client, asked));
    const app = await alone(servers[0] as TestAuthenticationServer, tenant, client);
    tokens.set(tenant, { access: body.access_token, refresh: body.refresh_token, app: app.body.access_token });
    expect(await statesOf(client, tenant, tokens)).toEqual(ALIVE);
  }
  return { client, tokens };
}

const ALIVE = { issued: [200, 200], authorized: [303, 303], me: [200, 200], users: [200, 200] };

const alone = ({ origin }: TestAuthenticationServer, tenant: TestTenant, client: TestApplication) =>
  post(origin, tenant, 'token', {
    ...credentialsOf(client),
    grant_type: 'client_credentials',
    scope: 'https://graph.microsoft.com/.default',
  });

/** What every process says to the application now: to new tokens, and to those that were issued. */
async function statesOf(
  client: TestApplication,
  tenant: TestTenant,
  tokens: ReadonlyMap<TestTenant, { readonly access: string; readonly app: string }>,
) {
  const { access = '', app = '' } = tokens.get(tenant) ?? {};
  const each = <From, To>(from: readonly From[], ask: (one: From) => Promise<To>) => Promise.all(from.map(ask));
  const status = (path: string, by: string) => async (directory: TestDirectoryServer) =>
    (await directory.call(by, 'GET', path)).status;
  return {
    issued: await each(servers, async (server) => (await alone(server, tenant, client)).status),
    authorized: await each(servers, async ({ origin }) => {
      const browser = await aSignedInBrowser(database, tenant, await aPerson(database, tenant));
      const { answer, parameters } = await authorize(origin, tenant, client, browser, { scope: 'openid User.Read' });
      return parameters.has('code') ? answer.status : 'no code';
    }),
    me: await each(directories, status('/v1.0/me', access)),
    users: await each(directories, status('/v1.0/users', app)),
  };
}

const DEAD = { issued: [400, 400], authorized: ['no code', 'no code'], me: [401, 401], users: [401, 401] };

describe('an application that its publisher', () => {
  test('deactivates gets no token anywhere, those that live are refused at once, and all is back when it is active', async () => {
    const { client, tokens } = await inUse();
    const path = `/v1.0/applications/${client.id}`;
    expect((await directories[0]?.call(token, 'PATCH', path, { isDisabled: true }))?.status).toBe(204);
    for (const tenant of [home, away]) {
      expect(await statesOf(client, tenant, tokens)).toEqual(DEAD);
      const { body } = await alone(servers[1] as TestAuthenticationServer, tenant, client);
      expect([body.error, body.error_codes]).toEqual(['unauthorized_client', [7000112]]);
      const refreshed = await post(
        servers[1]?.origin ?? '',
        tenant,
        'token',
        refreshForm(client, tokens.get(tenant)?.refresh ?? ''),
      );
      expect([refreshed.status, refreshed.body.error_codes]).toEqual([400, [7000112]]);
    }
    const [row] = await asSuperuser<{ count: number }>(
      database,
      'select count(*)::int as count from service_principals where app_id = $1',
      [client.appId],
    );
    expect(row?.count).toBe(2);
    expect((await directories[0]?.call(token, 'PATCH', path, { isDisabled: false }))?.status).toBe(204);
    for (const tenant of [home, away]) expect(await statesOf(client, tenant, tokens)).toEqual(ALIVE);
  });

  test('withdraws from one organization is dead there at once, and lives on elsewhere', async () => {
    const { client, tokens } = await inUse();
    const path = `/v1.0/applications/${client.id}`;
    const withdrawn = await directories[0]?.call(token, 'POST', `${path}/withdraw`, { tenantId: away.id });
    expect(withdrawn?.status).toBe(204);
    expect(await statesOf(client, away, tokens)).toEqual(DEAD);
    expect(await statesOf(client, home, tokens)).toEqual(ALIVE);
    const { body } = await alone(servers[1] as TestAuthenticationServer, away, client);
    expect(body.error_codes).toEqual([7000112]);
    await directories[0]?.call(token, 'POST', `${path}/restoreAccess`, { tenantId: away.id });
    expect(await statesOf(client, away, tokens)).toEqual(ALIVE);
  });
});

describe('CON-12: where an API requires assignment', () => {
  test('an application on its own is refused unless it is assigned to it, at every process at once', async () => {
    const role = { id: randomUUID(), value: 'Use', allowedMemberTypes: ['Application'] };
    const api = await aClientApplication(database, home, { name: 'API', appRoles: [role] });
    const client = await aClientApplication(database, home);
    const ask = () =>
      Promise.all(
        servers.map(({ origin }) =>
          post(origin, home, 'token', {
            ...credentialsOf(client),
            grant_type: 'client_credentials',
            scope: `api://${api.appId}/.default`,
          }),
        ),
      );
    await asSuperuser(database, 'update service_principals set app_role_assignment_required = true where id = $1', [
      api.servicePrincipalId,
    ]);
    for (const { status, body } of await ask()) expect([status, body.error]).toEqual([400, 'invalid_scope']);
    await asSuperuser(
      database,
      `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
        values ($1, gen_random_uuid(), 'ServicePrincipal', $2, $3, $4)`,
      [home.id, client.servicePrincipalId, api.servicePrincipalId, role.id],
    );
    for (const { status } of await ask()) expect(status).toBe(200);
  });
});
