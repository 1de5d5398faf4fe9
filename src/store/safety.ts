import { readdirSync } from 'node:fs';
import pg from 'pg';
import { loginProblems, type Side } from './login-powers.ts';
import { KEY_CHECK, MIGRATIONS } from './migrate.ts';
import { policyProblems } from './policies.ts';
import type { Sealer } from './sealing.ts';

/** Tables that are not one tenant's rows, each with its own policies (wire.md, "Consent: one truth"). */
export const GLOBAL_TABLES = [
  'tenants',
  'verified_domains',
  'application_ids',
  'published_applications',
  'published_application_versions',
  'published_password_credentials',
  'published_federated_identity_credentials',
  'published_withdrawals',
  'migrations',
  'deployment',
];

/** The one function that runs with its owner's rights. It looks at the bound tenant itself. */
const DEFINER_FUNCTIONS = ['publish_password_credentials'];

/**
 * What makes this database unsafe or unfit to serve from with this login: a login with a power it need not have, a table
 * whose row level security is not as reviewed, a key that does not lead with the tenant, code in the database that
 * nobody reviewed, a missing migration, another key-encryption key, a standby. Empty when all is well.
 * @param side whose login it must be
 */
export async function databaseProblems(url: string, sealer: Sealer, side?: Side): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  await client.connect();
  try {
    if (await isStandby(client))
      return ['The database is a standby: what was revoked must be seen at once. Use the primary.'];
    const migrations = await migrationProblems(client);
    if (migrations.length > 0) return migrations;
    return [
      ...(await loginProblems(client, side)),
      ...(await tableProblems(client)),
      ...(await policyProblems(client)),
      ...(await codeProblems(client)),
      ...(await keyProblems(client, sealer)),
    ];
  } finally {
    await client.end();
  }
}

async function tableProblems(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; secured: boolean; leads: boolean; code: boolean }>(`
    select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as secured,
      coalesce((select a.attname = 'tenant_id' from pg_index i
        join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where i.indrelid = c.oid and i.indisprimary), false) as leads,
      exists (select from pg_rewrite r where r.ev_class = c.oid) or exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal) as code
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'migrations'
    order by c.relname`);
  return rows.flatMap(({ name, secured, leads, code }) => [
    ...(secured ? [] : [`Table ${name} lacks forced row level security.`]),
    ...(leads || GLOBAL_TABLES.includes(name)
      ? []
      : [`The primary key of table ${name} does not begin with tenant_id.`]),
    ...(code ? [`Table ${name} has a trigger or a rule.`] : []),
  ]);
}

/** Views and functions that run with their owner's rights would be ways past the policies. */
async function codeProblems(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ problem: string }>(
    `select 'There is a view or foreign table ' || relname || ', which row level security does not cover.' as problem
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm', 'f')
    union all
    select 'The function ' || proname || ' runs with the rights of its owner, and nobody reviewed it.'
      from pg_proc where pronamespace = 'public'::regnamespace and prosecdef and proname <> all ($1)`,
    [DEFINER_FUNCTIONS],
  );
  return rows.map(({ problem }) => problem);
}

async function isStandby(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
  return rows[0]?.standby !== false;
}

async function migrationProblems(client: pg.Client): Promise<string[]> {
  const { rows: tables } = await client.query<{ readable: boolean }>(
    `select coalesce(has_table_privilege(to_regclass('public.migrations'), 'select'), false) as readable`,
  );
  if (!tables[0]?.readable)
    return ['The database has no migrations that this login can see: run `bailiwick migrate`, and look at the login.'];
  const { rows } = await client.query<{ name: string }>('select name from migrations');
  const applied = new Set(rows.map(({ name }) => name));
  return readdirSync(MIGRATIONS)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .filter((name) => !applied.has(name))
    .map((name) => `Migration ${name} has not run: run \`bailiwick migrate\`.`);
}

async function keyProblems(client: pg.Client, sealer: Sealer): Promise<string[]> {
  const { rows } = await client.query<{ key_check: Buffer }>('select key_check from deployment');
  const [row] = rows;
  if (!row) return ['The database was not set up with a key-encryption key: run `bailiwick migrate`.'];
  try {
    sealer.open(KEY_CHECK, row.key_check);
    return [];
  } catch {
    return ['The key-encryption key does not open what this database holds.'];
  }
}
