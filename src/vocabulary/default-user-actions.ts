import type { DirectoryAction } from './actions.ts';

/** What every member may do throughout the tenant without any directory role: basic reads. */
export const DEFAULT_USER_ACTIONS: ReadonlySet<DirectoryAction> = new Set([
  'directory/organization/standard/read',
  'directory/users/standard/read',
  'directory/groups/standard/read',
  'directory/groups/members/read',
  'directory/applications/standard/read',
  'directory/servicePrincipals/standard/read',
]);

/**
 * What every member may do where the target is himself: his own user, a grant whose principal he is, an application that
 * he owns. A user's own consent is an action of its own, which the consent page alone performs, never an application by a token.
 */
export const OWN_USER_ACTIONS: ReadonlySet<DirectoryAction> = new Set([
  'directory/users/ownPassword/update',
  'directory/users/signInSessions/revoke',
  'directory/oAuth2PermissionGrants/standard/read',
  'directory/oAuth2PermissionGrants/ownConsent/create',
  'directory/oAuth2PermissionGrants/delete',
  // His own requests for consent, and all of them where he is a reviewer now.
  'directory/appConsentRequests/ownRequest/create',
  'directory/appConsentRequests/standard/read',
  'directory/appConsentRequests/review',
  'directory/servicePrincipals/ownAccess/revoke',
  // Applications of which he is an owner.
  'directory/applications/basic/update',
  'directory/applications/delete',
  'directory/applications/credentials/update',
  'directory/applications/owners/read',
  'directory/applications/owners/update',
]);
