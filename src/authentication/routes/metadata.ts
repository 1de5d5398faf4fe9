import type { ServerResponse } from 'node:http';
import { type TenantRoute, writeJson } from '../authentication-server.ts';
import { discoveryDocument } from '../discovery.ts';
import type { SigningKeys } from '../signing-keys.ts';

const MAX_AGE = 'public, max-age=300';

/** OpenID Connect Discovery and RFC 8414. Public, the same for everybody, from the configured origin. */
export function discoveryRoute(origin: string): TenantRoute {
  return {
    method: 'GET',
    path: /^\/v2\.0\/\.well-known\/openid-configuration$/,
    handle: async (_request, response, { tenantId }) => {
      openToAll(response);
      writeJson(response, 200, discoveryDocument(origin, tenantId));
    },
  };
}

/** The tenant's JWKS (RFC 7517): public parameters of its next, current and retiring keys. */
export function keysRoute(signingKeys: SigningKeys): TenantRoute {
  return {
    method: 'GET',
    path: /^\/discovery\/v2\.0\/keys$/,
    handle: async (_request, response, { tenantId }) => {
      const keys = (await signingKeys.published(tenantId)).map(({ publicJwk }) => publicJwk);
      openToAll(response);
      writeJson(response, 200, { keys });
    },
  };
}

function openToAll(response: ServerResponse): void {
  response.setHeader('Cache-Control', MAX_AGE);
  response.setHeader('Access-Control-Allow-Origin', '*');
}
