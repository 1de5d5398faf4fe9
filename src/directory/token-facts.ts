import type { Permit } from '../store/permit.ts';
import type { AppId } from '../vocabulary/ids.ts';
import type { ClientFacts, TokenFacts } from '../vocabulary/token-decision.ts';
import { ANCESTORS_LIVE } from './family-chain.ts';
import { WITHDRAWN } from './offered-applications.ts';
import { OF_USER } from './user-assignments.ts';

type Read = Permit<
  | 'authentication/tokens/read'
  | 'authentication/consents/preAuthorize'
  | 'directory/servicePrincipals/tokenDecisions/read'
>;

/** Whose token is asked about. */
export interface TokenParties {
  readonly appId: string;
  /** Absent: the application's own token. */
  readonly userId?: string | undefined;
  readonly familyId?: string | undefined;
  /** Are among the facts whatever was granted on them. */
  readonly resourceAppIds?: readonly string[] | undefined;
}

/** SQL: the aliases of a definition, which is in the tenant or was published to it. */
const DEFINITIONS = (appId: string, own: string, published: string) => `
  left join applications ${own} on ${own}.tenant_id = $1 and ${own}.app_id = ${appId}
  left join published_applications ${published} on ${published}.app_id = ${appId} and ${own}.id is null`;

/** SQL: `ClientFacts` but its app id, of the alias c, its definition and a person's id. */
export const CLIENT = (
  appId: string,
  user: string,
) => `jsonb_build_object('servicePrincipalId', c.id, 'isOwn', a.id is not null,
  'isEnabled', coalesce(c.account_enabled, false), 'isDefined', a.id is not null or p.app_id is not null,
  'isDisabledByPublisher', coalesce(a.is_disabled, p.is_disabled, false), 'isWithdrawn', ${WITHDRAWN(appId)},
  'isPending', c.id is null and coalesce(a.registration, p.registration, '') = 'dynamic',
  'assignmentRequired', coalesce(c.app_role_assignment_required, false),
  'isUserAssigned', exists (select from app_role_assignments o
    where o.tenant_id = $1 and o.resource_id = c.id and ${OF_USER('o', user)})) as client`;

const USER = `case when u.id is not null then jsonb_build_object('id', u.id, 'isEnabled', u.account_enabled,
  'isGuest', u.user_type = 'Guest', 'directoryRoles', array(select x.role_definition_id from role_assignments x
    where x.tenant_id = $1 and x.user_id = u.id)) end as user`;

const FAMILY = `case when f.id is not null then jsonb_build_object('createdAt', extract(epoch from f.created_at)::float8,
  'isAlive', coalesce(f.revoked_at is null and f.expires_at > now()
    and f.authenticated_at >= u.sign_in_sessions_valid_from and ${ANCESTORS_LIVE('f')}, false)) end as family`;

const PUBLISHED = (column: string, properties: string) => `coalesce((
  select jsonb_agg(jsonb_build_object('id', e ->> 'id', 'value', e ->> 'value',
    'isEnabled', coalesce((e ->> 'isEnabled')::boolean, true), ${properties}) order by position)
  from jsonb_array_elements(coalesce(ra.${column}, rp.${column})) with ordinality as published (e, position)), '[]')`;

const GRANTS = `coalesce((select jsonb_agg(jsonb_build_object('id', g.id, 'principalId', g.principal_id, 'scopes', g.scope,
    'origins', g.origins, 'lastUsedAt', g.last_used_at) order by g.principal_id nulls first)
  from oauth2_permission_grants g where g.tenant_id = $1 and g.client_id = c.id and g.resource_id = r.id
    and (g.principal_id is null or g.principal_id = u.id)), '[]')`;

// Of each scope the last time counts.
const REVOKED = `coalesce((select jsonb_agg(jsonb_build_object('scope', x.scope, 'principalId', x.principal_id,
    'revokedAt', extract(epoch from x.revoked_at)::float8))
  from (select v.scope, v.principal_id, max(v.revoked_at) as revoked_at from revoked_scopes v
    where v.tenant_id = $1 and v.client_id = c.id and v.resource_id = r.id
      and (v.principal_id is null or v.principal_id = u.id) group by 1, 2) x), '[]')`;

// Of the tenant's own APIs alone: another tenant's API authorizes nobody here (CON-28).
const PRE_AUTHORIZED = `coalesce((select e -> 'delegatedPermissionIds' from jsonb_array_elements(ra.pre_authorized_applications) e
  where e ->> 'appId' = c.app_id::text limit 1), '[]')`;

const ASSIGNED = (condition: string, more = '') => `coalesce((
  select jsonb_agg(jsonb_build_object('assignmentId', o.id, 'appRoleId', o.app_role_id, 'grantedBy', o.granted_by,
    'grantedAt', o.created_at, 'lastUsedAt', o.last_used_at${more}) order by o.created_at, o.id)
  from app_role_assignments o where o.tenant_id = $1 and o.resource_id = r.id and ${condition}), '[]')`;

/** APIs of which the client was granted something, and those that are asked for. Not filtered: the decision's work. */
const RESOURCES = (asked: string) => `coalesce((
  select jsonb_agg(jsonb_build_object('appId', r.app_id, 'servicePrincipalId', r.id,
    'displayName', coalesce(ra.display_name, rp.display_name, r.app_id::text),
    'identifierUris', coalesce(ra.identifier_uris, rp.identifier_uris, '{}'), 'isOwn', ra.id is not null,
    'isEnabled', r.account_enabled, 'isDefined', (ra.id is not null or rp.app_id is not null)
      and not coalesce(ra.is_disabled, rp.is_disabled, false) and not ${WITHDRAWN('r.app_id')},
    'assignmentRequired', r.app_role_assignment_required,
    'scopes', ${PUBLISHED('oauth2_permission_scopes', `'type', e ->> 'type'`)},
    'appRoles', ${PUBLISHED('app_roles', `'allowedMemberTypes', coalesce(e -> 'allowedMemberTypes', '[]')`)},
    'preAuthorized', ${PRE_AUTHORIZED}, 'grants', ${GRANTS}, 'revoked', ${REVOKED}, 'clientRoles', ${ASSIGNED('o.service_principal_id = c.id')},
    'userRoles', ${ASSIGNED(OF_USER('o', 'u.id'), `, 'through', case when o.user_id is null then 'group' else 'user' end`)})
    order by r.app_id)
  from (
    select g.resource_id as id from oauth2_permission_grants g
    where g.tenant_id = $1 and g.client_id = c.id and (g.principal_id is null or g.principal_id = u.id)
    union select s.id from service_principals s where s.tenant_id = $1 and s.app_id = any (${asked})
  ) k join service_principals r on r.tenant_id = $1 and r.id = k.id
  ${DEFINITIONS('r.app_id', 'ra', 'rp')}), '[]') as resources`;

/** SQL: every fact, with the resources of those app ids, where the aliases t, c, u, f, a and p stand for tenant, client, person, family and definition. */
export const FACTS = (appId: string, asked: string) =>
  `t.is_enabled as "tenantEnabled", ${CLIENT(appId, 'u.id')}, ${USER}, ${FAMILY}, ${RESOURCES(asked)}`;
export const CLIENT_DEFINITION = (appId: string) => DEFINITIONS(appId, 'a', 'p');

const READ = {
  name: 'read-token-facts',
  text: `select ${FACTS('$2::uuid', '$5::uuid[]')} from tenants t
    left join service_principals c on c.tenant_id = t.id and c.app_id = $2::uuid
    left join users u on u.tenant_id = t.id and u.id = $3::uuid
    left join token_families f on f.tenant_id = t.id and f.id = $4 and f.user_id = u.id and f.service_principal_id = c.id
    ${CLIENT_DEFINITION('$2::uuid')}
    where t.id = $1`,
};

/** Facts as the database has them: what is missing is null there. */
export interface FactsRow extends Omit<TokenFacts, 'client' | 'user' | 'family'> {
  readonly client: Omit<ClientFacts, 'appId'>;
  readonly user: NonNullable<TokenFacts['user']> | null;
  readonly family: NonNullable<TokenFacts['family']> | null;
}

export function factsOf(appId: string, { tenantEnabled, client, user, family, resources }: FactsRow): TokenFacts {
  const present = { tenantEnabled, client: { ...client, appId } };
  return { ...present, ...(user ? { user } : {}), ...(family ? { family } : {}), resources };
}

/**
 * Everything that the decision on a token goes by, in one statement: joined, not judged. An application that another
 * tenant published and that is not present is seen where the permit is bound to its app id.
 */
export async function readTokenFacts(permit: Read, parties: TokenParties): Promise<TokenFacts | undefined> {
  const { appId, userId = null, familyId = null, resourceAppIds = [] } = parties;
  const [row] = await permit.query<FactsRow>({
    ...READ,
    values: [permit.tenantId, appId, userId, familyId, resourceAppIds],
  });
  return row && factsOf(appId, row);
}

/** Shows the permit's further statements one application, whoever published it. Not for a short permit. */
export async function showApplication(
  permit: Permit<'directory/servicePrincipals/tokenDecisions/read'>,
  appId: AppId,
): Promise<void> {
  await permit.query({ text: `select set_config('bailiwick.app_id', $1, true)`, values: [appId] });
}

/** The app id of an API of the tenant, enabled or not, by that or by an identifier URI: its own comes before a guest. */
export async function findResourceAppId(
  permit: Permit<'directory/servicePrincipals/tokenDecisions/read'>,
  name: string,
): Promise<string | undefined> {
  const [resource] = await permit.query<{ appId: string }>({
    text: `select r.app_id as "appId" from service_principals r ${DEFINITIONS('r.app_id', 'a', 'p')}
      where r.tenant_id = $1 and (r.app_id::text = lower($2) or $2 = any (coalesce(a.identifier_uris, p.identifier_uris)))
      order by r.account_enabled desc, a.id is not null desc, r.created_at limit 1`,
    values: [permit.tenantId, name],
  });
  return resource?.appId;
}
