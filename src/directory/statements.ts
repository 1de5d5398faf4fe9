import type { Statement } from '../store/permit.ts';
import { badRequest } from '../vocabulary/errors.ts';

/** Property → column. Statement text is made from this alone, never from a caller's words. */
export type Columns = Readonly<Record<string, string>>;

/** `display_name as "displayName", …` for every property, with the row's version as the entity tag. */
export function columnList(columns: Columns, alias = ''): string {
  return Object.entries(columns)
    .map(([property, column]) => `${alias}${column} as "${property}"`)
    .join(', ');
}

/** Inserts one row of a tenant and returns its properties. Unknown properties are a programming error. */
export function insertStatement(table: string, columns: Columns, tenantId: string, values: object): Statement {
  const entries = known(columns, values);
  const names = entries.map(([column]) => column);
  const places = entries.map((_, index) => `$${index + 2}`);
  return {
    text: `insert into ${table} (tenant_id, ${names.join(', ')}) values ($1, ${places.join(', ')}) returning ${columnList(columns)}`,
    values: [tenantId, ...entries.map(([, value]) => value)],
  };
}

/**
 * Updates the named properties of one row and returns all of them. With `version` only if the row still is that
 * version: the row count is the decision.
 */
export function updateStatement(
  table: string,
  columns: Columns,
  tenantId: string,
  id: string,
  patch: object,
  version?: string,
): Statement {
  const entries = known(columns, patch);
  if (entries.length === 0) throw badRequest('Nothing to update.');
  const sets = entries.map(([column], index) => `${column} = $${index + 4}`);
  return {
    text: `update ${table} set ${sets.join(', ')} where tenant_id = $1 and id = $2 and ($3::text is null or xmin::text = $3)
      returning ${columnList(columns)}`,
    values: [tenantId, id, version ?? null, ...entries.map(([, value]) => value)],
  };
}

function known(columns: Columns, values: object): [string, unknown][] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([property, value]) => {
      const column = columns[property];
      if (column === undefined) throw new Error(`No column for ${property}.`);
      return [column, value];
    });
}
