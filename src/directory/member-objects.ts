import type { Permit } from '../store/permit.ts';
import { notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';

/** Graph's limit of one answer. */
const MAX_IDS = 11_000;

/**
 * The ids of all that a person is a member of: his groups, and unless security groups alone are asked for, his directory
 * roles. It is where a token points whose groups are too many for it.
 * @throws DirectoryError `Request_ResourceNotFound`
 */
export async function listMemberObjects(
  permit: Permit<'directory/groups/members/read'>,
  userId: ObjectId,
  securityEnabledOnly: boolean,
): Promise<readonly string[]> {
  const [user] = await permit.query<{ ids: string[] }>({
    text: `select array(
        select m.group_id from group_members m join groups g on g.tenant_id = $1 and g.id = m.group_id
          where m.tenant_id = $1 and m.user_id = u.id and (g.security_enabled or not $3)
        union all select r.role_definition_id from role_assignments r where r.tenant_id = $1 and r.user_id = u.id and not $3
        order by 1 limit ${MAX_IDS}) as ids
      from users u where u.tenant_id = $1 and u.id = $2`,
    values: [permit.tenantId, userId, securityEnabledOnly],
  });
  if (!user) throw notFound();
  return user.ids;
}
