import type { KoaContextWithOIDC } from 'oidc-provider';
import type { SignInEntry } from '../authorization/internal/tokens.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import type { RequestContext } from '../vocabulary/request-context.ts';
import { isErrorBody } from './oauth-errors.ts';
import { currentRequest, type OAuthRequest } from './oauth-request.ts';

/** A refusal of somebody who has not proven who he is: for the security log, never for a tenant's own records. */
export interface UnauthenticatedRefusal {
  readonly tenantId: TenantId;
  readonly reason: string;
  /** As the request named it, where that names an application of the tenant. */
  readonly clientId?: string | undefined;
}

/** Takes refusals that nobody known has caused. */
export type OnRefusal = (refusal: UnauthenticatedRefusal, context: RequestContext) => void;

const ROUTES: ReadonlySet<string> = new Set(['token', 'introspection', 'revocation']);

/** Records refusals (wire.md, "Errors"): an authenticated client's in the tenant, the others in the security log. */
export class RefusalRecords {
  readonly #authorization: Authorization;
  readonly #onRefusal: OnRefusal;

  constructor(authorization: Authorization, onRefusal: OnRefusal) {
    this.#authorization = authorization;
    this.#onRefusal = onRefusal;
  }

  /** Outermost: sees the answer as it leaves. */
  readonly middleware = async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const route = ctx.oidc?.route ?? '';
    const { body, status } = ctx;
    if (!ROUTES.has(route) || status < 400 || status >= 500 || !isErrorBody(body)) return;
    const request = currentRequest();
    const errorCode = body.error_codes?.[0] ?? 0;
    if (isKnown(request, body.error)) {
      const entry = entryOf(ctx, request, { ...body, errorCode });
      await this.#authorization.recordSignIn(request.principal, entry);
      return;
    }
    const { tenantId, context } = request;
    const clientId = ctx.oidc.client?.clientId;
    this.#onRefusal({ tenantId, clientId, reason: `${route}: ${body.error} ${errorCode}` }, context);
  };
}

/** A client with a credential has proven itself by it, one without by a code or refresh token that was issued to it. */
function isKnown({ face, isAuthenticated, redeemed }: OAuthRequest, error: string): boolean {
  if (error === 'invalid_client') return false;
  return face?.authentication === 'none' ? redeemed !== undefined : isAuthenticated === true;
}

function entryOf(
  { oidc }: KoaContextWithOIDC,
  { client, face, context }: OAuthRequest,
  {
    error,
    error_description = error,
    errorCode,
  }: { readonly error: string; readonly error_description?: string; readonly errorCode: number },
): SignInEntry {
  const isAppOnly = oidc.params?.grant_type === 'client_credentials';
  return {
    eventType: isAppOnly ? 'servicePrincipal' : 'nonInteractiveUser',
    userId: oidc.entities.Account?.accountId,
    servicePrincipalId: isAppOnly ? (client?.servicePrincipalId ?? undefined) : undefined,
    appId: oidc.client?.clientId,
    appDisplayName: client?.displayName ?? undefined,
    clientCredentialType: face?.authentication,
    ipAddress: context.ipAddress,
    userAgent: context.userAgent,
    correlationId: context.correlationId,
    // Entra's numbers begin far above; 1 says "refused" where the library gave no reason of ours.
    errorCode: errorCode || 1,
    failureReason: `${error}: ${error_description}`.slice(0, 500),
  };
}
