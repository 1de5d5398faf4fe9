import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { getSpaRedirectUris } from '../authorization/internal/clients.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { TenantRoute } from './authentication-server.ts';
import { currentRequest, type OAuthRequest } from './oauth-request.ts';

const MAX_AGE = '600';
const ALLOWED_HEADERS =
  'authorization, content-type, client-request-id, return-client-request-id, x-client-sku, x-client-ver, x-client-os, x-client-cpu, x-client-current-telemetry, x-client-last-telemetry, x-ms-lib-capability, x-app-name, x-app-ver, x-anchormailbox';

/** Whether a page of this origin is one of the application's single-page redirect URIs. Opaque origins never are. */
export function isSpaOriginOf(spaRedirectUris: readonly string[], origin: string): boolean {
  return origin !== 'null' && spaRedirectUris.some((uri) => URL.parse(uri)?.origin === origin);
}

/**
 * A preflight names no client: it is answered where some single-page application of the tenant has that origin. The
 * request that follows is held against its own client.
 */
export function preflightRoute(authorization: Authorization): TenantRoute {
  const origins = new SpaOrigins(authorization);
  return {
    method: 'OPTIONS',
    path: /^\/(oauth2\/v2\.0\/(token|introspect|revoke)|oidc\/userinfo)$/,
    handle: async (request, response, tenancy) => {
      response.setHeader('Vary', 'Origin');
      response.statusCode = 204;
      const origin = singleOrigin(request);
      if (origin && (await origins.has(tenancy, origin))) {
        response.setHeader('Access-Control-Allow-Methods', 'GET, POST');
        response.setHeader('Access-Control-Allow-Headers', ALLOWED_HEADERS);
        response.setHeader('Access-Control-Max-Age', MAX_AGE);
        allowOrigin(response, origin);
      }
      response.end();
    },
  };
}

const MAX_TENANTS = 1_000;
/** How long what another organization changed of an application that it published may be unknown. */
const REMEMBERED_MS = 10_000;

/**
 * The origins of each tenant's single-page applications. Anybody may ask, as often as he likes, so the rows are read
 * once for each version of the tenant. What is remembered decides on preflights alone, which show nothing.
 */
class SpaOrigins {
  readonly #authorization: Authorization;
  readonly #known = new LRUCache<string, { readonly version: string; readonly origins: Promise<ReadonlySet<string>> }>({
    max: MAX_TENANTS,
    ttl: REMEMBERED_MS,
  });

  constructor(authorization: Authorization) {
    this.#authorization = authorization;
  }

  async has({ tenantId, principal }: OAuthRequest, origin: string): Promise<boolean> {
    const version = await this.#authorization.versionOf(tenantId);
    if (version === undefined) return false;
    const known = this.#known.get(tenantId);
    if (known?.version === version) return (await known.origins).has(origin);
    const origins = this.#read(principal);
    this.#known.set(tenantId, { version, origins });
    origins.catch(() => this.#known.delete(tenantId));
    return (await origins).has(origin);
  }

  async #read(principal: OAuthRequest['principal']): Promise<ReadonlySet<string>> {
    const uris = await this.#authorization.performInternal(principal, getSpaRedirectUris, undefined);
    return new Set(uris.flatMap((uri) => URL.parse(uri)?.origin ?? []));
  }
}

/** The `Origin` of a request, when it is one that can be allowed at all. */
export function singleOrigin({ headers }: IncomingMessage): string | undefined {
  const { origin } = headers;
  return origin !== undefined && URL.parse(origin)?.origin === origin && origin !== 'null' ? origin : undefined;
}

export function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('Vary', 'Origin');
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', 'WWW-Authenticate, client-request-id, Retry-After');
}

/**
 * The library allows any origin until it knows the client; what fails before that would be readable everywhere. Here an
 * origin is allowed only where the client's own pages are. A request that names no origin is nobody's page.
 */
export function restrictOrigins(ctx: KoaContextWithOIDC): void {
  const { origin } = ctx.headers;
  if (origin === undefined || !isSpaOriginOf(currentRequest().definition?.spaRedirectUris ?? [], origin)) {
    ctx.remove('Access-Control-Allow-Origin');
    ctx.remove('Access-Control-Expose-Headers');
  }
}
