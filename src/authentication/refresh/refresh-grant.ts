import type Provider from 'oidc-provider';
import { errors, type RefreshToken } from 'oidc-provider';
import { endFamilies } from '../../authorization/internal/tokens.ts';
import type { Authorization } from '../../authorization/perform.ts';
import type { TokenDecision } from '../../vocabulary/token-decision.ts';
import type { Grants } from '../grants.ts';
import { currentRequest } from '../oauth-request.ts';
import { refuse } from '../refusals.ts';
import { askedValues } from '../requested-scopes.ts';
import type { Resources } from '../resources.ts';
import { factsOn, requireToken } from '../tokens/token-decisions.ts';
import type { VirtualIssuer } from '../virtual-issuer.ts';
import { RefreshTokenChain } from './refresh-token-chain.ts';
import { idTokenAlgorithm, makeRefreshedTokens, type RefreshContext } from './refreshed-tokens.ts';
import { type WantedScopes, wantedScopes } from './wanted-scopes.ts';

/**
 * The refresh token grant (RFC 6749, section 6) in place of the library's: a family is bound to tenant, person, client
 * and session, not to one resource, and yields what live consent allows for the resource asked for.
 */
export class RefreshGrant {
  readonly #authorization: Authorization;
  readonly #resources: Resources;
  readonly #grants: Grants;
  readonly #chain: RefreshTokenChain;

  constructor(authorization: Authorization, resources: Resources, grants: Grants) {
    this.#authorization = authorization;
    this.#resources = resources;
    this.#grants = grants;
    this.#chain = new RefreshTokenChain(authorization);
  }

  /** Replaces the library's handler. */
  register(provider: Provider, issuer: VirtualIssuer): void {
    provider.registerGrantType('refresh_token', (ctx: RefreshContext) => this.#redeem(provider, issuer, ctx), [
      'refresh_token',
      'scope',
      'resource',
    ]);
  }

  async #redeem(provider: Provider, issuer: VirtualIssuer, ctx: RefreshContext): Promise<void> {
    const value = ctx.oidc.params.refresh_token;
    if (!value) throw new errors.InvalidRequest("missing required parameter 'refresh_token'");
    const parent = await provider.RefreshToken.find(value);
    if (!parent || parent.clientId !== ctx.oidc.client.clientId) throw refuse(errors.InvalidGrant, 'grantGone');
    const live = await this.#familyOf(provider, ctx, parent);
    // Before anything of the request's scopes is looked at: that a token was replayed is a fact whatever was asked.
    const presented = this.#chain.presented(value);
    if (presented.state === 'replayed') return this.#endFamily(parent);
    const wanted = this.#wantedOf(ctx, parent);
    const refresh = {
      parent,
      ...live,
      wanted,
      decision: await this.#decide(ctx, parent, wanted),
      gty: 'refresh_token',
    } as const;
    if (refresh.wanted.oidc.includes('openid')) await issuer.readyToSign(idTokenAlgorithm(ctx));
    const tokens = await makeRefreshedTokens(provider, ctx, this.#resources, refresh);
    const { platform } = live.family;
    const refreshToken =
      presented.state === 'justUsed'
        ? presented.successor
        : await this.#chain.next(provider, ctx.oidc.client, { value, parent, platform });
    ctx.body = { ...tokens, refresh_token: refreshToken };
    currentRequest().settleLostRace = () => this.#giveSameChild(ctx, value);
  }

  /** The family as it lives now, with the credential that it needs. */
  async #familyOf(provider: Provider, ctx: RefreshContext, { grantId, accountId }: RefreshToken) {
    const request = currentRequest();
    const [grant, account] =
      grantId && accountId
        ? await Promise.all([provider.Grant.find(grantId), this.#grants.findAccount(accountId)])
        : [];
    const { family } = request;
    if (!family || !grant || !account || family.userId !== accountId || family.appId !== ctx.oidc.client.clientId) {
      throw refuse(errors.InvalidGrant, 'grantGone');
    }
    if (family.platform === 'web' && request.face?.authentication === 'none') {
      throw refuse(errors.InvalidClientAuth, 'credentialMissing');
    }
    if (request.face) request.face = { ...request.face, platform: family.platform };
    return { family, grant, account };
  }

  async #decide(ctx: RefreshContext, parent: RefreshToken, wanted: WantedScopes): Promise<TokenDecision> {
    const resource = await this.#resources.find(wanted.identifier);
    const facts = await factsOn(this.#authorization, resource?.appId, parent);
    return requireToken(facts, {
      kind: 'delegated',
      resource: resource?.appId ?? wanted.identifier,
      asked: askedValues(wanted.scopes),
      isInherited: ctx.oidc.params.scope === undefined,
      via: 'refresh',
    });
  }

  #wantedOf(ctx: RefreshContext, parent: RefreshToken): WantedScopes {
    const { scope, resource } = ctx.oidc.params;
    const [indicated, ...others] = [resource ?? []].flat();
    if (others.length > 0) throw refuse(errors.InvalidTarget, 'oneResource');
    const resources = [parent.resource ?? []].flat();
    const original = { scope: parent.scope, resources };
    return wantedScopes({ scope, resource: indicated, original }, this.#resources);
  }

  /** A token that was used long ago came back: whoever holds which, none of the family is good any more. */
  async #endFamily({ grantId = '' }: RefreshToken): Promise<never> {
    const { principal } = currentRequest();
    await this.#authorization.performInternal(principal, endFamilies, { id: grantId, reason: 'refreshTokenReplayed' });
    throw refuse(errors.InvalidGrant, 'grantGone');
  }

  /** A parallel request used the token first: this one answers with the same child, and stores none of its own. */
  async #giveSameChild(ctx: RefreshContext, value: string): Promise<boolean> {
    const child = await this.#chain.overtakenBy(value);
    if (child === undefined || typeof ctx.body !== 'object') return false;
    const { pending } = currentRequest();
    delete pending.consumed;
    delete pending.artifact;
    ctx.body = { ...ctx.body, refresh_token: child };
    return true;
  }
}
