import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { ObjectChange } from '../vocabulary/objects.ts';

/** Of a record; an API that thousands were assigned to is not written down whole. */
const MAX_RECORDED = 1_000;

const GRANTS = (which: string) => `select 'OAuth2PermissionGrant' as type, id, jsonb_build_object('clientId', client_id,
    'resourceId', resource_id, 'principalId', principal_id, 'scope', array_to_string(scope, ' ')) as before
  from oauth2_permission_grants where tenant_id = $1 and ${which}`;
const ASSIGNMENTS = (which: string) => `select 'AppRoleAssignment' as type, id, jsonb_build_object('principalId',
    coalesce(service_principal_id, user_id, group_id), 'resourceId', resource_id, 'appRoleId', app_role_id) as before
  from app_role_assignments where tenant_id = $1 and ${which}`;
const ROLES = (
  which: string,
) => `select 'RoleAssignment' as type, id, jsonb_build_object('roleDefinitionId', role_definition_id,
    'principalId', coalesce(user_id, service_principal_id)) as before from role_assignments where tenant_id = $1 and ${which}`;
const MEMBERSHIPS = (
  which: string,
) => `select 'Group' as type, group_id as id, jsonb_build_object('member', user_id) as before
  from group_members where tenant_id = $1 and ${which}`;

const DEPENDENTS = {
  ServicePrincipal: [
    GRANTS('(client_id = $2 or resource_id = $2)'),
    ASSIGNMENTS('(service_principal_id = $2 or resource_id = $2)'),
    ROLES('service_principal_id = $2'),
  ],
  User: [GRANTS('principal_id = $2'), ASSIGNMENTS('user_id = $2'), ROLES('user_id = $2'), MEMBERSHIPS('user_id = $2')],
  Group: [ASSIGNMENTS('group_id = $2'), MEMBERSHIPS('group_id = $2')],
} as const;

/**
 * Rights that end along with an object, because Postgres deletes them with it: call before, so that the record of the
 * deletion says which consents, assignments and memberships it took away.
 */
export async function readDependents(
  permit: Permit<Action>,
  kind: keyof typeof DEPENDENTS,
  id: ObjectId,
): Promise<ObjectChange[]> {
  const rows = await permit.query<Pick<ObjectChange, 'type' | 'id'> & { before: object }>({
    text: `${DEPENDENTS[kind].join(' union all ')} limit ${MAX_RECORDED}`,
    values: [permit.tenantId, id],
  });
  return rows.map(({ type, id, before }) => ({ type, id, displayName: null, before }));
}
