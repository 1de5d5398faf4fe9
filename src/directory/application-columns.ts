import type {
  Application,
  Compatibility,
  GroupMembershipClaims,
  OptionalClaims,
  PreAuthorizedApplication,
} from '../vocabulary/applications.ts';
import { secondsOf } from '../vocabulary/durations.ts';
import { EQUALITY, type Listable, ORDERED, PREFIX } from './listable.ts';
import type { Columns } from './statements.ts';

const SECRETS = `(select coalesce(jsonb_agg(jsonb_build_object('keyId', s.key_id, 'displayName', s.display_name, 'hint', s.hint,
    'startDateTime', s.start_at, 'endDateTime', s.end_at, 'lastUsedDateTime', s.last_used_at) order by s.start_at, s.key_id), '[]')
  from password_credentials s where s.tenant_id = applications.tenant_id and s.application_id = applications.id)`;

/** A verified publisher, of an application or of what is published of it. All null while there is none. */
export const VERIFIED_PUBLISHER = (alias = '') => PUBLISHER.replaceAll('#', alias);
const PUBLISHER = `jsonb_build_object('displayName', #verified_publisher_domain, 'verifiedPublisherId', #verified_publisher_domain,
  'addedDateTime', case when #verified_publisher_domain is not null then #verified_publisher_added_at end)`;

// Below the sign-in server's origin, which the directory API does not need to know.
const LOGO_URL = `'/' || tenant_id || '/applications/' || app_id || '/logo?v=' || logo_hash`;
const LIFETIME = `case when access_token_seconds is not null then concat('PT', nullif(access_token_seconds / 3600, 0) || 'H',
    nullif(access_token_seconds % 3600 / 60, 0) || 'M', nullif(access_token_seconds % 60, 0) || 'S') end`;

export const READ_COLUMNS: Columns = {
  id: 'id',
  appId: 'app_id',
  displayName: 'display_name',
  description: 'description',
  signInAudience: 'sign_in_audience',
  publisherDomain: 'publisher_domain',
  identifierUris: 'identifier_uris',
  verifiedPublisher: VERIFIED_PUBLISHER(),
  isDisabled: 'is_disabled',
  tags: 'tags',
  notes: 'notes',
  info: `jsonb_build_object('termsOfServiceUrl', terms_of_service_url, 'privacyStatementUrl', privacy_statement_url,
    'supportUrl', support_url, 'logoUrl', ${LOGO_URL})`,
  web: "jsonb_build_object('redirectUris', web_redirect_uris, 'logoutUrl', web_logout_url, 'homePageUrl', home_page_url)",
  spa: "jsonb_build_object('redirectUris', spa_redirect_uris)",
  publicClient: "jsonb_build_object('redirectUris', public_client_redirect_uris)",
  isFallbackPublicClient: 'is_fallback_public_client',
  api: `jsonb_build_object('oauth2PermissionScopes', oauth2_permission_scopes,
    'preAuthorizedApplications', pre_authorized_applications, 'accessTokenLifetime', ${LIFETIME})`,
  appRoles: 'app_roles',
  requiredResourceAccess: 'required_resource_access',
  keyCredentials: 'key_credentials',
  compatibility: 'compatibility',
  optionalClaims: 'optional_claims',
  groupMembershipClaims: 'group_membership_claims',
  jwksUri: 'jwks_uri',
  passwordCredentials: SECRETS,
  createdDateTime: 'created_at',
};

export const WRITE_COLUMNS: Columns = {
  id: 'id',
  appId: 'app_id',
  displayName: 'display_name',
  description: 'description',
  signInAudience: 'sign_in_audience',
  publisherDomain: 'publisher_domain',
  identifierUris: 'identifier_uris',
  webRedirectUris: 'web_redirect_uris',
  webLogoutUrl: 'web_logout_url',
  spaRedirectUris: 'spa_redirect_uris',
  publicClientRedirectUris: 'public_client_redirect_uris',
  isFallbackPublicClient: 'is_fallback_public_client',
  oauth2PermissionScopes: 'oauth2_permission_scopes',
  appRoles: 'app_roles',
  requiredResourceAccess: 'required_resource_access',
  keyCredentials: 'key_credentials',
  compatibility: 'compatibility',
  isDisabled: 'is_disabled',
  tags: 'tags',
  notes: 'notes',
  homePageUrl: 'home_page_url',
  termsOfServiceUrl: 'terms_of_service_url',
  privacyStatementUrl: 'privacy_statement_url',
  supportUrl: 'support_url',
  preAuthorizedApplications: 'pre_authorized_applications',
  accessTokenSeconds: 'access_token_seconds',
  optionalClaims: 'optional_claims',
  groupMembershipClaims: 'group_membership_claims',
  jwksUri: 'jwks_uri',
  registration: 'registration',
};

export const LISTED: Listable = {
  name: 'applications',
  from: 'applications',
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY },
    appId: { sql: 'app_id', type: 'guid', filter: EQUALITY },
    displayName: { sql: 'display_name', type: 'string', filter: PREFIX, caseInsensitive: true, orderBy: true },
    createdDateTime: { sql: 'created_at', type: 'dateTime', filter: ORDERED, orderBy: true },
    signInAudience: { sql: 'sign_in_audience', type: 'string', filter: EQUALITY },
    isDisabled: { sql: 'is_disabled', type: 'boolean', filter: EQUALITY },
    ...Object.fromEntries(
      ['description', 'publisherDomain', 'notes', 'groupMembershipClaims', 'jwksUri'].map((name) => [
        name,
        { sql: READ_COLUMNS[name] ?? '', type: 'string' as const },
      ]),
    ),
    ...Object.fromEntries(
      [
        ...['identifierUris', 'web', 'spa', 'publicClient', 'isFallbackPublicClient', 'api', 'appRoles'],
        ...['requiredResourceAccess', 'keyCredentials', 'passwordCredentials', 'compatibility', 'verifiedPublisher'],
        ...['tags', 'info', 'optionalClaims'],
      ].map((name) => [name, { sql: READ_COLUMNS[name] ?? '', type: 'object' as const }]),
    ),
  },
};

/** What may be set of an application; absent properties keep their value or take the default. */
export interface ApplicationProperties {
  readonly displayName?: string | undefined;
  readonly description?: string | null | undefined;
  readonly signInAudience?: Application['signInAudience'] | undefined;
  readonly identifierUris?: readonly string[] | undefined;
  readonly web?:
    | {
        readonly redirectUris?: readonly string[] | undefined;
        readonly logoutUrl?: string | null | undefined;
        readonly homePageUrl?: string | null | undefined;
      }
    | undefined;
  readonly spa?: { readonly redirectUris?: readonly string[] | undefined } | undefined;
  readonly publicClient?: { readonly redirectUris?: readonly string[] | undefined } | undefined;
  readonly isFallbackPublicClient?: boolean | undefined;
  readonly api?:
    | {
        readonly oauth2PermissionScopes?: readonly object[] | undefined;
        readonly preAuthorizedApplications?: readonly PreAuthorizedApplication[] | undefined;
        /** `PT1H30M`; null: an hour. */
        readonly accessTokenLifetime?: string | null | undefined;
      }
    | undefined;
  readonly appRoles?: readonly object[] | undefined;
  readonly requiredResourceAccess?: readonly object[] | undefined;
  readonly keyCredentials?: readonly object[] | undefined;
  readonly compatibility?: Compatibility | undefined;
  readonly isDisabled?: boolean | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly notes?: string | null | undefined;
  readonly info?: { readonly [Name in InfoUrl]?: string | null | undefined } | undefined;
  readonly optionalClaims?: OptionalClaims | undefined;
  readonly groupMembershipClaims?: GroupMembershipClaims | undefined;
  readonly jwksUri?: string | null | undefined;
}
type InfoUrl = Exclude<keyof Application['info'], 'logoUrl'>;

/** Nested wire properties as columns; composed values as JSON, because pg would write an array as a Postgres array. */
export function columnsOf({
  web,
  spa,
  publicClient,
  api,
  info,
  ...properties
}: ApplicationProperties): Record<string, unknown> {
  const json = (value: readonly object[] | undefined) => (value === undefined ? undefined : JSON.stringify(value));
  return {
    ...properties,
    webRedirectUris: web?.redirectUris,
    webLogoutUrl: web?.logoutUrl,
    homePageUrl: web?.homePageUrl,
    ...info,
    spaRedirectUris: spa?.redirectUris,
    publicClientRedirectUris: publicClient?.redirectUris,
    oauth2PermissionScopes: json(api?.oauth2PermissionScopes),
    preAuthorizedApplications: json(api?.preAuthorizedApplications),
    accessTokenSeconds: api?.accessTokenLifetime && secondsOf(api.accessTokenLifetime),
    appRoles: json(properties.appRoles),
    requiredResourceAccess: json(properties.requiredResourceAccess),
    keyCredentials: json(properties.keyCredentials),
  };
}
