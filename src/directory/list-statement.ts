import type { Permit, Statement } from '../store/permit.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import { type Cursor, invalidSkipToken, type ListQuery, type Order } from '../vocabulary/list-query.ts';
import type { Page } from '../vocabulary/objects.ts';
import { filterCondition } from './list-filter.ts';
import { BoundValues, SQL_TYPES } from './list-values.ts';
import { type Listable, own, type Property, type ScalarType, sortKey, unknownProperty } from './listable.ts';

/** What every row of a list statement carries besides its properties. */
interface PageColumns {
  readonly '@cursor': string[];
  readonly '@count'?: number;
}

/**
 * One page of a list. `next` is there when more rows follow; `count` on a first page that asked for it.
 * @param fixed the values of the listable's own `where`, from `$2`
 * @throws ListQueryError for a property that is unknown or not for this use
 */
export async function readPage<Row extends object>(
  permit: Permit<string>,
  listable: Listable,
  query: ListQuery,
  fixed: readonly unknown[] = [],
): Promise<Page<Row>> {
  const rows = await permit.query<PageColumns & Record<string, unknown>>(
    listStatement(listable, query, permit.tenantId, fixed),
  );
  const shown = rows.slice(0, query.top);
  const value = shown.map(({ '@cursor': _, '@count': __, ...row }) => row as Row); // the columns that the listable names
  return {
    value,
    ...(rows.length > query.top ? { next: shown.at(-1)?.['@cursor'] } : {}),
    ...(isCounted(query) ? { count: rows[0]?.['@count'] ?? 0 } : {}),
  };
}

/**
 * The one statement that reads a page, and a row beyond it that tells whether another follows. Its text comes from the
 * listable and the query's shape; whatever a caller wrote is a bound value. The tenant is the first condition, beside
 * row level security. Only the list without options is a prepared statement, so no caller can fill a connection's memory
 * with them.
 * @throws ListQueryError
 */
export function listStatement(
  listable: Listable,
  query: ListQuery,
  tenantId: TenantId,
  fixed: readonly unknown[] = [],
): Statement {
  const bound = new BoundValues([tenantId, ...fixed]);
  const keys = keysOf(listable, query.orderBy);
  const conditions = [`${listable.tenantId ?? 'tenant_id'} = $1`];
  if (listable.where) conditions.push(`(${listable.where})`);
  if (query.filter) conditions.push(filterCondition(listable, query.filter, bound));
  const matching = `from ${listable.from} where ${conditions.join(' and ')}`;
  const columns = [
    ...selectedColumns(listable, query),
    `array[${keys.map(({ sql }) => `${sql}::text`).join(', ')}] as "@cursor"`,
    ...(isCounted(query) ? [`(select count(*)::integer ${matching}) as "@count"`] : []),
  ];
  const page = query.after ? ` and ${afterCondition(keys, query.after, bound)}` : '';
  const order = keys.map(({ sql, direction }) => `${sql} ${direction}`).join(', ');
  const limit = bound.bind(query.top + 1, 'integer');
  const text = `select ${columns.join(', ')} ${matching}${page} order by ${order} limit ${limit}`;
  const name = statementName(listable, query);
  return { ...(name === undefined ? {} : { name }), text, values: bound.values };
}

function statementName({ name }: Listable, { select, filter, orderBy, count, after }: ListQuery): string | undefined {
  const isPlain = !select && !filter && !orderBy && !count;
  return name !== undefined && isPlain ? `list-${name}${after ? '-after' : ''}` : undefined;
}

/** The whole is counted once, for the first page. */
function isCounted({ count, after }: ListQuery): boolean {
  return count === true && after === undefined;
}

/** In the descriptor's order, so that the order of `$select` makes no further statement. */
function selectedColumns({ columns }: Listable, { select }: ListQuery): string[] {
  const unknown = select?.find(({ path }) => path.includes('/') || !own(columns, path));
  if (unknown) throw unknownProperty('$select', unknown);
  const wanted = select && new Set(select.map(({ path }) => path));
  return Object.entries(columns)
    .filter(([path]) => (wanted ? wanted.has(path) : !path.includes('/')))
    .map(([path, { sql }]) => `${sql} as "${path}"`);
}

interface Key {
  readonly sql: string;
  readonly type: ScalarType;
  readonly direction: 'asc' | 'desc';
}

/** The order, made total by the id, which follows the first key's direction. */
function keysOf(listable: Listable, asked: readonly Order[] | undefined): Key[] {
  const orders = asked ?? listable.orderBy?.map(({ path, direction }) => ({ property: { path }, direction })) ?? [];
  const keys = orders.map(({ property, direction }): Key => {
    const column = own(listable.columns, property.path);
    if (!column?.orderBy || column.type === 'object') throw unknownProperty('$orderby', property);
    return { sql: totalKey(column, column.type), type: column.type, direction };
  });
  const id = { sql: listable.id ?? 'id', type: 'guid', direction: keys[0]?.direction ?? 'asc' } as const;
  return keys.some(({ sql }) => sql === id.sql) ? keys : [...keys, id];
}

const SMALLEST: Readonly<Record<ScalarType, string>> = {
  string: `''`,
  guid: `'00000000-0000-0000-0000-000000000000'::uuid`,
  boolean: 'false',
  integer: '-9223372036854775808',
  dateTime: `'-infinity'::timestamptz`,
};

/** Null comes before every value (OData 4.01, part 1, section 11.2.6.2), and must compare for the next page to be found. */
function totalKey(column: Property, type: ScalarType): string {
  const key = sortKey(column);
  return column.notNull ? key : `coalesce(${key}, ${SMALLEST[type]})`;
}

/** Rows after the cursor. Keys of one direction compare as one row, which an index can serve. */
function afterCondition(keys: readonly Key[], cursor: Cursor, bound: BoundValues): string {
  // Sealed by us, yet perhaps by a release that sorted this list otherwise.
  if (cursor.length !== keys.length) throw invalidSkipToken();
  const places = keys.map(({ type }, index) => bound.bind(cursor[index], SQL_TYPES[type]));
  const [first] = keys;
  if (keys.every(({ direction }) => direction === first?.direction)) {
    const sign = first?.direction === 'desc' ? '<' : '>';
    return `(${keys.map(({ sql }) => sql).join(', ')}) ${sign} (${places.join(', ')})`;
  }
  const steps = keys.map(({ sql, direction }, index) => {
    const equal = keys.slice(0, index).map((key, before) => `${key.sql} = ${places[before]}`);
    return [...equal, `${sql} ${direction === 'desc' ? '<' : '>'} ${places[index]}`].join(' and ');
  });
  return `(${steps.join(' or ')})`;
}
