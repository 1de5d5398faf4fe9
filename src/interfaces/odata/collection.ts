import type { Cursor, ListQuery } from '../../vocabulary/list-query.ts';
import type { Page } from '../../vocabulary/objects.ts';
import type { Principal } from '../../vocabulary/principals.ts';
import { parseListRequest } from './list-request.ts';
import type { SkipTokens } from './skip-token.ts';

/** A list call as it came in: who asks, the path with its ids, and the query string. */
export interface ListCall {
  readonly principal: Principal;
  readonly path: string;
  readonly search: string;
}

/** The query for the operation, and the writer of its answer. */
export interface OpenedList {
  readonly query: ListQuery;
  /** OData's collection: `@odata.count` on a first page that asked for it, `@odata.nextLink` when there is more. */
  collection<Value>(page: Page<Value>): Collection<Value>;
}

export interface Collection<Value> {
  readonly '@odata.count'?: number;
  readonly '@odata.nextLink'?: string;
  readonly value: readonly Value[];
}

/**
 * Opens a list call. Links in the answer begin with `origin`, never with a `Host` header.
 * @throws ListQueryError
 */
export function openList(origin: string, skipTokens: SkipTokens, { principal, path, search }: ListCall): OpenedList {
  const { query, question, skipToken } = parseListRequest(search);
  const binding = { principal, path, question };
  const linkTo = (next: Cursor) => {
    const options = [...question, ['$skiptoken', skipTokens.seal(next, binding)] as const];
    return `${origin}${path}?${options.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
  };
  return {
    query: skipToken === undefined ? query : { ...query, after: skipTokens.open(skipToken, binding) },
    collection: ({ value, next, count }) => ({
      ...(count === undefined ? {} : { '@odata.count': count }),
      ...(next === undefined ? {} : { '@odata.nextLink': linkTo(next.map(String)) }),
      value,
    }),
  };
}
