import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { snapshot } from '../support/snapshot.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let token: string;
let directory: string;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  tenant = await aTenant(database, 'Contoso');
  token = await anAdministrator('Global Administrator');
  const [row] = await asSuperuser<{ id: string }>(
    database,
    'select id from service_principals where tenant_id = $1 and app_id = $2',
    [tenant.id, DIRECTORY_APP_ID],
  );
  directory = row?.id ?? '';
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const SCOPES = [
  ...['Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All'],
  ...['RoleManagement.ReadWrite.Directory', 'Directory.Read.All'],
];

async function anAdministrator(role: string): Promise<string> {
  return (await aUser(database, tenant, { scopes: SCOPES, roles: [role] })).token();
}

/** An application of the tenant, by its own and its service principal's paths. */
async function created(properties: object = {}) {
  const body = { displayName: 'Application', ...properties };
  const { body: application } = await server.call(token, 'POST', '/v1.0/applications', body);
  const [presence] = await asSuperuser<{ id: string }>(
    database,
    'select id from service_principals where tenant_id = $1 and app_id = $2',
    [tenant.id, application.appId],
  );
  return { path: `/v1.0/applications/${application.id}`, appId: application.appId, presence: presence?.id ?? '' };
}

const allScopes = (clientId: string, scope: string) => ({
  clientId,
  resourceId: directory,
  consentType: 'AllPrincipals',
  scope,
});

/** Tries, as somebody, what must change nothing. */
async function refused(by: string, method: string, path: string, body: object): Promise<void> {
  const before = await snapshot(database);
  const answer = await server.call(by, method, path, body);
  expect([method, path, answer.status]).toEqual([method, path, 403]);
  expect(answer.body.error.code).toBe('Authorization_RequestDenied');
  expect(await snapshot(database)).toEqual(before);
}

const PRIVILEGED = ['RoleManagement.ReadWrite.Directory', 'Directory.AccessAsUser.All', 'Application.ReadWrite.All'];

describe('CON-15: an application that may consent for others', () => {
  test('consents to what lends no administrator’s powers', async () => {
    const consenting = await anApplication(database, tenant, ['DelegatedPermissionGrant.ReadWrite.All']);
    const { presence } = await created();
    const grant = allScopes(presence, 'User.Read Group.Read.All');
    const answer = await server.call(await consenting.token(), 'POST', '/v1.0/oauth2PermissionGrants', grant);
    expect(answer.status).toBe(201);
    const path = `/v1.0/oauth2PermissionGrants/${answer.body.id}`;
    expect((await server.call(await consenting.token(), 'PATCH', path, { scope: 'User.Read' })).status).toBe(204);
  });

  test.each(PRIVILEGED)('does not lend itself %s, for all or for one, at once or later', async (scope) => {
    const consenting = await anApplication(database, tenant, ['DelegatedPermissionGrant.ReadWrite.All']);
    const by = await consenting.token();
    const { id: victim } = await aUser(database, tenant, { roles: ['Global Administrator'] });
    const own = consenting.servicePrincipalId;
    const forOne = { ...allScopes(own, `User.Read ${scope}`), consentType: 'Principal', principalId: victim };
    await refused(by, 'POST', '/v1.0/oauth2PermissionGrants', allScopes(own, `User.Read ${scope}`));
    await refused(by, 'POST', '/v1.0/oauth2PermissionGrants', forOne);
    const harmless = await server.call(by, 'POST', '/v1.0/oauth2PermissionGrants', allScopes(own, 'User.Read'));
    await refused(by, 'PATCH', `/v1.0/oauth2PermissionGrants/${harmless.body.id}`, { scope: `User.Read ${scope}` });
  });

  test('an Application Administrator, a person, may (wire.md)', async () => {
    const { presence } = await created();
    const by = await anAdministrator('Application Administrator');
    const grant = allScopes(presence, PRIVILEGED.join(' '));
    expect((await server.call(by, 'POST', '/v1.0/oauth2PermissionGrants', grant)).status).toBe(201);
  });
});

describe('CON-16: what an application signs in with', () => {
  test.each(PRIVILEGED)('is not another application’s to change where it was granted %s', async (scope) => {
    const writing = await (await anApplication(database, tenant, ['Application.ReadWrite.All'])).token();
    const { path, presence } = await created();
    const redirect = { web: { redirectUris: ['https://mallory.example/'] } };
    expect((await server.call(writing, 'PATCH', path, redirect)).status).toBe(204);
    await server.call(token, 'POST', '/v1.0/oauth2PermissionGrants', allScopes(presence, `User.Read ${scope}`));
    await refused(writing, 'PATCH', path, { spa: { redirectUris: ['https://mallory.example/'] } });
    await refused(writing, 'PATCH', path, { isFallbackPublicClient: true });
    await refused(writing, 'POST', `${path}/addPassword`, {});
    const administrator = await anAdministrator('Application Administrator');
    expect((await server.call(administrator, 'PATCH', path, redirect)).status).toBe(204);
  });

  test('an app role of another API that borrows a privileged one’s id makes nothing privileged', async () => {
    const id = DIRECTORY_API.appRoles.find(({ value }) => value === 'RoleManagement.ReadWrite.Directory')?.id;
    const role = { id, value: 'Borrowed', displayName: 'b', description: 'b', allowedMemberTypes: ['Application'] };
    const { presence: resourceId } = await created({ appRoles: [role] });
    const { path, presence } = await created();
    const assigned = { principalId: presence, resourceId, appRoleId: id };
    const assignments = `/v1.0/servicePrincipals/${presence}/appRoleAssignments`;
    expect((await server.call(token, 'POST', assignments, assigned)).status).toBe(201);
    const administrator = await anAdministrator('Application Administrator');
    expect((await server.call(administrator, 'POST', `${path}/addPassword`, {})).status).toBe(200);
  });
});

describe('the way back', () => {
  test('nobody keeps the directory API for the few who are assigned to it: administrators would be locked out', async () => {
    for (const role of ['Application Administrator', 'Global Administrator'])
      await refused(await anAdministrator(role), 'PATCH', `/v1.0/servicePrincipals/${directory}`, {
        appRoleAssignmentRequired: true,
      });
    const { presence } = await created();
    const path = `/v1.0/servicePrincipals/${presence}`;
    expect((await server.call(token, 'PATCH', path, { appRoleAssignmentRequired: true })).status).toBe(204);
  });

  test('who may decide who is in a group wins no directory role by it: groups hold none', async () => {
    const { body: group } = await server.call(
      await (
        await aUser(database, tenant, { scopes: ['Group.ReadWrite.All'], roles: ['Groups Administrator'] })
      ).token(),
      'POST',
      '/v1.0/groups',
      { displayName: 'Administrators', mailNickname: `g-${randomUUID()}` },
    );
    const body = { roleDefinitionId: '62e90394-69f5-4237-9190-012177145e10', principalId: group.id };
    const answer = await server.call(token, 'POST', '/v1.0/roleManagement/directory/roleAssignments', body);
    expect(answer.status).toBe(404);
  });
});
