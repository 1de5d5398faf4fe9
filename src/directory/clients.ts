import type { Permit } from '../store/permit.ts';
import type { GroupMembershipClaims, OptionalClaims } from '../vocabulary/applications.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import type { AssignmentFacts, ClientFacts } from '../vocabulary/token-decision.ts';
import { WITHDRAWN } from './offered-applications.ts';
import type { KeySlot, SigningAlgorithm } from './signing-keys.ts';
import { CLIENT, CLIENT_DEFINITION } from './token-facts.ts';

/** A client secret as it is stored: never the secret itself. */
export interface StoredSecret {
  readonly keyId: string;
  /** Keyed HMAC-SHA-256, base64. */
  readonly hmac: string;
  /** Seconds since the epoch. */
  readonly startsAt: number;
  readonly endsAt: number;
}

/** What a token request must know of its client and tenant, read in one round trip at every request. */
export interface ClientState extends ClientFacts {
  readonly tenantEnabled: boolean;
  /** Changes with every change of the application. Null: no application of that id can be seen from this tenant. */
  readonly version: string | null;
  readonly displayName: string | null;
  readonly secrets: readonly StoredSecret[];
  /** App roles assigned to the client's service principal, on enabled resources. */
  readonly appRoles: readonly (AssignmentFacts & { readonly resourceAppId: string })[];
  /** The presence of the directory API, which nearly every token is for; null when the tenant has disabled it. */
  readonly directoryApi: { readonly servicePrincipalId: ObjectId; readonly assignmentRequired: boolean } | null;
  readonly keys: readonly {
    readonly kid: string;
    readonly algorithm: SigningAlgorithm;
    readonly slot: KeySlot;
  }[];
}

const SECRETS = `jsonb_agg(jsonb_build_object('keyId', s.key_id, 'hmac', encode(s.secret_hmac, 'base64'),
  'startsAt', extract(epoch from s.start_at), 'endsAt', extract(epoch from s.end_at)))`;

const FIND = {
  name: 'find-client',
  text: `
    select t.is_enabled as "tenantEnabled",
      case when a.id is not null then 'own ' || a.xmin when p.app_id is not null then 'published ' || p.xmin end as version,
      ${CLIENT('$2::uuid', 'null::uuid')},
      coalesce(a.display_name, p.display_name) as "displayName",
      coalesce(case when a.id is not null
        then (select ${SECRETS} from password_credentials s
          where s.tenant_id = $1 and s.application_id = a.id)
        else (select ${SECRETS} from published_password_credentials s
          where s.app_id = p.app_id)
      end, '[]') as secrets,
      coalesce((select jsonb_agg(jsonb_build_object('resourceAppId', r.app_id, 'appRoleId', x.app_role_id,
          'assignmentId', x.id) order by x.created_at, x.id)
        from app_role_assignments x
        join service_principals r on r.tenant_id = $1 and r.id = x.resource_id and r.account_enabled
        where x.tenant_id = $1 and x.service_principal_id = c.id), '[]') as "appRoles",
      (select jsonb_build_object('servicePrincipalId', d.id, 'assignmentRequired', d.app_role_assignment_required)
        from service_principals d where d.tenant_id = $1 and d.app_id = $3 and d.account_enabled) as "directoryApi",
      coalesce((select jsonb_agg(jsonb_build_object('kid', k.kid, 'algorithm', k.algorithm, 'slot', k.slot) order by k.created_at desc)
        from signing_keys k where k.tenant_id = $1), '[]') as keys
    from tenants t
    left join service_principals c on c.tenant_id = $1 and c.app_id = $2
    ${CLIENT_DEFINITION('$2::uuid')}
    where t.id = $1`,
};

/** The state of a client in the bound tenant; nothing when the tenant does not exist. */
export async function findClient(
  permit: Permit<'authentication/clients/read'>,
  appId: string,
): Promise<ClientState | undefined> {
  const [row] = await permit.query<{ client: Omit<ClientFacts, 'appId'> } & Omit<ClientState, keyof ClientFacts>>({
    ...FIND,
    values: [permit.tenantId, appId, DIRECTORY_APP_ID],
  });
  if (!row) return undefined;
  const { client, ...state } = row;
  return { ...state, ...client, appId };
}

/** An application as OAuth needs to see it, from its definition or from what its home tenant published. */
export interface ClientDefinition {
  readonly version: string;
  readonly appId: string;
  readonly homeTenantId: string | null;
  readonly displayName: string;
  readonly publisherDomain: string | null;
  readonly verifiedPublisherDomain: string | null;
  readonly homePageUrl: string | null;
  readonly termsOfServiceUrl: string | null;
  readonly privacyStatementUrl: string | null;
  readonly logoHash: string | null;
  readonly signInAudience: string;
  readonly webRedirectUris: readonly string[];
  readonly webLogoutUrl: string | null;
  readonly spaRedirectUris: readonly string[];
  readonly publicClientRedirectUris: readonly string[];
  readonly isFallbackPublicClient: boolean;
  readonly keyCredentials: readonly Record<string, unknown>[];
  readonly requiredResourceAccess: readonly Record<string, unknown>[];
  readonly compatibility: Readonly<Record<string, unknown>>;
  readonly optionalClaims: OptionalClaims;
  readonly groupMembershipClaims: GroupMembershipClaims;
  /** Where it publishes the keys by which it signs its assertions. */
  readonly jwksUri: string | null;
}

const DEFINITION = (source: string, home: string, kind: string) => `
  select '${kind} ' || xmin as version, app_id as "appId", ${home} as "homeTenantId", display_name as "displayName",
    publisher_domain as "publisherDomain", sign_in_audience as "signInAudience", web_redirect_uris as "webRedirectUris",
    web_logout_url as "webLogoutUrl", spa_redirect_uris as "spaRedirectUris",
    public_client_redirect_uris as "publicClientRedirectUris", is_fallback_public_client as "isFallbackPublicClient",
    key_credentials as "keyCredentials", required_resource_access as "requiredResourceAccess", compatibility,
    optional_claims as "optionalClaims", group_membership_claims as "groupMembershipClaims",
    verified_publisher_domain as "verifiedPublisherDomain", home_page_url as "homePageUrl", logo_hash as "logoHash",
    terms_of_service_url as "termsOfServiceUrl", privacy_statement_url as "privacyStatementUrl",
    jwks_uri as "jwksUri"
  from ${source}`;

const READ_DEFINITION = {
  name: 'read-client-definition',
  text: `${DEFINITION('applications', 'tenant_id', 'own')} where tenant_id = $1 and app_id = $2
    union all ${DEFINITION('published_applications', 'home_tenant_id', 'published')}
      where app_id = $2 and not exists (select from applications where tenant_id = $1 and app_id = $2)`,
};

export async function readClientDefinition(
  permit: Permit<'authentication/clients/read'>,
  appId: string,
): Promise<ClientDefinition | undefined> {
  const [definition] = await permit.query<ClientDefinition>({ ...READ_DEFINITION, values: [permit.tenantId, appId] });
  return definition;
}

/** An API in the bound tenant: what it publishes, and its presence. */
export interface ResourceState {
  readonly appId: string;
  readonly servicePrincipalId: ObjectId;
  readonly displayName: string;
  readonly isOwn: boolean;
  readonly identifierUris: readonly string[];
  readonly oauth2PermissionScopes: readonly PublishedScope[];
  readonly appRoles: readonly {
    readonly id: string;
    readonly value: string | null;
    readonly displayName?: string;
    readonly description?: string;
    readonly isEnabled?: boolean;
    readonly allowedMemberTypes?: readonly string[];
  }[];
  readonly assignmentRequired: boolean;
  readonly optionalClaims: OptionalClaims;
  readonly groupMembershipClaims: GroupMembershipClaims;
  /** How long access tokens for it live; null: the default. */
  readonly accessTokenSeconds: number | null;
}

export interface PublishedScope {
  readonly id: string;
  readonly value: string;
  readonly type: 'User' | 'Admin';
  readonly isEnabled?: boolean;
  readonly adminConsentDisplayName?: string;
  readonly adminConsentDescription?: string;
  readonly userConsentDisplayName?: string;
  readonly userConsentDescription?: string;
}

const READ_RESOURCE = {
  name: 'read-resource',
  text: `
    select s.app_id as "appId", s.id as "servicePrincipalId", coalesce(a.display_name, p.display_name) as "displayName",
      a.id is not null as "isOwn",
      coalesce(a.identifier_uris, p.identifier_uris) as "identifierUris",
      coalesce(a.oauth2_permission_scopes, p.oauth2_permission_scopes) as "oauth2PermissionScopes",
      coalesce(a.app_roles, p.app_roles) as "appRoles",
      coalesce(a.optional_claims, p.optional_claims) as "optionalClaims",
      coalesce(a.group_membership_claims, p.group_membership_claims) as "groupMembershipClaims",
      coalesce(a.access_token_seconds, p.access_token_seconds) as "accessTokenSeconds",
      s.app_role_assignment_required as "assignmentRequired"
    from service_principals s
    left join applications a on a.tenant_id = $1 and a.app_id = s.app_id
    left join published_applications p on p.app_id = s.app_id and a.id is null
    where s.tenant_id = $1 and s.account_enabled and (a.id is not null or p.app_id is not null)
      and not coalesce(a.is_disabled, p.is_disabled, false) and not ${WITHDRAWN('s.app_id')}
      and (s.app_id::text = $2 or $3 = any (coalesce(a.identifier_uris, p.identifier_uris)))
    order by s.app_id::text = $2 desc, a.id is not null desc, s.created_at limit 1`,
};

/** The API of that app id or identifier URI, if the tenant has it and has not disabled it. Its own comes before a guest. */
export async function readResource(
  permit: Permit<'authentication/resources/read'>,
  { appId, identifierUri }: { readonly appId?: string | undefined; readonly identifierUri?: string | undefined },
): Promise<ResourceState | undefined> {
  const [resource] = await permit.query<ResourceState>({
    ...READ_RESOURCE,
    values: [permit.tenantId, appId ?? '', identifierUri ?? ''],
  });
  return resource;
}

/** Notes that a secret of an own application was used; at most one write an hour, whatever processes there are. */
export async function markSecretUsed(permit: Permit<'authentication/secrets/markUsed'>, keyId: string): Promise<void> {
  await permit.query({
    name: 'mark-secret-used',
    text: `update password_credentials set last_used_at = now() where tenant_id = $1 and key_id = $2
      and (last_used_at is null or last_used_at < now() - interval '1 hour')`,
    values: [permit.tenantId, keyId],
  });
}

/** Where the single-page applications are served that are present in the tenant (for CORS preflights). */
export async function listSpaRedirectUris(permit: Permit<'authentication/clients/read'>): Promise<readonly string[]> {
  const rows = await permit.query<{ uri: string }>({
    name: 'list-spa-redirect-uris',
    text: `select distinct unnest(coalesce(a.spa_redirect_uris, p.spa_redirect_uris)) as uri
      from service_principals s
      left join applications a on a.tenant_id = $1 and a.app_id = s.app_id
      left join published_applications p on p.app_id = s.app_id and a.id is null
      where s.tenant_id = $1 and s.account_enabled`,
    values: [permit.tenantId],
  });
  return rows.map(({ uri }) => uri);
}
