import type { ParameterizedContext } from 'koa';
import { DirectoryError } from '../vocabulary/errors.ts';
import type { RequestContext } from '../vocabulary/request-context.ts';
import type { CallState } from './call.ts';
import { REGISTRATION_PATH, registrationError } from './registration-errors.ts';

/** The one writer of errors on this listener (wire.md, "Errors"). */
export function writeErrors(onRefusal: (error: DirectoryError, context: RequestContext) => void) {
  return async (ctx: ParameterizedContext<CallState>, next: () => Promise<unknown>): Promise<void> => {
    try {
      await next();
    } catch (error) {
      const known =
        error instanceof DirectoryError
          ? error
          : new DirectoryError('InternalServerError', undefined, { cause: error });
      if (known.status >= 500) ctx.app.emit('error', error, ctx);
      else if (known.status === 401 || !ctx.state.principal) onRefusal(known, ctx.state.context);
      ctx.status = known.status;
      // What is left of the body is not waited for.
      if (known.status === 413) ctx.set('Connection', 'close');
      if (known.retryAfter !== undefined) ctx.set('Retry-After', String(known.retryAfter));
      const challenge = challengeOf(known);
      if (challenge) ctx.set('WWW-Authenticate', challenge);
      ctx.body = ctx.path === REGISTRATION_PATH ? registrationError(known) : bodyOf(known, ctx.state);
    }
  };
}

/** RFC 6750, section 3: what a token would have to be for the call to succeed. */
function challengeOf({ code, scopes }: DirectoryError): string | undefined {
  if (code === 'InvalidAuthenticationToken') return 'Bearer error="invalid_token"';
  if (code === 'Authorization_RequestDenied' && scopes?.length) {
    return `Bearer error="insufficient_scope", scope="${scopes.join(' ')}"`;
  }
  return undefined;
}

function bodyOf({ code, message }: DirectoryError, { requestId, context }: CallState) {
  const date = new Date().toISOString().slice(0, 19);
  const innerError = { date, 'request-id': requestId, 'client-request-id': context.correlationId };
  return { error: { code, message, innerError } };
}
