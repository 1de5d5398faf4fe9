import { isGuid } from '../vocabulary/ids.ts';
import { OIDC_SCOPES } from '../vocabulary/permissions.ts';

/** One scope as a client spelled it: an identifier URI or app id in front of the value, or none. */
export interface RequestedScope {
  readonly spelled: string;
  /** Absolute URI; undefined: the directory API. */
  readonly resource: string | undefined;
  readonly value: string;
}

/** Asks for all that is consented (or assigned) on a resource. */
export const DEFAULT_SCOPE = '.default';

const MAX_SCOPES = 100;
const oidcScopes: ReadonlySet<string> = new Set(OIDC_SCOPES);

/** A named permission: neither `.default` nor an OIDC scope. */
export function isPermission({ value }: RequestedScope): boolean {
  return value !== DEFAULT_SCOPE && !isOidcScope(value);
}

export function isOidcScope(value: string): boolean {
  return oidcScopes.has(value);
}

/**
 * Reads a `scope` parameter (RFC 6749, section 3.3) whose values may carry their resource in front, as Entra's do:
 * `https://api/User.Read`, `api://{appId}/.default`, `https://api//.default` for an identifier that ends in a slash.
 * @returns nothing when there are more scopes than anyone means
 */
export function parseScopes(scope: string | undefined): readonly RequestedScope[] | undefined {
  const spelled = [...new Set((scope ?? '').split(' ').filter(Boolean))];
  return spelled.length > MAX_SCOPES ? undefined : spelled.map(parseScope);
}

function parseScope(spelled: string): RequestedScope {
  const slash = spelled.lastIndexOf('/');
  if (slash <= 0) return { spelled, resource: undefined, value: spelled };
  const prefix = spelled.slice(0, slash);
  return {
    spelled,
    resource: isGuid(prefix) ? `api://${prefix.toLowerCase()}` : prefix,
    value: spelled.slice(slash + 1),
  };
}

/** What is asked for on one resource: of which no permission is named, all is meant. */
export function askedValues(scopes: readonly RequestedScope[]): 'all' | readonly string[] {
  const values = scopes.map(({ value }) => value);
  return values.length === 0 || values.includes(DEFAULT_SCOPE) ? 'all' : values;
}

/** Every way to spell one value of a resource that is asked for by this identifier. */
export function spellings(identifier: string, value: string): string[] {
  const bare =
    identifier.startsWith('api://') && isGuid(identifier.slice(6)) ? [`${identifier.slice(6)}/${value}`] : [];
  return [value, `${identifier}/${value}`, ...bare];
}

/** An identifier URI as APIs register it; clients may add a slash. */
export function withoutSlash(identifier: string): string {
  return identifier.endsWith('/') ? identifier.slice(0, -1) : identifier;
}
