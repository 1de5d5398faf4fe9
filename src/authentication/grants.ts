import { randomBytes } from 'node:crypto';
import Provider, { errors, type Grant, type KoaContextWithOIDC, type RefreshToken } from 'oidc-provider';
import { getAccount, getUserAssignment } from '../authorization/internal/accounts.ts';
import { getLiveConsents } from '../authorization/internal/tokens.ts';
import type { Authorization } from '../authorization/perform.ts';
import { FAMILY_SECONDS, grantedScopes } from './adapter.ts';
import { currentRequest } from './oauth-request.ts';
import { refuse } from './refusals.ts';
import type { Resources } from './resources.ts';

const CONFIDENTIAL_REFRESH_SECONDS = 14 * 24 * 3_600;
/** A browser keeps a refresh token badly: it ends a day after the sign-in, and refreshing does not move that. */
const SPA_REFRESH_SECONDS = 24 * 3_600;

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
    if (!isForDevice(ctx) && !client.redirectUriAllowed(String(ctx.oidc.params?.redirect_uri)))
      throw new errors.InvalidRedirectUri();
    const who = { userId: session.accountId, appId: client.clientId };
    await this.#requireAssignment(ctx, who);
    const { openid, resources } = grantedScopes(
      await this.#authorization.performInternal(principal, getLiveConsents, who),
    );
    const grant = new this.#provider.Grant({ accountId: who.userId, clientId: who.appId });
    grant.jti = randomBytes(24).toString('base64url');
    if (openid) grant.addOIDCScope(openid);
    for (const [identifier, scope] of Object.entries(resources)) grant.addResourceScope(identifier, scope);
    return grant;
  }

  /** The client, and each API that is asked for, may be for those only who are assigned to it. */
  async #requireAssignment({ oidc }: KoaContextWithOIDC, { userId, appId }: { userId: string; appId: string }) {
    const { principal, client } = currentRequest();
    const identifiers = Object.keys(oidc.resourceServers ?? {});
    const resources = await Promise.all(identifiers.map((identifier) => this.#resources.find(identifier)));
    const closed = resources.flatMap((resource) => (resource?.assignmentRequired ? resource.appId : []));
    for (const each of client?.assignmentRequired ? [appId, ...closed] : closed) {
      const { isAssigned } = await this.#authorization.performInternal(principal, getUserAssignment, {
        userId,
        appId: each,
      });
      if (!isAssigned) throw refuse(errors.AccessDenied, 'notAssigned');
    }
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
