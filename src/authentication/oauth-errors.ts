import { randomUUID } from 'node:crypto';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { errors } from 'oidc-provider';
import { DirectoryError } from '../vocabulary/errors.ts';
import { currentRequest, type OAuthRequest } from './oauth-request.ts';
import { describe, REASONS, type Reason } from './refusals.ts';

/** An OAuth error as every endpoint of this listener writes it (wire.md, "Errors"). */
export interface OAuthErrorBody {
  readonly error: string;
  readonly error_description: string;
  readonly error_codes: readonly number[];
  readonly suberror?: string;
  readonly timestamp: string;
  readonly trace_id: string;
  readonly correlation_id: string;
}

const REASON_NUMBER = /^AADSTS(\d+):/;
/** What makes Microsoft's clients ask for a person: an `invalid_grant` alone they hand on as any other failure. */
const SUBERRORS: ReadonlyMap<number, string> = new Map([
  [REASONS.consentRequired[0], 'consent_required'],
  [REASONS.approvalRequired[0], 'consent_required'],
  [REASONS.grantGone[0], 'bad_token'],
]);

export function oauthErrorBody(error: string, description: string, correlationId: string): OAuthErrorBody {
  const number = Number(REASON_NUMBER.exec(description)?.[1] ?? 0);
  const suberror = SUBERRORS.get(number);
  return {
    error,
    error_description: description,
    error_codes: number ? [number] : [],
    ...(suberror === undefined ? {} : { suberror }),
    timestamp: new Date().toISOString(),
    trace_id: randomUUID(),
    correlation_id: correlationId,
  };
}

/** Answers with what was thrown upstream of the library. A database that is away is 503, never a refusal of the client. */
export function answerThrown(ctx: KoaContextWithOIDC, error: unknown): void {
  writeThrown(ctx, error);
  completeError(ctx);
}

/** The one writer of OAuth errors for the library's endpoints: gives its own bodies their public reason. */
export function completeError(ctx: KoaContextWithOIDC): void {
  const { body } = ctx;
  if (ctx.status < 400 || !isErrorBody(body)) return;
  const request = currentRequest();
  const reason = reasonOf(request, body.error);
  const isOfAuthority = reason !== undefined && OF_AUTHORITY.has(reason);
  if (isOfAuthority) ctx.status = 400;
  const error = isOfAuthority ? 'invalid_request' : body.error;
  const description = reason ? describe(reason) : (body.error_description ?? error);
  ctx.body = oauthErrorBody(error, description, request.context.correlationId);
}

/** What is wrong is where the request was sent, not who sent it. */
const OF_AUTHORITY: ReadonlySet<Reason> = new Set(['tenantUnknown', 'notMultiTenant']);

/** Only where the library says no more than that client authentication failed. */
function reasonOf({ reason }: OAuthRequest, error: string): Reason | undefined {
  return error === 'invalid_client' ? reason : undefined;
}

function writeThrown(ctx: KoaContextWithOIDC, error: unknown): void {
  // The library may have answered already with what could not be committed.
  ctx.remove('Location');
  if (error instanceof errors.OIDCProviderError) {
    ctx.status = error.statusCode;
    ctx.body = { error: error.error, error_description: error.error_description };
    return;
  }
  const unavailable = error instanceof DirectoryError && error.status === 503;
  ctx.status = unavailable ? 503 : 500;
  if (unavailable) ctx.set('Retry-After', String(error.retryAfter ?? 2));
  ctx.body = unavailable
    ? { error: 'temporarily_unavailable', error_description: describe('unavailable') }
    : { error: 'server_error', error_description: 'An unexpected error occurred.' };
  if (!unavailable) ctx.app.emit('error', error, ctx);
}

/** Whether an answer is an OAuth error, the library's or ours. */
export function isErrorBody(body: unknown): body is Pick<OAuthErrorBody, 'error'> & Partial<OAuthErrorBody> {
  return typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string';
}
