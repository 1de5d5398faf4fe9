import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { directoryRoleNamed } from '../../src/vocabulary/directory-roles.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, DIRECTORY_ORIGIN, type TestDirectoryServer } from '../support/directory-server.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let other: TestTenant;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  [tenant, other] = [await aTenant(database, 'Contoso'), await aTenant(database, 'Fabrikam')];
  token = await aCaller(['Global Administrator'], ['Group.ReadWrite.All', 'RoleManagement.ReadWrite.Directory']);
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

async function aCaller(roles: readonly string[], scopes: readonly string[]): Promise<string> {
  return (await aUser(database, tenant, { scopes, roles })).token();
}

async function aGroup(members: readonly string[] = []) {
  const body = {
    displayName: 'Group',
    mailNickname: randomUUID(),
    mailEnabled: false,
    securityEnabled: true,
    ...(members.length > 0
      ? { 'members@odata.bind': members.map((id) => `${DIRECTORY_ORIGIN}/v1.0/users/${id}`) }
      : {}),
  };
  return server.call(token, 'POST', '/v1.0/groups', body);
}

const memberRows = (groupId: string) =>
  asSuperuser(database, 'select from group_members where group_id = $1', [groupId]);

describe('members of a group', () => {
  test('are bound when it is made, added by link, listed, and removed', async () => {
    const [alice, bob] = [await aUser(database, tenant), await aUser(database, tenant)];
    const { body: group } = await aGroup([alice.id]);
    const path = `/v1.0/groups/${group.id}/members`;
    for (const link of [`directoryObjects/${bob.id}`, `${DIRECTORY_ORIGIN}/v1.0/directoryObjects/${bob.id}`]) {
      expect((await server.call(token, 'POST', `${path}/$ref`, { '@odata.id': link })).status).toBe(204);
      expect((await server.call(token, 'POST', `${path}/$ref`, { '@odata.id': link })).status).toBe(409);
      expect((await server.call(token, 'GET', path)).body.value).toHaveLength(2);
      expect((await server.call(token, 'DELETE', `${path}/${bob.id}/$ref`)).status).toBe(204);
      expect((await server.call(token, 'DELETE', `${path}/${bob.id}/$ref`)).status).toBe(404);
    }
    const hers = await server.call(await alice.token(), 'GET', '/v1.0/me/memberOf');
    expect(hers.body.value.map(({ id }: { id: string }) => id)).toEqual([group.id]);
  });

  test('TEN-13: of another tenant are not found, one by one, bound, or among others; nothing is written', async () => {
    const [stranger, alice] = [await aUser(database, other), await aUser(database, tenant)];
    const { body: group } = await aGroup();
    const path = `/v1.0/groups/${group.id}`;
    const link = (id: string) => `${DIRECTORY_ORIGIN}/v1.0/users/${id}`;
    const bound = { 'members@odata.bind': [link(alice.id), link(stranger.id)], description: 'Changed' };
    const answers = [
      await server.call(token, 'PATCH', path, bound),
      await server.call(token, 'POST', `${path}/members/$ref`, { '@odata.id': link(stranger.id) }),
      await aGroup([stranger.id]),
    ];
    for (const { status, body } of answers)
      expect([status, body.error.code]).toEqual([404, 'Request_ResourceNotFound']);
    expect(await memberRows(group.id)).toEqual([]);
    expect((await server.call(token, 'GET', path)).body.description).toBeNull();
    const crossing = 'select from group_members m join users u on u.id = m.user_id where u.tenant_id <> m.tenant_id';
    expect(await asSuperuser(database, crossing)).toEqual([]);
  });

  test('API-11: a link to anywhere else is refused and never fetched', async () => {
    const hits: string[] = [];
    const trap = createServer((request, response) => {
      hits.push(request.url ?? '');
      response.end();
    });
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`; // listening on TCP
    const alice = await aUser(database, tenant);
    const { body: group } = await aGroup();
    for (const link of [
      ...[`${origin}/v1.0/users/${alice.id}`, `${DIRECTORY_ORIGIN}@127.0.0.1/v1.0/users/${alice.id}`],
      ...[`${DIRECTORY_ORIGIN}.evil.example/v1.0/users/${alice.id}`, `//evil.example/v1.0/users/${alice.id}`],
      ...['file:///etc/passwd', `users/${alice.id}/../${alice.id}`, `groups/${group.id}`, '', `users/${alice.id}?x`],
    ]) {
      const answer = await server.call(token, 'POST', `/v1.0/groups/${group.id}/members/$ref`, { '@odata.id': link });
      expect([link, answer.status]).toEqual([link, 400]);
      const bound = await server.call(token, 'PATCH', `/v1.0/groups/${group.id}`, { 'members@odata.bind': [link] });
      expect([link, bound.status]).toEqual([link, 400]);
    }
    await new Promise((resolve) => trap.close(resolve));
    expect([hits, await memberRows(group.id)]).toEqual([[], []]);
  });
});

describe('directory roles', () => {
  const path = '/v1.0/roleManagement/directory';
  const idOf = (name: string) => directoryRoleNamed(name)?.id;

  test('are listed and filtered like everything else', async () => {
    const filter = encodeURIComponent("startsWith(displayName,'global') and isPrivileged eq true");
    const { body } = await server.call(
      token,
      'GET',
      `${path}/roleDefinitions?$filter=${filter}&$orderby=displayName desc&$count=true`,
    );
    expect(body.value.map(({ displayName }: { displayName: string }) => displayName)).toEqual([
      'Global Reader',
      'Global Administrator',
    ]);
    expect(body['@odata.count']).toBe(2);
    const [reader] = body.value;
    expect((await server.call(token, 'GET', `${path}/roleDefinitions/${reader.id}`)).body).toMatchObject(reader);
    expect((await server.call(token, 'GET', `${path}/roleDefinitions/${randomUUID()}`)).status).toBe(404);
  });

  test('are given and taken by Privileged Role Administrators, and work on the next call', async () => {
    const privileged = await aCaller(['Privileged Role Administrator'], ['RoleManagement.ReadWrite.Directory']);
    const alice = await aUser(database, tenant, { scopes: ['Group.ReadWrite.All'] });
    const hers = await alice.token();
    const create = () => server.call(hers, 'POST', '/v1.0/groups', { displayName: 'G', mailNickname: randomUUID() });
    expect((await create()).status).toBe(403);
    const body = { roleDefinitionId: idOf('Groups Administrator'), principalId: alice.id, directoryScopeId: '/' };
    const given = await server.call(privileged, 'POST', `${path}/roleAssignments`, body);
    expect([given.status, given.body]).toEqual([201, expect.objectContaining(body)]);
    expect((await create()).status).toBe(201);
    expect((await server.call(privileged, 'POST', `${path}/roleAssignments`, body)).status).toBe(409);
    const listed = await server.call(token, 'GET', `${path}/roleAssignments?$filter=principalId eq '${alice.id}'`);
    expect(listed.body.value).toEqual([given.body].map(({ '@odata.context': _, ...assignment }) => assignment));
    expect((await server.call(privileged, 'DELETE', `${path}/roleAssignments/${given.body.id}`)).status).toBe(204);
    expect((await create()).status).toBe(403);
  });

  test.each(['User Administrator', 'Application Administrator', 'Global Reader'])(
    'are not given by a %s',
    async (role) => {
      const caller = await aUser(database, tenant, { scopes: ['RoleManagement.ReadWrite.Directory'], roles: [role] });
      const body = { roleDefinitionId: idOf('Global Administrator'), principalId: caller.id };
      expect((await server.call(await caller.token(), 'POST', `${path}/roleAssignments`, body)).status).toBe(403);
    },
  );

  test('that are privileged are neither given nor taken by an application', async () => {
    const application = await anApplication(database, tenant, ['RoleManagement.ReadWrite.Directory']);
    const its = await application.token();
    const give = (role: string, principalId: string) =>
      server.call(its, 'POST', `${path}/roleAssignments`, { roleDefinitionId: idOf(role), principalId });
    expect((await give('Global Administrator', application.servicePrincipalId)).status).toBe(403);
    const plain = await give('Directory Readers', application.servicePrincipalId);
    expect(plain.status).toBe(201);
    const [privileged] = await asSuperuser<{ id: string }>(
      database,
      'select id from role_assignments where tenant_id = $1 and role_definition_id = $2',
      [tenant.id, idOf('Global Administrator')],
    );
    expect((await server.call(its, 'DELETE', `${path}/roleAssignments/${privileged?.id}`)).status).toBe(403);
    expect((await server.call(its, 'DELETE', `${path}/roleAssignments/${plain.body.id}`)).status).toBe(204);
  });

  test('name a role and a principal that there are, for the whole organization', async () => {
    const alice = await aUser(database, tenant);
    const give = (body: object) => server.call(token, 'POST', `${path}/roleAssignments`, body);
    const roleDefinitionId = idOf('Directory Readers');
    expect((await give({ roleDefinitionId: randomUUID(), principalId: alice.id })).status).toBe(400);
    expect((await give({ roleDefinitionId, principalId: randomUUID() })).status).toBe(404);
    const elsewhere = { roleDefinitionId, principalId: alice.id, directoryScopeId: '/administrativeUnits/1' };
    expect((await give(elsewhere)).status).toBe(400);
  });
});

describe('the organization', () => {
  test('is one, and its own', async () => {
    const reader = await anApplication(database, tenant, ['Organization.ReadWrite.All']);
    const its = await reader.token();
    const { body } = await server.call(its, 'GET', '/v1.0/organization?$count=true');
    expect(body.value).toEqual([
      {
        id: tenant.id,
        displayName: 'Contoso',
        createdDateTime: expect.any(String),
        verifiedDomains: [{ name: tenant.domain, isDefault: true }],
      },
    ]);
    const path = `/v1.0/organization/${tenant.id}`;
    expect((await server.call(its, 'PATCH', path, { displayName: 'Contoso Ltd' })).status).toBe(204);
    expect((await server.call(its, 'GET', path)).body.displayName).toBe('Contoso Ltd');
    const domains = { verifiedDomains: [{ name: other.domain, isDefault: true }] };
    expect((await server.call(its, 'PATCH', path, domains)).status).toBe(400);
    expect((await server.call(its, 'GET', `/v1.0/organization/${other.id}`)).status).toBe(404);
  });

  test('TEN-18: is not made over HTTP, and of one that is gone no token lives', async () => {
    const gone = await aTenant(database, 'Gone');
    const reader = await anApplication(database, gone, ['Organization.Read.All']);
    const its = await reader.token();
    expect((await server.call(its, 'GET', '/v1.0/organization')).status).toBe(200);
    expect((await server.call(its, 'POST', '/v1.0/organization', { id: gone.id })).status).toBe(405);
    await asSuperuser(database, 'update tenants set is_enabled = false where id = $1', [gone.id]);
    expect((await server.call(its, 'GET', '/v1.0/organization')).status).toBe(401);
    await asSuperuser(database, 'delete from tenants where id = $1', [gone.id]);
    expect((await server.call(its, 'GET', '/v1.0/organization')).status).toBe(401);
  });
});
