import type { Permit } from '../store/permit.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { MyApplication, MyPermission } from '../vocabulary/my-applications.ts';
import { NAME_OF_THE_GONE } from './service-principals.ts';

/** What may act for the person: by his own consent, or by his organization's where he uses it. */
export async function listMyApplications(
  permit: Permit<'directory/oAuth2PermissionGrants/standard/read'>,
  userId: ObjectId,
): Promise<readonly MyApplication[]> {
  const rows = await permit.query<MyRow>({
    text: `select c.id, c.app_id as "appId", coalesce(a.display_name, p.display_name, '${NAME_OF_THE_GONE}') as "displayName",
        coalesce(ra.display_name, rp.display_name, '${NAME_OF_THE_GONE}') as resource, s as value,
        coalesce(e ->> 'userConsentDisplayName', e ->> 'adminConsentDisplayName', s) as title,
        bool_or(g.principal_id is not null) as "isByYou", min(g.created_at) as since, max(g.last_used_at) as "lastUsed"
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
      group by 1, 2, 3, 4, 5, 6 order by 3, 1, 4, 5 limit 2000`,
    values: [permit.tenantId, userId],
  });
  return [...Map.groupBy(rows, ({ id }) => id).values()].map(applicationOf);
}

interface MyRow extends MyPermission, Record<string, unknown> {
  readonly id: ObjectId;
  readonly appId: string;
  readonly displayName: string;
  readonly since: Date;
  readonly lastUsed: Date | null;
}

function applicationOf(rows: readonly MyRow[]): MyApplication {
  const [first] = rows as [MyRow]; // a group has at least one
  const times = (of: (row: MyRow) => Date | null) => rows.flatMap((row) => of(row)?.getTime() ?? []);
  const used = times(({ lastUsed }) => lastUsed);
  return {
    id: first.id,
    appId: first.appId,
    displayName: first.displayName,
    since: new Date(Math.min(...times(({ since }) => since))),
    lastUsed: used.length > 0 ? new Date(Math.max(...used)) : null,
    permissions: rows.map(({ resource, value, title, isByYou }) => ({ resource, value, title, isByYou })),
  };
}
