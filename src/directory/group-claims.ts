import type { Permit } from '../store/permit.ts';
import type { GroupMembershipClaims } from '../vocabulary/applications.ts';

export interface GroupQuestion {
  readonly userId: string;
  /** Whose assignments count for `ApplicationGroup`. */
  readonly appId: string;
  readonly kind: Exclude<GroupMembershipClaims, 'None' | 'DirectoryRole'>;
  /** At most so many ids are of use: one more is read, which says that there are more. */
  readonly limit: number;
}

/** The ids of a person's groups, as a token would name them, in order. */
export async function readGroupIds(
  permit: Permit<'authentication/accounts/read'>,
  { userId, appId, kind, limit }: GroupQuestion,
): Promise<readonly string[]> {
  const rows = await permit.query<{ id: string }>({
    name: 'read-group-ids',
    text: `select m.group_id as id from group_members m join groups g on g.tenant_id = $1 and g.id = m.group_id
      where m.tenant_id = $1 and m.user_id = $2 and case $4
        when 'All' then true
        when 'SecurityGroup' then g.security_enabled
        else exists (select from app_role_assignments x
          join service_principals s on s.tenant_id = $1 and s.id = x.resource_id and s.app_id = $3
          where x.tenant_id = $1 and x.group_id = g.id) end
      order by m.group_id limit $5`,
    values: [permit.tenantId, userId, appId, kind, limit + 1],
  });
  return rows.map(({ id }) => id);
}
