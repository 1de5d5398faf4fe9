import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { furnish, newObjects, type Objects } from '../support/furnished-tenant.ts';
import { asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  tenant = await aTenant(database, 'Contoso');
  const scopes = ['Application.ReadWrite.All', 'User.ReadWrite.All', 'Group.ReadWrite.All'];
  token = await (await aUser(database, tenant, { scopes, roles: ['Global Administrator'] })).token();
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

/** Deletes something of a furnished tenant; resolves to what the one record of it names, by kind. */
async function recordedOf(pathOf: (objects: Objects) => string): Promise<{ objects: Objects; named: Set<string> }> {
  const objects = newObjects();
  await furnish(database, tenant, objects, 'Furnished');
  await asSuperuser(database, 'delete from directory_audits where tenant_id = $1', [tenant.id]);
  expect((await server.call(token, 'DELETE', pathOf(objects))).status).toBe(204);
  const records = await asSuperuser<{ targets: { type: string; id: string; modifiedProperties: object[] }[] }>(
    database,
    'select target_resources as targets from directory_audits where tenant_id = $1',
    [tenant.id],
  );
  expect(records).toHaveLength(1);
  const targets = records.flatMap((record) => record.targets);
  for (const { modifiedProperties } of targets)
    expect(modifiedProperties).toContainEqual(expect.objectContaining({ newValue: null }));
  return { objects, named: new Set(targets.map(({ type, id }) => `${type} ${id}`)) };
}

describe('AUD-01: the record of a deletion names the rights that ended with it', () => {
  test('of a service principal: what it was granted, and what was granted on it', async () => {
    const { objects, named } = await recordedOf(({ client }) => `/v1.0/servicePrincipals/${client}`);
    const { client, grant, userGrant, clientAssignment } = objects;
    expect(named).toEqual(
      new Set([
        `ServicePrincipal ${client}`,
        `OAuth2PermissionGrant ${grant}`,
        `OAuth2PermissionGrant ${userGrant}`,
        `AppRoleAssignment ${clientAssignment}`,
      ]),
    );
  });

  test('of an application, as its service principal goes with it', async () => {
    const { objects, named } = await recordedOf(({ application }) => `/v1.0/applications/${application}`);
    const { application, grant, userGrant, clientAssignment, userAssignment, groupAssignment } = objects;
    expect(named).toEqual(
      new Set([
        `Application ${application}`,
        ...[grant, userGrant].map((id) => `OAuth2PermissionGrant ${id}`),
        ...[clientAssignment, userAssignment, groupAssignment].map((id) => `AppRoleAssignment ${id}`),
      ]),
    );
  });

  test('of a person: his consents, roles and memberships', async () => {
    const { objects, named } = await recordedOf(({ member }) => `/v1.0/users/${member}`);
    const { member, userGrant, roleAssignment, group } = objects;
    expect(named).toEqual(
      new Set([
        `User ${member}`,
        `OAuth2PermissionGrant ${userGrant}`,
        `RoleAssignment ${roleAssignment}`,
        `Group ${group}`,
      ]),
    );
  });

  test('of a group: its members, and what was assigned to them through it', async () => {
    const { objects, named } = await recordedOf(({ group }) => `/v1.0/groups/${group}`);
    expect(named).toEqual(new Set([`Group ${objects.group}`, `AppRoleAssignment ${objects.groupAssignment}`]));
  });
});
