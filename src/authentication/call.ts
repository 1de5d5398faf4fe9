import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RequestContext, requestContext } from '../vocabulary/request-context.ts';

/** Names a call. Browsers and MSAL send `client-request-id` as a parameter, others as a header. */
export function contextOf({ headers, url = '' }: IncomingMessage, ipAddress: string | undefined): RequestContext {
  const header = headers['client-request-id'];
  const parameter = /[?&]client-request-id=([0-9a-fA-F-]{36})(?:&|$)/.exec(url)?.[1];
  const asked = typeof header === 'string' ? header : parameter;
  return requestContext({ asked, ipAddress, userAgent: headers['user-agent'] });
}

/** RFC 6797: not for localhost, whose other ports belong to other programs, which a browser would then ask for https too. */
export function isStrictTransport(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === 'https:' && hostname !== 'localhost';
}

/** Headers of every answer of this listener; what needs others sets its own. */
export function setCommonHeaders(response: ServerResponse, { correlationId }: RequestContext, secure: boolean): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('client-request-id', correlationId);
  if (secure) response.setHeader('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
}
