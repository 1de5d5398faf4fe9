import { readdirSync } from 'node:fs';
import pg from 'pg';
import { KEY_CHECK, MIGRATIONS } from './migrate.ts';
import type { Sealer } from './sealing.ts';

/** Tables that are not one tenant's rows, each with its own policy (wire.md, "Consent: one truth"). */
export const GLOBAL_TABLES = [
  'tenants',
  'verified_domains',
  'published_applications',
  'published_application_versions',
  'published_password_credentials',
  'migrations',
  'deployment',
];

/**
 * What makes this database unsafe or unfit to serve from with this login: a powerful login, a tenant table without
 * row level security, a key that does not lead with the tenant, a trigger, a missing migration. Empty when all is well.
 */
export async function databaseProblems(url: string, sealer: Sealer): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  await client.connect();
  try {
    const tables = await tableProblems(client);
    if (tables.length > 0 && tables[0]?.includes('no tables')) return tables;
    const migrations = await migrationProblems(client);
    return [
      ...(await loginProblems(client)),
      ...tables,
      ...migrations,
      ...(migrations.length > 0 ? [] : await keyProblems(client, sealer)),
    ];
  } finally {
    await client.end();
  }
}

async function loginProblems(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; powers: string[] }>(`
    select current_user as name, array_remove(array[
      case when bool_or(r.rolsuper) then 'is superuser' end,
      case when bool_or(r.rolbypassrls) then 'bypasses row level security' end,
      case when bool_or(r.rolcreaterole) then 'can create roles' end,
      case when exists (select from pg_class c join pg_roles o on o.oid = c.relowner
        where c.relnamespace = 'public'::regnamespace and pg_has_role(current_user, o.oid, 'member')) then 'owns tables' end
    ], null) as powers
    from pg_roles r where pg_has_role(current_user, r.oid, 'member')`);
  return rows.flatMap(({ name, powers }) => powers.map((power) => `The database login ${name} ${power}.`));
}

async function tableProblems(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; secured: boolean; leads: boolean; triggers: boolean }>(`
    select c.relname as name, c.relrowsecurity and c.relforcerowsecurity
        and exists (select from pg_policy p where p.polrelid = c.oid) as secured,
      coalesce((select a.attname = 'tenant_id' from pg_index i
        join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where i.indrelid = c.oid and i.indisprimary), false) as leads,
      exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal) as triggers
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'migrations'`);
  if (rows.length === 0) return ['The database has no tables: run `bailiwick migrate`.'];
  return rows.flatMap(({ name, secured, leads, triggers }) => [
    ...(secured ? [] : [`Table ${name} lacks forced row level security or a policy.`]),
    ...(leads || GLOBAL_TABLES.includes(name)
      ? []
      : [`The primary key of table ${name} does not begin with tenant_id.`]),
    ...(triggers ? [`Table ${name} has a trigger.`] : []),
  ]);
}

async function migrationProblems(client: pg.Client): Promise<string[]> {
  const known = readdirSync(MIGRATIONS)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length));
  const { rows } = await client.query<{ name: string }>(
    `select name from migrations where to_regclass('migrations') is not null`,
  );
  const applied = new Set(rows.map(({ name }) => name));
  return known
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
