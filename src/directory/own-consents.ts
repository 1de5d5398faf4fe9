import type { Permit } from '../store/permit.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import { NAME_OF_THE_GONE } from './service-principals.ts';

/** An application that may act for a person: by his own consent, or by his organization's where he uses it. */
export interface MyApplication {
  /** Its service principal. */
  readonly id: ObjectId;
  readonly displayName: string;
  /** Titles of the permissions, in the words of their APIs. */
  readonly permissions: readonly string[];
  /** At least one of the permissions rests on the person's own consent. */
  readonly isByOwnConsent: boolean;
}

export async function listMyApplications(
  permit: Permit<'directory/oAuth2PermissionGrants/standard/read'>,
  userId: ObjectId,
): Promise<readonly MyApplication[]> {
  return permit.query<MyApplication & Record<string, unknown>>({
    text: `select c.id, coalesce(a.display_name, p.display_name, '${NAME_OF_THE_GONE}') as "displayName",
        bool_or(g.principal_id is not null) as "isByOwnConsent",
        array_agg(distinct coalesce(e ->> 'userConsentDisplayName', e ->> 'adminConsentDisplayName', s)) as permissions
      from oauth2_permission_grants g
      join service_principals c on c.tenant_id = $1 and c.id = g.client_id
      join service_principals r on r.tenant_id = $1 and r.id = g.resource_id
      left join applications a on a.tenant_id = $1 and a.app_id = c.app_id
      left join published_applications p on p.app_id = c.app_id and a.id is null
      left join applications ra on ra.tenant_id = $1 and ra.app_id = r.app_id
      left join published_applications rp on rp.app_id = r.app_id and ra.id is null
      cross join unnest(g.scope) s
      left join lateral jsonb_array_elements(coalesce(ra.oauth2_permission_scopes, rp.oauth2_permission_scopes)) e
        on e ->> 'value' = s
      where g.tenant_id = $1 and (g.principal_id = $2 or g.principal_id is null and exists (
        select from token_families f where f.tenant_id = $1 and f.user_id = $2 and f.service_principal_id = c.id))
      group by c.id, 2 order by 2, 1 limit 200`,
    values: [permit.tenantId, userId],
  });
}
