import type { Permit } from '../store/permit.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, ORDERED } from './listable.ts';
import { NAME_OF_THE_GONE } from './service-principals.ts';

/** What may be wrong with something that was granted. */
export const FINDINGS = ['unused', 'overBroad', 'unverifiedPublisher', 'disabled', 'ownerless'] as const;
export type Finding = (typeof FINDINGS)[number];

/** A grant, or an app role that is assigned to an application, with how it is used. */
export interface ConsentUsage {
  /** Of the grant or assignment. */
  readonly id: ObjectId;
  readonly type: 'delegated' | 'application';
  readonly clientId: ObjectId;
  readonly clientAppId: string;
  readonly clientDisplayName: string;
  readonly resourceId: ObjectId;
  readonly resourceDisplayName: string;
  /** The person for whom alone it counts. */
  readonly principalId: ObjectId | null;
  /** Scopes, or the app role. */
  readonly permissions: readonly string[];
  readonly createdDateTime: Date;
  /** When a token was last issued on it, to the hour. */
  readonly lastUsedDateTime: Date | null;
  readonly findings: readonly Finding[];
}

const GRANTED = `(
  select g.tenant_id, g.id, 'delegated' as type, g.client_id, g.resource_id, g.principal_id, g.scope as granted, null::uuid as app_role_id,
    g.created_at, g.last_used_at
  from oauth2_permission_grants g where g.tenant_id = $1
  union all select a.tenant_id, a.id, 'application', a.service_principal_id, a.resource_id, null, '{}', a.app_role_id,
    a.created_at, a.last_used_at
  from app_role_assignments a where a.tenant_id = $1 and a.service_principal_id is not null) x`;

/** A service principal of the row with its definition, where that is still there. */
const DEFINED = (id: string) => `service_principals s
  left join applications a on a.tenant_id = s.tenant_id and a.app_id = s.app_id
  left join published_applications p on p.app_id = s.app_id and a.id is null
  where s.tenant_id = x.tenant_id and s.id = ${id}`;
const NAME = (id: string) =>
  `(select coalesce(a.display_name, p.display_name, '${NAME_OF_THE_GONE}') from ${DEFINED(id)})`;

/** Scopes for administrators in a grant of which no token was ever issued. */
const IS_OVER_BROAD = `x.last_used_at is null and exists (
  select from (select coalesce(a.oauth2_permission_scopes, p.oauth2_permission_scopes) as scopes from ${DEFINED('x.resource_id')}) r,
    jsonb_array_elements(r.scopes) e
  where e ->> 'value' = any (x.granted) and e ->> 'type' = 'Admin')`;
const IS_OWNERLESS = `not exists (select from service_principal_owners o where o.tenant_id = s.tenant_id and o.owned_id = s.id)
  and not exists (select from application_owners o where o.tenant_id = s.tenant_id and o.application_id = a.id)`;

/** In the order of FINDINGS. The deployment's own applications have no publisher and no owner. */
const FINDINGS_OF = `(select array_remove(array[
    case when coalesce(x.last_used_at, x.created_at) < now() - interval '90 days' then 'unused' end,
    case when ${IS_OVER_BROAD} then 'overBroad' end,
    case when a.id is null and p.home_tenant_id is not null and p.verified_publisher_domain is null then 'unverifiedPublisher' end,
    case when not s.account_enabled or coalesce(a.is_disabled, p.is_disabled, true) then 'disabled' end,
    case when (a.id is not null or p.home_tenant_id is not null) and ${IS_OWNERLESS} then 'ownerless' end], null)
  from ${DEFINED('x.client_id')})`;

const PERMISSIONS = `case x.type when 'delegated' then x.granted else array[coalesce((
    select e ->> 'value' from (select coalesce(a.app_roles, p.app_roles) as roles from ${DEFINED('x.resource_id')}) r,
      jsonb_array_elements(r.roles) e where e ->> 'id' = x.app_role_id::text limit 1),
  x.app_role_id::text)] end`;

const LISTED: Listable = {
  from: GRANTED,
  tenantId: 'x.tenant_id',
  id: 'x.id',
  columns: {
    id: { sql: 'x.id', type: 'guid', filter: EQUALITY },
    type: { sql: 'x.type', type: 'string', filter: EQUALITY },
    clientId: { sql: 'x.client_id', type: 'guid', filter: EQUALITY },
    clientAppId: {
      sql: '(select s.app_id from service_principals s where s.tenant_id = x.tenant_id and s.id = x.client_id)',
      type: 'guid',
    },
    clientDisplayName: { sql: NAME('x.client_id'), type: 'string' },
    resourceId: { sql: 'x.resource_id', type: 'guid', filter: EQUALITY },
    resourceDisplayName: { sql: NAME('x.resource_id'), type: 'string' },
    principalId: { sql: 'x.principal_id', type: 'guid', filter: EQUALITY },
    permissions: { sql: PERMISSIONS, type: 'object' },
    createdDateTime: { sql: 'x.created_at', type: 'dateTime', filter: ORDERED, orderBy: true },
    lastUsedDateTime: { sql: 'x.last_used_at', type: 'dateTime', filter: ORDERED, orderBy: true },
    findings: { sql: FINDINGS_OF, type: 'object' },
  },
  collections: {
    findings: {
      from: `unnest(${FINDINGS_OF})`,
      elements: { '': { sql: 'element.value', type: 'string', filter: EQUALITY } },
    },
  },
};

/** Everything that was granted to applications, with what may be wrong with it. */
export function listConsentUsage(
  permit: Permit<'directory/servicePrincipals/tokenDecisions/read'>,
  query: ListQuery,
): Promise<Page<ConsentUsage>> {
  return readPage<ConsentUsage>(permit, LISTED, query);
}
