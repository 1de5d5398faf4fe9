import type { ServerResponse } from 'node:http';
import { type TenantRoute, writeJson } from '../authentication-server.ts';
import { discoveryDocument } from '../discovery.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import { LastKnown } from '../last-known.ts';

const MAX_AGE = 'public, max-age=300';

/** OpenID Connect Discovery and RFC 8414. Public, the same for everybody, from the configured origin. */
export function discoveryRoute(origin: string, directoryOrigin: string): TenantRoute {
  return {
    method: 'GET',
    isPublic: true,
    path: /^\/v2\.0\/\.well-known\/openid-configuration$/,
    handle: async (_request, response, { tenantId }) => {
      writePublicJson(response, discoveryDocument(origin, directoryOrigin, tenantId));
    },
  };
}

/** The tenant's JWKS (RFC 7517): public parameters of its next, current and retiring keys. */
export function keysRoute(signingKeys: SigningKeys): TenantRoute {
  const sets = new LastKnown<object[]>();
  return {
    method: 'GET',
    isPublic: true,
    path: /^\/discovery\/v2\.0\/keys$/,
    handle: async (_request, response, { tenantId }) => {
      const read = async () => (await signingKeys.published(tenantId)).map(({ publicJwk }) => publicJwk);
      const keys = await sets.read(tenantId, read);
      writePublicJson(response, { keys });
    },
  };
}

/** For every page of every origin to read, and to keep for a while. */
export function writePublicJson(response: ServerResponse, body: object): void {
  response.setHeader('Cache-Control', MAX_AGE);
  response.setHeader('Access-Control-Allow-Origin', '*');
  writeJson(response, 200, body);
}
