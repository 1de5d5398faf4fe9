import { randomBytes } from 'node:crypto';
import Provider, { errors, type Grant, type KoaContextWithOIDC, type RefreshToken } from 'oidc-provider';
import { preAuthorizedScopes } from '../authorization/consent/pre-authorization.ts';
import { type Account, getAccount, getUserAssignment } from '../authorization/internal/accounts.ts';
import { grantPreAuthorized } from '../authorization/internal/pre-authorization.ts';
import { getTokenFacts } from '../authorization/internal/token-facts.ts';
import type { Authorization } from '../authorization/perform.ts';
import { decideToken, recordedDecision } from '../authorization/token-decision.ts';
import { parseAppId, parseObjectId } from '../vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import type { DecisionReason, TokenAsk, TokenFacts } from '../vocabulary/token-decision.ts';
import { FAMILY_SECONDS, grantedScopes } from './adapter.ts';
import { requireDeviceFlow } from './device/device-policy.ts';
import { currentRequest } from './oauth-request.ts';
import { refuse } from './refusals.ts';
import { askedValues } from './requested-scopes.ts';
import type { Resources } from './resources.ts';
import type { PersonClaims } from './tokens/optional-claims.ts';
import { errorOf } from './tokens/token-decisions.ts';

const CONFIDENTIAL_REFRESH_SECONDS = 14 * 24 * 3_600;
/** A browser keeps a refresh token badly: it ends a day after the sign-in, and refreshing does not move that. */
const SPA_REFRESH_SECONDS = 24 * 3_600;

const DELEGATED = { kind: 'delegated', via: 'authorize' } as const;

/** In the result of a consent: the person leaves what is not granted. */
export const WITH_GRANTED = 'withGranted';

/** What asking for consent can mend. */
const CONSENT_MENDS: ReadonlySet<DecisionReason | undefined> = new Set(['applicationAbsent', 'consentRequired']);

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
    if (isForDevice(ctx)) await requireDeviceFlow(this.#authorization, errors.AccessDenied);
    else if (!client.redirectUriAllowed(String(ctx.oidc.params?.redirect_uri))) throw new errors.InvalidRedirectUri();
    const who = { userId: session.accountId, appId: client.clientId };
    const asks = await this.#asksOf(ctx);
    const parties = { ...who, resourceAppIds: asks.map(({ resource }) => resource) };
    const facts = await this.#authorization.performInternal(principal, getTokenFacts, parties);
    if (!facts) throw refuse(errors.AccessDenied, 'tenantUnknown');
    requireConsentable(facts, asks);
    const { openid, resources } = grantedScopes(await this.#withPreAuthorized(facts, asks));
    const grant = new this.#provider.Grant({ accountId: who.userId, clientId: who.appId });
    grant.jti = randomBytes(24).toString('base64url');
    if (openid) grant.addOIDCScope(openid);
    for (const [identifier, scope] of Object.entries(resources)) grant.addResourceScope(identifier, scope);
    if (ctx.oidc.result?.consent?.[WITH_GRANTED] === true) leaveTheRest(ctx, grant);
    return grant;
  }

  /** The facts as they are once what an API of this tenant pre-authorized stands among the grants. */
  async #withPreAuthorized(facts: TokenFacts, asks: readonly TokenAsk[]): Promise<TokenFacts> {
    if (preAuthorizedScopes(facts, asks).length === 0) return facts;
    const { principal, context } = currentRequest();
    const [appId, userId] = [parseAppId(facts.client.appId), parseObjectId(facts.user?.id ?? '')];
    if (!appId || !userId) return facts;
    await this.#authorization.performInternal(principal, grantPreAuthorized, { appId, userId, asks }, context);
    const parties = { appId, userId, resourceAppIds: asks.map(({ resource }) => resource) };
    return (await this.#authorization.performInternal(principal, getTokenFacts, parties)) ?? facts;
  }

  /** One question for each API that the request names, after that on the OIDC scopes, which are the directory API's. */
  async #asksOf(ctx: KoaContextWithOIDC): Promise<TokenAsk[]> {
    const identifiers = Object.keys(ctx.oidc.resourceServers ?? {});
    const oidc = [...ctx.oidc.requestParamOIDCScopes];
    const asks = await Promise.all(
      identifiers.map(async (identifier): Promise<TokenAsk[]> => {
        const resource = await this.#resources.find(identifier);
        const scopes = this.#resources.askedOf(ctx, identifier);
        return resource ? [{ ...DELEGATED, resource: resource.appId, asked: askedValues(scopes) }] : [];
      }),
    );
    const isDirectoryAsked = identifiers.some((identifier) => this.#resources.isDirectory(identifier));
    const signIn = { ...DELEGATED, resource: DIRECTORY_APP_ID, asked: oidc };
    return oidc.length > 0 && !isDirectoryAsked ? [signIn, ...asks.flat()] : asks.flat();
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

/**
 * The person goes on with what was granted before: what he was asked for besides counts as answered, with no, so the code
 * carries exactly the rest. Where nothing of it is granted there is nothing to go on with, and he is asked again.
 */
function leaveTheRest({ oidc }: KoaContextWithOIDC, grant: Grant): void {
  const known = (scopes: string) => new Set(scopes.split(' '));
  const openid = known(grant.getOIDCScopeEncountered());
  const asked = Object.entries(oidc.resourceServers ?? {}).map(([identifier, { scopes }]) => ({
    identifier,
    values: [...oidc.requestParamScopes].filter((scope) => scopes.has(scope)),
    held: known(grant.getResourceScopeEncountered(identifier)),
  }));
  const isHeld =
    [...oidc.requestParamOIDCScopes].some((scope) => openid.has(scope)) ||
    asked.some(({ values, held }) => values.some((value) => held.has(value)));
  if (!isHeld) return;
  for (const scope of oidc.requestParamOIDCScopes) if (!openid.has(scope)) grant.rejectOIDCScope(scope);
  for (const { identifier, values, held } of asked)
    for (const value of values) if (!held.has(value)) grant.rejectResourceScope(identifier, value);
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
