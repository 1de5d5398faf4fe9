import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { SIDES } from '../../src/store/login-powers.ts';
import { KEY_CHECK } from '../../src/store/migrate.ts';
import { databaseProblems } from '../../src/store/safety.ts';
import { Sealer } from '../../src/store/sealing.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let owner: pg.Client;
let superuser: pg.Client;

beforeAll(async () => {
  database = await aDatabase();
  superuser = new pg.Client({ connectionString: database.superuserUrl });
  owner = new pg.Client({ connectionString: database.urls.owner });
  await Promise.all([superuser.connect(), owner.connect()]);
  // The template was made under a key of its own.
  await superuser.query('update deployment set key_check = $1', [database.sealer.seal(KEY_CHECK, 'bailiwick')]);
});

afterAll(async () => {
  await Promise.all([superuser.end(), owner.end()]);
  await database.drop();
});

const problems = (side: (typeof SIDES)[number] = 'directory') =>
  databaseProblems(database.urls[side], database.sealer, side);

/** Does something to the database, looks, and undoes it. */
async function after(does: string, undoes: string): Promise<string[]> {
  await superuser.query(does);
  try {
    return await problems();
  } finally {
    await superuser.query(undoes);
  }
}

test.each(SIDES)('a database as migrations leave it has no problems for the %s login', async (side) => {
  expect(await problems(side)).toEqual([]);
});

describe('what is found before a server starts', () => {
  test.each<[string, string, string, string]>([
    [
      'row level security switched off',
      'alter table users disable row level security',
      'alter table users enable row level security',
      'Table users lacks forced row level security.',
    ],
    [
      'row level security not forced',
      'alter table users no force row level security',
      'alter table users force row level security',
      'Table users lacks forced row level security.',
    ],
    [
      'a table that somebody added',
      'create table loose (tenant_id uuid, id uuid primary key)',
      'drop table loose',
      'Table loose lacks forced row level security.',
    ],
    [
      'a key that does not lead with the tenant',
      'create table loose (tenant_id uuid, id uuid primary key)',
      'drop table loose',
      'The primary key of table loose does not begin with tenant_id.',
    ],
    [
      'a policy that is gone',
      'drop policy tenant_isolation on sign_ins',
      `create policy tenant_isolation on sign_ins using (tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid)`,
      'Table sign_ins lacks its policy tenant_isolation, or has it altered.',
    ],
    [
      'a policy that is too wide',
      'alter policy tenant_isolation on sign_ins using (true)',
      `alter policy tenant_isolation on sign_ins using (tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid)`,
      'Table sign_ins lacks its policy tenant_isolation, or has it altered.',
    ],
    [
      'a policy by which rows can be written elsewhere',
      'alter policy tenant_isolation on users with check (true)',
      `drop policy tenant_isolation on users; create policy tenant_isolation on users using (tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid)`,
      'Table users lacks its policy tenant_isolation, or has it altered.',
    ],
    [
      'a policy for the owner given to everybody',
      'alter policy written_by_owner on deployment to public',
      'alter policy written_by_owner on deployment to bailiwick_owner_login',
      'Table deployment lacks its policy written_by_owner, or has it altered.',
    ],
    [
      'a further policy',
      'create policy support on users for select using (true)',
      'drop policy support on users',
      'Table users has a policy support that nobody reviewed.',
    ],
    [
      'a trigger',
      'create trigger quick before update on users for each row execute function suppress_redundant_updates_trigger()',
      'drop trigger quick on users',
      'Table users has a trigger or a rule.',
    ],
    [
      'a rule',
      'create rule quick as on delete to users do instead nothing',
      'drop rule quick on users',
      'Table users has a trigger or a rule.',
    ],
    [
      'a view',
      'create view everybody as select * from users',
      'drop view everybody',
      'There is a view or foreign table everybody, which row level security does not cover.',
    ],
    [
      'a function with its owner’s rights',
      'create function loot() returns bigint language sql security definer as $$ select count(*) from users $$',
      'drop function loot()',
      'The function loot runs with the rights of its owner, and nobody reviewed it.',
    ],
    [
      'a migration that has not run',
      `update migrations set name = 'other' where name = '0002-tokens'`,
      `update migrations set name = '0002-tokens' where name = 'other'`,
      'Migration 0002-tokens has not run: run `bailiwick migrate`.',
    ],
    [
      'migrations that can not be seen',
      'alter table migrations rename to elsewhere',
      'alter table elsewhere rename to migrations',
      'The database has no migrations that this login can see: run `bailiwick migrate`, and look at the login.',
    ],
    [
      'secrets that the directory side may read',
      'grant select (password_hash) on user_passwords to bailiwick_directory',
      'revoke select (password_hash) on user_passwords from bailiwick_directory',
      'The database login bailiwick_directory_login can read user_passwords.password_hash.',
    ],
    [
      'keys that everybody may read',
      'grant select on signing_keys to public',
      'revoke select on signing_keys from public',
      'The database login bailiwick_directory_login can read signing_keys.sealed_private_key.',
    ],
    [
      'records that can be altered',
      'grant update (result) on directory_audits to bailiwick_directory',
      'revoke update (result) on directory_audits from bailiwick_directory',
      'The database login bailiwick_directory_login can update directory_audits.',
    ],
    [
      'records that can be deleted',
      'grant delete on sign_ins to bailiwick_directory',
      'revoke delete on sign_ins from bailiwick_directory',
      'The database login bailiwick_directory_login can delete sign_ins.',
    ],
    [
      'a table that can be emptied past the policies',
      'grant truncate on users to bailiwick_directory',
      'revoke truncate on users from bailiwick_directory',
      'The database login bailiwick_directory_login can truncate users.',
    ],
    [
      'a schema in which the login can make objects',
      'grant create on schema public to public',
      'revoke create on schema public from public',
      'The database login bailiwick_directory_login can create objects in the schema.',
    ],
    [
      'a tenant that is bound by the database itself',
      `do $$ begin execute format('alter database %I set bailiwick.tenant_id = %L', current_database(), gen_random_uuid()); end $$`,
      `do $$ begin execute format('alter database %I reset bailiwick.tenant_id', current_database()); end $$`,
      'The database login bailiwick_directory_login is bound to a tenant before any transaction.',
    ],
  ])('%s', async (_what, does, undoes, problem) => {
    expect(await after(does, undoes)).toContain(problem);
    expect(await problems()).toEqual([]);
  });

  test('another key-encryption key', async () => {
    expect(await databaseProblems(database.urls.directory, new Sealer(randomBytes(32)))).toEqual([
      'The key-encryption key does not open what this database holds.',
    ]);
  });

  test('the login of another side', async () => {
    expect(await databaseProblems(database.urls.authentication, database.sealer, 'directory')).toEqual([
      'The database login bailiwick_authentication_login is the authentication side’s, not the directory side’s.'.replaceAll(
        '’',
        "'",
      ),
    ]);
  });

  test('the owner, and a superuser', async () => {
    expect(await databaseProblems(database.urls.owner, database.sealer)).toEqual(
      expect.arrayContaining([
        'The database login bailiwick_owner_login owns tables.',
        'The database login bailiwick_owner_login can create roles.',
      ]),
    );
    expect(await databaseProblems(database.superuserUrl, database.sealer)).toEqual([
      'The database login bailiwick_superuser is superuser.',
    ]);
  });
});

describe('a login that is too powerful', () => {
  // Roles are the whole cluster's: these have names that no other test uses.
  const login = 'bailiwick_safety_test_login';
  const power = 'bailiwick_safety_test_power';
  const powerful = async (powers: string, grant: string) => {
    await superuser.query(`create role ${login} login password 'secret'; create role ${power} ${powers}`);
    try {
      await superuser.query(`grant bailiwick_directory to ${login}; ${grant}`);
      const url = new URL(database.urls.directory.replace('@/', '@localhost/'));
      url.username = login;
      url.password = 'secret';
      return await databaseProblems(url.href.replace('@localhost/', '@/'), database.sealer, 'directory');
    } finally {
      await superuser.query(`drop role ${login}; drop role ${power}`);
    }
  };

  test('of its own kind is fine', async () => {
    expect(await powerful('nologin', '')).toEqual([]);
  });

  test.each([
    ['bypassrls', 'bypasses row level security'],
    ['createrole', 'can create roles'],
    ['createdb', 'can create databases'],
    ['replication', 'can replicate the database'],
  ])('%s, by a membership that it has not even taken up, is found', async (attribute, problem) => {
    const found = await powerful(attribute, `grant ${power} to ${login} with inherit false, set true`);
    expect(found).toContain(`The database login ${login} ${problem}.`);
    expect(found).toContain(`The database login ${login} may act as ${power}.`);
  });

  test('one that may become the owner, or reads everything as a predefined role, is found', async () => {
    const found = await powerful('nologin', `grant pg_read_all_data to ${login}`);
    expect(found).toContain(`The database login ${login} may act as pg_read_all_data.`);
    expect(found).toContain(`The database login ${login} can read signing_keys.sealed_private_key.`);
    const owning = await powerful('nologin', `grant bailiwick_owner_login to ${login}`);
    expect(owning).toContain(`The database login ${login} owns tables.`);
    expect(owning).toContain(`The database login ${login} may act as bailiwick_owner_login.`);
  });

  test('one for several sides is found', async () => {
    expect(await powerful('nologin', `grant bailiwick_authentication to ${login}`)).toEqual([
      `The database login ${login} belongs to several sides: authentication, directory.`,
    ]);
  });
});
