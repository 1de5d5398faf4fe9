import { type AccessToken, type ClientCredentials, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { type Account, getAccount } from '../../authorization/internal/accounts.ts';
import type { ResourceState } from '../../authorization/internal/clients.ts';
import type { Authorization } from '../../authorization/perform.ts';
import type { TokenAsk } from '../../vocabulary/token-decision.ts';
import { actClaim } from '../exchange/delegation-chain.ts';
import { currentRequest, type OAuthRequest } from '../oauth-request.ts';
import { refuse } from '../refusals.ts';
import { askedValues, DEFAULT_SCOPE, isOidcScope, parseScopes } from '../requested-scopes.ts';
import type { Resources } from '../resources.ts';
import type { PersonClaims } from './optional-claims.ts';
import { factsOn, requireToken } from './token-decisions.ts';

/** Claims of an access token before it is signed (RFC 9068; wire.md, "Tokens"). */
export type AccessTokenClaims = Readonly<Record<string, unknown>>;

/** Claims that every token has whoever makes it. Times are seconds since the epoch. */
export interface RegisteredClaims {
  readonly iss: string;
  readonly jti: string;
  readonly client_id: string;
  readonly iat: number;
  readonly exp: number;
}

const CREDENTIAL_KINDS = {
  none: '0',
  client_secret_basic: '1',
  private_key_jwt: '2',
  federated_credential: '2',
} as const;

/** By which grant a token of a person is asked for, in the words of the decision. */
const GRANTS: Readonly<Record<string, TokenAsk['via']>> = {
  authorization_code: 'code',
  refresh_token: 'refresh',
  device_code: 'device',
};

/**
 * Writes the claims of an access token. What a token says of permissions is what live rows say at this moment; the
 * directory API asks the rows again at every call.
 */
export class TokenClaims {
  readonly #authorization: Authorization;
  readonly #resources: Resources;
  readonly #personClaims: PersonClaims;

  constructor(authorization: Authorization, resources: Resources, personClaims: PersonClaims) {
    this.#personClaims = personClaims;
    this.#authorization = authorization;
    this.#resources = resources;
  }

  /** The library's `formats.customizers.jwt`. */
  async customize(
    ctx: KoaContextWithOIDC,
    token: AccessToken | ClientCredentials,
    jwt: { payload: AccessTokenClaims },
  ): Promise<void> {
    if (!('accountId' in token)) throw new Error('Only tokens of people come from the library.');
    const request = currentRequest();
    const resource = await this.#resourceOf(token);
    const registered = jwt.payload as unknown as RegisteredClaims; // as the library makes them (RFC 9068, section 2.2)
    const common = commonClaims(request, resource, registered);
    jwt.payload = { ...common, ...(await this.#delegated(ctx, token, resource)) };
    request.issued = {
      tokenId: registered.jti,
      familyId: token.grantId,
      resourceId: resource.appId,
      resourceDisplayName: resource.displayName,
    };
  }

  async #resourceOf(token: AccessToken): Promise<ResourceState> {
    const identifier = token.resourceServer?.identifier();
    const resource = identifier === undefined ? undefined : await this.#resources.find(identifier);
    if (!resource) throw new Error('The resource of the token is gone.');
    return resource;
  }

  async #delegated(ctx: KoaContextWithOIDC, token: AccessToken, resource: ResourceState): Promise<AccessTokenClaims> {
    const [account, facts] = await Promise.all([
      this.#accountOf(token.accountId),
      factsOn(this.#authorization, resource.appId, token),
    ]);
    const wished = await this.#personClaims.of(account, resource, 'accessToken');
    const { scopes, roles } = requireToken(facts, {
      kind: 'delegated',
      resource: resource.appId,
      asked: askedValues(parseScopes(token.scope) ?? []),
      // The library refused what this request itself names and the API does not publish.
      isInherited: true,
      via: GRANTS[token.gty ?? ''] ?? 'onBehalfOf',
    });
    const scope = scopes.join(' ');
    const { actors, family } = currentRequest();
    const act = actClaim(actors ?? family?.actor ?? []);
    currentRequest().echoedScope = echoedScope(ctx, token, scopes);
    return {
      ...wished,
      sub: account.id,
      oid: account.id,
      scp: scope,
      scope,
      wids: account.directoryRoles,
      ...(roles.length > 0 ? { roles } : {}),
      name: account.displayName,
      preferred_username: account.userPrincipalName,
      sid: token.sid,
      fid: token.grantId,
      ...(act ? { act } : {}),
    };
  }

  async #accountOf(id: string): Promise<Account> {
    const account = await this.#authorization.performInternal(currentRequest().principal, getAccount, id);
    if (!account) throw refuse(errors.InvalidGrant, 'userDisabled');
    return account;
  }
}

/** The claims of an application's own token, without a user: its permissions are roles. */
export function applicationClaims(
  request: OAuthRequest,
  resource: ResourceState,
  roles: readonly string[],
  { expiresIn, iat, ...registered }: Omit<RegisteredClaims, 'exp'> & { readonly expiresIn: number },
): AccessTokenClaims {
  const id = request.client?.servicePrincipalId;
  const common = commonClaims(request, resource, { ...registered, iat, exp: iat + expiresIn });
  return { ...common, sub: id, oid: id, idtyp: 'app', roles, fid: registered.jti };
}

function commonClaims(
  { tenantId, client, face }: OAuthRequest,
  resource: ResourceState,
  { iss, exp, iat, jti, client_id }: RegisteredClaims,
) {
  if (!client) throw new Error('A token is signed for a client that was not looked up.');
  const azpacr = CREDENTIAL_KINDS[face?.authentication ?? 'none'];
  const registered = { iss, aud: resource.appId, exp, iat, nbf: iat, jti, uti: jti };
  return { ...registered, tid: tenantId, ver: '2.0', client_id, azp: client_id, azpacr };
}

/**
 * The answer's `scope`: as the client spelled it, since some clients' caches look for what they asked for; `.default`
 * after what it stands for, as Entra has it.
 */
function echoedScope(ctx: KoaContextWithOIDC, token: AccessToken, scopes: readonly string[]): string {
  const asked = parseScopes(token.scope) ?? [];
  const all = asked.find(({ value }) => value === DEFAULT_SCOPE);
  const expanded = all ? scopes.map((value) => (all.resource ? `${all.resource}/${value}` : value)) : [];
  const { AuthorizationCode, Grant } = ctx.oidc.entities;
  const oidc =
    currentRequest().oidcScopes ??
    Grant?.getOIDCScopeFiltered([...(AuthorizationCode?.scopes ?? [])].filter(isOidcScope)).split(' ');
  return [...new Set([...expanded, ...asked.map(({ spelled }) => spelled), ...(oidc ?? [])])].filter(Boolean).join(' ');
}
