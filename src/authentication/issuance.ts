import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { giveUserCodeBack } from '../authorization/internal/artifacts.ts';
import { noteUses } from '../authorization/internal/last-uses.ts';
import {
  IssuanceError,
  type IssuanceFailure,
  issueTokens,
  type SignInEntry,
} from '../authorization/internal/tokens.ts';
import type { Authorization } from '../authorization/perform.ts';
import { internalPrincipal } from '../vocabulary/principals.ts';
import { FAMILY_SECONDS } from './adapter.ts';
import { HourlyNotes } from './hourly-notes.ts';
import { currentRequest, type OAuthRequest } from './oauth-request.ts';
import { refuse } from './refusals.ts';
import { usedIds } from './tokens/token-decisions.ts';

/** What a family begins with. */
const BEGINNINGS: ReadonlySet<string> = new Set(['AuthorizationCode', 'DeviceCode']);
/** Who lost one may get another answer. */
const RACES: ReadonlySet<IssuanceFailure> = new Set(['consumed', 'outdated']);

/**
 * Commits what an answer rests on before the answer leaves: the redeemed artifact, the new one, its family, and the
 * sign-in record. When that fails the answer is an error and nothing was used up, so the client may try again.
 */
export class Issuance {
  readonly #authorization: Authorization;

  readonly #lastUses: HourlyNotes;

  constructor(authorization: Authorization, onError: (error: unknown) => void) {
    this.#authorization = authorization;
    this.#lastUses = new HourlyNotes(
      (tenantId, ids) => authorization.performInternal(internalPrincipal('tokenService', tenantId), noteUses, ids),
      onError,
    );
  }

  async commit(ctx: KoaContextWithOIDC): Promise<void> {
    const request = currentRequest();
    if (BEGINNINGS.has(request.pending.artifact?.model ?? '')) beginFamily(ctx, request);
    if (ctx.oidc?.route === 'token' && ctx.status === 200) recordToken(ctx, request);
    if (ctx.status >= 400 || Object.keys(request.pending).length === 0) return;
    try {
      await this.#commit(request);
    } catch (error) {
      if (!(error instanceof IssuanceError)) {
        await this.#giveUserCodeBack(request);
        throw error;
      }
      if (!RACES.has(error.failure) || !(await request.settleLostRace?.())) {
        throw refuse(errors.InvalidGrant, 'grantGone');
      }
      if (request.pending.signIn) recordToken(ctx, request);
      await this.#commit(request);
    }
    if (ctx.oidc?.route === 'token') this.#lastUses.note(request.tenantId, usedIds(request, hasIdToken(ctx)));
  }

  /** A device that could not be approved can be tried again, as far as the database is there to say so. */
  async #giveUserCodeBack({ principal, pending: { artifact } }: OAuthRequest): Promise<void> {
    const { model, id, userCode } = artifact ?? {};
    if (model !== 'DeviceCode' || id === undefined || userCode === undefined) return;
    await this.#authorization.performInternal(principal, giveUserCodeBack, { model, id, userCode }).catch(() => {});
  }

  async #commit({ principal, pending, assumed }: OAuthRequest): Promise<void> {
    const { signIn } = pending;
    if (!signIn || Object.keys(pending).length > 1)
      await this.#authorization.performInternal(principal, issueTokens, pending);
    else if (!(await this.#authorization.recordSignIn(principal, signIn, assumed))) throw new IssuanceError('outdated');
  }
}

/** A family begins with its code, issued or approved: a person, a client, a session (wire.md, "Refresh"). */
function beginFamily(ctx: KoaContextWithOIDC, request: OAuthRequest): void {
  const { AuthorizationCode, DeviceCode } = ctx.oidc.entities;
  const { grantId, accountId, clientId, sessionUid } = AuthorizationCode ?? DeviceCode ?? {};
  if (!grantId || !accountId || !clientId) throw new Error('A code without a grant, an account or a client.');
  request.pending.family = {
    id: grantId,
    userId: accountId,
    appId: clientId,
    sessionUid,
    authenticatedAt: ctx.oidc.session?.loginTs ?? 0,
    expiresIn: FAMILY_SECONDS,
    platform: request.face?.platform ?? 'web',
  };
  request.pending.signIn = {
    ...described(ctx, request, 'interactiveUser'),
    userId: accountId,
    familyId: grantId,
    sessionId: sessionUid,
  };
}

function recordToken(ctx: KoaContextWithOIDC, request: OAuthRequest): void {
  const { AccessToken, Account } = ctx.oidc.entities;
  const type = AccessToken ? 'nonInteractiveUser' : 'servicePrincipal';
  const servicePrincipalId = AccessToken ? undefined : (request.client?.servicePrincipalId ?? undefined);
  request.pending.signIn = {
    ...described(ctx, request, type),
    ...request.issued,
    userId: Account?.accountId,
    servicePrincipalId,
    sessionId: AccessToken?.sessionUid,
  };
}

function hasIdToken({ body }: KoaContextWithOIDC): boolean {
  return typeof body === 'object' && body !== null && 'id_token' in body;
}

/** What every sign-in record says of its request. */
function described(
  ctx: KoaContextWithOIDC,
  { context, client, face, decision }: OAuthRequest,
  eventType: SignInEntry['eventType'],
): SignInEntry {
  return {
    eventType,
    appId: ctx.oidc.client?.clientId,
    appDisplayName: client?.displayName ?? undefined,
    clientCredentialType: face?.authentication,
    decision,
    ipAddress: context.ipAddress,
    userAgent: context.userAgent,
    correlationId: context.correlationId,
  };
}
