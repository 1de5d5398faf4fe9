import type { ServerResponse } from 'node:http';
import { getLogo } from '../../authorization/internal/clients.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { parseAppId } from '../../vocabulary/ids.ts';
import { type TenantRoute, writeJson } from '../authentication-server.ts';

/** A stranger's bytes on our own origin: shown as a picture, and as nothing else (CON-27). */
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
  'Content-Disposition': 'inline; filename="logo"',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** The logo of an application that the tenant can see. `v` is its hash: another one has another address. */
export function logoRoute(authorization: Authorization): TenantRoute {
  return {
    method: 'GET',
    path: /^\/applications\/([0-9a-fA-F-]{36})\/logo$/,
    handle: async (request, response, { principal }, match) => {
      const appId = parseAppId(match[1] ?? '');
      const logo = appId && (await authorization.performInternal(principal, getLogo, appId));
      if (!logo) return writeAbsent(response);
      const isCurrent = new URLSearchParams(request.url?.split('?')[1]).get('v') === logo.hash;
      response.writeHead(200, {
        ...HEADERS,
        'Content-Type': logo.type,
        'Content-Length': logo.bytes.length,
        'Cache-Control': isCurrent ? 'private, max-age=86400, immutable' : 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : logo.bytes);
    },
  };
}

function writeAbsent(response: ServerResponse): void {
  writeJson(response, 404, { error: 'not_found', error_description: 'There is nothing at this address.' });
}
