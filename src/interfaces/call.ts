import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ParameterizedContext } from 'koa';
import type { Principal } from '../vocabulary/principals.ts';
import { type RequestContext, requestContext } from '../vocabulary/request-context.ts';

/** What the listener knows of a call from its first line on. */
export interface CallState {
  requestId: string;
  context: RequestContext;
  /** Once the token was verified. */
  principal?: Principal;
}

/** Names the call, and sets the headers of every answer. */
export function openCall(addressOf: (request: IncomingMessage) => string | undefined) {
  return async (ctx: ParameterizedContext<CallState>, next: () => Promise<unknown>): Promise<void> => {
    const requestId = randomUUID();
    const asked = ctx.get('client-request-id');
    const context = requestContext(
      { asked, ipAddress: addressOf(ctx.req), userAgent: ctx.get('user-agent') },
      requestId,
    );
    ctx.state.requestId = requestId;
    ctx.state.context = context;
    ctx.set({
      'request-id': requestId,
      'client-request-id': context.correlationId,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    await next();
  };
}
