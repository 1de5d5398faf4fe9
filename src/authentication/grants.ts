import { randomBytes } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { Grant, KoaContextWithOIDC, RefreshToken } from 'oidc-provider';
import { getAccount } from '../authorization/internal/accounts.ts';
import { getLiveConsents } from '../authorization/internal/tokens.ts';
import type { Authorization } from '../authorization/perform.ts';
import { FAMILY_SECONDS, grantedScopes } from './adapter.ts';
import { currentRequest } from './oauth-request.ts';

const CONFIDENTIAL_REFRESH_SECONDS = 14 * 24 * 3_600;
/** A browser keeps a refresh token badly: it ends a day after the sign-in, and refreshing does not move that. */
const SPA_REFRESH_SECONDS = 24 * 3_600;

/** Consent and accounts in the library's terms. */
export class Grants {
  readonly #authorization: Authorization;
  #provider: Provider | undefined;

  constructor(authorization: Authorization) {
    this.#authorization = authorization;
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
    const who = { userId: session.accountId, appId: client.clientId };
    const { openid, resources } = grantedScopes(
      await this.#authorization.performInternal(principal, getLiveConsents, who),
    );
    const grant = new this.#provider.Grant({ accountId: who.userId, clientId: who.appId });
    grant.jti = randomBytes(24).toString('base64url');
    if (openid) grant.addOIDCScope(openid);
    for (const [identifier, scope] of Object.entries(resources)) grant.addResourceScope(identifier, scope);
    return grant;
  }

  async findAccount(id: string) {
    const { principal, tenantId } = currentRequest();
    const account = await this.#authorization.performInternal(principal, getAccount, id);
    if (!account) return undefined;
    const { userPrincipalName, displayName, givenName, surname, mail } = account;
    return {
      accountId: account.id,
      claims: () => ({
        sub: account.id,
        tid: tenantId,
        oid: account.id,
        ver: '2.0',
        name: displayName,
        preferred_username: userPrincipalName,
        given_name: givenName ?? undefined,
        family_name: surname ?? undefined,
        email: mail ?? undefined,
      }),
    };
  }

  /** Always, unless the application is set otherwise (`compatibility.pkceOptional`), and never for a public client. */
  requiresPkce(): boolean {
    const { face, compatibility } = currentRequest();
    return face?.platform !== 'web' || compatibility?.pkceOptional !== true;
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
