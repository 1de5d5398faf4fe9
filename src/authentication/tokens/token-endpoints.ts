import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { getLiveFamily } from '../../authorization/internal/tokens.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { presenceRefusal } from '../../authorization/token-decision.ts';
import { currentRequest, type OAuthRequest } from '../oauth-request.ts';
import { refuse } from '../refusals.ts';
import type { LiveAccessToken, PresentedTokens } from './presented-tokens.ts';

const INACTIVE = { active: false };

/**
 * Introspection (RFC 7662) and revocation (RFC 7009). The library authenticates the client and reads the request; the
 * token itself is hidden from it (see `Clients`), because it knows stored tokens only and tells any client about them.
 */
export class TokenEndpoints {
  readonly #authorization: Authorization;
  readonly #tokens: PresentedTokens;

  constructor(authorization: Authorization, tokens: PresentedTokens) {
    this.#authorization = authorization;
    this.#tokens = tokens;
  }

  /** Answers in the library's place once it let the client through. */
  async introspect(ctx: KoaContextWithOIDC): Promise<void> {
    const request = currentRequest();
    const { provider, client } = ctx.oidc;
    if (ctx.status !== 200 || !client || request.presented === undefined) return;
    ctx.body = await this.#introspect(provider, request, request.presented, client.clientId);
  }

  /** Revokes what the library was not shown, once it let the client through. */
  async revoke(ctx: KoaContextWithOIDC): Promise<void> {
    const { tenantId, presented } = currentRequest();
    const { provider, client } = ctx.oidc;
    if (ctx.status !== 200 || !client || presented === undefined) return;
    await this.#tokens.revoke(provider, tenantId, presented, client.clientId);
    // There is no content, and browser libraries refuse any type but JSON.
    ctx.remove('Content-Type');
  }

  /** Told to the token's client and to the API that it is for; to everyone else it is not active. */
  async #introspect(provider: Provider, request: OAuthRequest, token: string, askingAppId: string): Promise<object> {
    if (request.face?.authentication === 'none') throw refuse(errors.InvalidClientAuth, 'introspectionPublic');
    const live = await this.#tokens.live(request.tenantId, token);
    if (live)
      return [live.claims.client_id, live.claims.aud].includes(askingAppId) ? describeAccessToken(live) : INACTIVE;
    return this.#describeRefreshToken(provider, request, token, askingAppId);
  }

  async #describeRefreshToken(provider: Provider, request: OAuthRequest, value: string, askingAppId: string) {
    const token = await provider.RefreshToken.find(value);
    if (token?.clientId !== askingAppId || !token.isValid || !token.grantId) return INACTIVE;
    const family = await this.#authorization.performInternal(request.principal, getLiveFamily, token.grantId);
    if (family?.userId !== token.accountId || presenceRefusal(family.facts, 'delegated')) return INACTIVE;
    const { clientId, accountId, exp, iat } = token;
    return { active: true, client_id: clientId, sub: accountId, exp, iat, iss: provider.issuer };
  }
}

function describeAccessToken({ claims, scopes, roles }: LiveAccessToken): object {
  const { iss, sub, aud, client_id, exp, iat, nbf, jti, tid, oid } = claims;
  return {
    active: true,
    token_type: 'Bearer',
    ...{ iss, sub, aud, client_id, exp, iat, nbf, jti, tid, oid },
    ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
    ...(roles.length > 0 ? { roles } : {}),
  };
}
