import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let other: TestTenant;
/** An application that may do everything with people. */
let writer: TestPrincipal;

beforeAll(async () => {
  database = await aDatabase({ hashNewPassword: async () => '$argon2id$test' });
  server = await aDirectoryServer(database);
  [tenant, other] = [await aTenant(database), await aTenant(database)];
  writer = await anApplication(database, tenant, ['User.ReadWrite.All', 'GroupMember.Read.All']);
});

afterEach(() => {
  jest.restoreAllMocks();
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

async function aPerson(of: TestTenant, userPrincipalName = `${randomUUID()}@${of.domain}`) {
  const id = randomUUID();
  await asSuperuser(
    database,
    'insert into users (tenant_id, id, user_principal_name, display_name) values ($1, $2, $3, $4)',
    [of.id, id, userPrincipalName, 'A Person'],
  );
  return { id, userPrincipalName };
}

const pathOf = (name: string) => `/v1.0/users/${encodeURIComponent(name)}`;
const call = async (method: string, path: string, body?: object | string, headers?: Record<string, string>) =>
  server.call(await writer.token(), method, path, body, headers);
const withoutInnerError = ({ text }: { text: string }) => text.replace(/"innerError":\{[^}]*\}/, '');

describe('a userPrincipalName in the place of the id', () => {
  test.each([
    ['as it is stored', (name: string) => pathOf(name)],
    ['with a bare @', (name: string) => `/v1.0/users/${name}`],
    ['in capitals', (name: string) => pathOf(name.toUpperCase())],
    ['with every character percent-encoded', (name: string) => `/v1.0/users/${percentEncoded(name)}`],
  ])('%s means the person who has it', async (_how, path) => {
    const { id, userPrincipalName } = await aPerson(tenant, `Al.Moreau-${randomUUID().slice(0, 8)}@${tenant.domain}`);
    const read = await call('GET', path(userPrincipalName));
    expect(read.body).toMatchObject({ id, userPrincipalName });
    expect((await call('GET', `/v1.0/users/${id}`)).body).toEqual(read.body);
  });

  test('may be a guest’s, with #EXT#', async () => {
    const { id, userPrincipalName } = await aPerson(tenant, `bob_fabrikam.example#EXT#@${tenant.domain}`);
    expect((await call('GET', pathOf(userPrincipalName))).body.id).toBe(id);
  });

  test('works below the person too, and in a list’s next page', async () => {
    const { id, userPrincipalName } = await aPerson(tenant);
    for (let index = 0; index < 3; index += 1) {
      await asSuperuser(
        database,
        `with g as (insert into groups (tenant_id, id, display_name, mail_nickname)
           values ($1, gen_random_uuid(), 'Group', gen_random_uuid()) returning id)
         insert into group_members (tenant_id, group_id, user_id) select $1, id, $2 from g`,
        [tenant.id, id],
      );
    }
    const first = await call('GET', `${pathOf(userPrincipalName)}/memberOf?$top=2`);
    expect(first.body.value).toHaveLength(2);
    const { pathname, search } = new URL(first.body['@odata.nextLink']);
    expect((await call('GET', pathname + search)).body.value).toHaveLength(1);
  });

  test('is that of this moment: after a change the old name is nobody’s, or the next one’s', async () => {
    const [first, second] = [await aPerson(tenant), await aPerson(tenant)];
    const name = first.userPrincipalName;
    expect((await call('PATCH', pathOf(name), { userPrincipalName: `new-${name}` })).status).toBe(204);
    expect((await call('GET', pathOf(name))).status).toBe(404);
    expect((await call('PATCH', `/v1.0/users/${second.id}`, { userPrincipalName: name })).status).toBe(204);
    expect((await call('DELETE', pathOf(name))).status).toBe(204);
    expect((await call('GET', `/v1.0/users/${second.id}`)).status).toBe(404);
    expect((await call('GET', `/v1.0/users/${first.id}`)).status).toBe(200);
  });

  test('gives nobody more than the id does: he reads himself, and no other one, whether there is one or not', async () => {
    const alice = await aUser(database, tenant, { name: 'alice' });
    const token = await alice.token();
    const own = `alice-${alice.id.slice(0, 8)}@${tenant.domain}`;
    expect((await server.call(token, 'GET', pathOf(own))).body.id).toBe(alice.id);
    const bob = await aPerson(tenant);
    const refused = await server.call(token, 'GET', pathOf(bob.userPrincipalName));
    const nobody = await server.call(token, 'GET', pathOf(`nobody@${tenant.domain}`));
    expect([refused.status, nobody.status]).toEqual([403, 403]);
    expect(withoutInnerError(nobody)).toBe(withoutInnerError(refused));
  });

  test('of an administrator protects him as his id does (GST-15)', async () => {
    const ada = await aUser(database, tenant, { roles: ['Global Administrator'], name: 'ada' });
    const path = pathOf(`ada-${ada.id.slice(0, 8)}@${tenant.domain}`);
    const helpdesk = await aUser(database, tenant, { scopes: ['User.ReadWrite.All'], roles: ['User Administrator'] });
    const answer = await server.call(await helpdesk.token(), 'PATCH', path, { mail: 'mallory@evil.example' });
    expect(answer.status).toBe(403);
  });

  test('API-12: what is no user name is no one', async () => {
    for (const id of [
      ...['%00@a.example', 'a%40b%00.example', 'a@b%0d%0a.example', '%ff@a.example', '@', 'a@', "('a@a.example')"],
      ...[`${'a'.repeat(180)}@a.example`, 'ä@a.example', 'a@a.example%2f', '%25@a.example', "a@a.example'--"],
    ]) {
      const answer = await call('GET', `/v1.0/users/${id}`);
      expect([id, answer.status]).toEqual([id, 404]);
    }
    expect(server.errors).toEqual([]);
  });
});

describe('TEN-01: a name of another tenant', () => {
  const methods: readonly (readonly [string, string, object?])[] = [
    ['GET', ''],
    ['PATCH', '', { displayName: 'Mallory' }],
    ['DELETE', ''],
    ['POST', '/revokeSignInSessions'],
    ['GET', '/memberOf'],
  ];

  test.each(methods)('is answered to %s %s like one that nobody has, after the same statements', async (...asked) => {
    const [method, below, body] = asked;
    const { userPrincipalName } = await aPerson(other);
    const ask = async (name: string) => {
      const statements = sentStatements();
      const answer = await call(method, pathOf(name) + below, body);
      return { status: answer.status, text: withoutInnerError(answer), statements: statements() };
    };
    await ask(`warm@${other.domain}`);
    const foreign = await ask(userPrincipalName);
    expect(foreign).toMatchObject({ status: 404, statements: expect.arrayContaining(['find-user-id']) });
    expect(foreign).toEqual(await ask(`${randomUUID()}@${other.domain}`));
  });

  test('means one’s own person where both tenants have it', async () => {
    const name = `${randomUUID()}@people.example`;
    const [mine, theirs] = [await aPerson(tenant, name), await aPerson(other, name)];
    expect((await call('DELETE', pathOf(name))).status).toBe(204);
    const left = await asSuperuser<{ id: string }>(database, 'select id from users where id = any ($1)', [
      [mine.id, theirs.id],
    ]);
    expect(left).toEqual([{ id: theirs.id }]);
  });
});

describe('the record names the person by his id', () => {
  async function targetsOf(correlationId: string): Promise<readonly (readonly [string, string])[]> {
    const rows = await asSuperuser<{ result: string; id: string }>(
      database,
      `select result, target_resources -> 0 ->> 'id' as id from directory_audits
       where tenant_id = $1 and correlation_id = $2`,
      [tenant.id, correlationId],
    );
    return rows.map(({ result, id }) => [result, id] as const);
  }

  test.each([
    ['done', 'success', 204, () => writer, { displayName: 'Changed' }],
    ['refused', 'failure', 403, () => aUser(database, tenant), { displayName: 'Changed' }],
    ['wrong', 'failure', 400, () => writer, { displayName: 7 }],
    ['unreadable', 'failure', 400, () => writer, '{'],
  ] as const)('when the change was %s', async (_how, result, status, caller, body) => {
    const { id, userPrincipalName } = await aPerson(tenant);
    const correlationId = randomUUID();
    const token = await (await caller()).token();
    const headers = { 'client-request-id': correlationId };
    expect((await server.call(token, 'PATCH', pathOf(userPrincipalName), body, headers)).status).toBe(status);
    expect(await targetsOf(correlationId)).toEqual([[result, id]]);
  });

  test('and what was asked for when there is none', async () => {
    const [correlationId, name] = [randomUUID(), `nobody@${tenant.domain}`];
    await call('DELETE', pathOf(name), undefined, { 'client-request-id': correlationId });
    expect(await targetsOf(correlationId)).toEqual([['failure', name]]);
  });
});

test('by id it costs no look-up: reading a person is the one statement that it was', async () => {
  const { id, userPrincipalName } = await aPerson(tenant);
  await call('GET', `/v1.0/users/${id}`);
  const byId = sentStatements();
  await call('GET', `/v1.0/users/${id}`);
  const names = byId();
  expect(names).toContain('read-user');
  expect(names).not.toContain('find-user-id');
  const byName = sentStatements();
  await call('GET', pathOf(userPrincipalName));
  expect(byName()).toEqual(['begin-read', 'bind', 'find-user-id', 'commit', ...names]);
});

/** The named statements that this process sends from now on. */
function sentStatements(): () => readonly string[] {
  jest.restoreAllMocks();
  const query = jest.spyOn(pg.Client.prototype, 'query');
  return () => query.mock.calls.map(([statement]: readonly unknown[]) => Object(statement).name ?? 'unnamed');
}

const percentEncoded = (text: string) =>
  [...text].map((character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
