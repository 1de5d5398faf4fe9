import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import type { ApplicationManifest } from './schema.ts';

interface Published {
  readonly id?: string | undefined;
  readonly value: string;
}

/**
 * Ids of what an API publishes, by `Scope value` and `Role value`. Of an application in a manifest only those with a
 * fixed id are known before it is made.
 */
export function permissionIds(
  resourceAppId: string,
  applications: readonly Pick<ApplicationManifest, 'appId' | 'api' | 'appRoles'>[],
): ReadonlyMap<string, string> {
  const resource = applications.find(({ appId }) => appId === resourceAppId);
  const isDirectory = resourceAppId === DIRECTORY_APP_ID;
  const scopes: readonly Published[] = isDirectory
    ? DIRECTORY_API.oauth2PermissionScopes
    : (resource?.api?.oauth2PermissionScopes ?? []);
  const roles: readonly Published[] = isDirectory ? DIRECTORY_API.appRoles : (resource?.appRoles ?? []);
  const entries = (type: string, published: readonly Published[]) =>
    published.flatMap(({ id, value }) => (id === undefined ? [] : [[`${type} ${value}`, id] as const]));
  return new Map([...entries('Scope', scopes), ...entries('Role', roles)]);
}
