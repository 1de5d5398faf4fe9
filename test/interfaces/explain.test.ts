import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { aClientApplication, assignRole, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

const ROLES = ['User.Read.All', 'Group.Read.All'] as const;

let database: TestDatabase;
let directory: TestDirectoryServer;
let tokens: TestAuthenticationServer;
let tenant: TestTenant;
let reader: TestPrincipal;

beforeAll(async () => {
  database = await aDatabase();
  directory = await aDirectoryServer(database);
  tokens = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  reader = await aUser(database, tenant, { scopes: ['Application.Read.All'], roles: ['Global Reader'] });
});

afterAll(async () => {
  expect(directory.errors).toEqual([]);
  await Promise.all([directory.close(), tokens.close()]);
  await database.drop();
});

const explain = async (body: object, by = reader) =>
  directory.call(await by.token(), 'POST', '/v1.0/reports/explainToken', body);

/** What the token endpoint does: the roles of its token, or the number of its refusal. */
async function issued({ appId, secret }: TestApplication, scope: string): Promise<readonly string[] | number> {
  const answer = await fetch(`${tokens.origin}/${tenant.id}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: appId, client_secret: secret, scope }),
  });
  const body = (await answer.json()) as { access_token?: string; error_codes?: number[] }; // RFC 6749, sections 5.1 and 5.2
  if (body.access_token) return (decodeJwt(body.access_token) as { roles: string[] }).roles;
  return body.error_codes?.[0] ?? 0;
}

const ASKED = ['.default', ...ROLES, 'openid https://graph.microsoft.com/.default'];
const worlds = ROLES.flatMap((_, held) =>
  ASKED.flatMap((asked) => [true, false].map((isEnabled) => ({ held, asked, isEnabled }))),
).concat(ASKED.map((asked) => ({ held: ROLES.length, asked, isEnabled: true })));

describe('explain', () => {
  test.each(worlds)(
    'agrees with the token endpoint: $held roles held, $asked asked for, enabled: $isEnabled',
    async (world) => {
      const daemon = await aClientApplication(database, tenant, { web: [] });
      const { appId, servicePrincipalId } = daemon;
      for (const role of ROLES.slice(0, world.held)) await assignRole(database, tenant, servicePrincipalId, role);
      const enable = 'update service_principals set account_enabled = $3 where tenant_id = $1 and id = $2';
      await asSuperuser(database, enable, [tenant.id, servicePrincipalId, world.isEnabled]);
      const { status, body } = await explain({ clientAppId: appId, scope: world.asked });
      expect(status).toBe(200);
      const told = body.issued ? body.roles : body.refusal.code;
      const real = await issued(
        daemon,
        world.asked.includes('/') ? world.asked : `https://graph.microsoft.com/${world.asked}`,
      );
      expect(Array.isArray(told) ? [...told].sort() : told).toEqual(Array.isArray(real) ? [...real].sort() : real);
      expect(body.trace.length).toBeGreaterThan(0);
      expect(body.trace.some(({ outcome }: { outcome: string }) => outcome === 'fail')).toBe(!body.issued);
    },
  );

  test('what no one token can be is no question: several resources, or all beside some', async () => {
    const { appId: clientAppId } = await aClientApplication(database, tenant);
    const graph = 'https://graph.microsoft.com';
    for (const question of [
      { scope: `${graph}/User.Read.All api://elsewhere/Read` },
      { scope: 'User.Read.All api://elsewhere/Read' },
      { scope: `${graph}/User.Read.All`, resource: 'api://elsewhere' },
      { scope: `${graph}/.default ${graph}/User.Read.All` },
    ]) {
      const { status, body } = await explain({ clientAppId, ...question });
      expect([question, status, body.error?.code]).toEqual([question, 400, 'Request_BadRequest']);
    }
  });

  test('a person without a role that reads decisions is refused; another tenant’s person is not found', async () => {
    const { appId } = await aClientApplication(database, tenant);
    const plain = await aUser(database, tenant, { scopes: ['Application.Read.All'] });
    expect((await explain({ clientAppId: appId }, plain)).status).toBe(403);
    const elsewhere = await aUser(database, await aTenant(database, 'Fabrikam'), { scopes: ['User.Read'] });
    const foreign = await explain({ clientAppId: appId, userId: elsewhere.id });
    const nobody = await explain({ clientAppId: appId, userId: randomUUID() });
    expect([foreign.status, nobody.status]).toEqual([404, 404]);
    expect(foreign.body.error.message).toBe(nobody.body.error.message);
  });
});
