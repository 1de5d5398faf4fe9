import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ParameterizedContext } from 'koa';
import type { Principal, RequestContext } from '../vocabulary/principals.ts';

/** What the listener knows of a call from its first line on. */
export interface CallState {
  requestId: string;
  context: RequestContext;
  /** Once the token was verified. */
  principal?: Principal;
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const UNPRINTABLE = /[^ -~]/g;

/** Names the call. A client's `client-request-id` is kept when it is a GUID, else it would be a way into the logs. */
export function openCall(addressOf: (request: IncomingMessage) => string | undefined) {
  return async (ctx: ParameterizedContext<CallState>, next: () => Promise<unknown>): Promise<void> => {
    const requestId = randomUUID();
    const asked = ctx.get('client-request-id');
    const correlationId = GUID.test(asked) ? asked.toLowerCase() : requestId;
    const userAgent = ctx.get('user-agent').slice(0, 256).replace(UNPRINTABLE, '?') || undefined;
    ctx.state.requestId = requestId;
    ctx.state.context = { correlationId, ipAddress: addressOf(ctx.req), userAgent };
    ctx.set({
      'request-id': requestId,
      'client-request-id': correlationId,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    await next();
  };
}
