import type { errors, KoaContextWithOIDC, default as Provider } from 'oidc-provider';
import type { SignInEntry } from '../authorization/internal/tokens.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import type { RequestContext } from '../vocabulary/request-context.ts';
import { isErrorBody, type OAuthErrorBody } from './oauth-errors.ts';
import { currentRequest, type OAuthRequest } from './oauth-request.ts';

/** A refusal of somebody who has not proven who he is: for the security log, never for a tenant's own records. */
export interface UnauthenticatedRefusal {
  /** Absent where the request named none that exists. */
  readonly tenantId?: TenantId | undefined;
  readonly reason: string;
  /** As the request named it, where that names an application of the tenant. */
  readonly clientId?: string | undefined;
}

/** Takes refusals that nobody known has caused. */
export type OnRefusal = (refusal: UnauthenticatedRefusal, context: RequestContext) => void;

const ROUTES: ReadonlySet<string> = new Set(['token', 'introspection', 'revocation', 'device_authorization']);
/** What a device hears until its person has answered is no refusal (RFC 8628, section 3.5). */
const PENDING: ReadonlySet<string> = new Set(['authorization_pending', 'slow_down']);

/** Records refusals (wire.md, "Errors"): an authenticated client's or person's in the tenant, the others in the security log. */
export class RefusalRecords {
  readonly #authorization: Authorization;
  readonly #onRefusal: OnRefusal;

  constructor(authorization: Authorization, onRefusal: OnRefusal) {
    this.#authorization = authorization;
    this.#onRefusal = onRefusal;
  }

  /** A refusal of the endpoints for browsers may be a redirect or a page: what it was is kept for the middleware. */
  register(provider: Provider): void {
    const keep = ({ state }: KoaContextWithOIDC, error: errors.OIDCProviderError) => {
      state.refused = error;
    };
    provider.on('authorization.error', keep);
    provider.on('end_session.error', keep);
    provider.on('end_session_confirm.error', keep);
    provider.on('device_resume.error', keep);
  }

  /**
   * Undefined: there is nothing to record.
   * @throws what keeps the record from being made: what can not be recorded is not answered
   */
  record(ctx: KoaContextWithOIDC): Promise<void> | undefined {
    const route = ctx.oidc?.route ?? '';
    const { body, status } = ctx;
    const answered = status >= 400 && status < 500 && isErrorBody(body) ? body : undefined;
    if (!ROUTES.has(route)) {
      const refused: Refusal | undefined = ctx.state.refused ?? answered;
      return refused && this.#recordBrowser(ctx, refused);
    }
    return answered && !PENDING.has(answered.error) ? this.#recordClient(ctx, route, answered) : undefined;
  }

  async #recordClient(ctx: KoaContextWithOIDC, route: string, answered: Refusal): Promise<void> {
    const request = currentRequest();
    const errorCode = answered.error_codes?.[0] ?? 0;
    const { tenantId, context, principal, assumed } = request;
    if (isKnown(request, answered.error)) {
      const entry = entryOf(ctx, request, { ...answered, errorCode });
      // Who was known by what is remembered alone may be known no more.
      if (await this.#authorization.recordSignIn(principal, entry, assumed)) return;
    }
    const clientId = ctx.oidc.client?.clientId;
    this.#onRefusal({ tenantId, clientId, reason: `${route}: ${answered.error} ${errorCode}` }, context);
  }

  async #recordBrowser({ oidc }: KoaContextWithOIDC, { error, error_description = error }: Refusal): Promise<void> {
    const { tenantId, context, client, principal, decision } = currentRequest();
    const errorCode = Number(/^AADSTS(\d+)/.exec(error_description)?.[1] ?? 0);
    const appId = oidc.client?.clientId;
    const userId = oidc.session?.accountId;
    if (!userId) {
      this.#onRefusal({ tenantId, clientId: appId, reason: `${oidc.route}: ${error} ${errorCode}` }, context);
      return;
    }
    await this.#authorization.recordSignIn(principal, {
      eventType: oidc.params?.prompt === 'none' ? 'nonInteractiveUser' : 'interactiveUser',
      userId,
      appId,
      appDisplayName: client?.displayName ?? undefined,
      decision,
      ...context,
      errorCode: errorCode || 1,
      failureReason: `${error}: ${error_description}`.slice(0, 500),
    });
  }
}

/** A client with a credential has proven itself by it, one without by a code or refresh token that was issued to it. */
function isKnown({ face, isAuthenticated, redeemed }: OAuthRequest, error: string): boolean {
  if (error === 'invalid_client') return false;
  return face?.authentication === 'none' ? redeemed !== undefined : isAuthenticated === true;
}

function entryOf(
  { oidc }: KoaContextWithOIDC,
  { client, face, context, decision }: OAuthRequest,
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
    decision,
    ipAddress: context.ipAddress,
    userAgent: context.userAgent,
    correlationId: context.correlationId,
    // Entra's numbers begin far above; 1 says "refused" where the library gave no reason of ours.
    errorCode: errorCode || 1,
    failureReason: `${error}: ${error_description}`.slice(0, 500),
  };
}

type Refusal = Pick<OAuthErrorBody, 'error'> & Partial<OAuthErrorBody>;
