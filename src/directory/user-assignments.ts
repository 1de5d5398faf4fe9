import type { Permit } from '../store/permit.ts';

/** What a person was assigned on an application, himself or through his groups. */
export interface UserAssignment {
  readonly isAssigned: boolean;
  /** Values of app roles that are published for users. */
  readonly roles: readonly string[];
}

/** SQL: whether an assignment is the person's, or that of a group that he is a direct member of. `$1` is the tenant. */
export const OF_USER = (assignment: string, user: string) => `(${assignment}.user_id = ${user}
  or ${assignment}.group_id in (select m.group_id from group_members m where m.tenant_id = $1 and m.user_id = ${user}))`;

/** SQL: whether a service principal is for everybody, or the person is assigned to it. `$1` is the tenant. */
export function OPEN_TO(servicePrincipal: string, user: string): string {
  return `(not ${servicePrincipal}.app_role_assignment_required or exists (select from app_role_assignments o
    where o.tenant_id = $1 and o.resource_id = ${servicePrincipal}.id and ${OF_USER('o', user)}))`;
}

/** Groups count directly: a member of a group of a group is not assigned, as in Entra. */
export async function readUserAssignment(
  permit: Permit<'authentication/accounts/read'>,
  { userId, appId }: { readonly userId: string; readonly appId: string },
): Promise<UserAssignment> {
  const [row] = await permit.query<{ isAssigned: boolean; roles: string[] }>({
    name: 'read-user-assignment',
    text: `select count(x.id) > 0 as "isAssigned",
        coalesce(array_agg(distinct role ->> 'value') filter (where role ->> 'value' is not null), '{}') as roles
      from service_principals s
      left join applications a on a.tenant_id = $1 and a.app_id = s.app_id
      left join published_applications p on p.app_id = s.app_id and a.id is null
      join app_role_assignments x on x.tenant_id = $1 and x.resource_id = s.id and ${OF_USER('x', '$2')}
      left join lateral jsonb_array_elements(coalesce(a.app_roles, p.app_roles)) role
        on role ->> 'id' = x.app_role_id::text and coalesce((role ->> 'isEnabled')::boolean, true)
          and role -> 'allowedMemberTypes' ? 'User'
      where s.tenant_id = $1 and s.app_id = $3`,
    values: [permit.tenantId, userId, appId],
  });
  return row ?? { isAssigned: false, roles: [] };
}
