import { type AccessToken, type ClientCredentials, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { type Account, getAccount, getUserAssignment } from '../authorization/internal/accounts.ts';
import type { ResourceState } from '../authorization/internal/clients.ts';
import type { Authorization } from '../authorization/perform.ts';
import { currentRequest, type OAuthRequest } from './oauth-request.ts';
import { refuse } from './refusals.ts';
import { DEFAULT_SCOPE, isOidcScope, parseScopes } from './requested-scopes.ts';
import { type Resources, rolesOf } from './resources.ts';

/** Claims of an access token before it is signed (RFC 9068; wire.md, "Tokens"). */
export type AccessTokenClaims = Record<string, unknown>;

const CREDENTIAL_KINDS = { none: '0', client_secret_basic: '1', private_key_jwt: '2' } as const;

/**
 * Writes the claims of an access token. What a token says of permissions is what live rows say at this moment; the
 * directory API asks the rows again at every call.
 */
export class TokenClaims {
  readonly #authorization: Authorization;
  readonly #resources: Resources;

  constructor(authorization: Authorization, resources: Resources) {
    this.#authorization = authorization;
    this.#resources = resources;
  }

  /** The library's `formats.customizers.jwt`. */
  async customize(
    ctx: KoaContextWithOIDC,
    token: AccessToken | ClientCredentials,
    jwt: { payload: AccessTokenClaims },
  ): Promise<void> {
    const request = currentRequest();
    const resource = await this.#resourceOf(token);
    const common = commonClaims(request, jwt.payload, resource);
    const own =
      'accountId' in token ? await this.#delegated(ctx, token, resource) : appOnly(request, token, resource, common);
    jwt.payload = { ...common, ...own };
    request.issued = {
      tokenId: String(common.jti),
      familyId: 'grantId' in token ? token.grantId : undefined,
      resourceId: resource.appId,
      resourceDisplayName: resource.displayName,
    };
  }

  async #resourceOf(token: AccessToken | ClientCredentials): Promise<ResourceState> {
    const identifier = token.resourceServer?.identifier();
    const resource = identifier === undefined ? undefined : await this.#resources.find(identifier);
    if (!resource) throw new Error('The resource of the token is gone.');
    return resource;
  }

  async #delegated(ctx: KoaContextWithOIDC, token: AccessToken, resource: ResourceState): Promise<AccessTokenClaims> {
    const [account, assignment] = await Promise.all([
      this.#accountOf(token.accountId),
      this.#assignmentOf(token.accountId, resource),
    ]);
    const scopes = shortScopes(ctx, token, resource);
    const scope = scopes.join(' ');
    currentRequest().echoedScope = echoedScope(ctx, token, scopes);
    return {
      sub: account.id,
      oid: account.id,
      scp: scope,
      scope,
      wids: account.directoryRoles,
      ...(assignment.roles.length > 0 ? { roles: assignment.roles } : {}),
      name: account.displayName,
      preferred_username: account.userPrincipalName,
      sid: token.sid,
      fid: token.grantId,
    };
  }

  async #accountOf(id: string): Promise<Account> {
    const account = await this.#authorization.performInternal(currentRequest().principal, getAccount, id);
    if (!account) throw refuse(errors.InvalidGrant, 'userDisabled');
    return account;
  }

  async #assignmentOf(userId: string, { appId, assignmentRequired }: ResourceState) {
    const { principal } = currentRequest();
    const assignment = await this.#authorization.performInternal(principal, getUserAssignment, { userId, appId });
    if (assignmentRequired && !assignment.isAssigned) throw refuse(errors.InvalidGrant, 'notAssigned');
    return assignment;
  }
}

function commonClaims(
  { tenantId, client, face }: OAuthRequest,
  payload: AccessTokenClaims,
  resource: ResourceState,
): AccessTokenClaims {
  const { iss, exp, iat, jti, client_id } = payload;
  const azpacr = CREDENTIAL_KINDS[face?.authentication ?? 'none'];
  if (!client) throw new Error('A token is signed for a client that was not looked up.');
  return {
    iss,
    aud: resource.appId,
    exp,
    iat,
    nbf: iat,
    jti,
    uti: jti,
    tid: tenantId,
    ver: '2.0',
    client_id,
    azp: client_id,
    azpacr,
  };
}

function appOnly(
  { client }: OAuthRequest,
  token: ClientCredentials,
  resource: ResourceState,
  { jti }: AccessTokenClaims,
): AccessTokenClaims {
  const id = client?.servicePrincipalId;
  const named = new Set(parseScopes(token.scope)?.map(({ value }) => value));
  const all = named.size === 0 || named.has(DEFAULT_SCOPE);
  const roles = rolesOf(client, resource).filter((role) => all || named.has(role));
  return { sub: id, oid: id, idtyp: 'app', roles, fid: jti };
}

/** The short names of the granted scopes; all of them where `.default` was asked for. */
function shortScopes(ctx: KoaContextWithOIDC, token: AccessToken, resource: ResourceState): string[] {
  const values = parseScopes(token.scope)?.map(({ value }) => value) ?? [];
  if (!values.includes(DEFAULT_SCOPE)) return [...new Set(values)];
  const identifier = token.resourceServer?.identifier() ?? '';
  const granted = new Set(ctx.oidc.entities.Grant?.getResourceScope(identifier).split(' '));
  return resource.oauth2PermissionScopes.map(({ value }) => value).filter((value) => granted.has(value));
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
