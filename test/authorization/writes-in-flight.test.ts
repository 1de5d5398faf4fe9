import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { changeTenant } from '../../src/authorization/internal/tenants.ts';
import { createApplication, updateApplication } from '../../src/directory/applications.ts';
import { recordConsent } from '../../src/directory/consents.ts';
import { addMember } from '../../src/directory/groups.ts';
import { createRoleAssignment } from '../../src/directory/role-assignments.ts';
import { deleteUser } from '../../src/directory/users.ts';
import type { Store } from '../../src/store/store.ts';
import { directoryRoleNamed } from '../../src/vocabulary/directory-roles.ts';
import { aClientApplication, aPerson, consentTo, type TestApplication } from '../support/applications.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { appId, objectId } from '../support/ids.ts';
import { inFlight, settledOrWaiting } from '../support/in-flight.ts';
import { asSuperuser, aTenant, aUser, operatorOf, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

/** What is written and not committed when rights are taken away is taken away too, and the record says so. */
let database: TestDatabase;
let server: TestDirectoryServer;
let store: Store;
let tenant: TestTenant;
let admin: TestPrincipal;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  store = database.openStore('directory');
  tenant = await aTenant(database, 'Contoso');
  const scopes = ['User.ReadWrite.All', 'Group.ReadWrite.All', 'Application.ReadWrite.All'];
  admin = await aUser(database, tenant, { scopes, roles: ['Global Administrator'] });
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const call = async (method: string, path: string, body?: object, by = admin) =>
  server.call(await by.token(), method, `/v1.0${path}`, body);

const consenting = (
  client: TestApplication,
  person: string,
  asked: readonly (readonly [TestApplication, string])[],
) => {
  const scopes = asked.map(([api, value]) => ({ resourceId: objectId(api.servicePrincipalId), values: [value] }));
  const consent = { appId: appId(client.appId), principalIds: [objectId(person)], scopes, appRoles: [] };
  return inFlight(store, tenant, 'directory/oAuth2PermissionGrants/ownConsent/create', (permit) =>
    recordConsent(permit, consent),
  );
};

const anApi = () => aClientApplication(database, tenant, { scopes: ['Do', 'More'] });

test('RAC-15: a consent to two APIs that is being written is taken back whole, or not at all', async () => {
  const [client, first, second] = [await aClientApplication(database, tenant), await anApi(), await anApi()];
  const { servicePrincipalId: clientId } = client;
  const principalId = await aPerson(database, tenant);
  await consentTo(database, tenant, { clientId, principalId, resourceAppId: first.appId, scopes: ['Do'] });
  const consent = consenting(client, principalId, [
    [first, 'More'],
    [second, 'Do'],
  ]);
  await consent.written;
  const revoked = call('POST', `/servicePrincipals/${clientId}/revokeAccess`, { principalId });
  await settledOrWaiting(database, revoked);
  expect(await consent.commit()).toBe('done');
  const { status, body } = await revoked;
  const taken = body.grants.map(({ scopes }: { scopes: string[] }) => [...scopes].sort());
  expect([status, taken.sort()]).toEqual([200, [['Do'], ['Do', 'More']]]);
  expect(await asSuperuser(database, 'select from oauth2_permission_grants where client_id = $1', [clientId])).toEqual(
    [],
  );
});

describe('AUD-01: the record of a deletion names what went with it', () => {
  const recorded = async (id: string) => {
    const [record] = await asSuperuser<{ types: string[] }>(
      database,
      `select array(select x ->> 'type' from jsonb_array_elements(target_resources) x) as types from directory_audits
        where target_resources -> 0 ->> 'id' = $1 and operation_type = 'Delete' and result = 'success'`,
      [id],
    );
    return record?.types;
  };

  test.each<[string, (client: TestApplication, person: string) => [string, string, object?]]>([
    ['a user', (_client, person) => ['DELETE', `/users/${person}`]],
    ['a service principal', ({ servicePrincipalId }) => ['DELETE', `/servicePrincipals/${servicePrincipalId}`]],
    ['an application', ({ id }) => ['DELETE', `/applications/${id}`]],
    [
      'all access of an application that is removed',
      ({ servicePrincipalId }) => ['POST', `/servicePrincipals/${servicePrincipalId}/revokeAccess`, { remove: true }],
    ],
  ])('%s: also a role that was being given', async (kind, requestOf) => {
    const client = await aClientApplication(database, tenant);
    const person = await aPerson(database, tenant);
    const giving = inFlight(store, tenant, 'directory/roleAssignments/create', (permit) =>
      createRoleAssignment(permit, {
        roleDefinitionId: directoryRoleNamed('Directory Readers')?.id ?? '',
        principalId: objectId(kind === 'a user' ? person : client.servicePrincipalId),
      }),
    );
    await giving.written;
    const [method, path, body] = requestOf(client, person);
    const deleted = call(method, path, body);
    await settledOrWaiting(database, deleted);
    expect(await giving.commit()).toBe('done');
    expect([200, 204]).toContain((await deleted).status);
    expect(await recorded(path.split('/')[2] ?? '')).toContain('RoleAssignment');
  });

  test('a group: also a member who was being added', async () => {
    const { body } = await call('POST', '/groups', {
      ...{ displayName: 'Crew', mailNickname: 'crew', mailEnabled: false, securityEnabled: true },
    });
    const person = await aPerson(database, tenant);
    const adding = inFlight(store, tenant, 'directory/groups/members/update', (permit) =>
      addMember(permit, objectId(body.id), objectId(person)),
    );
    await adding.written;
    const deleted = call('DELETE', `/groups/${body.id}`);
    await settledOrWaiting(database, deleted);
    expect(await adding.commit()).toBe('done');
    expect((await deleted).status).toBe(204);
    expect(await recorded(body.id)).toEqual(['Group', 'Group']);
  });
});

describe('an organization that is closed publishes nothing', () => {
  const signInAudience = 'AzureADMultipleOrgs';

  test.each(['that is being registered', 'that is being opened to others'])('nor an application %s', async (kind) => {
    const closing = await aTenant(database, 'Closing');
    const { id } = await aClientApplication(database, closing);
    const written = kind.endsWith('registered')
      ? inFlight(store, closing, 'directory/applications/create', (permit) =>
          createApplication(permit, { displayName: 'Late', signInAudience }),
        )
      : inFlight(store, closing, 'directory/applications/basic/update', (permit) =>
          updateApplication(permit, objectId(id), { signInAudience }),
        );
    await written.written;
    const closed = database.operator.performInternal(operatorOf(closing.id), changeTenant, { isEnabled: false });
    await settledOrWaiting(database, closed);
    expect(await written.commit()).toBe('done');
    await closed;
    const published = 'select from published_applications where home_tenant_id = $1';
    expect(await asSuperuser(database, published, [closing.id])).toEqual([]);
    await database.operator.performInternal(operatorOf(closing.id), changeTenant, { isEnabled: true });
    expect(await asSuperuser(database, published, [closing.id])).toHaveLength(1);
  });
});

describe('GST-17: the last Global Administrator stays', () => {
  test.each([
    ['deleted', 'DELETE', undefined],
    ['disabled', 'PATCH', { accountEnabled: false }],
  ])('when the one who was just appointed is %s while the other leaves', async (_act, method, body) => {
    const own = await aTenant(database, 'Last');
    const scopes = ['User.ReadWrite.All'];
    const leaving = await aUser(database, own, { scopes, roles: ['Global Administrator'] });
    const userAdmin = await aUser(database, own, { scopes, roles: ['User Administrator'] });
    const appointed = await aPerson(database, own);
    const roleDefinitionId = directoryRoleNamed('Global Administrator')?.id ?? '';
    const appointing = inFlight(store, own, 'directory/roleAssignments/create', (permit) =>
      createRoleAssignment(permit, { roleDefinitionId, principalId: objectId(appointed) }),
    );
    await appointing.written;
    const counted = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const goes = inFlight(store, own, 'directory/users/delete', async (permit) => {
      const values = [own.id, roleDefinitionId];
      const text = 'select from role_assignments where tenant_id = $1 and role_definition_id = $2 for update';
      await permit.query({ text, values });
      holding.resolve();
      await counted.promise;
      await deleteUser(permit, objectId(leaving.id));
    });
    await holding.promise;
    const acted = call(method, `/users/${appointed}`, body, userAdmin);
    await settledOrWaiting(database, acted);
    expect(await appointing.commit()).toBe('done');
    counted.resolve();
    await goes.written;
    expect(await goes.commit()).toBe('done');
    expect((await acted).status).toBe(403);
    const left = await asSuperuser(
      database,
      `select from role_assignments a join users u on u.tenant_id = a.tenant_id and u.id = a.user_id and u.account_enabled
        where a.tenant_id = $1 and a.role_definition_id = $2`,
      [own.id, roleDefinitionId],
    );
    expect(left).toHaveLength(1);
  });
});
