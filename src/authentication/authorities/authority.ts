import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TenantId } from '../../vocabulary/ids.ts';
import type { RequestContext } from '../../vocabulary/request-context.ts';
import type { Reason } from '../refusals.ts';

/** Authorities of people from any organization: who it is tells which. */
export type OpenAuthority = 'common' | 'organizations';

/** What may stand in a tenant's place on the path and names none. `{tenantid}` is what open authorities have in theirs. */
export type Authority = OpenAuthority | 'consumers' | '{tenantid}';

const AUTHORITIES: Readonly<Record<string, Authority>> = {
  common: 'common',
  organizations: 'organizations',
  consumers: 'consumers',
  '{tenantid}': '{tenantid}',
  '%7btenantid%7d': '{tenantid}',
};

export function authorityOf(segment: string): Authority | undefined {
  const name = segment.toLowerCase();
  return Object.hasOwn(AUTHORITIES, name) ? AUTHORITIES[name] : undefined;
}

/** A request to an open authority. */
export interface AuthorityCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: RequestContext;
  readonly authority: OpenAuthority;
  /** What follows the authority's segment. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** A page for a browser, an OAuth error for everybody else: `invalid_request` unless another is named. */
  refuse(status: number, reason: Reason, error?: string): void;
}

/** The tenant that goes on with a request, as with one to its own endpoint, and decides all. */
export interface Directed {
  readonly tenantId: TenantId;
  /** The request, its body unread. */
  readonly request: IncomingMessage;
}

/** What open authorities answer themselves; and the tenant that goes on, where they do not. */
export interface AuthorityRoutes {
  serve(call: AuthorityCall): Promise<Directed | undefined>;
}

/** The issuer in an open authority's metadata, which each organization's own tokens and answers fill in. */
export function issuerTemplate(origin: string): string {
  return `${origin}/{tenantid}/v2.0`;
}
