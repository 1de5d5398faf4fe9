import type Provider from 'oidc-provider';
import { getClientState, getResource } from '../../authorization/internal/clients.ts';
import { endFamilies, endToken, getLiveFamily, isEndedToken } from '../../authorization/internal/tokens.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { decideToken } from '../../authorization/token-decision.ts';
import type { TenantId } from '../../vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import { internalPrincipal } from '../../vocabulary/principals.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import { type AccessTokenPayload, verifyAccessToken } from './access-tokens.ts';
import { applicationFactsOf } from './token-decisions.ts';

/** An access token that holds now, with what is left of its permissions. */
export interface LiveAccessToken {
  readonly claims: AccessTokenPayload;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
}

/** Tokens of a tenant that somebody presents: to ask about them, to revoke them, to read userinfo. */
export class PresentedTokens {
  readonly #authorization: Authorization;
  readonly #signingKeys: SigningKeys;
  readonly #origin: string;

  constructor(authorization: Authorization, signingKeys: SigningKeys, origin: string) {
    this.#authorization = authorization;
    this.#signingKeys = signingKeys;
    this.#origin = origin;
  }

  /** The claims of an access token of this tenant whose signature, key and times are good now. */
  async verify(tenantId: TenantId, token: string): Promise<AccessTokenPayload | undefined> {
    const findKey = async (asked: TenantId, kid: string) => {
      const keys = asked === tenantId ? await this.#signingKeys.published(tenantId) : [];
      return keys.find((key) => key.kid === kid);
    };
    return verifyAccessToken(token, this.#origin, findKey);
  }

  /** The token with what live rows leave of it; nothing when that is nothing. */
  async live(tenantId: TenantId, token: string): Promise<LiveAccessToken | undefined> {
    const claims = await this.verify(tenantId, token);
    if (!claims) return undefined;
    return claims.idtyp === 'app' ? this.#appOnly(tenantId, claims) : this.#delegated(tenantId, claims);
  }

  /** Ends a token with its family, where it is the client's own. */
  async revoke(provider: Provider, tenantId: TenantId, token: string, clientId: string): Promise<void> {
    const principal = internalPrincipal('tokenService', tenantId);
    const claims = await this.verify(tenantId, token);
    const refreshToken = claims ? undefined : await provider.RefreshToken.find(token);
    if ((claims?.client_id ?? refreshToken?.clientId) !== clientId) return;
    if (claims?.idtyp === 'app') {
      const ended = { tokenId: claims.jti, expiresAt: claims.exp };
      await this.#authorization.performInternal(principal, endToken, ended);
      return;
    }
    const id = claims?.fid ?? refreshToken?.grantId;
    if (id) await this.#authorization.performInternal(principal, endFamilies, { id, reason: 'revokedByClient' });
  }

  async #delegated(tenantId: TenantId, claims: AccessTokenPayload): Promise<LiveAccessToken | undefined> {
    const { fid = '', scp = '', sub, client_id, aud } = claims;
    const family = await this.#authorization.performInternal(
      internalPrincipal('tokenService', tenantId),
      getLiveFamily,
      fid,
    );
    if (family?.userId !== sub || family.appId !== client_id) return undefined;
    const held = decideToken(family.facts, { kind: 'delegated', resource: aud, asked: 'all', via: 'code' });
    const scopes = scp.split(' ').filter((scope) => held.scopes.includes(scope));
    const roles = (claims.roles ?? []).filter((role) => held.roles.includes(role));
    return scopes.length > 0 ? { claims, scopes, roles } : undefined;
  }

  async #appOnly(tenantId: TenantId, claims: AccessTokenPayload): Promise<LiveAccessToken | undefined> {
    const principal = internalPrincipal('tokenService', tenantId);
    const [client, resource, ended] = await Promise.all([
      this.#authorization.performInternal(principal, getClientState, claims.client_id),
      this.#authorization.performInternal(principal, getResource, { appId: claims.aud }),
      this.#authorization.performInternal(principal, isEndedToken, claims.jti),
    ]);
    if (ended || client?.servicePrincipalId !== claims.sub) return undefined;
    const ask = { kind: 'application', resource: claims.aud, asked: 'all', via: 'clientCredentials' } as const;
    const held = decideToken(applicationFactsOf(client, resource), ask);
    const roles = (claims.roles ?? []).filter((role) => held.roles.includes(role));
    return roles.length > 0 ? { claims, scopes: [], roles } : undefined;
  }
}

/** Whether a token is for the directory API, whose audience userinfo shares. */
export function isForDirectory({ claims }: LiveAccessToken): boolean {
  return claims.aud === DIRECTORY_APP_ID;
}
