import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import { notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, RoleAssignment, Written } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable } from './listable.ts';

const LISTED: Listable = {
  name: 'role-assignments',
  from: 'role_assignments',
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY },
    roleDefinitionId: { sql: 'role_definition_id', type: 'guid', filter: EQUALITY },
    principalId: { sql: 'coalesce(user_id, service_principal_id)', type: 'guid', filter: EQUALITY },
  },
};

export function listRoleAssignments(
  permit: Permit<'directory/roleAssignments/standard/read'>,
  query: ListQuery,
): Promise<Page<RoleAssignment>> {
  return readPage<RoleAssignment>(permit, LISTED, query);
}

/**
 * Gives a person a directory role.
 * @throws DirectoryError `Request_ResourceNotFound`, `Request_MultipleObjectsWithSameKeyValue` when he holds it
 */
export async function createRoleAssignment(
  permit: Permit<'directory/roleAssignments/create'>,
  { roleDefinitionId, principalId }: { readonly roleDefinitionId: string; readonly principalId: ObjectId },
): Promise<Written<RoleAssignment>> {
  const id = newObjectId();
  const rows = await permit.query({
    text: `insert into role_assignments (tenant_id, id, role_definition_id, user_id)
      select $1, $2, $3, u.id from users u where u.tenant_id = $1 and u.id = $4 returning true as inserted`,
    values: [permit.tenantId, id, roleDefinitionId, principalId],
  });
  if (rows.length === 0) throw notFound();
  const after = { id, roleDefinitionId, principalId };
  return { value: after, changes: [{ type: 'RoleAssignment', id, after }] };
}

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
