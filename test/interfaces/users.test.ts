import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;

beforeAll(async () => {
  database = await aDatabase({ hashNewPassword: async () => '$argon2id$test' });
  server = await aDirectoryServer(database);
  tenant = await aTenant(database);
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

describe('the users of a tenant', () => {
  test('a user reads himself with User.Read, and not another one', async () => {
    const [alice, bob] = [await aUser(database, tenant), await aUser(database, tenant)];
    const own = await server.call(await alice.token(), 'GET', `/v1.0/users/${alice.id}`);
    expect(own.status).toBe(200);
    expect(own.body.id).toBe(alice.id);
    const other = await server.call(await alice.token(), 'GET', `/v1.0/users/${bob.id}`);
    expect(other.status).toBe(403);
    expect(other.body.error.code).toBe('Authorization_RequestDenied');
    expect(other.headers.get('www-authenticate')).toContain('insufficient_scope');
  });

  test('an administrator creates, reads, changes and deletes a user, each recorded with old and new values', async () => {
    const ada = await aUser(database, tenant, { scopes: ['User.ReadWrite.All'], roles: ['User Administrator'] });
    const token = await ada.token();
    const created = await server.call(token, 'POST', '/v1.0/users', {
      userPrincipalName: `new@${tenant.domain}`,
      displayName: 'New',
      accountEnabled: true,
      passwordProfile: { password: 'correct horse battery staple' },
    });
    expect(created.status).toBe(201);
    expect(created.text).not.toContain('argon2id');
    const path = `/v1.0/users/${created.body.id}`;
    const read = await server.call(token, 'GET', path);
    expect(read.body).toEqual(created.body);
    expect((await server.call(token, 'PATCH', path, { displayName: 'Newer' })).status).toBe(204);
    expect((await server.call(token, 'GET', path)).body.displayName).toBe('Newer');
    expect((await server.call(token, 'DELETE', path)).status).toBe(204);
    expect((await server.call(token, 'GET', path)).status).toBe(404);
    const records = await asSuperuser<{ activity_display_name: string; target_resources: unknown }>(
      database,
      `select activity_display_name, target_resources from directory_audits
       where tenant_id = $1 and initiated_by -> 'user' ->> 'id' = $2 and result = 'success' order by sequence`,
      [tenant.id, ada.id],
    );
    expect(records.map((record) => record.activity_display_name)).toEqual(['Add user', 'Update user', 'Delete user']);
    expect(JSON.stringify(records[1]?.target_resources)).toContain('Newer');
    expect(JSON.stringify(records[1]?.target_resources)).toContain('\\"New\\"');
  });

  test('a user that was disabled is refused on the next call, whatever the token says', async () => {
    const alice = await aUser(database, tenant);
    const token = await alice.token();
    expect((await server.call(token, 'GET', '/v1.0/me')).status).toBe(200);
    await asSuperuser(database, 'update users set account_enabled = false where id = $1', [alice.id]);
    const refused = await server.call(token, 'GET', '/v1.0/me');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  });

  test('a read permission writes nothing', async () => {
    const reader = await anApplication(database, tenant, ['User.Read.All']);
    const alice = await aUser(database, tenant);
    const token = await reader.token({ roles: ['User.ReadWrite.All'] });
    expect((await server.call(token, 'GET', `/v1.0/users/${alice.id}`)).status).toBe(200);
    const refused = await server.call(token, 'PATCH', `/v1.0/users/${alice.id}`, { displayName: 'Mallory' });
    expect(refused.status).toBe(403);
    expect(refused.body.error.code).toBe('Authorization_RequestDenied');
  });

  test('of twenty changes with the same entity tag one wins', async () => {
    const writer = await anApplication(database, tenant, ['User.ReadWrite.All']);
    const alice = await aUser(database, tenant);
    const token = await writer.token();
    const path = `/v1.0/users/${alice.id}`;
    const etag = (await server.call(token, 'GET', path)).headers.get('etag') ?? '';
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        server.call(token, 'PATCH', path, { displayName: `Name ${index}` }, { 'if-match': etag }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array(19).fill(412)]);
  });
});
