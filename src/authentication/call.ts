import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestContext } from '../vocabulary/principals.ts';

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const UNPRINTABLE = /[^ -~]/g;

/**
 * Names a call. A client's `client-request-id` (header or query) is kept when it is a GUID; anything else would be a
 * way into the logs.
 */
export function contextOf(request: IncomingMessage, ipAddress: string | undefined): RequestContext {
  const header = request.headers['client-request-id'];
  const query = /[?&]client-request-id=([0-9a-fA-F-]{36})(?:&|$)/.exec(request.url ?? '')?.[1];
  const asked = typeof header === 'string' ? header : (query ?? '');
  const userAgent = request.headers['user-agent']?.slice(0, 256).replace(UNPRINTABLE, '?');
  return { correlationId: GUID.test(asked) ? asked.toLowerCase() : randomUUID(), ipAddress, userAgent };
}

/** Headers of every answer of this listener; what needs others sets its own. */
export function setCommonHeaders(response: ServerResponse, { correlationId }: RequestContext, secure: boolean): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('client-request-id', correlationId);
  if (secure) response.setHeader('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
}
