import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestContext } from '../vocabulary/request-context.ts';
import { type Authority, type AuthorityRoutes, authorityOf } from './authorities/authority.ts';
import { contextOf, isStrictTransport, setCommonHeaders } from './call.ts';
import { oauthErrorBody } from './oauth-errors.ts';
import { OAuthRequest } from './oauth-request.ts';
import type { OnRefusal } from './refusal-records.ts';
import { describe, type Reason } from './refusals.ts';
import type { Tenants } from './tenants.ts';
import type { VirtualIssuer } from './virtual-issuer.ts';

/** A route of our own beside the library's. `path` is what follows the tenant's segment. */
export interface TenantRoute {
  readonly method: 'GET' | 'POST' | 'OPTIONS';
  readonly path: RegExp;
  /** The same for everybody, decides nothing, and is answered from memory while the database is away. */
  readonly isPublic?: boolean;
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    tenancy: OAuthRequest,
    match: RegExpExecArray,
  ): Promise<void>;
}

export interface AuthenticationServerOptions {
  readonly origin: string;
  readonly tenants: Tenants;
  readonly issuer: VirtualIssuer;
  /** `/common` and `/organizations`. */
  readonly authorities: AuthorityRoutes;
  /** Discovery, keys, userinfo, introspection, revocation, pages. */
  readonly routes: readonly TenantRoute[];
  /** Paths without a tenant: assets. */
  readonly plainRoutes: ReadonlyMap<
    string,
    (request: IncomingMessage, response: ServerResponse) => Promise<void> | void
  >;
  readonly addressOf: (request: IncomingMessage) => string | undefined;
  readonly writeErrorPage: (response: ServerResponse, status: number, reason: Reason, context: RequestContext) => void;
  readonly onRefusal: OnRefusal;
  readonly onError: (error: unknown, context: RequestContext) => void;
}

const LIBRARY_ROUTE =
  /^\/oauth2\/v2\.0\/(authorize(\/[A-Za-z0-9_-]{1,64})?|token|introspect|revoke|devicecode|logout(\/confirm|\/success)?)$|^\/device\/[A-Za-z0-9_-]{1,64}$/;
/** These learn of an unknown tenant from the client's look-up, which they make anyway. */
const CLIENT_ROUTE = /^\/oauth2\/v2\.0\/(token|introspect|revoke|devicecode)$/;
const RFC_8414 = /^\/\.well-known\/oauth-authorization-server\/([^/?#]{1,255})\/v2\.0$/;
const MAX_URL_LENGTH = 32_768;
/** Words in a tenant's place that mean none. */
const WITHOUT_TENANTS: Partial<Record<Authority, Reason>> = {
  consumers: 'consumersRefused',
  '{tenantid}': 'tenantTemplate',
};

/** The listener of sign-in and tokens: finds the tenant on the path, then our route or the library's. */
export function makeAuthenticationServer(options: AuthenticationServerOptions) {
  const isStrict = isStrictTransport(options.origin);
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const context = contextOf(request, options.addressOf(request));
    setCommonHeaders(response, context, isStrict);
    try {
      await route(request, response, context, options);
    } catch (error) {
      options.onError(error, context);
      if (!response.headersSent) writeRefusal(request, response, 503, 'unavailable', context, options);
      else response.destroy();
    }
  };
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  options: AuthenticationServerOptions,
) {
  const arrivedAt = performance.now();
  const url = normalised(request);
  const path = url.split('?', 1)[0] ?? '/';
  const plain = options.plainRoutes.get(path);
  if (plain) return plain(request, response);
  const [, segment = '', rest = ''] = /^\/([^/?#]{1,255})(\/[^?#]*)$/.exec(path) ?? [];
  if (url.length > MAX_URL_LENGTH || rest === '') return writeNotFound(response);
  const authority = authorityOf(segment);
  if (authority) return routeAuthority(request, response, { context, arrivedAt, authority, url, rest }, options);
  const tenantId = await tenantOf(segment, request, rest, options);
  if (!tenantId) return writeRefusal(request, response, 400, 'tenantUnknown', context, options);
  await routeTenant(request, response, new OAuthRequest({ tenantId, context, arrivedAt }), rest, options);
}

/** The library's routes for clients, and who else is public, need no look-up of the tenant itself. */
function tenantOf(segment: string, { method }: IncomingMessage, rest: string, options: AuthenticationServerOptions) {
  const { tenants, routes } = options;
  const [own] = isOfClient(method, rest) ? [] : ownRoute(routes, method, rest);
  return own?.isPublic ? tenants.publicIdOf(segment) : tenants.idOf(segment);
}

async function routeTenant(
  request: IncomingMessage,
  response: ServerResponse,
  tenancy: OAuthRequest,
  rest: string,
  options: AuthenticationServerOptions,
): Promise<void> {
  if (isOfClient(request.method, rest)) {
    await options.issuer.dispatch(request, response, tenancy);
    return;
  }
  const [own, match] = ownRoute(options.routes, request.method, rest);
  if (!own && !LIBRARY_ROUTE.test(rest)) return writeNotFound(response);
  if (!own?.isPublic && !(await options.tenants.find(tenancy.tenantId)))
    return writeRefusal(request, response, 400, 'tenantUnknown', tenancy.context, options);
  if (own && match) return own.handle(request, response, tenancy, match);
  return options.issuer.dispatch(request, response, tenancy);
}

function isOfClient(method: string | undefined, rest: string): boolean {
  return method === 'POST' && CLIENT_ROUTE.test(rest);
}

interface AuthorityRequest {
  readonly context: RequestContext;
  readonly arrivedAt: number;
  readonly authority: Authority;
  readonly url: string;
  readonly rest: string;
}

async function routeAuthority(
  request: IncomingMessage,
  response: ServerResponse,
  { context, arrivedAt, authority, url, rest }: AuthorityRequest,
  options: AuthenticationServerOptions,
): Promise<void> {
  const refuse = (status: number, reason: Reason, error?: string) =>
    writeRefusal(request, response, status, reason, context, options, error);
  if (authority !== 'common' && authority !== 'organizations')
    return refuse(400, WITHOUT_TENANTS[authority] ?? 'tenantReserved');
  const query = new URLSearchParams(url.split('?')[1]);
  const call = { request, response, context, authority, path: rest, query, refuse };
  const directed = await options.authorities.serve(call);
  if (!directed) return;
  const tenancy = new OAuthRequest({ tenantId: directed.tenantId, context, arrivedAt, authority });
  return routeTenant(directed.request, response, tenancy, rest, options);
}

/** RFC 8414 puts the well-known part first; from here on there is one form. */
function normalised(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const tenant = RFC_8414.exec(url)?.[1];
  return tenant === undefined ? url : `/${tenant}/v2.0/.well-known/openid-configuration`;
}

function ownRoute(
  routes: readonly TenantRoute[],
  method: string | undefined,
  rest: string,
): [TenantRoute?, RegExpExecArray?] {
  for (const candidate of routes) {
    const match = candidate.method === (method === 'HEAD' ? 'GET' : method) ? candidate.path.exec(rest) : null;
    if (match) return [candidate, match];
  }
  return [];
}

/** A page for a browser, JSON for everybody else. */
function writeRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  reason: Reason,
  context: RequestContext,
  options: AuthenticationServerOptions,
  error = status === 503 ? 'temporarily_unavailable' : 'invalid_request',
): void {
  if (status === 503) response.setHeader('Retry-After', '2');
  else options.onRefusal({ reason: `request: ${reason}` }, context);
  if (request.headers.accept?.includes('text/html')) {
    options.writeErrorPage(response, status, reason, context);
    return;
  }
  writeJson(response, status, oauthErrorBody(error, describe(reason), context.correlationId));
}

function writeNotFound(response: ServerResponse): void {
  writeJson(response, 404, { error: 'not_found', error_description: 'There is nothing at this address.' });
}

export function writeJson(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
}
