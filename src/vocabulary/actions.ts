/**
 * Resource actions, named as Entra names them (without the `microsoft.` prefix): `area/objects/aspect/verb`.
 * A directory role (config/directory-roles.json) is a list of these; a permit is opened for exactly one.
 */
export const DIRECTORY_ACTIONS = [
  'directory/organization/standard/read',
  'directory/organization/basic/update',
  'directory/users/standard/read',
  'directory/users/create',
  'directory/users/basic/update',
  'directory/users/accountEnabled/update',
  'directory/users/delete',
  'directory/users/password/update',
  'directory/users/ownPassword/update',
  'directory/users/signInSessions/revoke',
  'directory/groups/standard/read',
  'directory/groups/create',
  'directory/groups/basic/update',
  'directory/groups/delete',
  'directory/groups/members/read',
  'directory/groups/members/update',
  'directory/applications/standard/read',
  'directory/applications/create',
  'directory/applications/basic/update',
  'directory/applications/delete',
  'directory/applications/credentials/update',
  'directory/servicePrincipals/standard/read',
  'directory/servicePrincipals/create',
  'directory/servicePrincipals/basic/update',
  'directory/servicePrincipals/delete',
  'directory/servicePrincipals/appRoleAssignments/read',
  'directory/servicePrincipals/appRoleAssignments/update',
  'directory/oAuth2PermissionGrants/standard/read',
  'directory/oAuth2PermissionGrants/create',
  'directory/oAuth2PermissionGrants/ownConsent/create',
  'directory/oAuth2PermissionGrants/basic/update',
  'directory/oAuth2PermissionGrants/delete',
  'directory/roleDefinitions/standard/read',
  'directory/roleAssignments/standard/read',
  'directory/roleAssignments/create',
  'directory/roleAssignments/delete',
  'directory/auditLogs/standard/read',
  'directory/signInLogs/standard/read',
] as const;

export type DirectoryAction = (typeof DIRECTORY_ACTIONS)[number];

/**
 * Actions of the product's own named principals. They are never in a directory role, and each internal principal has a
 * short list of them (authorization/internal-principals.ts).
 */
export const INTERNAL_ACTIONS = [
  'authentication/tenants/resolve',
  'authentication/clients/read',
  'authentication/secrets/markUsed',
  'authentication/resources/read',
  'authentication/accounts/read',
  'authentication/passwords/read',
  'authentication/passwords/rehash',
  'authentication/throttles/update',
  'authentication/signIns/create',
  'authentication/signingKeys/read',
  'authentication/signingKeys/create',
  'authentication/signingKeys/rotate',
  'authentication/artifacts/read',
  'authentication/artifacts/write',
  'authentication/tokens/issue',
  'authentication/tokens/read',
  'authentication/families/revoke',
  'authentication/expired/delete',
  'authorization/refusals/create',
  'authorization/versions/read',
  'directory/tenants/create',
  'directory/tenants/basic/update',
] as const;

export type InternalAction = (typeof INTERNAL_ACTIONS)[number];
export type Action = DirectoryAction | InternalAction;
