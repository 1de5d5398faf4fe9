import type { TestDatabase } from './database.ts';
import { asSuperuser } from './tenants.ts';

/**
 * Where the database holds any of these values, as `table.column`, in whatever form a reader could use: as text, inside
 * JSON or an array, as bytes, in hexadecimal, base64 or base64url. For SEC-02: what a client can present (codes, refresh
 * tokens, session ids, secrets, passwords) must be nowhere, in any column of any table.
 * @param presented at least eight characters each: shorter ones are found by chance
 */
export async function placesOf(database: TestDatabase, presented: readonly string[]): Promise<string[]> {
  const short = presented.find((value) => value.length < 8);
  if (short !== undefined) throw new Error(`"${short}" is too short to be looked for.`);
  const columns = await asSuperuser<{ table: string; column: string; type: string }>(
    database,
    `select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1, a.attnum`,
  );
  const needles = [...new Set(presented.flatMap(formsOf))];
  // Bytes as Latin-1, one character each, and in hexadecimal for needles that are written so.
  const textOf = (column: string, type: string) =>
    type === 'bytea' ? `encode("${column}", 'escape') || ' ' || encode("${column}", 'hex')` : `"${column}"::text`;
  const looks = columns.map(
    ({ table, column, type }) =>
      `select '${table}.${column}' as place where exists (select from "${table}", unnest($1::text[]) n
        where position(n in ${textOf(column, type)}) > 0)`,
  );
  const found = await asSuperuser<{ place: string }>(database, looks.join(' union all '), [needles]);
  return found.map(({ place }) => place);
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  return [value, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')];
}
