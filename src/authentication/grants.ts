import { randomBytes } from 'node:crypto';
import Provider, { errors, type Grant, type KoaContextWithOIDC, type RefreshToken } from 'oidc-provider';
import { type Account, getAccount, getUserAssignment } from '../authorization/internal/accounts.ts';
import { getLiveConsents } from '../authorization/internal/tokens.ts';
import type { Authorization } from '../authorization/perform.ts';
import { FAMILY_SECONDS, grantedScopes } from './adapter.ts';
import { currentRequest } from './oauth-request.ts';
import type { PersonClaims } from './optional-claims.ts';
import { refuse } from './refusals.ts';
import type { Resources } from './resources.ts';

const CONFIDENTIAL_REFRESH_SECONDS = 14 * 24 * 3_600;
/** A browser keeps a refresh token badly: it ends a day after the sign-in, and refreshing does not move that. */
const SPA_REFRESH_SECONDS = 24 * 3_600;

/** Consent and accounts in the library's terms. */
export class Grants {
  readonly #authorization: Authorization;
  readonly #resources: Resources;
  readonly #personClaims: PersonClaims;
  #provider: Provider | undefined;

  constructor(authorization: Authorization, resources: Resources, personClaims: PersonClaims) {
    this.#personClaims = personClaims;
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
    if (!client.redirectUriAllowed(String(ctx.oidc.params?.redirect_uri))) throw new errors.InvalidRedirectUri();
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
    const subject = { sub: account.id, tid: tenantId, oid: account.id, ver: '2.0' };
    return {
      accountId: account.id,
      claims: async (use: string, scope: string) =>
        use === 'id_token' && client ? { ...(await this.#signedIn(account, scope)), ...subject } : subject,
    };
  }

  /** What an ID token says: what was consented to, what the application asks for, the person's roles in it, since when it holds. */
  async #signedIn(account: Account, scope: string) {
    const { principal, definition } = currentRequest();
    const { client, entities } = Provider.ctx?.oidc ?? {};
    const roles = this.#authorization.performInternal(principal, getUserAssignment, {
      userId: account.id,
      appId: client?.clientId ?? '',
    });
    const wished = definition ? this.#personClaims.of(account, definition, 'idToken') : {};
    const granted = entities?.Grant?.getOIDCScopeFiltered(scope.split(' ')).split(' ') ?? [];
    const { roles: values } = await roles;
    return {
      ...(await wished),
      ...consentedClaims(account, granted),
      nbf: Math.floor(Date.now() / 1_000),
      ...(values.length > 0 ? { roles: values } : {}),
    };
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

/** OpenID Connect Core, section 5.4. */
function consentedClaims(
  { displayName, userPrincipalName, givenName, surname, mail }: Account,
  scopes: readonly string[],
): Record<string, string | undefined> {
  const profile = {
    name: displayName,
    preferred_username: userPrincipalName,
    given_name: givenName ?? undefined,
    family_name: surname ?? undefined,
  };
  return {
    ...(scopes.includes('profile') ? profile : {}),
    ...(scopes.includes('email') ? { email: mail ?? undefined } : {}),
  };
}
