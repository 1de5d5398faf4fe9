import { UsageError } from '../rooms.ts';

export type Json = Readonly<Record<string, unknown>>;

/** An application in the words of Microsoft Graph, flat: `web.redirectUris` and its value. */
export interface GraphForm {
  readonly properties: ReadonlyMap<string, unknown>;
  /** A property as the file calls it. */
  nameOf(property: string): string;
}

/** What Graph has in objects of its own. */
const GROUPS = new Set(['web', 'spa', 'publicClient', 'api', 'info', 'web.implicitGrantSettings', 'informationalUrls']);

/** Names of the manifest's older form (Azure AD Graph), and Graph's for the same. */
const OLD_NAMES: ReadonlyMap<string, string> = new Map([
  ['name', 'displayName'],
  ['allowPublicClient', 'isFallbackPublicClient'],
  ['signInUrl', 'web.homePageUrl'],
  ['homepage', 'web.homePageUrl'],
  ['logoutUrl', 'web.logoutUrl'],
  ['replyUrls', 'web.redirectUris'],
  ['oauth2AllowImplicitFlow', 'web.implicitGrantSettings.enableAccessTokenIssuance'],
  ['oauth2AllowIdTokenImplicitFlow', 'web.implicitGrantSettings.enableIdTokenIssuance'],
  ['oauth2Permissions', 'api.oauth2PermissionScopes'],
  ['preAuthorizedApplications', 'api.preAuthorizedApplications'],
  ['knownClientApplications', 'api.knownClientApplications'],
  ['acceptMappedClaims', 'api.acceptMappedClaims'],
  ['accessTokenAcceptedVersion', 'api.requestedAccessTokenVersion'],
  ['informationalUrls.termsOfService', 'info.termsOfServiceUrl'],
  ['informationalUrls.privacy', 'info.privacyStatementUrl'],
  ['informationalUrls.support', 'info.supportUrl'],
  ['informationalUrls.marketing', 'info.marketingUrl'],
  ['logoUrl', 'info.logoUrl'],
]);

const REPLY_TYPES: ReadonlyMap<unknown, string> = new Map([
  ['Web', 'web.redirectUris'],
  ['Spa', 'spa.redirectUris'],
  ['InstalledClient', 'publicClient.redirectUris'],
]);

/**
 * The same application in Graph's words, whichever of Entra's two forms the file has: the one of the portal and
 * `az ad app show` today, or the older one of Azure AD Graph.
 * @throws UsageError
 */
export function graphFormOf(file: Json): GraphForm {
  const properties = new Map<string, unknown>();
  const names = new Map<string, string>();
  const set = (property: string, value: unknown, name: string) => {
    if (isBlank(properties.get(property))) properties.set(property, value);
    if (property !== name) names.set(property, name);
  };
  for (const [name, value] of flat(file)) {
    if (name === 'replyUrlsWithType') {
      for (const [property, uris] of byType(value)) set(property, uris, name);
    } else if (name === 'publicClient') set('isFallbackPublicClient', value, name);
    else if (name === 'availableToOtherTenants')
      set('signInAudience', value === true ? 'AzureADMultipleOrgs' : 'AzureADMyOrg', name);
    else set(OLD_NAMES.get(name) ?? name, value, name);
  }
  return { properties, nameOf: (property) => names.get(property) ?? property };
}

/** Null, false, and what holds nothing: Entra writes down all that is not set. */
export function isBlank(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.values(value).every(isBlank);
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flat(file: Json, prefix = ''): [string, unknown][] {
  return Object.entries(file).flatMap(([key, value]): [string, unknown][] => {
    const name = prefix + key;
    return GROUPS.has(name) && isObject(value) ? flat(value, `${name}.`) : [[name, value]];
  });
}

function byType(replies: unknown): ReadonlyMap<string, readonly unknown[]> {
  if (!Array.isArray(replies)) throw new UsageError('replyUrlsWithType: Must be a list.');
  const entries = replies.map((reply: unknown) => (isObject(reply) ? reply : {}));
  const grouped = Map.groupBy(entries, ({ type }) => REPLY_TYPES.get(type) ?? 'replyUrlsWithType');
  return new Map([...grouped].map(([property, of]) => [property, of.map(({ url }) => url)]));
}
