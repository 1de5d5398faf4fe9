import { type ListQuery, ListQueryError, type Order, type PropertyReference } from '../../vocabulary/list-query.ts';
import { parseFilter } from './filter.ts';
import { TokenReader } from './token-reader.ts';
import { MAX_OPTION_BYTES } from './tokens.ts';

export const DEFAULT_TOP = 100;
export const MAX_TOP = 999;
/** Percent-encoding makes three characters of a byte. */
const MAX_SEARCH_LENGTH = 3 * MAX_OPTION_BYTES;
const MAX_ORDERS = 2;
const MAX_SELECTED = 100;

/** What a request's query string asks for; the page that it is about still sealed in the skip token. */
export interface ListRequest {
  readonly query: Omit<ListQuery, 'after'>;
  readonly skipToken?: string;
  /** All options but the skip token, decoded and in order of their names: the same for the same question. */
  readonly question: readonly (readonly [name: string, value: string])[];
}

/**
 * Reads the query string of a list: `$filter`, `$select`, `$orderby`, `$top`, `$count` and `$skiptoken`, each at most
 * once. Anything else is refused rather than ignored, so that no misspelt filter yields everybody.
 * @param search the URL's query, with or without its question mark
 * @throws ListQueryError
 */
export function parseListRequest(search: string): ListRequest {
  const options = readOptions(search);
  const [select, filter, orderBy, top, count, skipToken] = NAMES.map((name) => options.get(name));
  const query = {
    top: top === undefined ? DEFAULT_TOP : parseTop(top),
    ...(select === undefined ? {} : { select: parseSelect(select) }),
    ...(filter === undefined ? {} : { filter: parseFilter(filter) }),
    ...(orderBy === undefined ? {} : { orderBy: parseOrderBy(orderBy) }),
    ...(count === undefined ? {} : { count: parseCount(count) }),
  };
  const question = NAMES.filter((name) => name !== '$skiptoken').flatMap((name) => {
    const value = options.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { query, question, ...(skipToken === undefined ? {} : { skipToken }) };
}

/**
 * Reads the query string of a single object, where `$select` is the only option.
 * @throws ListQueryError
 */
export function parseSelectOnly(search: string): readonly PropertyReference[] | undefined {
  const options = readOptions(search);
  const other = [...options.keys()].find((name) => name !== '$select');
  if (other !== undefined) throw new ListQueryError('query', `${other} is for lists.`);
  const select = options.get('$select');
  return select === undefined ? undefined : parseSelect(select);
}

const NAMES = ['$select', '$filter', '$orderby', '$top', '$count', '$skiptoken'] as const;
type OptionName = (typeof NAMES)[number];
const UNSUPPORTED = new Set([
  '$expand',
  '$search',
  '$skip',
  '$apply',
  '$compute',
  '$format',
  '$deltatoken',
  '$levels',
  '$index',
]);

function readOptions(search: string): Map<OptionName, string> {
  if (search.length > MAX_SEARCH_LENGTH) throw new ListQueryError('query', 'the query string is too long.');
  const options = new Map<OptionName, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    const known = NAMES.find((option) => option === name);
    if (known === undefined) throw new ListQueryError('query', refusalOf(name));
    if (options.has(known)) throw new ListQueryError('query', `${known} is given twice.`);
    options.set(known, value);
  }
  return options;
}

function refusalOf(name: string): string {
  if (UNSUPPORTED.has(name)) return `${name} is not supported.`;
  const meant = NAMES.find((option) => option === `$${name.toLowerCase()}` || option === name.toLowerCase());
  if (meant) return `unknown option; write ${meant}.`;
  return `unknown option; known are ${NAMES.join(', ')}.`;
}

function parseTop(text: string): number {
  const top = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (top < 1 || top > MAX_TOP) throw new ListQueryError('$top', `must be a whole number from 1 to ${MAX_TOP}.`);
  return top;
}

function parseCount(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new ListQueryError('$count', 'must be true or false.');
  return text === 'true';
}

function parseSelect(text: string): PropertyReference[] {
  const reader = new TokenReader('$select', text);
  const selected = new Map<string, PropertyReference>();
  do {
    const { text: path, at } = reader.takeName();
    if (!selected.has(path)) selected.set(path, { path, at });
    if (selected.size > MAX_SELECTED) reader.fail(`more than ${MAX_SELECTED} properties.`, at);
  } while (reader.takeSymbol(','));
  reader.expectEnd();
  return [...selected.values()];
}

function parseOrderBy(text: string): Order[] {
  const reader = new TokenReader('$orderby', text);
  const orders: Order[] = [];
  do {
    const property = reader.takePath();
    if (orders.some((order) => order.property.path === property.path))
      reader.fail('the property is given twice.', property.at);
    if (orders.length === MAX_ORDERS) reader.fail(`more than ${MAX_ORDERS} properties.`, property.at);
    const isDescending = reader.takeWord('desc');
    if (!isDescending) reader.takeWord('asc');
    orders.push({ property, direction: isDescending ? 'desc' : 'asc' });
  } while (reader.takeSymbol(','));
  reader.expectEnd();
  return orders;
}
