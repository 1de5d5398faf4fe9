import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { changeTenant } from '../../src/authorization/internal/tenants.ts';
import { createApplication, updateApplication } from '../../src/directory/applications.ts';
import { recordConsent } from '../../src/directory/consents.ts';
import { addMember } from '../../src/directory/groups.ts';
import { createGrant } from '../../src/directory/permission-grants.ts';
import { createRoleAssignment } from '../../src/directory/role-assignments.ts';
import { shareTurns, takeTurnOfTenant } from '../../src/directory/turns.ts';
import { deleteUser } from '../../src/directory/users.ts';
import { raiseTenantVersion } from '../../src/directory/versions.ts';
import type { Store } from '../../src/store/store.ts';
import { directoryRoleNamed } from '../../src/vocabulary/directory-roles.ts';
import { aClientApplication, aPerson, consentTo, type TestApplication } from '../support/applications.ts';
import { ALSO_WANTED, ofDirectory, RequestDesk, WANTED } from '../support/consent-requests.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { appId, objectId } from '../support/ids.ts';
import { commitAll, deadlocks, type InFlight, inFlight, settledOrWaiting, waiting } from '../support/in-flight.ts';
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

afterEach(commitAll);

afterAll(async () => {
  expect(await deadlocks(database)).toBe(0);
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

test('RAC-15: a grant by the API that is being written is taken back with the others of the person', async () => {
  const [client, api] = [await aClientApplication(database, tenant), await anApi()];
  const { servicePrincipalId: clientId } = client;
  const principalId = await aPerson(database, tenant);
  const granting = inFlight(store, tenant, 'directory/oAuth2PermissionGrants/create', (permit) =>
    createGrant(permit, {
      clientId: objectId(clientId),
      resourceId: objectId(api.servicePrincipalId),
      principalId: objectId(principalId),
      scopes: ['Do'],
    }),
  );
  await granting.written;
  const revoked = call('POST', `/servicePrincipals/${clientId}/revokeAccess`, { principalId });
  await settledOrWaiting(database, revoked);
  expect(await granting.commit()).toBe('done');
  expect((await revoked).body.grants).toHaveLength(1);
  expect(await asSuperuser(database, 'select from oauth2_permission_grants where client_id = $1', [clientId])).toEqual(
    [],
  );
});

test('a consent for thousands leaves room in the table of locks', async () => {
  const ids = Array.from({ length: 5_000 }, () => randomUUID());
  const sharing = inFlight(store, tenant, 'directory/oAuth2PermissionGrants/create', (permit) =>
    shareTurns(permit, { ids }),
  );
  await sharing.written;
  const [held] = await asSuperuser<{ count: number }>(
    database,
    `select count(*)::int as count from pg_locks where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`,
  );
  expect(held).toEqual({ count: 256 });
  expect(await sharing.commit()).toBe('done');
});

test('an approval for several people and the deletion of one of them do not wait in a circle', async () => {
  const own = await aTenant(database, 'Asking');
  const desk = new RequestDesk(database, own);
  const [reviewer, alice, bob] = [
    await desk.person('rita', ['Global Administrator']),
    await desk.person('alice'),
    await desk.person('bob'),
  ];
  await desk.review([{ kind: 'user', id: reviewer }]);
  // Not present yet: bringing it along holds the version of the tenant, which whoever deletes raises in the end.
  const asked = await aClientApplication(database, tenant, { isPublished: true });
  const { id } = await desk.ask(alice, asked, [WANTED]);
  await desk.ask(bob, asked, [ALSO_WANTED]);
  const [hasTurn, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const deleting = inFlight(store, own, 'directory/users/delete', async (permit) => {
    await deleteUser(permit, objectId(bob));
    hasTurn.resolve();
    await goOn.promise;
    await raiseTenantVersion(permit);
  });
  await hasTurn.promise;
  const approved = [ofDirectory(WANTED, ALSO_WANTED)];
  const approving = desk.approve(reviewer, id, approved);
  await settledOrWaiting(database, approving);
  goOn.resolve();
  await deleting.written;
  expect(await deleting.commit()).toBe('done');
  await expect(approving).rejects.toMatchObject({ code: 'Request_ResourceNotFound' });
  await desk.approve(reviewer, id, [ofDirectory(WANTED)]);
  expect(await desk.granted(asked)).toEqual({ [alice]: [WANTED] });
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

  test('an application that registered itself: also the consent that brought it along meanwhile', async () => {
    const client = await aClientApplication(database, tenant);
    await asSuperuser(database, 'delete from service_principals where app_id = $1', [client.appId]);
    const editing = inFlight(store, tenant, 'directory/applications/basic/update', (permit) =>
      updateApplication(permit, objectId(client.id), { displayName: 'Edited' }),
    );
    await editing.written;
    const deleted = call('DELETE', `/applications/${client.id}`);
    await settledOrWaiting(database, deleted);
    const consent = consenting(client, await aPerson(database, tenant), [[await anApi(), 'Do']]);
    await consent.written;
    expect(await consent.commit()).toBe('done');
    expect(await editing.commit()).toBe('done');
    expect((await deleted).status).toBe(204);
    expect(await recorded(client.id)).toEqual(['Application', 'OAuth2PermissionGrant']);
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

describe('what an organization publishes, when it is closed or opened while an application is written', () => {
  const MULTI_TENANT = 'AzureADMultipleOrgs';
  const setEnabled = (of: TestTenant, isEnabled: boolean) =>
    database.operator.performInternal(operatorOf(of.id), changeTenant, { isEnabled });
  const registering = (of: TestTenant) =>
    inFlight(store, of, 'directory/applications/create', (permit) =>
      createApplication(permit, { displayName: 'Late', signInAudience: MULTI_TENANT }),
    );
  const changing = (of: TestTenant, id: string, properties: Parameters<typeof updateApplication>[2]) =>
    inFlight(store, of, 'directory/applications/basic/update', (permit) =>
      updateApplication(permit, objectId(id), properties),
    );
  const published = (of: TestTenant) =>
    asSuperuser(database, 'select is_disabled as "isDisabled" from published_applications where home_tenant_id = $1', [
      of.id,
    ]);

  type Write = (of: TestTenant, id: string) => InFlight;
  const opening: Write = (of, id) => changing(of, id, { signInAudience: MULTI_TENANT });

  test.each<[string, Write]>([
    ['is registered', registering],
    ['is opened to others', opening],
  ])('closed: nothing of one that %s', async (_kind, write) => {
    const home = await aTenant(database, 'Home');
    const { id } = await aClientApplication(database, home);
    const writing = write(home, id);
    await writing.written;
    const closed = setEnabled(home, false);
    await settledOrWaiting(database, closed);
    expect(await writing.commit()).toBe('done');
    await closed;
    expect(await published(home)).toEqual([]);
    await setEnabled(home, true);
    expect(await published(home)).toHaveLength(1);
  });

  test.each<[string, boolean, Write, object[]]>([
    ['one that is registered', false, registering, [{ isDisabled: false }]],
    ['one that is opened to others', false, opening, [{ isDisabled: false }]],
    [
      'nothing of one that is kept for itself',
      true,
      (of, id) => changing(of, id, { signInAudience: 'AzureADMyOrg' }),
      [],
    ],
    [
      'one that is deactivated, as that',
      true,
      (of, id) => changing(of, id, { isDisabled: true }),
      [{ isDisabled: true }],
    ],
  ])('opened: %s', async (_kind, isPublished, write, expected) => {
    const home = await aTenant(database, 'Home');
    const { id } = await aClientApplication(database, home, { isPublished });
    await setEnabled(home, false);
    const writing = write(home, id);
    await writing.written;
    const opened = setEnabled(home, true);
    await settledOrWaiting(database, opened);
    expect(await writing.commit()).toBe('done');
    await opened;
    expect(await published(home)).toEqual(expected);
  });
});

describe('GST-17: the last Global Administrator stays', () => {
  const GLOBAL_ADMINISTRATOR = directoryRoleNamed('Global Administrator')?.id ?? '';
  const appointing = (of: TestTenant, person: string) =>
    inFlight(store, of, 'directory/roleAssignments/create', (permit) =>
      createRoleAssignment(permit, { roleDefinitionId: GLOBAL_ADMINISTRATOR, principalId: objectId(person) }),
    );

  /** The one there is goes, as soon as those who are just being appointed have been; meanwhile they are acted on. */
  async function whileTheOnlyOneLeaves(appointees: number, method: string, body?: object) {
    const own = await aTenant(database, 'Last');
    const scopes = ['User.ReadWrite.All'];
    const leaving = await aUser(database, own, { scopes, roles: ['Global Administrator'] });
    const userAdmin = await aUser(database, own, { scopes, roles: ['User Administrator'] });
    const people = await Promise.all(Array.from({ length: appointees }, () => aPerson(database, own)));
    const appointments = people.map((person) => appointing(own, person));
    await Promise.all(appointments.map(({ written }) => written));
    const [hasTurn, appointed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const goes = inFlight(store, own, 'directory/users/delete', async (permit) => {
      await takeTurnOfTenant(permit, 'lastAdministrator');
      hasTurn.resolve();
      await appointed.promise;
      await deleteUser(permit, objectId(leaving.id));
    });
    await hasTurn.promise;
    const acts: Promise<{ readonly status: number }>[] = [];
    for (const person of people) {
      const others = await waiting(database);
      const act = call(method, `/users/${person}`, body, userAdmin);
      acts.push(act);
      await settledOrWaiting(database, act, others);
    }
    for (const appointment of appointments) expect(await appointment.commit()).toBe('done');
    appointed.resolve();
    await goes.written;
    expect(await goes.commit()).toBe('done');
    const statuses = (await Promise.all(acts)).map(({ status }) => status);
    const left = await asSuperuser(
      database,
      `select from role_assignments a join users u on u.tenant_id = a.tenant_id and u.id = a.user_id and u.account_enabled
        where a.tenant_id = $1 and a.role_definition_id = $2`,
      [own.id, GLOBAL_ADMINISTRATOR],
    );
    return { statuses: statuses.sort(), left: left.length };
  }

  test.each([
    ['deleted', 'DELETE', undefined],
    ['disabled', 'PATCH', { accountEnabled: false }],
  ])('when those who were just appointed are %s while the other leaves', async (_act, method, body) => {
    expect(await whileTheOnlyOneLeaves(1, method, body)).toEqual({ statuses: [403], left: 1 });
    expect(await whileTheOnlyOneLeaves(2, method, body)).toEqual({ statuses: [204, 403], left: 1 });
  });
});
