import { errors } from 'oidc-provider';
import { refuse } from '../refusals.ts';
import { DEFAULT_SCOPE, isOidcScope, parseScopes, type RequestedScope, withoutSlash } from '../requested-scopes.ts';
import type { Resources } from '../resources.ts';

/** What one refresh is for: one resource, and scopes as the client spells them. */
export interface WantedScopes {
  readonly identifier: string;
  /** Of that resource; `.default` where none is named. */
  readonly scopes: readonly RequestedScope[];
  /** OIDC scopes, which decide on the ID token whatever the resource is. */
  readonly oidc: readonly string[];
}

/** The request's parameters (RFC 6749, section 6; RFC 8707), and what was asked for when the family began. */
export interface RefreshRequest {
  readonly scope: string | undefined;
  readonly resource: string | undefined;
  readonly original: { readonly scope: string | undefined; readonly resources: readonly string[] };
}

type Identifiers = Pick<Resources, 'isDirectory' | 'directoryIdentifier'>;

/**
 * Reads what a refresh is for. Without `scope` it is what the family began with, as far as it belongs to the resource;
 * a resource of which no permission is named means `.default`.
 * @throws `invalid_scope` when the scopes name several resources
 */
export function wantedScopes(request: RefreshRequest, identifiers: Identifiers): WantedScopes {
  const { scope, resource, original } = request;
  const asked = parseScopes(scope ?? original.scope);
  if (!asked) throw refuse(errors.InvalidScope, 'tooManyScopes');
  const bareOwner = scope === undefined ? onlyOne(original.resources) : resource;
  const ownerOf = ({ resource: prefix, value }: RequestedScope) =>
    prefix ?? (isOidcScope(value) ? undefined : bareOwner) ?? identifiers.directoryIdentifier;
  const identifier =
    resource ?? (scope === undefined ? original.resources[0] : undefined) ?? namedIn(asked, ownerOf, identifiers);
  const belonging = asked.filter((each) => sameResource(ownerOf(each), identifier, identifiers));
  const oidc = asked.filter(({ resource: prefix, value }) => isOidcScope(value) && isBare(prefix, identifiers));
  return {
    identifier,
    scopes: belonging.length > 0 ? belonging : [defaultOf(identifier)],
    oidc: oidc.map(({ value }) => value),
  };
}

/** The one resource whose permissions are asked for; OIDC scopes alone are the directory API's. */
function namedIn(
  asked: readonly RequestedScope[],
  ownerOf: (scope: RequestedScope) => string,
  identifiers: Identifiers,
): string {
  const owners = asked.filter(({ value }) => !isOidcScope(value)).map(ownerOf);
  const [first = identifiers.directoryIdentifier] = owners;
  if (owners.some((owner) => !sameResource(owner, first, identifiers))) {
    throw refuse(errors.InvalidScope, 'oneResource');
  }
  return first;
}

function sameResource(a: string, b: string, identifiers: Identifiers): boolean {
  return withoutSlash(a) === withoutSlash(b) || (identifiers.isDirectory(a) && identifiers.isDirectory(b));
}

function isBare(prefix: string | undefined, identifiers: Identifiers): boolean {
  return prefix === undefined || identifiers.isDirectory(prefix);
}

function defaultOf(identifier: string): RequestedScope {
  return { spelled: `${identifier}/${DEFAULT_SCOPE}`, resource: identifier, value: DEFAULT_SCOPE };
}

function onlyOne(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined;
}
