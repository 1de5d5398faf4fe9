import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { removeUser } from '../../src/authorization/catalogue/users.ts';
import type { AnyOperation } from '../../src/authorization/operation.ts';
import { badRequest, DirectoryError } from '../../src/vocabulary/errors.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, DIRECTORY_ORIGIN, type TestDirectoryServer } from '../support/directory-server.ts';
import { checksums } from '../support/furnished-tenant.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

const CURRENT = 'the current password of somebody';
const FRESH = 'correct horse battery staple';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let beforeChecking: () => Promise<void>;

beforeAll(async () => {
  database = await aDatabase({
    hashNewPassword: async (_tenantId, password, words) => {
      if (words.includes(password)) throw badRequest('password: Must not be a name.');
      return `hash of ${password}`;
    },
    checkPassword: async (_tenantId, _userId, password) => {
      await beforeChecking();
      if (password !== CURRENT) throw badRequest('currentPassword: Not the current password.');
    },
  });
  server = await aDirectoryServer(database);
  tenant = await aTenant(database);
});

beforeAll(() => {
  beforeChecking = async () => {};
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

async function withPassword(person: TestPrincipal): Promise<TestPrincipal> {
  await asSuperuser(database, "insert into user_passwords (tenant_id, user_id, password_hash) values ($1, $2, 'old')", [
    tenant.id,
    person.id,
  ]);
  return person;
}

async function hashOf({ id }: TestPrincipal): Promise<string | undefined> {
  const [row] = await asSuperuser<{ hash: string }>(
    database,
    'select password_hash as hash from user_passwords where tenant_id = $1 and user_id = $2',
    [tenant.id, id],
  );
  return row?.hash;
}

const ALL = [
  ...[
    'id',
    'userPrincipalName',
    'displayName',
    'givenName',
    'surname',
    'mail',
    'jobTitle',
    'accountEnabled',
    'userType',
  ],
  ...['createdDateTime', 'lastPasswordChangeDateTime', 'signInSessionsValidFromDateTime'],
];
const BASIC = ['id', 'userPrincipalName', 'displayName', 'givenName', 'surname', 'mail'];
const COLLEAGUE = [...BASIC, 'jobTitle', 'userType'];

describe('API-14: what is shown of a user', () => {
  const shown = (user: object) =>
    Object.keys(user)
      .filter((name) => !name.startsWith('@'))
      .sort();

  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['User.ReadBasic.All', ['User.ReadBasic.All'], [], BASIC],
    ['User.ReadBasic.All, for an administrator', ['User.ReadBasic.All'], ['Global Administrator'], BASIC],
    ['User.Read.All, for a plain person', ['User.Read.All'], [], COLLEAGUE],
    ['User.Read.All, for a Global Reader', ['User.Read.All'], ['Global Reader'], ALL],
  ])('through %s is exactly so much, one by one and in lists', async (_case, scopes, roles, properties) => {
    const [caller, other] = [await aUser(database, tenant, { scopes, roles }), await aUser(database, tenant)];
    const token = await caller.token();
    const one = await server.call(token, 'GET', `/v1.0/users/${other.id}`);
    expect(shown(one.body)).toEqual([...properties].sort());
    const list = await server.call(token, 'GET', `/v1.0/users?$filter=id eq '${other.id}'&$count=true`);
    expect(list.body.value.map(shown)).toEqual([[...properties].sort()]);
    for (const hidden of ALL.filter((name) => !properties.includes(name))) {
      for (const query of [`$select=${hidden}`, `$filter=${hidden} ne null`, `$orderby=${hidden}`]) {
        const refused = await server.call(token, 'GET', `/v1.0/users?${query}`);
        const unknown = await server.call(token, 'GET', `/v1.0/users?${query.replace(hidden, 'nonsense')}`);
        expect(refused.status).toBe(400);
        expect(refused.body.error.message).toBe(unknown.body.error.message.replace('nonsense', hidden));
      }
      expect((await server.call(token, 'GET', `/v1.0/users/${other.id}?$select=${hidden}`)).status).toBe(400);
    }
  });

  test('of oneself is everything, through the smallest scope; of others nothing', async () => {
    const [alice, bob] = [await aUser(database, tenant), await aUser(database, tenant)];
    const token = await alice.token();
    expect(shown((await server.call(token, 'GET', '/v1.0/me')).body)).toEqual([...ALL].sort());
    expect(shown((await server.call(token, 'GET', `/v1.0/users/${alice.id}`)).body)).toEqual([...ALL].sort());
    expect((await server.call(token, 'GET', `/v1.0/users/${bob.id}`)).status).toBe(403);
    expect((await server.call(token, 'GET', '/v1.0/users')).status).toBe(403);
  });

  test('for an application is what its role says', async () => {
    const basic = await anApplication(database, tenant, ['User.ReadBasic.All']);
    const full = await anApplication(database, tenant, ['User.Read.All']);
    const alice = await aUser(database, tenant);
    const path = `/v1.0/users/${alice.id}`;
    expect(shown((await server.call(await basic.token(), 'GET', path)).body)).toEqual([...BASIC].sort());
    expect(shown((await server.call(await full.token(), 'GET', path)).body)).toEqual([...ALL].sort());
  });

  test('API-15: a guest counts nobody, and sees himself', async () => {
    const guest = await aUser(database, tenant, {
      scopes: ['User.Read.All', 'Group.Read.All', 'Application.Read.All'],
    });
    await asSuperuser(database, "update users set user_type = 'Guest' where id = $1", [guest.id]);
    const token = await guest.token();
    for (const path of ['/v1.0/users?$count=true', '/v1.0/groups?$count=true', '/v1.0/applications?$count=true'])
      expect([path, (await server.call(token, 'GET', path)).status]).toEqual([path, 403]);
    expect((await server.call(token, 'GET', '/v1.0/me')).status).toBe(200);
    expect((await server.call(token, 'GET', '/v1.0/me/memberOf')).status).toBe(200);
  });
});

describe('a list of users', () => {
  test('pages by sealed links until all were seen once, and counts on the first page', async () => {
    const other = await aTenant(database, 'Paging');
    const reader = await anApplication(database, other, ['User.Read.All']);
    const people = await Promise.all(Array.from({ length: 7 }, () => aUser(database, other)));
    const seen: string[] = [];
    let path = '/v1.0/users?$top=3&$orderby=displayName desc&$count=true';
    for (let pages = 0; path !== '' && pages < 5; pages += 1) {
      const { body } = await server.call(await reader.token(), 'GET', path);
      expect(body['@odata.count']).toBe(pages === 0 ? 7 : undefined);
      seen.push(...body.value.map((user: { id: string }) => user.id));
      path = (body['@odata.nextLink'] ?? '').replace(DIRECTORY_ORIGIN, '');
    }
    expect(seen.sort()).toEqual(people.map(({ id }) => id).sort());
  });
});

describe('what a person may not set', () => {
  test('API-08: whatever is the server’s own is refused, alone or among others, and nothing changes', async () => {
    const alice = await aUser(database, tenant, { scopes: ['User.ReadWrite.All'], roles: ['User Administrator'] });
    const before = await checksums(database, tenant);
    for (const property of [
      ...['id', 'tenantId', 'userType', 'roles', 'isAdmin', 'emailVerified', 'createdDateTime', 'passwordHash'],
      ...['__proto__', 'constructor', 'signInSessionsValidFromDateTime'],
    ]) {
      const body = `{"displayName":"Changed","${property}":"x"}`;
      const refused = await server.call(await alice.token(), 'PATCH', `/v1.0/users/${alice.id}`, body);
      expect([property, refused.status, refused.body.error.code]).toEqual([property, 400, 'Request_BadRequest']);
    }
    const { directory_audits: _, ...rows } = await checksums(database, tenant);
    expect({ ...rows, directory_audits: before.directory_audits }).toEqual(before);
  });

  test('API-08: /me can not be changed at all', async () => {
    const alice = await aUser(database, tenant, { scopes: ['User.ReadWrite'] });
    expect((await server.call(await alice.token(), 'PATCH', '/v1.0/me', { accountEnabled: false })).status).toBe(405);
  });

  test('TEN-15: the id of a new user is the server’s, also when another tenant has the one that is asked for', async () => {
    const writer = await anApplication(database, tenant, ['User.ReadWrite.All']);
    const user = { displayName: 'New', accountEnabled: true, passwordProfile: { password: FRESH } };
    const refused = await server.call(await writer.token(), 'POST', '/v1.0/users', {
      ...user,
      userPrincipalName: `ten15@${tenant.domain}`,
      id: randomUUID(),
    });
    expect(refused.status).toBe(400);
  });

  test('CON-19: a scope to write is not the right of its holder', async () => {
    const [alice, bob] = [
      await aUser(database, tenant, { scopes: ['User.ReadWrite.All'] }),
      await aUser(database, tenant),
    ];
    const refused = await server.call(await alice.token(), 'PATCH', `/v1.0/users/${bob.id}`, {
      displayName: 'Mallory',
    });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([403, null]);
  });
});

describe('names', () => {
  test('RAC-18: of twenty people with one name, in any case, one is created', async () => {
    const writer = await anApplication(database, tenant, ['User.ReadWrite.All']);
    const token = await writer.token();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        server.call(token, 'POST', '/v1.0/users', {
          userPrincipalName: `${index % 2 ? 'same' : 'SAME'}@${tenant.domain}`,
          displayName: 'Same',
          accountEnabled: true,
          passwordProfile: { password: FRESH },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    const orphans = await asSuperuser(
      database,
      'select from user_passwords p where not exists (select from users u where u.tenant_id = p.tenant_id and u.id = p.user_id)',
    );
    expect(orphans).toEqual([]);
  });

  test('no name looks like another’s: Cyrillic, full-width, zero-width, Turkish, decomposed, and what folds to a letter', async () => {
    const writer = await anApplication(database, tenant, ['User.ReadWrite.All']);
    const token = await writer.token();
    const create = (local: string, domain = tenant.domain) =>
      server.call(token, 'POST', '/v1.0/users', {
        userPrincipalName: `${local}@${domain}`,
        displayName: 'Alice',
        accountEnabled: true,
        passwordProfile: { password: FRESH },
      });
    const { status, body } = await create('alice.kim');
    expect(status).toBe(201);
    const alike = [
      'аlice.kim',
      'ａlice.kim',
      'alice\u200b.kim',
      'alıce.kim',
      'alİce.kim',
      'alice.\u212aim',
      'al\u00edce.kim',
    ];
    for (const local of [...alike, 'ali\u0301ce.kim', 'alice..kim', 'alice.kim.', '.alice.kim', '\u202emik.ecila']) {
      expect([local, (await create(local)).status]).toEqual([local, 400]);
      const patched = await server.call(token, 'PATCH', `/v1.0/users/${body.id}`, {
        userPrincipalName: `${local}@${tenant.domain}`,
      });
      expect([local, patched.status]).toEqual([local, 400]);
    }
    for (const domain of [`${tenant.domain}.`, tenant.domain.replace('.', '。'), tenant.domain.replace('e', 'е')])
      expect([domain, (await create('bob', domain)).status]).toEqual([domain, 400]);
    expect((await create('ALICE.KIM', tenant.domain.toUpperCase())).status).toBe(409);
  });

  test('API-17: who comes after somebody of the same name is somebody else, and inherits nothing', async () => {
    const writer = await anApplication(database, tenant, ['User.ReadWrite.All']);
    const token = await writer.token();
    const gone = await aUser(database, tenant, { scopes: ['User.Read'] });
    const hers = await gone.token();
    expect((await server.call(hers, 'GET', '/v1.0/me')).status).toBe(200);
    const { userPrincipalName } = (await server.call(hers, 'GET', '/v1.0/me')).body;
    await asSuperuser(
      database,
      `insert into oauth2_permission_grants (tenant_id, id, client_id, resource_id, consent_type, principal_id, scope)
        select $1, gen_random_uuid(), $2, id, 'Principal', $3, '{User.ReadWrite}' from service_principals
        where tenant_id = $1 and app_id = $4`,
      [tenant.id, gone.servicePrincipalId, gone.id, DIRECTORY_APP_ID],
    );
    expect((await server.call(token, 'DELETE', `/v1.0/users/${gone.id}`)).status).toBe(204);
    expect((await server.call(hers, 'GET', '/v1.0/me')).status).toBe(401);
    const again = await server.call(token, 'POST', '/v1.0/users', {
      userPrincipalName: userPrincipalName.toUpperCase(),
      displayName: 'Another',
      accountEnabled: true,
      passwordProfile: { password: FRESH },
    });
    expect(again.status).toBe(201);
    expect(again.body.id).not.toBe(gone.id);
    for (const id of [gone.id, again.body.id])
      expect((await server.call(await gone.token({ sub: id, oid: id }), 'GET', '/v1.0/me')).status).toBe(401);
    const left = await asSuperuser(
      database,
      `select user_id as id from role_assignments where user_id = any ($1) union all select user_id from token_families where user_id = any ($1)
        union all select principal_id from oauth2_permission_grants where principal_id = any ($1)
        union all select user_id from group_members where user_id = any ($1) union all select user_id from app_role_assignments where user_id = any ($1)`,
      [[gone.id, again.body.id]],
    );
    expect(left).toEqual([]);
  });

  test('TEN-20: a conflict names nothing but what the caller wrote; a foreign domain is like none', async () => {
    const [writer, other] = [
      await anApplication(database, tenant, ['User.ReadWrite.All']),
      await aTenant(database, 'Secretive'),
    ];
    const create = (userPrincipalName: string) =>
      writer.token().then((token) =>
        server.call(token, 'POST', '/v1.0/users', {
          userPrincipalName,
          displayName: 'New',
          accountEnabled: true,
          passwordProfile: { password: FRESH },
        }),
      );
    const foreign = await create(`taken@${other.domain}`);
    const none = await create('taken@nowhere.example');
    expect([foreign.status, foreign.body.error.message]).toEqual([400, none.body.error.message]);
    expect(foreign.text).not.toContain('Secretive');
    await create(`twice@${tenant.domain}`);
    const conflict = await create(`twice@${tenant.domain}`);
    expect(conflict.status).toBe(409);
    expect(conflict.text).not.toMatch(/twice|users_by_|key|constraint/);
  });
});

describe('GST-15: privileges have tiers', () => {
  const victims = ['Global Administrator', 'Privileged Role Administrator', 'Application Administrator'];

  test.each(victims)('a User Administrator does nothing to a %s by which the account could be taken', async (role) => {
    const ada = await aUser(database, tenant, {
      scopes: ['User.ReadWrite.All', 'User-PasswordProfile.ReadWrite.All', 'User.RevokeSessions.All'],
      roles: ['User Administrator'],
    });
    const victim = await withPassword(await aUser(database, tenant, { roles: [role] }));
    const token = await ada.token();
    const path = `/v1.0/users/${victim.id}`;
    for (const body of [
      { passwordProfile: { password: FRESH } },
      { userPrincipalName: `taken-${victim.id.slice(0, 8)}@${tenant.domain}` },
      { mail: 'mallory@mallory.example' },
      { accountEnabled: false },
    ])
      expect([body, (await server.call(token, 'PATCH', path, body)).status]).toEqual([body, 403]);
    expect((await server.call(token, 'DELETE', path)).status).toBe(403);
    expect((await server.call(token, 'POST', `${path}/revokeSignInSessions`)).status).toBe(403);
    expect(await hashOf(victim)).toBe('old');
    expect((await server.call(await victim.token(), 'GET', '/v1.0/me')).status).toBe(200);
    const application = await anApplication(database, tenant, ['User-PasswordProfile.ReadWrite.All']);
    const body = { passwordProfile: { password: FRESH } };
    expect((await server.call(await application.token(), 'PATCH', path, body)).status).toBe(403);
  });
});

describe('passwords', () => {
  test('a helpdesk resets one, nothing else, and whoever is signed in as that person is out at once', async () => {
    const helper = await aUser(database, tenant, {
      scopes: ['User-PasswordProfile.ReadWrite.All', 'User.ReadWrite.All'],
      roles: ['Helpdesk Administrator'],
    });
    const alice = await withPassword(await aUser(database, tenant));
    const path = `/v1.0/users/${alice.id}`;
    const [token, hers] = [await helper.token(), await alice.token()];
    expect((await server.call(hers, 'GET', '/v1.0/me')).status).toBe(200);
    expect((await server.call(token, 'PATCH', path, { displayName: 'Changed' })).status).toBe(403);
    const both = { displayName: 'Changed', passwordProfile: { password: FRESH } };
    expect((await server.call(token, 'PATCH', path, both)).status).toBe(400);
    expect((await server.call(token, 'PATCH', path, { passwordProfile: { password: FRESH } })).status).toBe(204);
    expect(await hashOf(alice)).toBe(`hash of ${FRESH}`);
    expect((await server.call(hers, 'GET', '/v1.0/me')).status).toBe(401);
    const records = await asSuperuser<{ text: string }>(
      database,
      `select target_resources::text as text from directory_audits where tenant_id = $1 and result = 'success'
         and activity_display_name = 'Reset user password' and initiated_by -> 'user' ->> 'id' = $2`,
      [tenant.id, helper.id],
    );
    expect(records).toHaveLength(1);
    expect(records[0]?.text).toContain('lastPasswordChangeDateTime');
    expect(records[0]?.text).not.toMatch(/hash of|correct horse/);
  });

  test('a person changes his own with the current one, and not with another', async () => {
    const alice = await withPassword(
      await aUser(database, tenant, { scopes: ['Directory.AccessAsUser.All', 'User.Read'] }),
    );
    const token = await alice.token();
    const change = (currentPassword: string, newPassword = FRESH) =>
      server.call(token, 'POST', '/v1.0/me/changePassword', { currentPassword, newPassword });
    expect((await change('wrong')).status).toBe(400);
    expect((await change(CURRENT, CURRENT)).status).toBe(400);
    const { displayName } = (await server.call(token, 'GET', '/v1.0/me')).body;
    expect((await change(CURRENT, displayName)).status).toBe(400);
    expect(await hashOf(alice)).toBe('old');
    expect((await change(CURRENT)).status).toBe(204);
    expect(await hashOf(alice)).toBe(`hash of ${FRESH}`);
    expect((await server.call(token, 'GET', '/v1.0/me')).status).toBe(401);
  });

  test('a reset while the current one is being verified wins over the change', async () => {
    const alice = await withPassword(await aUser(database, tenant, { scopes: ['Directory.AccessAsUser.All'] }));
    beforeChecking = async () => {
      await asSuperuser(
        database,
        "update user_passwords set password_hash = 'reset', changed_at = clock_timestamp() where user_id = $1",
        [alice.id],
      );
    };
    const body = { currentPassword: CURRENT, newPassword: FRESH };
    const answer = await server.call(await alice.token(), 'POST', '/v1.0/me/changePassword', body);
    beforeChecking = async () => {};
    expect(answer.status).toBe(412);
    expect(await hashOf(alice)).toBe('reset');
  });

  test.each(['/v1.0/me/revokeSignInSessions', undefined])(
    'sessions end at once for who ends his own (%s)',
    async (path) => {
      const alice = await aUser(database, tenant, { scopes: ['User.ReadWrite'] });
      const [token, bob] = [await alice.token(), await aUser(database, tenant)];
      const others = await server.call(token, 'POST', `/v1.0/users/${bob.id}/revokeSignInSessions`);
      expect(others.status).toBe(403);
      const own = path ?? `/v1.0/users/${alice.id}/revokeSignInSessions`;
      expect((await server.call(token, 'POST', own)).status).toBe(204);
      expect((await server.call(token, 'POST', own)).status).toBe(401);
      expect((await server.call(await bob.token(), 'GET', '/v1.0/me')).status).toBe(200);
    },
  );

  test('who is disabled stays out with his old token when he is enabled again', async () => {
    const ada = await aUser(database, tenant, { scopes: ['User.ReadWrite.All'], roles: ['User Administrator'] });
    const alice = await aUser(database, tenant);
    const [token, hers] = [await ada.token(), await alice.token()];
    for (const accountEnabled of [false, true])
      expect((await server.call(token, 'PATCH', `/v1.0/users/${alice.id}`, { accountEnabled })).status).toBe(204);
    expect((await server.call(hers, 'GET', '/v1.0/me')).status).toBe(401);
  });
});

describe('GST-17: the last Global Administrator', () => {
  const scopes = ['User.ReadWrite.All', 'RoleManagement.ReadWrite.Directory'];
  const administrators = async (count: number) => {
    const own = await aTenant(database, 'Last');
    const people: TestPrincipal[] = [];
    for (let index = 0; index < count; index += 1)
      people.push(await aUser(database, own, { scopes, roles: ['Global Administrator'] }));
    const assignments = await asSuperuser<{ id: string; user: string }>(
      database,
      'select id, user_id as user from role_assignments where tenant_id = $1',
      [own.id],
    );
    const assignmentOf = ({ id }: TestPrincipal) => assignments.find(({ user }) => user === id)?.id;
    return { people, assignmentOf };
  };
  type Act = (token: string, victim: TestPrincipal, assignment: string | undefined) => Promise<{ status: number }>;
  const acts: Record<string, Act> = {
    demote: (token, _victim, assignment) =>
      server.call(token, 'DELETE', `/v1.0/roleManagement/directory/roleAssignments/${assignment}`),
    delete: (token, victim) => server.call(token, 'DELETE', `/v1.0/users/${victim.id}`),
    disable: (token, victim) => server.call(token, 'PATCH', `/v1.0/users/${victim.id}`, { accountEnabled: false }),
  };

  test.each(Object.entries(acts))('can not be lost: %s', async (_name, act) => {
    const { people, assignmentOf } = await administrators(1);
    const [only] = people as [TestPrincipal]; // one was asked for
    const answer = await act(await only.token(), only, assignmentOf(only));
    expect(answer.status).toBe(403);
    expect((await server.call(await only.token(), 'GET', '/v1.0/users')).status).toBe(200);
  });

  /** Two administrators act on each other at once; resolves to the statuses. */
  async function duel(mine: Act, theirs: Act): Promise<number[]> {
    const { people, assignmentOf } = await administrators(2);
    const [ada, eve] = people as [TestPrincipal, TestPrincipal]; // two were asked for
    const [one, two] = [await ada.token(), await eve.token()];
    const answers = await Promise.all([mine(one, eve, assignmentOf(eve)), theirs(two, ada, assignmentOf(ada))]);
    return answers.map(({ status }) => status);
  }
  const { demote, delete: remove, disable } = acts as { demote: Act; delete: Act; disable: Act };

  test.each<[string, Act, Act]>([
    ['demote each other', demote, demote],
    ['delete each other', remove, remove],
    ['disable each other', disable, disable],
    ['demote and delete each other', demote, remove],
    ['demote and disable each other', demote, disable],
    ['delete and disable each other', remove, disable],
  ])('of two who %s at once, one succeeds', async (_name, mine, theirs) => {
    for (let round = 0; round < 5; round += 1) {
      const statuses = await duel(mine, theirs);
      expect(statuses.filter((status) => status === 204)).toHaveLength(1);
      expect(statuses.filter((status) => status === 401 || status === 403)).toHaveLength(1);
    }
  });

  test('the control: a build that counts without waiting for the others loses both', async () => {
    const careless = {
      ...removeUser,
      run: async (permit: Parameters<typeof removeUser.run>[0], { id }: { id: string }) => {
        const [row] = await permit.query<{ others: number }>({
          text: 'select count(*)::integer as others from role_assignments where tenant_id = $1 and user_id <> $2',
          values: [permit.tenantId, id],
        });
        await permit.query({ text: 'select pg_sleep(0.2)' });
        if (!row?.others) throw new DirectoryError('Authorization_RequestDenied');
        await permit.query({
          text: 'delete from users where tenant_id = $1 and id = $2',
          values: [permit.tenantId, id],
        });
        return { value: undefined, changes: [] };
      },
    } as AnyOperation; // the same operation, with another query
    const broken = await aDirectoryServer(database, [careless]);
    const carelessly: Act = (token, victim) => broken.call(token, 'DELETE', `/v1.0/users/${victim.id}`);
    expect(await duel(carelessly, carelessly)).toEqual([204, 204]);
    await broken.close();
  });
});
