import { randomBytes } from 'node:crypto';
import Provider, { errors, type Grant, type KoaContextWithOIDC, type RefreshToken } from 'oidc-provider';
import { getAccount, getUserAssignment } from '../authorization/internal/accounts.ts';
import { getTokenFacts } from '../authorization/internal/token-facts.ts';
import type { Authorization } from '../authorization/perform.ts';
import { decideToken, recordedDecision } from '../authorization/token-decision.ts';
import type { DecisionReason, TokenAsk, TokenFacts } from '../vocabulary/token-decision.ts';
import { FAMILY_SECONDS, grantedScopes } from './adapter.ts';
import { requireDeviceFlow } from './device/device-policy.ts';
import { currentRequest } from './oauth-request.ts';
import { refuse } from './refusals.ts';
import { askedValues } from './requested-scopes.ts';
import type { Resources } from './resources.ts';
import { errorOf } from './token-decisions.ts';

const CONFIDENTIAL_REFRESH_SECONDS = 14 * 24 * 3_600;
/** A browser keeps a refresh token badly: it ends a day after the sign-in, and refreshing does not move that. */
const SPA_REFRESH_SECONDS = 24 * 3_600;

/** What asking for consent can mend. */
const CONSENT_MENDS: ReadonlySet<DecisionReason | undefined> = new Set(['applicationAbsent', 'consentRequired']);

/** Consent and accounts in the library's terms. */
export class Grants {
  readonly #authorization: Authorization;
  readonly #resources: Resources;
  #provider: Provider | undefined;

  constructor(authorization: Authorization, resources: Resources) {
    this.#authorization = authorization;
    this.#resources = resources;
  }

  register(provider: Provider): void {
    this.#provider = provider;
  }

  /**
   * A fresh grant for the session's person and this client, with what live consent allows. Its id is a new family's;
   * the family itself begins with the code (see `issuance.ts`).
   */
  async forSession(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
    const { principal } = currentRequest();
    const { client, session } = ctx.oidc;
    if (!client || !session?.accountId || !this.#provider) return undefined;
    // The library looked at it when the request came, which may be an hour ago: it can have been taken back since.
    if (isForDevice(ctx)) await requireDeviceFlow(this.#authorization, errors.AccessDenied);
    else if (!client.redirectUriAllowed(String(ctx.oidc.params?.redirect_uri))) throw new errors.InvalidRedirectUri();
    const who = { userId: session.accountId, appId: client.clientId };
    const asks = await this.#asksOf(ctx);
    const parties = { ...who, resourceAppIds: asks.map(({ resource }) => resource) };
    const facts = await this.#authorization.performInternal(principal, getTokenFacts, parties);
    if (!facts) throw refuse(errors.AccessDenied, 'tenantUnknown');
    requireConsentable(facts, asks);
    const { openid, resources } = grantedScopes(facts);
    const grant = new this.#provider.Grant({ accountId: who.userId, clientId: who.appId });
    grant.jti = randomBytes(24).toString('base64url');
    if (openid) grant.addOIDCScope(openid);
    for (const [identifier, scope] of Object.entries(resources)) grant.addResourceScope(identifier, scope);
    return grant;
  }

  /** One question for each API that the request names. */
  async #asksOf(ctx: KoaContextWithOIDC): Promise<TokenAsk[]> {
    const identifiers = Object.keys(ctx.oidc.resourceServers ?? {});
    const asks = await Promise.all(
      identifiers.map(async (identifier): Promise<TokenAsk[]> => {
        const resource = await this.#resources.find(identifier);
        const scopes = this.#resources.askedOf(ctx, identifier);
        const common = { kind: 'delegated', via: 'authorize' } as const;
        return resource ? [{ ...common, resource: resource.appId, asked: askedValues(scopes) }] : [];
      }),
    );
    return asks.flat();
  }

  async findAccount(id: string) {
    const { principal, tenantId, client } = currentRequest();
    const account = await this.#authorization.performInternal(principal, getAccount, id);
    if (!account) return undefined;
    const { userPrincipalName, displayName, givenName, surname, mail } = account;
    const profile = {
      sub: account.id,
      tid: tenantId,
      oid: account.id,
      ver: '2.0',
      name: displayName,
      preferred_username: userPrincipalName,
      given_name: givenName ?? undefined,
      family_name: surname ?? undefined,
      email: mail ?? undefined,
    };
    return {
      accountId: account.id,
      claims: async (use: string) =>
        use === 'id_token' && client ? { ...profile, ...(await this.#signedIn(account.id)) } : profile,
    };
  }

  /** What only an ID token says: since when it holds, and the person's roles in the application. */
  async #signedIn(userId: string) {
    const { principal } = currentRequest();
    const appId = Provider.ctx?.oidc.client?.clientId ?? '';
    const { roles } = await this.#authorization.performInternal(principal, getUserAssignment, { userId, appId });
    return { nbf: Math.floor(Date.now() / 1_000), ...(roles.length > 0 ? { roles } : {}) };
  }

  /** Always, unless the application is set otherwise (`compatibility.pkceOptional`), and never for a public client. */
  requiresPkce(): boolean {
    const { face, definition } = currentRequest();
    return face?.platform !== 'web' || definition?.compatibility.pkceOptional !== true;
  }

  /**
   * The library drops `offline_access` unless `prompt=consent`; consent to it is a row here like any other, so it is
   * put back where the request had it. Runs as the check of an extra parameter, which is after the scopes' own.
   */
  keepOfflineAccess(ctx: KoaContextWithOIDC): void {
    const { params, client } = ctx.oidc;
    const asked = new URLSearchParams(ctx.querystring).get('scope')?.split(' ') ?? [];
    if (!params || !asked.includes('offline_access') || !client?.grantTypeAllowed('refresh_token')) return;
    params.scope = [...new Set([...String(params.scope ?? '').split(' '), 'offline_access'])].filter(Boolean).join(' ');
  }

  refreshSeconds(_ctx: KoaContextWithOIDC, token: RefreshToken): number {
    const { face } = currentRequest();
    const began = token.iiat ?? Math.floor(Date.now() / 1_000);
    const age = Math.floor(Date.now() / 1_000) - began;
    const absolute = (face?.platform === 'spa' ? SPA_REFRESH_SECONDS : FAMILY_SECONDS) - age;
    return Math.max(1, Math.min(CONFIDENTIAL_REFRESH_SECONDS, absolute));
  }
}

/** A device waits for its answer at the token endpoint: nobody is sent anywhere. */
function isForDevice({ oidc }: KoaContextWithOIDC): boolean {
  return oidc.route === 'device_resume';
}

/**
 * Refuses what no consent can mend, before anybody is asked for it.
 * @throws `access_denied`
 */
function requireConsentable(facts: TokenFacts, asks: readonly TokenAsk[]): void {
  for (const ask of asks) {
    const decision = decideToken(facts, ask);
    currentRequest().decision = recordedDecision(decision, ask);
    const failed = decision.trace.find(({ outcome, reason }) => outcome === 'fail' && !CONSENT_MENDS.has(reason));
    if (failed?.reason) throw refuse(errorOf(failed.reason, ask), failed.reason);
  }
}
