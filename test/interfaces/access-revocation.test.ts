import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { assignRole, consentTo } from '../support/applications.ts';
import { aCommandLine } from '../support/command-line.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let admin: TestPrincipal;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  tenant = await aTenant(database, 'Contoso');
  const scopes = ['Application.ReadWrite.All', 'Directory.Read.All'];
  admin = await aUser(database, tenant, { scopes, roles: ['Application Administrator'] });
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

/** A person whose application may read him: by his organization's consent, and more by his own. */
async function aPerson(ownScopes: readonly string[] = ['User.ReadWrite']): Promise<TestPrincipal> {
  const person = await aUser(database, tenant, { scopes: ['User.Read'] });
  const { servicePrincipalId: clientId, id: principalId } = person;
  if (ownScopes.length > 0) await consentTo(database, tenant, { clientId, principalId, scopes: ownScopes });
  return person;
}

const revoke = async (client: string, body: object = {}, by = admin) =>
  server.call(await by.token(), 'POST', `/v1.0/servicePrincipals/${client}/revokeAccess`, body);
const call = async (person: TestPrincipal) => (await server.call(await person.token(), 'GET', '/v1.0/me')).status;
const families = (client: string) =>
  asSuperuser<{ user: string; reason: string | null }>(
    database,
    `select user_id as user, revoked_reason as reason from token_families where service_principal_id = $1 order by revoked_reason`,
    [client],
  );
const grants = (client: string) =>
  asSuperuser<{ scope: string[] }>(database, 'select scope from oauth2_permission_grants where client_id = $1', [
    client,
  ]);
const addFamily = async (client: string, userId: string, parentId?: string) => {
  const id = randomUUID();
  await asSuperuser(
    database,
    `insert into token_families (tenant_id, id, user_id, service_principal_id, expires_at, parent_id)
      values ($1, $2, $3, $4, now() + interval '1 day', $5)`,
    [tenant.id, id, userId, client, parentId ?? null],
  );
  return id;
};

describe('all access of an application, for everybody', () => {
  test('CON-26: ends in one act, which says exactly what it was and is in the record', async () => {
    const alice = await aPerson();
    const client = alice.servicePrincipalId;
    await assignRole(database, tenant, client, 'User.Read.All');
    expect(await call(alice)).toBe(200);
    const { status, body } = await revoke(client);
    expect(status).toBe(200);
    const api = { resourceDisplayName: expect.any(String), resourceId: expect.any(String) };
    expect(body).toEqual({
      '@odata.context': expect.any(String),
      grants: expect.arrayContaining([
        { ...api, consentType: 'AllPrincipals', scopes: ['User.Read'], count: 1 },
        { ...api, consentType: 'Principal', scopes: ['User.ReadWrite'], count: 1 },
      ]),
      appRoleAssignments: [{ ...api, appRoleId: expect.any(String), value: 'User.Read.All' }],
      tokenFamilies: 1,
      users: 1,
      stillGrantedForEverybody: false,
      removed: false,
    });
    expect(body.grants).toHaveLength(2);
    expect(await call(alice)).toBe(401);
    const [record] = await asSuperuser<{ by: string; targets: { type: string }[] }>(
      database,
      `select initiated_by -> 'user' ->> 'id' as by, target_resources as targets from directory_audits
        where activity_display_name = 'Revoke application access' and target_resources -> 0 ->> 'id' = $1`,
      [client],
    );
    expect(record?.by).toBe(admin.id);
    expect(record?.targets.map(({ type }) => type).sort()).toEqual(
      ['AppRoleAssignment', 'OAuth2PermissionGrant', 'OAuth2PermissionGrant', 'ServicePrincipal'].sort(),
    );
    expect(JSON.stringify(record)).toContain('User.ReadWrite');
  });

  test('does not come back to tokens of before, when the same is granted again', async () => {
    const alice = await aPerson();
    const client = alice.servicePrincipalId;
    await revoke(client);
    await consentTo(database, tenant, { clientId: client, scopes: ['User.Read'] });
    expect(await call(alice)).toBe(401);
    // Not by the family's end alone: the mark on the scope holds by itself.
    await asSuperuser(database, 'update token_families set revoked_at = null where service_principal_id = $1', [
      client,
    ]);
    expect(await call(alice)).toBe(401);
    await asSuperuser(database, 'delete from revoked_scopes where client_id = $1', [client]);
    expect(await call(alice)).toBe(200);
  });

  test('ends what APIs got in exchange for its tokens, and nothing of other applications', async () => {
    const [alice, bob] = [await aPerson(), await aPerson()];
    const child = await addFamily(bob.servicePrincipalId, alice.id, alice.familyId);
    await addFamily(bob.servicePrincipalId, alice.id, child);
    expect((await revoke(alice.servicePrincipalId)).body.tokenFamilies).toBe(3);
    expect((await families(bob.servicePrincipalId)).map(({ reason }) => reason)).toEqual([
      'accessRevoked',
      'accessRevoked',
      null,
    ]);
    expect(await call(bob)).toBe(200);
  });

  test('leaves nothing behind that adding the application again would find', async () => {
    const alice = await aPerson();
    const { body } = await revoke(alice.servicePrincipalId, { remove: true });
    expect([body.removed, body.tokenFamilies, body.grants.length]).toEqual([true, 1, 2]);
    expect(await call(alice)).toBe(401);
    const { appId } = alice;
    const added = await server.call(await admin.token(), 'POST', '/v1.0/servicePrincipals', { appId });
    expect(added.status).toBe(201);
    expect([await grants(added.body.id), await families(added.body.id)]).toEqual([[], []]);
    expect(await call(alice)).toBe(401);
  });

  test('a second time finds nothing, and says so', async () => {
    const alice = await aPerson();
    await revoke(alice.servicePrincipalId);
    const { status, body } = await revoke(alice.servicePrincipalId);
    expect([status, body.grants, body.appRoleAssignments, body.tokenFamilies]).toEqual([200, [], [], 0]);
  });

  test('a consent that is being given meanwhile waits, and stands after it', async () => {
    const alice = await aPerson([]);
    const client = alice.servicePrincipalId;
    const given = { clientId: client, principalId: alice.id, scopes: ['User.ReadWrite'] };
    await Promise.all([...Array(6)].flatMap(() => [revoke(client), consentTo(database, tenant, given)]));
    await revoke(client);
    expect(await grants(client)).toEqual([]);
    expect((await families(client)).every(({ reason }) => reason === 'accessRevoked')).toBe(true);
  });
});

describe('all access of an application, for one person', () => {
  test('ends his grants and sign-ins; nobody else’s, and not what was granted for everybody', async () => {
    const alice = await aPerson();
    const bob = await aUser(database, tenant);
    const client = alice.servicePrincipalId;
    await consentTo(database, tenant, { clientId: client, principalId: bob.id, scopes: ['User.ReadWrite'] });
    await addFamily(client, bob.id);
    const { body } = await revoke(client, { principalId: alice.id });
    expect(body).toMatchObject({ tokenFamilies: 1, users: 1, stillGrantedForEverybody: true, removed: false });
    expect(body.grants.map(({ scopes }: { scopes: string[] }) => scopes)).toEqual([['User.ReadWrite']]);
    expect((await grants(client)).map(({ scope }) => scope)).toEqual(
      expect.arrayContaining([['User.Read'], ['User.ReadWrite']]),
    );
    expect(await families(client)).toEqual([
      { user: alice.id, reason: 'accessRevoked' },
      { user: bob.id, reason: null },
    ]);
    expect(await call(alice)).toBe(401);
  });

  test('by himself: the same; a guest learns of no application that has nothing of him', async () => {
    const scopes = ['DelegatedPermissionGrant.ReadWrite.All'];
    const [alice, bob] = [await aUser(database, tenant, { scopes }), await aPerson()];
    const mine = async (servicePrincipalId: string) =>
      server.call(await alice.token(), 'POST', '/v1.0/me/revokeAccess', { servicePrincipalId });
    expect((await mine(bob.servicePrincipalId)).body).toMatchObject({ grants: [], tokenFamilies: 0, users: 0 });
    expect(await mine(randomUUID())).toMatchObject({ status: 404 });
    await asSuperuser(database, "update users set user_type = 'Guest' where id = $1", [alice.id]);
    expect((await mine(bob.servicePrincipalId)).status).toBe(404);
    expect(await call(bob)).toBe(200);
    await consentTo(database, tenant, {
      clientId: bob.servicePrincipalId,
      principalId: alice.id,
      scopes: ['User.Read'],
    });
    const { status, body } = await mine(bob.servicePrincipalId);
    expect([status, body.grants.length, body.users]).toEqual([200, 1, 1]);
    expect(await call(bob)).toBe(200);
  });
});

describe('is refused, and changes nothing', () => {
  test.each([
    ['to a person without a role', { scopes: ['Application.ReadWrite.All'] }, 403],
    [
      'to an application that may only read',
      { scopes: ['Application.Read.All'], roles: ['Global Administrator'] },
      403,
    ],
  ])('%s', async (_what, of, expected) => {
    const alice = await aPerson();
    const { status } = await revoke(alice.servicePrincipalId, {}, await aUser(database, tenant, of));
    expect([status, await call(alice)]).toEqual([expected, 200]);
  });

  test('of the directory API itself; for one person together with the application; for nobody who is here', async () => {
    const alice = await aPerson();
    const [api] = await asSuperuser<{ id: string }>(
      database,
      'select id from service_principals where tenant_id = $1 and app_id = $2',
      [tenant.id, DIRECTORY_APP_ID],
    );
    const client = alice.servicePrincipalId;
    expect((await revoke(api?.id ?? '', { remove: true })).status).toBe(403);
    expect((await revoke(client, { principalId: alice.id, remove: true })).status).toBe(400);
    expect((await revoke(client, { principalId: randomUUID() })).status).toBe(404);
    expect((await revoke(client, { everything: true })).status).toBe(400);
    expect(await call(alice)).toBe(200);
  });
});

describe('the command line', () => {
  test('revokes for one, for everybody, and removes, by the same act, and says what it was', async () => {
    const cli = aCommandLine(database);
    const alice = await aPerson();
    const [user] = await asSuperuser<{ name: string }>(
      database,
      'select user_principal_name as name from users where id = $1',
      [alice.id],
    );
    const of = ['--tenant', tenant.id, '--client', alice.appId];
    const forOne = await cli.run('consent', 'revoke', ...of, '--user', user?.name ?? '');
    expect(forOne.stdout).toContain('permission ended for 1 person: User.ReadWrite of');
    expect(forOne.stdout).toContain('sign-ins ended: 1, of 1 person');
    expect(forOne.stdout).toContain('What was granted for everybody stays');
    expect(await call(alice)).toBe(401);
    const forAll = await cli.run('consent', 'revoke', ...of, '--json');
    expect(JSON.parse(forAll.stdout)).toMatchObject({
      outcome: 'revoked',
      tokenFamilies: 0,
      grants: [expect.objectContaining({ consentType: 'AllPrincipals' })],
    });
    const removed = await cli.run('consent', 'remove', ...of);
    expect(removed.stdout).toMatch(/is no longer in this organization\.\n$/);
    expect((await cli.run('consent', 'remove', ...of)).code).toBe(1);
  });
});
