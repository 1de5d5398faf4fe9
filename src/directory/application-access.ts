import type { Permit } from '../store/permit.ts';
import type {
  ApplicationAccess,
  ApplicationOnlyAccess,
  DelegatedAccess,
  PresentApplication,
} from '../vocabulary/application-access.ts';
import { notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import { NAME_OF_THE_GONE } from './service-principals.ts';

type Read = Permit<'directory/servicePrincipals/tokenDecisions/read'>;

const MOST_PEOPLE = 200;
const PAGE = 50;

const PRESENT = `
  select s.id, s.app_id as "appId", coalesce(a.display_name, p.display_name, '${NAME_OF_THE_GONE}') as "displayName",
    s.account_enabled as "accountEnabled", s.created_at as "createdDateTime", s.last_used_at as "lastUsedDateTime",
    s.app_owner_organization_id as "appOwnerOrganizationId", p.publisher_domain as "publisherDomain",
    coalesce(a.verified_publisher_domain, p.verified_publisher_domain) as "verifiedPublisherDomain"
  from service_principals s
  left join applications a on a.tenant_id = s.tenant_id and a.app_id = s.app_id
  left join published_applications p on p.app_id = s.app_id
  where s.tenant_id = $1`;

const NAME_OF = (alias: string) => `coalesce(
  (select a.display_name from applications a where a.tenant_id = $1 and a.app_id = ${alias}.app_id),
  (select p.display_name from published_applications p where p.app_id = ${alias}.app_id), '${NAME_OF_THE_GONE}')`;
const RESOURCE = NAME_OF('r');
/** A person or an application, whose name is null once gone; without an id it was the operator. */
const WHO = (id: string) => `jsonb_build_object('id', ${id}, 'displayName', coalesce(
  (select u.display_name from users u where u.tenant_id = $1 and u.id = ${id}),
  (select ${NAME_OF('w')} from service_principals w where w.tenant_id = $1 and w.id = ${id})))`;

/** Applications of the tenant by name, at most 50; `after` is the last one of the page before. */
export async function listPresentApplications(
  permit: Read,
  { search = '', after }: { readonly search?: string | undefined; readonly after?: PresentPlace | undefined },
): Promise<readonly PresentApplication[]> {
  return permit.query<PresentApplication & Record<string, unknown>>({
    text: `select * from (${PRESENT}) x
      where starts_with(lower(x."displayName"), lower($2))
        and ($3::text is null or (lower(x."displayName"), x.id) > (lower($3), $4::uuid))
      order by lower(x."displayName"), x.id limit ${PAGE}`,
    values: [permit.tenantId, search, after?.displayName ?? null, after?.id ?? null],
  });
}

export interface PresentPlace {
  readonly displayName: string;
  readonly id: ObjectId;
}

/**
 * Everything that the application may do in the tenant.
 * @throws DirectoryError `Request_ResourceNotFound`
 */
export async function readApplicationAccess(permit: Read, id: ObjectId): Promise<ApplicationAccess> {
  const [present] = await permit.query<PresentApplication & Record<string, unknown>>({
    text: `${PRESENT} and s.id = $2`,
    values: [permit.tenantId, id],
  });
  if (!present) throw notFound();
  const [{ count: peopleCount } = { count: 0 }] = await permit.query<{ count: number }>({
    text: `select count(distinct principal_id)::int as count from oauth2_permission_grants where tenant_id = $1 and client_id = $2`,
    values: [permit.tenantId, id],
  });
  return {
    ...present,
    delegated: await readDelegated(permit, id),
    application: await readApplicationOnly(permit, id),
    peopleCount,
  };
}

/** Of several consents to one scope the last counts. */
function readDelegated(permit: Read, id: ObjectId): Promise<DelegatedAccess[]> {
  return permit.query<DelegatedAccess & Record<string, unknown>>({
    text: `select g.id, g.resource_id as "resourceId", ${RESOURCE} as "resourceDisplayName", g.consent_type as "consentType",
        g.principal_id as "principalId", u.display_name as "principalDisplayName", g.created_at as "createdDateTime",
        g.last_used_at as "lastUsedDateTime",
        (select jsonb_agg(jsonb_build_object('value', s.value, 'grantedDateTime', o.origin ->> 'at',
              'policy', o.origin ->> 'policy', 'consentRequestId', o.origin ->> 'requestId',
              'grantedBy', case when o.origin is not null then ${WHO(`(o.origin ->> 'by')::uuid`)} end) order by s.place)
          from unnest(g.scope) with ordinality s (value, place)
          left join lateral (select e.origin from jsonb_array_elements(g.origins) with ordinality e (origin, place)
            where e.origin -> 'scopes' ? s.value order by e.place desc limit 1) o on true) as scopes
      from oauth2_permission_grants g
      join service_principals r on r.tenant_id = $1 and r.id = g.resource_id
      left join users u on u.tenant_id = $1 and u.id = g.principal_id
      where g.tenant_id = $1 and g.client_id = $2
      order by g.principal_id is not null, 3, u.display_name, g.id limit ${MOST_PEOPLE}`,
    values: [permit.tenantId, id],
  });
}

function readApplicationOnly(permit: Read, id: ObjectId): Promise<ApplicationOnlyAccess[]> {
  return permit.query<ApplicationOnlyAccess & Record<string, unknown>>({
    text: `select x.id, x.resource_id as "resourceId", ${RESOURCE} as "resourceDisplayName", x.app_role_id as "appRoleId",
        (select e ->> 'value' from jsonb_array_elements(coalesce(a.app_roles, p.app_roles)) e
          where e ->> 'id' = x.app_role_id::text limit 1) as value,
        ${WHO('x.granted_by')} as "grantedBy",
        x.created_at as "createdDateTime", x.last_used_at as "lastUsedDateTime"
      from app_role_assignments x
      join service_principals r on r.tenant_id = $1 and r.id = x.resource_id
      left join applications a on a.tenant_id = $1 and a.app_id = r.app_id
      left join published_applications p on p.app_id = r.app_id and a.id is null
      where x.tenant_id = $1 and x.service_principal_id = $2 order by 3, 5`,
    values: [permit.tenantId, id],
  });
}
