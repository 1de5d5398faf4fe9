import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { SIDES, type Side } from '../../src/store/login-powers.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { type FilledTenant, twoFilledTenants } from '../support/filled-tenants.ts';

let database: TestDatabase;
let ta: FilledTenant;
const clients = new Map<Side, pg.Client>();

beforeAll(async () => {
  database = await aDatabase();
  [ta] = await twoFilledTenants(database);
  for (const side of SIDES) {
    const client = new pg.Client({ connectionString: database.urls[side] });
    await client.connect();
    clients.set(side, client);
  }
});

afterAll(async () => {
  await Promise.all([...clients.values()].map((client) => client.end()));
  await database.drop();
});

/** Runs one statement bound to TA, and takes it back. */
async function run(side: Side, text: string, values: unknown[] = []) {
  const client = clients.get(side);
  if (!client) throw new Error(`no client for ${side}`);
  await client.query('begin');
  try {
    await client.query(`select set_config('bailiwick.tenant_id', $1, true)`, [ta.id]);
    return await client.query(text, values);
  } finally {
    await client.query('rollback');
  }
}

const denied = { code: '42501', message: expect.stringContaining('permission denied') };

describe.each(SIDES)('records, for the %s login (AUD-03)', (side) => {
  test.each(['directory_audits', 'sign_ins'])(
    '%s are read by who answers for them, and altered by none in any way',
    async (table) => {
      const reads = side === 'directory' || (side === 'operator' && table === 'directory_audits');
      if (reads) expect((await run(side, `select * from ${table}`)).rows).toHaveLength(1);
      else await expect(run(side, `select * from ${table}`)).rejects.toMatchObject(denied);
      await expect(run(side, `update ${table} set correlation_id = 'x'`)).rejects.toMatchObject(denied);
      await expect(run(side, `delete from ${table}`)).rejects.toMatchObject(denied);
      await expect(run(side, `truncate ${table}`)).rejects.toMatchObject(denied);
      await expect(
        run(
          side,
          `insert into ${table} (tenant_id, id, correlation_id) select tenant_id, id, 'x' from ${table} on conflict (tenant_id, id) do update set correlation_id = 'x'`,
        ),
      ).rejects.toMatchObject(denied);
      await expect(
        run(side, `merge into ${table} t using (select 1) s on true when matched then delete`),
      ).rejects.toMatchObject(denied);
      await expect(run(side, `alter table ${table} disable row level security`)).rejects.toMatchObject({
        code: '42501',
      });
      await expect(run(side, `drop table ${table}`)).rejects.toMatchObject({ code: '42501' });
    },
  );
});

test.each(SIDES)(
  'a decision on a request for consent is not altered: the %s login makes and reads it',
  async (side) => {
    expect((await run(side, 'select * from consent_request_decisions')).rows).toHaveLength(1);
    for (const way of [
      `update consent_request_decisions set review_result = 'Approve'`,
      'delete from consent_request_decisions',
      `update app_consent_requests set app_id = gen_random_uuid()`,
      'update user_consent_requests set user_id = gen_random_uuid()',
      'update user_consent_requests set created_at = now()',
      'delete from user_consent_requests',
    ])
      await expect(run(side, way)).rejects.toMatchObject(denied);
  },
);

test.each(SIDES)('AUD-03: the %s login does not choose when a record was made, nor in which order', async (side) => {
  const audit = `tenant_id, activity_display_name, category, operation_type, result, correlation_id, initiated_by`;
  const values = `'${ta.id}', 'Forged', 'UserManagement', 'Add', 'success', 'x', '{}'`;
  expect((await run(side, `insert into directory_audits (${audit}) values (${values})`)).rowCount).toBe(1);
  for (const [column, value] of [
    ['activity_at', `now() - interval '1 year'`],
    ['id', 'gen_random_uuid()'],
    ['sequence', '1'],
  ])
    await expect(
      run(
        side,
        `insert into directory_audits (${audit}, ${column}) overriding system value values (${values}, ${value})`,
      ),
    ).rejects.toMatchObject(denied);
  const signIn = run(
    side,
    `insert into sign_ins (tenant_id, event_type, correlation_id) values ('${ta.id}', 'interactiveUser', 'x')`,
  );
  if (side === 'authentication') expect((await signIn).rowCount).toBe(1);
  else await expect(signIn).rejects.toMatchObject(denied);
  await expect(
    run(
      side,
      `insert into sign_ins (tenant_id, event_type, correlation_id, created_at) values ('${ta.id}', 'interactiveUser', 'x', now())`,
    ),
  ).rejects.toMatchObject(denied);
});

const SECRETS = [
  ['user_passwords', 'password_hash'],
  ['password_credentials', 'secret_hmac'],
  ['published_password_credentials', 'secret_hmac'],
  ['signing_keys', 'sealed_private_key'],
  ['notification_secrets', 'sealed_secret'],
] as const;

describe('credentials and keys', () => {
  test.each(SECRETS)('the authentication side alone reads %s.%s', async (table, column) => {
    expect((await run('authentication', `select ${column} from ${table}`)).rows).toHaveLength(1);
    for (const side of ['directory', 'operator'] as const) {
      const ways = [
        `select ${column} from ${table}`,
        `select * from ${table}`,
        `select row_to_json(t) from ${table} t`,
        `select 1 from ${table} where ${column} is not null`,
        `select 1 from ${table} order by ${column}`,
        `select (t).${column} from ${table} t`,
        `copy ${table} (${column}) to stdout`,
      ];
      for (const way of ways) await expect(run(side, way)).rejects.toMatchObject(denied);
    }
  });

  test('the directory side writes a password, and reads none back on any way of writing', async () => {
    for (const side of ['directory', 'operator'] as const) {
      const { rowCount } = await run(side, `update user_passwords set password_hash = 'new' where user_id = $1`, [
        ta.user,
      ]);
      expect(rowCount).toBe(1);
      const ways = [
        `update user_passwords set password_hash = 'new' returning password_hash`,
        `update user_passwords set password_hash = password_hash || ''`,
        `update user_passwords set changed_at = now() where password_hash like 'a%'`,
        `delete from user_passwords returning password_hash`,
        `delete from user_passwords where password_hash like 'a%'`,
        `update users set mail = (select password_hash from user_passwords limit 1)`,
        `insert into password_credentials (tenant_id, key_id, application_id, hint, secret_hmac, end_at)
          select tenant_id, gen_random_uuid(), application_id, hint, secret_hmac, end_at from password_credentials`,
        `insert into user_passwords (tenant_id, user_id, password_hash) values ('${ta.id}', '${ta.user}', 'x')
          on conflict (tenant_id, user_id) do update set password_hash = user_passwords.password_hash returning password_hash`,
      ];
      for (const way of ways) await expect(run(side, way)).rejects.toMatchObject(denied);
    }
  });

  test('protocol state and second factors of the pages are the authentication side’s alone', async () => {
    for (const table of ['artifacts', 'sign_in_throttles', 'familiar_devices']) {
      expect((await run('authentication', `select * from ${table}`)).rows).toHaveLength(1);
      for (const side of ['directory', 'operator'] as const) {
        await expect(run(side, `select * from ${table}`)).rejects.toMatchObject(denied);
        await expect(run(side, `delete from ${table}`)).rejects.toMatchObject(denied);
      }
    }
  });

  test('the authentication side changes no directory object but what sign-in and consent need', async () => {
    for (const table of ['users', 'groups', 'group_members', 'applications', 'role_assignments', 'tenants']) {
      await expect(run('authentication', `delete from ${table}`)).rejects.toMatchObject(denied);
      await expect(run('authentication', `insert into ${table} default values`)).rejects.toMatchObject(denied);
    }
    await expect(run('authentication', 'update users set account_enabled = true')).rejects.toMatchObject(denied);
    const ways = [
      'update service_principals set app_role_assignment_required = false',
      `update service_principals set app_id = '${ta.appId}'`,
      'update app_role_assignments set app_role_id = gen_random_uuid()',
      'delete from tenant_policies',
      `update permission_grant_policies set display_name = 'mine'`,
      `update delegated_permission_classifications set classification = 'low'`,
      'delete from federated_identity_credentials',
      'delete from application_owners',
    ];
    for (const way of ways) await expect(run('authentication', way)).rejects.toMatchObject(denied);
  });
});

test('no login can become another role, make roles, tables or functions, or look at the server’s files', async () => {
  for (const side of SIDES) {
    const ways = [
      'set role bailiwick_owner_login',
      'set session authorization bailiwick_owner_login',
      'create role mallory',
      'create table loot (a text)',
      'create function loot() returns text language sql as $$ select 1::text $$',
      `select pg_read_file('/etc/passwd')`,
      `copy (select 1) to program 'true'`,
      'alter policy tenant_isolation on users using (true)',
      'create policy mine on users using (true)',
    ];
    for (const way of ways) await expect(run(side, way)).rejects.toMatchObject({ code: '42501' });
    for (const other of SIDES.filter((name) => name !== side)) {
      await expect(run(side, `set role bailiwick_${other}`)).rejects.toMatchObject({ code: '42501' });
    }
    // Refuses to look past the policies rather than doing so.
    await run(side, 'set local row_security = off');
    const client = clients.get(side);
    await client?.query('begin; set local row_security = off');
    await expect(client?.query('select id from users')).rejects.toMatchObject({ code: '42501' });
    await client?.query('rollback');
  }
});
