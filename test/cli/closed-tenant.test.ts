import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patchApplication } from '../../src/authorization/catalogue/applications.ts';
import { aClientApplication, assignRole, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aCommandLine, type TestCommandLine } from '../support/command-line.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { asSuperuser, aTenant, aUser, ORIGIN, operatorOf, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
/** Two processes of each side. */
let authentication: TestAuthenticationServer[];
let directory: TestDirectoryServer[];
let cli: TestCommandLine;
let tenant: TestTenant;
let other: TestTenant;
let daemon: TestApplication;

beforeAll(async () => {
  database = await aDatabase();
  const options = { publicOrigin: ORIGIN };
  authentication = [await anAuthenticationServer(database, options), await anAuthenticationServer(database, options)];
  directory = [await aDirectoryServer(database), await aDirectoryServer(database)];
  cli = aCommandLine(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  daemon = await aClientApplication(database, tenant);
  await assignRole(database, tenant, daemon.servicePrincipalId, 'User.Read.All');
});

afterAll(async () => {
  for (const server of [...authentication, ...directory]) {
    expect(server.errors).toEqual([]);
    await server.close();
  }
  await database.drop();
});

async function tokenOf(
  server: TestAuthenticationServer,
  path = 'oauth2/v2.0/token',
  more: Record<string, string> = {},
) {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: daemon.appId,
    client_secret: daemon.secret,
    ...more,
  });
  const answer = await fetch(`${server.origin}/${tenant.id}/${path}`, { method: 'POST', body });
  return { status: answer.status, body: JSON.parse((await answer.text()) || 'null') };
}

const DOORS = [
  'v2.0/.well-known/openid-configuration',
  'discovery/v2.0/keys',
  'oauth2/v2.0/authorize?client_id=x&response_type=code',
  'v2.0/adminconsent?client_id=x',
  'oauth2/v2.0/logout',
];

test('the applications of a tenant that is closed act in no other organization, until it is opened', async () => {
  const scopes = ['Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All'];
  const roles = ['Global Administrator'];
  const publisher = await (await aUser(database, other, { scopes, roles })).token();
  const host = await (await aUser(database, tenant, { scopes, roles })).token();
  const [, server] = directory as [TestDirectoryServer, TestDirectoryServer];
  const definition = { displayName: 'Guest', signInAudience: 'AzureADMultipleOrgs' };
  const { body: guest } = await server.call(publisher, 'POST', '/v1.0/applications', definition);
  const { body: secret } = await server.call(publisher, 'POST', `/v1.0/applications/${guest.id}/addPassword`, {});
  const { body: presence } = await server.call(host, 'POST', '/v1.0/servicePrincipals', { appId: guest.appId });
  await assignRole(database, tenant, presence.id, 'User.Read.All');

  const credentials = { client_id: guest.appId, client_secret: secret.secretText };
  const issued = await Promise.all(authentication.map((one) => tokenOf(one, 'oauth2/v2.0/token', credentials)));
  expect(issued.map(({ status }) => status)).toEqual([200, 200]);
  const token = issued[0]?.body.access_token;
  const read = () => server.call(token, 'GET', '/v1.0/users/00000000-0000-0000-0000-000000000001');
  expect((await read()).status).toBe(404);

  expect((await cli.run('tenant', 'disable', '--tenant', other.id)).code).toBe(0);
  expect((await read()).status).toBe(401);
  for (const one of authentication) {
    const refused = await tokenOf(one, 'oauth2/v2.0/token', credentials);
    expect([refused.status, refused.body.error]).toEqual([401, 'invalid_client']);
  }
  // Not even the operator publishes anything of it meanwhile.
  const operator = database.operator;
  const patch = { id: guest.id, body: { displayName: 'Guest again' } };
  await operator.perform(operatorOf(other.id), patchApplication, patch, { correlationId: 'closed' });
  expect((await read()).status).toBe(401);

  expect((await cli.run('tenant', 'enable', '--tenant', other.id)).code).toBe(0);
  expect((await read()).status).toBe(404);
  for (const one of authentication) expect((await tokenOf(one, 'oauth2/v2.0/token', credentials)).status).toBe(200);
});

test('a tenant that is closed has every door closed at once, at both sides and in every process, until it is opened', async () => {
  const person = await (await aUser(database, tenant, { scopes: ['User.Read.All'], roles: ['Global Reader'] })).token();
  const app = (await tokenOf(authentication[0] as TestAuthenticationServer)).body.access_token;
  const stranger = await (await aUser(database, other, { scopes: ['User.Read'] })).token();
  const read = async () => {
    const answers = [];
    for (const server of directory)
      for (const token of [person, app])
        for (const path of ['/v1.0/users?$top=1', '/v1.0/users/00000000-0000-0000-0000-000000000001'])
          answers.push((await server.call(token, 'GET', path)).status);
    return [...new Set(answers)].sort();
  };
  expect(await read()).toEqual([200, 404]);

  const closed = await cli.run('tenant', 'disable', '--tenant', tenant.domain, '--json');
  expect([closed.code, JSON.parse(closed.stdout)]).toEqual([
    0,
    { outcome: 'updated', tenant: tenant.id, isEnabled: false },
  ]);
  expect(await read()).toEqual([401]);
  for (const server of authentication) {
    for (const door of DOORS)
      for (const name of [tenant.id, tenant.domain]) {
        const { status } = await fetch(`${server.origin}/${name}/${door}`, { redirect: 'manual' });
        expect([door, status]).toEqual([door, 400]);
      }
    expect((await tokenOf(server)).status).toBe(400);
    expect((await tokenOf(server, 'oauth2/v2.0/introspect', { token: app })).status).toBe(400);
    expect((await tokenOf(server, 'oauth2/v2.0/revoke', { token: app })).status).toBe(400);
    const bearer = { headers: { authorization: `Bearer ${person}` } };
    expect((await fetch(`${server.origin}/${tenant.id}/oidc/userinfo`, bearer)).status).toBe(400);
  }
  expect((await directory[0]?.call(stranger, 'GET', '/v1.0/me'))?.status).toBe(200);

  expect((await cli.run('tenant', 'enable', '--tenant', tenant.id)).stdout).toBe('Contoso is open.\n');
  expect(JSON.parse((await cli.run('tenant', 'enable', '--tenant', tenant.id, '--json')).stdout).outcome).toBe(
    'unchanged',
  );
  expect(await read()).toEqual([200, 404]);
  for (const server of authentication) expect((await tokenOf(server)).status).toBe(200);
  const audited = await asSuperuser<{ properties: object[] }>(
    database,
    `select target_resources -> 0 -> 'modifiedProperties' as properties from directory_audits
      where tenant_id = $1 and activity_display_name = 'Update organization' order by sequence`,
    [tenant.id],
  );
  expect(audited.map(({ properties }) => properties)).toEqual([
    [{ displayName: 'isEnabled', oldValue: 'true', newValue: 'false' }],
    [{ displayName: 'isEnabled', oldValue: 'false', newValue: 'true' }],
  ]);
});
