import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patchApplication } from '../../src/authorization/catalogue/applications.ts';
import { aClientApplication, addToTenant, consentTo } from '../support/applications.ts';
import { aCommandLine, type TestCommandLine } from '../support/command-line.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { asSuperuser, aTenant, aUser, operatorOf, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let cli: TestCommandLine;
let home: TestTenant;
let tenant: TestTenant;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  cli = aCommandLine(database);
  [home, tenant] = [await aTenant(database, 'Fabrikam'), await aTenant(database, 'Contoso')];
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

test('what is left of an application that its home has unpublished is shown, exported, and removed', async () => {
  const appRole = { id: crypto.randomUUID(), value: 'Use', allowedMemberTypes: ['Application'] };
  const guest = await aClientApplication(database, home, {
    name: 'Guest',
    isPublished: true,
    scopes: ['Read'],
    appRoles: [appRole],
  });
  const client = await aClientApplication(database, tenant, { name: 'Client' });
  const guestId = await addToTenant(database, tenant, guest.appId, home.id);
  await consentTo(database, tenant, {
    clientId: client.servicePrincipalId,
    scopes: ['Read'],
    resourceAppId: guest.appId,
  });
  await asSuperuser(
    database,
    `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
      values ($1, gen_random_uuid(), 'ServicePrincipal', $2, $3, $4)`,
    [tenant.id, client.servicePrincipalId, guestId, appRole.id],
  );
  await database.operator.perform(
    operatorOf(home.id),
    patchApplication,
    { id: guest.id, body: { signInAudience: 'AzureADMyOrg' } },
    { correlationId: 'x' },
  );

  const scopes = ['Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', 'DelegatedPermissionGrant.Read.All'];
  const token = await (await aUser(database, tenant, { scopes, roles: ['Application Administrator'] })).token();
  const path = `/v1.0/servicePrincipals/${guestId}`;
  const left = { displayName: 'Removed application', identifierUris: [], oauth2PermissionScopes: [], appRoles: [] };
  expect((await server.call(token, 'GET', path)).body).toMatchObject(left);
  const query = `?$filter=${encodeURIComponent("startsWith(displayName, 'removed')")}&$orderby=displayName`;
  expect((await server.call(token, 'GET', `/v1.0/servicePrincipals${query}`)).body.value).toMatchObject([left]);
  expect((await server.call(token, 'GET', `${path}/appRoleAssignedTo`)).body.value).toMatchObject([
    { resourceDisplayName: 'Removed application' },
  ]);

  for (const words of [['export'], ['consent', 'list'], ['consent', 'list', '--client', client.appId]]) {
    const { code, stderr, stdout } = await cli.run(...words, '--tenant', tenant.id);
    expect([words, code, stderr]).toEqual([words, 0, '']);
    expect(stdout).not.toContain('undefined');
  }
  const removed = await cli.run('consent', 'remove', '--tenant', tenant.id, '--client', guest.appId);
  expect([removed.code, removed.stdout]).toEqual([0, 'Removed application is no longer in this organization.\n']);
});
