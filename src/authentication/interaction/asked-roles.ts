import type { ClientDefinition, ClientState, ResourceState } from '../../authorization/internal/clients.ts';
import type { PermissionGroup } from '../pages/permissions.ts';
import type { Resources } from '../resources.ts';
import { requiredAccess } from './asked-permissions.ts';

/** App roles that an application requires of one resource, for itself. */
export interface AskedRoles {
  readonly resource: ResourceState;
  readonly roles: readonly (ResourceState['appRoles'][number] & { readonly isAssigned: boolean })[];
}

/** The application-only part of an application's `requiredResourceAccess`, next to what is assigned already. */
export async function requiredRoles(
  resources: Resources,
  { requiredResourceAccess }: ClientDefinition,
  { appRoles: assigned }: ClientState,
): Promise<readonly AskedRoles[]> {
  const found = await Promise.all(
    requiredAccess(requiredResourceAccess).map(async ({ resourceAppId, roleIds }): Promise<AskedRoles[]> => {
      const resource = await resources.find(`api://${resourceAppId}`);
      const wanted = (resource?.appRoles ?? []).filter((role) => isForApplications(role) && roleIds.has(role.id));
      const isAssigned = (id: string) =>
        assigned.some((one) => one.resourceAppId === resource?.appId && one.appRoleId === id);
      return resource && wanted.length > 0
        ? [{ resource, roles: wanted.map((role) => ({ ...role, isAssigned: isAssigned(role.id) })) }]
        : [];
    }),
  );
  return found.flat();
}

export function roleGroups(asked: readonly AskedRoles[]): PermissionGroup[] {
  return asked.map(({ resource, roles }) => ({
    resource: resource.displayName,
    permissions: roles.map(({ value, displayName, description, isAssigned }) => ({
      value: value ?? '',
      title: displayName || value || '',
      description: description || undefined,
      state: isAssigned ? 'grantedToEverybody' : 'new',
    })),
  }));
}

function isForApplications({ isEnabled = true, allowedMemberTypes = [] }: ResourceState['appRoles'][number]): boolean {
  return isEnabled && allowedMemberTypes.includes('Application');
}
