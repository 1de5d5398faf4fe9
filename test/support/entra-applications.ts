/*
 * One application in both of Entra's forms, as its manifest page and `az ad app show` give them: with what every such
 * file has (empty properties, ids of Entra's own), and with one of each kind that can not or must not come along.
 */

export const EXPENSES = '5f1c3b52-6f0e-4c8e-9d43-0a6f7c1b2e90';
const SCOPE_ID = 'c2b1f0a4-7c59-4a2e-8f6b-9e1d2c3b4a55';
const ROLE_ID = '0d9f6a3e-51c7-4b8a-9a10-6c2f7e8d1b44';
const UNKNOWN_PERMISSION = '570282fd-fa5c-430d-a7fd-fc8dc98a9dca'; // Mail.Read
const FOREIGN_API = 'c5393580-f805-4401-95e8-94b7a6ef2fc2'; // Office 365 Management APIs

const scope = {
  adminConsentDescription: 'Lets the application read the expenses of the person who is signed in.',
  adminConsentDisplayName: 'Read expenses',
  id: SCOPE_ID,
  isEnabled: true,
  type: 'User',
  userConsentDescription: '',
  userConsentDisplayName: 'Read your expenses',
  value: 'Expenses.Read',
};
const appRole = {
  allowedMemberTypes: ['User', 'Application'],
  description: 'Approves expenses.',
  displayName: 'Approver',
  id: ROLE_ID,
  isEnabled: true,
  origin: 'Application',
  value: 'Expenses.Approve',
};
const requiredResourceAccess = [
  {
    resourceAppId: '00000003-0000-0000-c000-000000000000',
    resourceAccess: [
      { id: 'e1fe6dd8-ba31-4d61-89e7-88639da4683d', type: 'Scope' },
      { id: 'df021288-bdef-4463-88db-98f22de89214', type: 'Role' },
      { id: UNKNOWN_PERMISSION, type: 'Scope' },
    ],
  },
  { resourceAppId: FOREIGN_API, resourceAccess: [{ id: '825c9d21-ba03-4e97-8007-83f020ff8c0f', type: 'Role' }] },
];
const parentalControlSettings = { countriesBlockedForMinors: [], legalAgeGroupRule: 'Allow' };

export const graphApplication = {
  '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#applications/$entity',
  id: '1f3ad5c2-9a50-4a0e-bb61-3a9d1a2b3c4d',
  appId: EXPENSES,
  applicationTemplateId: null,
  disabledByMicrosoftStatus: null,
  createdDateTime: '2024-03-04T09:12:33Z',
  displayName: 'Contoso Expenses',
  description: 'What people spent.',
  groupMembershipClaims: 'SecurityGroup',
  identifierUris: [`api://${EXPENSES}`, 'api://11111111-2222-4333-8444-555555555555'],
  isDeviceOnlyAuthSupported: null,
  isFallbackPublicClient: false,
  notes: null,
  publisherDomain: 'contoso.onmicrosoft.com',
  signInAudience: 'AzureADMyOrg',
  tags: ['webApp', 'apiConsumer'],
  tokenEncryptionKeyId: null,
  samlMetadataUrl: null,
  serviceManagementReference: 'CMDB-4711',
  addIns: [],
  api: {
    acceptMappedClaims: true,
    knownClientApplications: [],
    requestedAccessTokenVersion: 2,
    oauth2PermissionScopes: [scope],
    preAuthorizedApplications: [{ appId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46', delegatedPermissionIds: [SCOPE_ID] }],
  },
  appRoles: [appRole, { ...appRole, id: crypto.randomUUID(), value: null, displayName: 'msiam_access' }],
  info: {
    logoUrl: 'https://aadcdn.example/logo.png',
    marketingUrl: null,
    privacyStatementUrl: 'http://contoso.example/privacy',
    supportUrl: null,
    termsOfServiceUrl: 'https://contoso.example/terms',
  },
  keyCredentials: [
    {
      customKeyIdentifier: '52A1…',
      displayName: 'CN=expenses',
      endDateTime: '2030-01-01T00:00:00Z',
      key: null,
      keyId: '8a7b6c5d-1111-4222-8333-444455556666',
      startDateTime: '2024-01-01T00:00:00Z',
      type: 'AsymmetricX509Cert',
      usage: 'Verify',
    },
  ],
  parentalControlSettings,
  passwordCredentials: [
    {
      customKeyIdentifier: null,
      displayName: 'production',
      endDateTime: '2030-01-01T00:00:00Z',
      hint: 'abc',
      keyId: '9b8c7d6e-1111-4222-8333-444455556666',
      secretText: 'canary-secret-7G~that-somebody-pasted',
      startDateTime: '2024-01-01T00:00:00Z',
    },
  ],
  publicClient: { redirectUris: ['http://localhost', `msal${EXPENSES}://auth`] },
  requiredResourceAccess,
  optionalClaims: {
    idToken: [
      { name: 'email', source: null, essential: false, additionalProperties: [] },
      { name: 'xms_pl', source: null, essential: false, additionalProperties: [] },
    ],
    accessToken: [],
    saml2Token: [],
  },
  spa: { redirectUris: ['https://expenses.contoso.example/spa'] },
  verifiedPublisher: { addedDateTime: null, displayName: null, verifiedPublisherId: null },
  web: {
    homePageUrl: 'https://expenses.contoso.example/',
    implicitGrantSettings: { enableAccessTokenIssuance: true, enableIdTokenIssuance: false },
    logoutUrl: null,
    redirectUris: [
      'https://expenses.contoso.example/callback',
      'http://localhost:3000/callback',
      'http://intranet.contoso.example/callback',
      'https://*.contoso.example/callback',
      'https://user:canary-password@contoso.example/callback#x',
    ],
    redirectUriSettings: [{ index: null, uri: 'https://expenses.contoso.example/callback' }],
  },
};

/** The same in the older form (Azure AD Graph), with what has no counterpart in the newer one. */
export const oldManifest = {
  id: '1f3ad5c2-9a50-4a0e-bb61-3a9d1a2b3c4d',
  acceptMappedClaims: true,
  accessTokenAcceptedVersion: 1,
  addIns: [],
  allowPublicClient: true,
  appId: EXPENSES,
  appRoles: [{ ...appRole, lang: null, origin: 'Application' }],
  oauth2AllowUrlPathMatching: true,
  createdDateTime: '2019-03-04T09:12:33Z',
  description: null,
  certification: null,
  disabledByMicrosoftStatus: null,
  groupMembershipClaims: 'SecurityGroup',
  identifierUris: [`api://${EXPENSES}`],
  informationalUrls: {
    termsOfService: 'https://contoso.example/terms',
    support: null,
    privacy: 'http://contoso.example/privacy',
    marketing: null,
  },
  keyCredentials: [],
  knownClientApplications: ['04b07795-8ddb-461a-bbee-02f9e1bf7b46'],
  logoUrl: null,
  logoutUrl: 'https://expenses.contoso.example/signed-out',
  name: 'Contoso Expenses',
  notes: null,
  oauth2AllowIdTokenImplicitFlow: true,
  oauth2AllowImplicitFlow: true,
  oauth2Permissions: [{ ...scope, lang: null, origin: 'Application' }],
  oauth2RequirePostResponse: false,
  optionalClaims: null,
  orgRestrictions: [],
  parentalControlSettings,
  passwordCredentials: [
    {
      customKeyIdentifier: null,
      endDate: '2030-01-01T00:00:00Z',
      keyId: '9b8c7d6e-1111-4222-8333-444455556666',
      startDate: '2024-01-01T00:00:00Z',
      value: null,
      createdOn: null,
      hint: 'abc',
      displayName: 'production',
    },
  ],
  preAuthorizedApplications: [],
  publisherDomain: 'contoso.onmicrosoft.com',
  replyUrlsWithType: [
    { url: 'https://expenses.contoso.example/callback', type: 'Web' },
    { url: 'http://intranet.contoso.example/callback', type: 'Web' },
    { url: 'https://expenses.contoso.example/spa', type: 'Spa' },
    { url: 'http://localhost', type: 'InstalledClient' },
  ],
  requiredResourceAccess,
  samlMetadataUrl: null,
  signInUrl: 'https://expenses.contoso.example/',
  signInAudience: 'AzureADandPersonalMicrosoftAccount',
  tags: [],
  tokenEncryptionKeyId: null,
};
