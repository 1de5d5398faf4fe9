import type { TestDatabase } from './database.ts';
import { asSuperuser } from './tenants.ts';

/** Every row of every table but those named, to hold against a later one: a refused request changes nothing. */
export async function snapshot(
  database: TestDatabase,
  except: readonly string[] = ['directory_audits', 'tenant_versions'],
): Promise<Record<string, string[]>> {
  const tables = await asSuperuser<{ name: string }>(
    database,
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`,
  );
  const rows: Record<string, string[]> = {};
  for (const { name } of tables.filter((table) => !except.includes(table.name))) {
    const found = await asSuperuser<{ row: string }>(database, `select t::text as row from ${name} t order by 1`);
    rows[name] = found.map(({ row }) => row);
  }
  return rows;
}
