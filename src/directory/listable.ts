import {
  type ComparisonOperator,
  type ListOption,
  ListQueryError,
  type PropertyReference,
  type TextFunction,
} from '../vocabulary/list-query.ts';

export type ScalarType = 'string' | 'guid' | 'boolean' | 'integer' | 'dateTime';
export type FilterOperator = ComparisonOperator | 'in' | TextFunction;

/** Common sets of operators; `not`, `and` and `or` apply to all. */
export const EQUALITY = ['eq', 'ne', 'in'] as const satisfies readonly FilterOperator[];
export const ORDERED = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const satisfies readonly FilterOperator[];
export const PREFIX = [...EQUALITY, 'startsWith'] as const satisfies readonly FilterOperator[];
export const TEXT = [...PREFIX, 'endsWith', 'contains'] as const satisfies readonly FilterOperator[];

/** One value that filters and orders may speak of. All SQL in here is the product's own; no caller's word joins it. */
export interface Scalar {
  readonly sql: string;
  readonly type: ScalarType;
  /** Absent: not filterable. */
  readonly filter?: readonly FilterOperator[];
  /** Compared and sorted without case. */
  readonly caseInsensitive?: boolean;
  /**
   * With `caseInsensitive`: a plain column that holds `lower(sql)`. Under row level security Postgres uses an index for
   * leakproof operators on plain columns only; measured with 100,000 users, `lower(x) = …` and `like` read them all
   * (20 ms), the plain column's `=`, `^@` and keyset read one page (0.1 ms).
   */
  readonly key?: string;
}

/** A property of a listed object. `object` is anything composed: it can be selected, not filtered. */
export interface Property extends Omit<Scalar, 'type'> {
  readonly type: ScalarType | 'object';
  readonly orderBy?: boolean;
  /** The value is never null, so an index serves its order. */
  readonly notNull?: boolean;
}

/** A property with many values, for `any`. */
export interface Collection {
  /** A set-returning expression of one column, which the elements' SQL calls `element.value`: `unnest(uris)`. */
  readonly from: string;
  /** What a condition may say of an element; the empty name is the element itself. */
  readonly elements: Readonly<Record<string, Scalar>>;
}

/** How one kind of object is listed. */
export interface Listable {
  /** Names the prepared statements of the plain list; absent: none are prepared. */
  readonly name?: string;
  /** Table or join: `users`, `group_members m join users u on …`. */
  readonly from: string;
  /** SQL of the tenant's id and of the object's; `tenant_id` and `id` unless a join needs more. */
  readonly tenantId?: string;
  readonly id?: string;
  /** A fixed condition on `$2`, `$3`, …: the values given to `listStatement` after the tenant. */
  readonly where?: string;
  /**
   * By wire name. Secrets are not in here, which is what makes them the same as names that do not exist. A name with a
   * slash (`initiatedBy/user/id`) serves filters and orders; the rest are the columns of the answer.
   */
  readonly columns: Readonly<Record<string, Property>>;
  readonly collections?: Readonly<Record<string, Collection>>;
  /** The order when none is asked for; by id unless given. */
  readonly orderBy?: readonly { readonly path: string; readonly direction: 'asc' | 'desc' }[];
}

/** The same list for a caller who may see less: what he may not see he can not filter or sort by either. */
export function narrowed({ name: _, orderBy = [], ...listable }: Listable, allowed: readonly string[]): Listable {
  const isAllowed = (path: string) => allowed.includes(path.split('/', 1)[0] ?? '');
  const keep = <Value>(record: Readonly<Record<string, Value>> = {}) =>
    Object.fromEntries(Object.entries(record).filter(([path]) => isAllowed(path)));
  return {
    ...listable,
    columns: keep(listable.columns),
    collections: keep(listable.collections),
    orderBy: orderBy.filter(({ path }) => isAllowed(path)),
  };
}

/** What is compared and sorted: the value without its case, where case does not count. */
export function sortKey({ sql, caseInsensitive, key }: Scalar | Property): string {
  return caseInsensitive ? (key ?? `lower(${sql})`) : atom(sql);
}

const NAME = /^[a-z_.]+$/;

/** An expression that any operator or cast may follow. */
export function atom(sql: string): string {
  return NAME.test(sql) ? sql : `(${sql})`;
}

/** The one answer for a property that does not exist, is secret, or is not for this use (API-03). */
export function unknownProperty(option: ListOption, { path, at }: PropertyReference): ListQueryError {
  const use = option === '$filter' ? 'filtered' : option === '$orderby' ? 'sorted by' : 'selected';
  const name = path === '' ? 'The element itself' : `"${path.slice(0, 64)}"`;
  return new ListQueryError(option, `${name} is not a property that can be ${use}.`, at);
}

/** `id as "id", …`: the columns of the answer, for reading one object as lists show it. */
export function selectList(columns: Listable['columns']): string {
  return Object.entries(columns)
    .filter(([path]) => !path.includes('/'))
    .map(([path, { sql }]) => `${sql} as "${path}"`)
    .join(', ');
}

/** An entry of a record, but nothing that records inherit. */
export function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Whether the property has one plain value. */
export function isScalar(column: Scalar | Property): column is Scalar {
  return column.type !== 'object';
}
