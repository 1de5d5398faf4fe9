import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import { notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';

/**
 * The role definition ids that a person holds: a fact that decides who may act on that person.
 * @throws DirectoryError `Request_ResourceNotFound`
 */
export async function readTargetRoles(permit: Permit<Action>, userId: ObjectId): Promise<string[]> {
  const [row] = await permit.query<{ roles: string[] }>({
    text: `select array(select a.role_definition_id from role_assignments a where a.tenant_id = $1 and a.user_id = u.id) as roles
      from users u where u.tenant_id = $1 and u.id = $2`,
    values: [permit.tenantId, userId],
  });
  if (!row) throw notFound();
  return row.roles;
}
