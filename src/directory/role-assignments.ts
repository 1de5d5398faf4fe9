import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import { directoryRoleNamed } from '../vocabulary/directory-roles.ts';
import { DirectoryError, notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, RoleAssignment, Written } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable } from './listable.ts';
import { takeTurnOfTenant } from './turns.ts';

const COLUMNS: Listable['columns'] = {
  id: { sql: 'id', type: 'guid', filter: EQUALITY, notNull: true },
  roleDefinitionId: { sql: 'role_definition_id', type: 'guid', filter: EQUALITY },
  principalId: { sql: 'coalesce(user_id, service_principal_id)', type: 'guid', filter: EQUALITY },
  directoryScopeId: { sql: "'/'::text", type: 'string', filter: EQUALITY },
};
const LISTED: Listable = { name: 'role-assignments', from: 'role_assignments', columns: COLUMNS };
const SELECTED = Object.entries(COLUMNS)
  .map(([name, { sql }]) => `${sql} as "${name}"`)
  .join(', ');
const GLOBAL_ADMINISTRATOR = directoryRoleNamed('Global Administrator')?.id ?? '';

type Read = Permit<
  'directory/roleAssignments/standard/read' | 'directory/roleAssignments/create' | 'directory/roleAssignments/delete'
>;

export function listRoleAssignments(
  permit: Permit<'directory/roleAssignments/standard/read'>,
  query: ListQuery,
): Promise<Page<RoleAssignment>> {
  return readPage<RoleAssignment>(permit, LISTED, query);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readRoleAssignment(permit: Read, id: ObjectId): Promise<RoleAssignment> {
  const [assignment] = await permit.query<RoleAssignment>({
    text: `select ${SELECTED} from role_assignments where tenant_id = $1 and id = $2`,
    values: [permit.tenantId, id],
  });
  if (!assignment) throw notFound();
  return assignment;
}

/**
 * Gives a person or a service principal a directory role.
 * @throws DirectoryError `Request_ResourceNotFound`, `Request_MultipleObjectsWithSameKeyValue` for one who holds it
 */
export async function createRoleAssignment(
  permit: Permit<'directory/roleAssignments/create'>,
  { roleDefinitionId, principalId }: { readonly roleDefinitionId: string; readonly principalId: ObjectId },
): Promise<Written<RoleAssignment>> {
  const id = newObjectId();
  const rows = await permit.query({
    text: `insert into role_assignments (tenant_id, id, role_definition_id, user_id, service_principal_id)
      select $1, $2, $3, x.user_id, x.service_principal_id from (
        select id as user_id, null::uuid as service_principal_id from users where tenant_id = $1 and id = $4
        union all select null, id from service_principals where tenant_id = $1 and id = $4) x
      returning true as inserted`,
    values: [permit.tenantId, id, roleDefinitionId, principalId],
  });
  if (rows.length === 0) throw notFound();
  const after = await readRoleAssignment(permit, id);
  return { value: after, changes: [changed(undefined, after)] };
}

/**
 * Takes a directory role back.
 * @throws DirectoryError `Request_ResourceNotFound`, `Authorization_RequestDenied` for the last Global Administrator
 */
export async function deleteRoleAssignment(
  permit: Permit<'directory/roleAssignments/delete'>,
  id: ObjectId,
): Promise<Written<undefined>> {
  const before = await readRoleAssignment(permit, id);
  if (before.roleDefinitionId === GLOBAL_ADMINISTRATOR) await requireAnotherAdministrator(permit, before.principalId);
  const rows = await permit.query({
    text: 'delete from role_assignments where tenant_id = $1 and id = $2 returning true as deleted',
    values: [permit.tenantId, id],
  });
  if (rows.length === 0) throw notFound();
  return { value: undefined, changes: [changed(before, undefined)] };
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

/**
 * Call before a person loses the role of Global Administrator, is disabled or deleted. All who do so take
 * turns, and each counts what the one before has left: no two of them can each rely on the other's administrator (GST-17).
 * @throws DirectoryError `Authorization_RequestDenied` when no other enabled person would hold the role
 */
export async function requireAnotherAdministrator(permit: Permit<Action>, userId: ObjectId): Promise<void> {
  const values = [permit.tenantId, GLOBAL_ADMINISTRATOR];
  await takeTurnOfTenant(permit, 'lastAdministrator');
  const held = await permit.query({
    text: 'select from role_assignments where tenant_id = $1 and role_definition_id = $2 and user_id = $3',
    values: [...values, userId],
  });
  if (held.length === 0) return;
  const others = await permit.query({
    text: `select from role_assignments a join users u on u.tenant_id = a.tenant_id and u.id = a.user_id and u.account_enabled
      where a.tenant_id = $1 and a.role_definition_id = $2 and u.id <> $3 limit 1`,
    values: [...values, userId],
  });
  if (others.length === 0) {
    throw new DirectoryError(
      'Authorization_RequestDenied',
      'This is the last Global Administrator who can sign in. Give the role to somebody else first.',
    );
  }
}

function changed(before: RoleAssignment | undefined, after: RoleAssignment | undefined) {
  return { type: 'RoleAssignment' as const, id: (after ?? before)?.id ?? '', displayName: null, before, after };
}
