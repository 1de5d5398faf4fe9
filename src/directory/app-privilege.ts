import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import { DIRECTORY_APP_ID, isPrivilegedAppRole, isPrivilegedScope } from '../vocabulary/permissions.ts';

/** What of an application's rights decides who may change what it signs in with. */
export interface AppPrivilege {
  /**
   * A directory role or a privileged app role: nobody whose right to consent does not reach as far. For privileged scopes
   * an owner without a role does not reach far enough.
   */
  readonly reach?: 'all' | 'exceptDirectoryAppRoles';
  /** Privileged scopes, with which it waits for an administrator to sign in. */
  readonly byPeopleAlone?: true;
}

/**
 * Whoever sets a redirect URI or a credential of an application has its rights: the caller's own must reach as far
 * (CON-16). Only the application's rights in this tenant count.
 */
export async function readPrivilege(permit: Permit<Action>, applicationId: ObjectId): Promise<AppPrivilege> {
  const [row] = await permit.query<{ hasRole: boolean; appRoles: string[]; scopes: string[] }>({
    text: `select exists (select from role_assignments r where r.tenant_id = $1 and r.service_principal_id = s.id) as "hasRole",
        array(select x.app_role_id from app_role_assignments x
          where x.tenant_id = $1 and x.service_principal_id = s.id and x.resource_id = d.id) as "appRoles",
        array(select unnest(g.scope) from oauth2_permission_grants g
          where g.tenant_id = $1 and g.client_id = s.id and g.resource_id = d.id) as scopes
      from applications a join service_principals s on s.tenant_id = $1 and s.app_id = a.app_id
      left join service_principals d on d.tenant_id = $1 and d.app_id = $3
      where a.tenant_id = $1 and a.id = $2`,
    values: [permit.tenantId, applicationId, DIRECTORY_APP_ID],
  });
  if (!row) return {};
  if (row.hasRole || row.appRoles.some(isPrivilegedAppRole)) return { reach: 'all' };
  return row.scopes.some(isPrivilegedScope) ? { byPeopleAlone: true, reach: 'exceptDirectoryAppRoles' } : {};
}

/** Whether the scopes are such of the directory API by which somebody else's administrator would lend his powers. */
export async function isGrantPrivileged(
  permit: Permit<Action>,
  resourceId: ObjectId,
  scopes: readonly string[],
): Promise<boolean> {
  const rows = await permit.query({
    text: 'select from service_principals where tenant_id = $1 and id = $2 and app_id = $3',
    values: [permit.tenantId, resourceId, DIRECTORY_APP_ID],
  });
  return rows.length > 0 && scopes.some(isPrivilegedScope);
}
