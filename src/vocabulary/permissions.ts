import directoryApi from '../../config/directory-api.json' with { type: 'json' };

/** The appId of the directory API: Microsoft Graph's, so that Graph clients feel at home. */
export const DIRECTORY_APP_ID = '00000003-0000-0000-c000-000000000000';

/** Its identifier URI next to the configured directory origin. */
export const GRAPH_IDENTIFIER_URI = 'https://graph.microsoft.com';

export const OIDC_SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const;

/** Of policies and requests for consent: there is a scope and an app role of each. */
const POLICY_PERMISSIONS = [
  'Policy.Read.All',
  'Policy.Read.PermissionGrant',
  'Policy.ReadWrite.PermissionGrant',
  'Policy.ReadWrite.Authorization',
  'Policy.ReadWrite.ConsentRequest',
  'ConsentRequest.Read.All',
  'ConsentRequest.ReadWrite.All',
] as const;

/** Values of the directory API's `oauth2PermissionScopes`: what an application may do for a signed-in user. */
export const DELEGATED_PERMISSIONS = [
  ...OIDC_SCOPES,
  'User.Read',
  'User.ReadWrite',
  'User.ReadBasic.All',
  'User.Read.All',
  'User.ReadWrite.All',
  'User-PasswordProfile.ReadWrite.All',
  'User.RevokeSessions.All',
  'Group.Read.All',
  'Group.ReadWrite.All',
  'GroupMember.Read.All',
  'GroupMember.ReadWrite.All',
  'Application.Read.All',
  'Application.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
  'Directory.AccessAsUser.All',
  'AuditLog.Read.All',
  'Organization.Read.All',
  'Organization.ReadWrite.All',
  'RoleManagement.Read.Directory',
  'RoleManagement.ReadWrite.Directory',
  'DelegatedPermissionGrant.Read.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'AppRoleAssignment.ReadWrite.All',
  ...POLICY_PERMISSIONS,
] as const;

/** Values of the directory API's `appRoles`: what an application may do on its own. */
export const APPLICATION_PERMISSIONS = [
  'User.ReadBasic.All',
  'User.Read.All',
  'User.ReadWrite.All',
  'User-PasswordProfile.ReadWrite.All',
  'User.RevokeSessions.All',
  'Group.Read.All',
  'Group.ReadWrite.All',
  'GroupMember.Read.All',
  'GroupMember.ReadWrite.All',
  'Application.Read.All',
  'Application.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
  'AuditLog.Read.All',
  'Organization.Read.All',
  'Organization.ReadWrite.All',
  'RoleManagement.Read.Directory',
  'RoleManagement.ReadWrite.Directory',
  'DelegatedPermissionGrant.Read.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'AppRoleAssignment.ReadWrite.All',
  ...POLICY_PERMISSIONS,
  'Application.ReadWrite.OwnedBy',
] as const;

export type DelegatedPermission = (typeof DELEGATED_PERMISSIONS)[number];
export type ApplicationPermission = (typeof APPLICATION_PERMISSIONS)[number];

/** A published delegated scope, in Graph's words. */
export interface PermissionScope {
  readonly id: string;
  readonly value: string;
  readonly type: 'User' | 'Admin';
  readonly isEnabled: boolean;
  readonly adminConsentDisplayName: string;
  readonly adminConsentDescription: string;
  readonly userConsentDisplayName: string;
  readonly userConsentDescription: string;
}

/**
 * A published application permission. `isPrivileged`: with it an application could give itself or others more than the
 * permission says, so that only a role whose `consents` is `all` may assign it, never an application by a token.
 */
export interface DirectoryAppRole {
  readonly id: string;
  readonly value: string;
  readonly allowedMemberTypes: readonly string[];
  readonly isEnabled: boolean;
  readonly isPrivileged: boolean;
  readonly displayName: string;
  readonly description: string;
}

function scopeType(type: string): 'User' | 'Admin' {
  if (type === 'User' || type === 'Admin') return type;
  throw new Error(`config/directory-api.json: "${type}" is not a type of scope`);
}

/** The directory API as an application that every tenant has (config/directory-api.json). */
export const DIRECTORY_API: {
  readonly appId: typeof DIRECTORY_APP_ID;
  readonly displayName: string;
  readonly oauth2PermissionScopes: readonly PermissionScope[];
  readonly appRoles: readonly DirectoryAppRole[];
} = {
  appId: DIRECTORY_APP_ID,
  displayName: directoryApi.displayName,
  oauth2PermissionScopes: directoryApi.oauth2PermissionScopes.map((scope) => ({
    ...scope,
    type: scopeType(scope.type),
  })),
  appRoles: directoryApi.appRoles,
};

const privilegedAppRoles: ReadonlySet<string> = new Set(
  directoryApi.appRoles.filter((role) => role.isPrivileged).map((role) => role.id),
);

/** Whether the id is that of an app role of the directory API from which more rights could be won. */
export function isPrivilegedAppRole(id: string): boolean {
  return privilegedAppRoles.has(id);
}

const privilegedScopes: ReadonlySet<string> = new Set([
  'Directory.AccessAsUser.All',
  // On its own an application decides no request; in a reviewer's name it could approve its own.
  'ConsentRequest.ReadWrite.All',
  ...directoryApi.appRoles.filter((role) => role.isPrivileged).map((role) => role.value),
]);

/** Whether the scope lends an application what makes an administrator one: with it, one who signs in suffices. */
export function isPrivilegedScope(value: string): boolean {
  return privilegedScopes.has(value);
}

/** The applications that every tenant of a deployment may know of; `migrate` writes them down. */
export function deploymentApplications(directoryOrigin: string) {
  return [{ ...DIRECTORY_API, identifierUris: [directoryOrigin, GRAPH_IDENTIFIER_URI] }];
}
