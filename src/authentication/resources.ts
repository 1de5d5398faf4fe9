import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import { type ClientState, getResource, type ResourceState } from '../authorization/internal/clients.ts';
import type { Authorization } from '../authorization/perform.ts';
import { clientRefusal } from '../authorization/token-decision.ts';
import { parseAppId } from '../vocabulary/ids.ts';
import { DIRECTORY_API, DIRECTORY_APP_ID, GRAPH_IDENTIFIER_URI } from '../vocabulary/permissions.ts';
import { currentRequest } from './oauth-request.ts';
import { refuse } from './refusals.ts';
import {
  DEFAULT_SCOPE,
  isOidcScope,
  isPermission,
  parseScopes,
  type RequestedScope,
  spellings,
  withoutSlash,
} from './requested-scopes.ts';
import { accessTokenSeconds } from './tokens/token-lifetimes.ts';

/** The directory API asks the rows: its tokens say no more than they must. */
const NOTHING_WISHED = { optionalClaims: {}, groupMembershipClaims: 'None', accessTokenSeconds: null } as const;

/** The resources of a request: RFC 8707 indicators, or the prefixes of its scopes. */
export class Resources {
  readonly #authorization: Authorization;
  readonly #directoryApis = new WeakMap<ClientState, ResourceState>();
  /** By which the directory API is meant when a request names no resource. */
  readonly directoryIdentifier: string;

  constructor(authorization: Authorization, directoryIdentifier: string) {
    this.#authorization = authorization;
    this.directoryIdentifier = directoryIdentifier;
  }

  /** The library's `defaultResource`: which resource or resources the scopes of this request name. */
  identifiersOf(ctx: KoaContextWithOIDC, oneOf?: readonly string[]): string | string[] {
    if (oneOf && oneOf.length > 0) return this.#redeemedFor(ctx, oneOf);
    // OIDC scopes alone are for the directory API; beside others they decide on the ID token only.
    const named = this.#scopesOf(ctx).filter(({ value }) => !isOidcScope(value));
    const identifiers = [...new Set(named.map(({ resource }) => resource ?? this.directoryIdentifier))];
    if (identifiers.length === 0) return this.directoryIdentifier;
    if (identifiers.length === 1) return identifiers[0] ?? this.directoryIdentifier;
    return identifiers;
  }

  /** Of several resources of a code, the one whose scopes are asked for at its redemption, as Entra lets clients do. */
  #redeemedFor({ oidc }: KoaContextWithOIDC, oneOf: readonly string[]): string {
    const { scope } = oidc.body ?? {};
    const asked = parseScopes(typeof scope === 'string' ? scope : undefined) ?? [];
    const named = asked
      .filter(({ value }) => !isOidcScope(value))
      .map(({ resource }) => resource ?? this.directoryIdentifier);
    return named.find((identifier) => oneOf.includes(identifier)) ?? oneOf[0] ?? this.directoryIdentifier;
  }

  /** The library's `getResourceServerInfo`. Refuses what the API does not publish. */
  async info(ctx: KoaContextWithOIDC, identifier: string): Promise<ResourceServer> {
    requireEnabled(ctx);
    const resource = await this.find(identifier);
    if (!resource) throw refuse(errors.InvalidTarget, 'resourceUnknown');
    return {
      scope: publishedScopes(resource, identifier, this.askedOf(ctx, identifier)).join(' '),
      audience: resource.appId,
      accessTokenFormat: 'jwt',
      accessTokenTTL: accessTokenSeconds(resource),
      jwt: { sign: { alg: 'ES256' } },
    };
  }

  /**
   * Says what the request leaves open, once the library has read its scopes: of an API that is indicated beside OIDC scopes
   * alone, all is meant. Else nobody would be asked, and the code would become no token.
   * @throws `invalid_scope` when a request for a code names no scope (RFC 6749, section 3.3)
   */
  completeScope(ctx: KoaContextWithOIDC): void {
    const { params, route } = ctx.oidc;
    if (!params || route !== 'authorization') return;
    if (this.#scopesOf(ctx).length === 0) throw refuse(errors.InvalidScope, 'scopeMissing');
    const indicated = [params.resource].flat().filter((each) => typeof each === 'string');
    const open = indicated.filter((each) => !this.isDirectory(each) && this.askedOf(ctx, each).length === 0);
    params.scope = [params.scope, ...open.map((identifier) => `${identifier}/${DEFAULT_SCOPE}`)].join(' ');
  }

  /**
   * The scopes of the request that belong to this resource.
   * @throws `invalid_scope` when `.default` stands beside named permissions
   */
  askedOf(ctx: KoaContextWithOIDC, identifier: string): readonly RequestedScope[] {
    const asked = this.#scopesOf(ctx).filter((scope) => this.#belongs(scope, identifier, ctx));
    if (asked.length > 1 && asked.some(({ value }) => value === DEFAULT_SCOPE) && asked.some(isPermission)) {
      throw refuse(errors.InvalidScope, 'defaultMixed');
    }
    return asked;
  }

  /** The API of that identifier in the tenant of this request, looked up once for each request. */
  find(identifier: string): Promise<ResourceState | undefined> {
    const { resources } = currentRequest();
    const known = resources.get(identifier);
    if (known) return known;
    const found = this.#read(identifier);
    resources.set(identifier, found);
    return found;
  }

  async #read(identifier: string): Promise<ResourceState | undefined> {
    const { principal, client } = currentRequest();
    if (client && this.isDirectory(identifier)) return this.#directoryApi(client);
    const identifierUri = withoutSlash(identifier);
    const appId = identifierUri.startsWith('api://') ? parseAppId(identifierUri.slice('api://'.length)) : undefined;
    const name = appId ? { appId, identifierUri } : { identifierUri };
    return this.#authorization.performInternal(principal, getResource, name);
  }

  /** Whether the identifier is one of the directory API's. */
  isDirectory(identifier: string): boolean {
    const uri = withoutSlash(identifier);
    return uri === this.directoryIdentifier || uri === GRAPH_IDENTIFIER_URI || uri === `api://${DIRECTORY_APP_ID}`;
  }

  /** Its definition is the deployment's; its presence came along with the client's state. */
  #directoryApi(client: ClientState): ResourceState | undefined {
    if (!client.directoryApi) return undefined;
    const known = this.#directoryApis.get(client);
    if (known) return known;
    const identifierUris = [this.directoryIdentifier, GRAPH_IDENTIFIER_URI];
    const resource = { ...DIRECTORY_API, ...NOTHING_WISHED, ...client.directoryApi, isOwn: false, identifierUris };
    this.#directoryApis.set(client, resource);
    return resource;
  }

  #scopesOf(ctx: KoaContextWithOIDC): readonly RequestedScope[] {
    const { scope } = ctx.oidc.params ?? {};
    const scopes = parseScopes(typeof scope === 'string' ? scope : undefined);
    if (!scopes) throw refuse(errors.InvalidScope, 'tooManyScopes');
    return scopes;
  }

  /** A scope without a prefix belongs to the one resource that was indicated, else to the directory API. */
  #belongs({ resource, value }: RequestedScope, identifier: string, ctx: KoaContextWithOIDC): boolean {
    if (resource !== undefined) {
      const indicated = ctx.oidc.params?.resource;
      if (typeof indicated === 'string' && withoutSlash(indicated) !== withoutSlash(resource))
        throw refuse(errors.InvalidTarget, 'resourceContradicts');
      return resource === identifier;
    }
    const indicated = ctx.oidc.params?.resource;
    const isDirectory = this.isDirectory(identifier);
    return isOidcScope(value) ? isDirectory : typeof indicated === 'string' || isDirectory;
  }
}

/** Whether the application is switched off, here or by its publisher. An absent one may still be consented to. */
function requireEnabled(ctx: KoaContextWithOIDC): void {
  const { client } = currentRequest();
  const refusal = client && clientRefusal(client);
  if (!refusal || refusal === 'applicationAbsent') return;
  throw refuse(ctx.oidc.route === 'token' ? errors.InvalidGrant : errors.AccessDenied, refusal);
}

function publishedScopes(resource: ResourceState, identifier: string, asked: readonly RequestedScope[]): string[] {
  const published = resource.oauth2PermissionScopes
    .filter(({ isEnabled = true }) => isEnabled)
    .map(({ value }) => value);
  const unknown = asked.find(({ value }) => value !== DEFAULT_SCOPE && !published.includes(value));
  if (unknown) throw refuse(errors.InvalidScope, 'scopeUnknown', unknown.spelled);
  return [...published, DEFAULT_SCOPE].flatMap((value) => spellings(identifier, value));
}
