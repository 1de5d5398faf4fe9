import type { AnyOperation } from '../../src/authorization/operation.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { DIRECTORY_ORIGIN } from '../support/directory-server.ts';
import { nameOf, type Objects } from '../support/furnished-tenant.ts';
import { PNG } from '../support/pictures.ts';
import type { TestTenant } from '../support/tenants.ts';

/** A request of one operation. What it reads of `objects` is what another tenant must not be able to reach. */
export interface IsolationCase {
  /** Path parameters by name. */
  parameters?(objects: Objects, tenant: TestTenant): Readonly<Record<string, string>>;
  body?(objects: Objects, tenant: TestTenant): object;
  /** For an operation without a route: the sign-in pages' own, or the operator's. */
  input?(objects: Objects, tenant: TestTenant): object;
  /** The caller's directory roles, where it is not for a Global Administrator. */
  readonly roles?: readonly string[];
  /** What a foreign object is answered with, like a random one, where that is not 404. */
  readonly refusals?: { readonly [Name in keyof Objects]?: number };
}

const on = (name: keyof Objects) => ({ parameters: (objects: Objects) => ({ id: objects[name] }) });
const link = (id: string) => `${DIRECTORY_ORIGIN}/v1.0/users/${id}`;
const assign = (name: 'client' | 'member' | 'group') => ({
  ...on(name),
  body: (objects: Objects) => ({
    principalId: objects[name],
    resourceId: objects.resource,
    appRoleId: objects.appRole,
  }),
  // A role that the resource does not publish is a mistake of the caller: an app role is no object of its own.
  refusals: { appRole: 400 },
});
const unassign = (name: 'client' | 'user' | 'group', assignment: keyof Objects) => ({
  parameters: (objects: Objects) => ({ id: objects[name], assignmentId: objects[assignment] }),
});
const credentialOf = {
  parameters: ({ application, federatedCredential }: Objects) => ({
    id: application,
    credentialId: federatedCredential,
  }),
};
const set = (name: 'includeSet' | 'excludeSet') => ({
  parameters: (objects: Objects) => ({ id: objects.grantPolicy, setId: objects[name] }),
});
const classified = {
  parameters: ({ resource, classification }: Objects) => ({ id: resource, classificationId: classification }),
};
const partOfRequest = {
  parameters: ({ consentRequest, userConsentRequest }: Objects) => ({
    id: consentRequest,
    userConsentRequestId: userConsentRequest,
  }),
};
const password = 'correct horse battery staple';

/** A case for every operation of the catalogue, by its name. */
export const CASES: Readonly<Record<string, IsolationCase>> = {
  listOrganization: {},
  getOrganization: { parameters: (_objects, tenant) => ({ id: tenant.id }) },
  updateOrganization: {
    parameters: (_objects, tenant) => ({ id: tenant.id }),
    body: () => ({ displayName: 'Renamed' }),
  },

  listUsers: {},
  getUser: on('user'),
  getMe: {},
  createUser: {
    body: (_objects, { domain }) => ({
      userPrincipalName: `fresh-${crypto.randomUUID()}@${domain}`,
      displayName: 'Fresh',
      accountEnabled: true,
      passwordProfile: { password },
    }),
  },
  updateUser: { ...on('user'), body: () => ({ displayName: 'Changed', accountEnabled: false }) },
  deleteUser: on('user'),
  resetUserPassword: { ...on('user'), body: () => ({ passwordProfile: { password } }) },
  changeMyPassword: { body: () => ({ currentPassword: 'the old one', newPassword: password }) },
  revokeSignInSessions: on('user'),
  revokeMySignInSessions: {},

  listGroups: {},
  getGroup: on('group'),
  createGroup: {
    body: ({ user }) => ({
      displayName: 'Fresh',
      mailNickname: `fresh-${crypto.randomUUID()}`,
      'members@odata.bind': [link(user)],
    }),
  },
  updateGroup: { ...on('group'), body: ({ user }) => ({ description: 'Changed', 'members@odata.bind': [link(user)] }) },
  deleteGroup: on('group'),
  listGroupMembers: on('group'),
  addGroupMember: { input: ({ group, user }) => ({ id: group, userId: user }) },
  addGroupMemberReference: { ...on('group'), body: ({ user }) => ({ '@odata.id': link(user) }) },
  removeGroupMember: { parameters: ({ group, member }) => ({ id: group, userId: member }) },
  listUserMemberOf: on('member'),
  listMyMemberOf: {},

  listApplications: {},
  getApplication: on('application'),
  createApplication: { body: () => ({ displayName: 'Fresh' }) },
  updateApplication: { ...on('application'), body: () => ({ displayName: 'Changed' }) },
  deleteApplication: on('application'),
  addPassword: { ...on('application'), body: () => ({ passwordCredential: { displayName: 'Fresh' } }) },
  removePassword: { ...on('application'), body: ({ secret }) => ({ keyId: secret }) },

  listServicePrincipals: {},
  getServicePrincipal: on('client'),
  // What is not published is not there, whosever it is.
  createServicePrincipal: { body: ({ loneAppId }) => ({ appId: loneAppId }), refusals: { loneAppId: 400 } },
  updateServicePrincipal: { ...on('client'), body: () => ({ accountEnabled: false }) },
  deleteServicePrincipal: on('client'),
  listServicePrincipalAppRoleAssignments: on('client'),
  listAppRoleAssignedTo: on('resource'),
  createServicePrincipalAppRoleAssignment: assign('client'),
  deleteServicePrincipalAppRoleAssignment: unassign('client', 'clientAssignment'),
  listUserAppRoleAssignments: on('user'),
  createUserAppRoleAssignment: assign('member'),
  deleteUserAppRoleAssignment: unassign('user', 'userAssignment'),
  listGroupAppRoleAssignments: on('group'),
  createGroupAppRoleAssignment: assign('group'),
  deleteGroupAppRoleAssignment: unassign('group', 'groupAssignment'),

  listOAuth2PermissionGrants: {},
  getOAuth2PermissionGrant: on('grant'),
  listServicePrincipalOAuth2PermissionGrants: on('client'),
  listUserOAuth2PermissionGrants: on('member'),
  listMyOAuth2PermissionGrants: {},
  createOAuth2PermissionGrant: {
    body: ({ client, resource, user }) => ({
      clientId: client,
      resourceId: resource,
      consentType: 'Principal',
      principalId: user,
      scope: 'Read',
    }),
  },
  updateOAuth2PermissionGrant: { ...on('grant'), body: () => ({ scope: 'Read Write' }) },
  deleteOAuth2PermissionGrant: on('grant'),

  listRoleDefinitions: {},
  getRoleDefinition: { parameters: () => ({ id: '62e90394-69f5-4237-9190-012177145e10' }) },
  listRoleAssignments: {},
  getRoleAssignment: on('roleAssignment'),
  createRoleAssignment: {
    body: ({ user }) => ({ roleDefinitionId: '62e90394-69f5-4237-9190-012177145e10', principalId: user }),
  },
  deleteRoleAssignment: on('roleAssignment'),

  listMyApplications: { input: () => ({}) },
  consentForSelf: {
    input: ({ clientAppId, resource }) => ({
      appId: clientAppId,
      scopes: [{ resourceId: resource, values: ['Read'] }],
    }),
    refusals: { clientAppId: 400 },
  },
  consentForOrganization: {
    input: ({ clientAppId, resource, appRole }) => ({
      appId: clientAppId,
      scopes: [{ resourceId: resource, values: ['Read'] }],
      appRoles: [{ resourceId: resource, appRoleId: appRole }],
    }),
    refusals: { clientAppId: 400, appRole: 400 },
  },

  listDirectoryAudits: {},
  getDirectoryAudit: on('audit'),
  listSignIns: {},
  getSignIn: on('signIn'),

  // token decisions
  explainToken: { body: (objects) => ({ clientAppId: DIRECTORY_APP_ID, userId: objects.user }) },
  // Registration
  registerClient: { body: () => ({ redirect_uris: ['https://app.example/callback'] }) },

  // Access revocation.
  revokeAccess: { ...on('client'), body: ({ member }) => ({ principalId: member }) },
  getServicePrincipalAccess: on('client'),
  listPresentApplications: { input: () => ({}) },
  revokeMyAccess: { body: ({ client }) => ({ servicePrincipalId: client }) },
  // Owners, publishers
  listApplicationOwners: on('application'),
  addApplicationOwner: { ...on('application'), body: ({ member }) => ({ '@odata.id': link(member) }) },
  removeApplicationOwner: { parameters: ({ application, user }) => ({ id: application, ownerId: user }) },
  listServicePrincipalOwners: on('client'),
  addServicePrincipalOwner: { ...on('client'), body: ({ member }) => ({ '@odata.id': link(member) }) },
  removeServicePrincipalOwner: { parameters: ({ client, user }) => ({ id: client, ownerId: user }) },
  setVerifiedPublisher: {
    ...on('application'),
    body: (_objects, { domain }) => ({ verifiedPublisherId: domain }),
  },
  unsetVerifiedPublisher: on('application'),
  withdrawApplication: { ...on('application'), body: () => ({ tenantId: crypto.randomUUID() }) },
  restoreApplicationAccess: { ...on('application'), body: () => ({ tenantId: crypto.randomUUID() }) },
  createAppRoleAssignedTo: {
    ...on('resource'),
    body: ({ member, resource, appRole }) => ({ principalId: member, resourceId: resource, appRoleId: appRole }),
    refusals: { appRole: 400 },
  },
  putApplicationLogo: { ...on('application'), body: () => PNG },
  deleteApplicationLogo: on('application'),
  getMemberObjects: { ...on('member'), body: () => ({ securityEnabledOnly: true }) },
  getMyMemberObjects: { body: () => ({}) },
  deleteAppRoleAssignedTo: {
    parameters: ({ resource, clientAssignment }) => ({ id: resource, assignmentId: clientAssignment }),
  },
  // Federated identity credentials
  listFederatedIdentityCredentials: on('application'),
  getFederatedIdentityCredential: credentialOf,
  createFederatedIdentityCredential: {
    ...on('application'),
    body: () => ({ name: 'fresh', issuer: 'https://idp.example.com', subject: 'fresh', audiences: ['api://x'] }),
  },
  updateFederatedIdentityCredential: { ...credentialOf, body: () => ({ subject: 'changed' }) },
  deleteFederatedIdentityCredential: credentialOf,
  // Policies of consent
  listPermissionGrantPolicies: {},
  getPermissionGrantPolicy: on('grantPolicy'),
  createPermissionGrantPolicy: { body: () => ({ id: crypto.randomUUID(), displayName: 'Fresh' }) },
  updatePermissionGrantPolicy: { ...on('grantPolicy'), body: () => ({ displayName: 'Changed' }) },
  deletePermissionGrantPolicy: on('grantPolicy'),
  listPermissionGrantPolicyIncludes: on('grantPolicy'),
  getPermissionGrantPolicyInclude: set('includeSet'),
  createPermissionGrantPolicyInclude: { ...on('grantPolicy'), body: () => ({ permissionType: 'delegated' }) },
  updatePermissionGrantPolicyInclude: { ...set('includeSet'), body: () => ({ permissionClassification: 'low' }) },
  deletePermissionGrantPolicyInclude: set('includeSet'),
  listPermissionGrantPolicyExcludes: on('grantPolicy'),
  getPermissionGrantPolicyExclude: set('excludeSet'),
  createPermissionGrantPolicyExclude: { ...on('grantPolicy'), body: () => ({ permissionType: 'delegated' }) },
  updatePermissionGrantPolicyExclude: { ...set('excludeSet'), body: () => ({ permissionClassification: 'low' }) },
  deletePermissionGrantPolicyExclude: set('excludeSet'),
  getAuthorizationPolicy: {},
  updateAuthorizationPolicy: { body: () => ({ allowDeviceCodeFlow: false }) },
  listDelegatedPermissionClassifications: on('resource'),
  getDelegatedPermissionClassification: classified,
  createDelegatedPermissionClassification: {
    ...on('resource'),
    body: ({ scopeId }) => ({ permissionId: scopeId, permissionName: 'Read', classification: 'low' }),
    refusals: { scopeId: 400 },
  },
  deleteDelegatedPermissionClassification: classified,
  listConsentUsage: {},
  // Requests for consent
  getAdminConsentRequestPolicy: {},
  putAdminConsentRequestPolicy: {
    body: ({ user, group }) => ({
      ...{ isEnabled: true, notifyReviewers: true, remindersEnabled: true, requestDurationInDays: 7 },
      reviewers: [{ query: `/users/${user}` }, { query: `/groups/${group}/transitiveMembers` }],
    }),
    refusals: { user: 400, group: 400 },
  },
  listConsentReviewers: { input: () => ({}) },
  findConsentReviewer: { input: ({ user }) => ({ userPrincipalName: nameOf(user) }) },
  findConsentReviewerGroup: { input: ({ group }) => ({ mailNickname: group }) },
  requestConsent: {
    input: ({ loneAppId, resource }) => ({
      appId: loneAppId,
      scopes: [{ resourceId: resource, values: ['Write'] }],
      reason: 'For my work.',
    }),
    roles: [],
    refusals: { loneAppId: 400 },
  },
  listMyConsentRequests: { input: () => ({}) },
  getMyConsentRequestStanding: { input: () => ({}) },
  listAppConsentRequests: {},
  listAppConsentRequestsToReview: {},
  getAppConsentRequest: on('consentRequest'),
  listUserConsentRequests: on('consentRequest'),
  listUserConsentRequestsToReview: on('consentRequest'),
  getUserConsentRequest: partOfRequest,
  getUserConsentRequestApproval: partOfRequest,
  listUserConsentRequestApprovalStages: partOfRequest,
  approveAppConsentRequest: {
    ...on('consentRequest'),
    body: ({ appId }) => ({ consentType: 'Principal', scopes: [{ resourceAppId: appId, values: ['Read'] }] }),
    refusals: { appId: 400 },
  },
  denyAppConsentRequest: on('consentRequest'),
};

/** A case with the person's user name in the place of his id. */
export function byName(name: string): IsolationCase {
  const { parameters, refusals, ...given } = CASES[name] ?? {};
  return {
    ...given,
    // A name that nobody has is not the id in the body.
    refusals: { ...refusals, ...(name === 'createUserAppRoleAssignment' ? { member: 400 } : {}) },
    parameters: (objects, tenant) => {
      const { id = '', ...others } = parameters?.(objects, tenant) ?? {};
      return { id: encodeURIComponent(nameOf(id)), ...others };
    },
  };
}

export interface CaseRequest {
  readonly method: string;
  readonly path: string;
  readonly body: object | undefined;
}

/** The request of a case on these objects of this tenant. */
export function requestOf(
  { name, route }: AnyOperation,
  objects: Objects,
  tenant: TestTenant,
  { parameters, body }: IsolationCase = CASES[name] ?? {},
): CaseRequest {
  const { method = 'GET', path = '' } = route ?? {};
  const named = Object.entries(parameters?.(objects, tenant) ?? {});
  const filled = named.reduce((text, [parameter, value]) => text.replace(`:${parameter}`, value), path);
  return { method, path: `/v1.0${filled}`, body: body?.(objects, tenant) };
}
