import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import { isPrivilegedAppRole } from '../vocabulary/permissions.ts';

/**
 * How far a caller's right to consent must reach to change what an application signs in with: as far as the
 * application's own rights (CON-16). A directory role or a privileged app role of its service principal needs `all`.
 */
export async function readPrivilege(permit: Permit<Action>, applicationId: ObjectId): Promise<{ reach?: 'all' }> {
  const [row] = await permit.query<{ hasRole: boolean; appRoles: string[] }>({
    text: `select exists (select from role_assignments r where r.tenant_id = $1 and r.service_principal_id = s.id) as "hasRole",
        array(select x.app_role_id from app_role_assignments x where x.tenant_id = $1 and x.service_principal_id = s.id) as "appRoles"
      from applications a join service_principals s on s.tenant_id = $1 and s.app_id = a.app_id
      where a.tenant_id = $1 and a.id = $2`,
    values: [permit.tenantId, applicationId],
  });
  return row && (row.hasRole || row.appRoles.some(isPrivilegedAppRole)) ? { reach: 'all' } : {};
}
