import type { AppId, ObjectId } from './ids.ts';

/** A delegated permission that an API publishes. */
export interface PublishedScope {
  readonly id: string;
  readonly value: string;
  readonly type: 'User' | 'Admin';
  readonly isEnabled: boolean;
  readonly adminConsentDisplayName: string;
  readonly adminConsentDescription: string;
  readonly userConsentDisplayName: string | null;
  readonly userConsentDescription: string | null;
}

/** An application permission, or a role of users, that an API or application publishes. */
export interface PublishedAppRole {
  readonly id: string;
  readonly value: string;
  readonly displayName: string;
  readonly description: string;
  readonly isEnabled: boolean;
  readonly allowedMemberTypes: readonly ('Application' | 'User')[];
}

export interface RequiredResourceAccess {
  readonly resourceAppId: string;
  readonly resourceAccess: readonly { readonly id: string; readonly type: 'Scope' | 'Role' }[];
}

/** A certificate or public key by which an application signs its assertions. Public parts only. */
export interface KeyCredential {
  readonly keyId: string;
  readonly displayName: string | null;
  readonly type: 'AsymmetricX509Cert' | 'JsonWebKey';
  readonly usage: 'Verify';
  /** The certificate's own, ISO 8601; null where it is a bare key. */
  readonly startDateTime: string | null;
  readonly endDateTime: string | null;
  /** RFC 7517. */
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

/** A client secret as it can be shown after it was made: never its value. */
export interface PasswordCredential {
  readonly keyId: string;
  readonly displayName: string | null;
  readonly hint: string;
  readonly startDateTime: Date;
  readonly endDateTime: Date;
  readonly lastUsedDateTime: Date | null;
}

/** Lets an application authenticate by the tokens of another issuer. All but the description is compared to the letter. */
export interface FederatedIdentityCredential {
  readonly id: ObjectId;
  readonly name: string;
  readonly issuer: string;
  readonly subject: string;
  /** One. */
  readonly audiences: readonly string[];
  readonly description: string | null;
}

/** Where an application is set to need less, or other, than what is best today. All off unless set; changes are audited. */
export interface Compatibility {
  /** A web application, which authenticates by a credential, may leave PKCE out. */
  readonly pkceOptional?: boolean | undefined;
  /** A client assertion may be used until it expires, ten minutes at most. */
  readonly assertionReuse?: boolean | undefined;
  /** RS256 unless set. */
  readonly idTokenSignedResponseAlg?: 'RS256' | 'ES256' | undefined;
}

/** The definition of an application, in its home tenant. */
export interface Application {
  readonly id: ObjectId;
  readonly appId: AppId;
  readonly displayName: string;
  readonly description: string | null;
  readonly signInAudience: 'AzureADMyOrg' | 'AzureADMultipleOrgs';
  readonly publisherDomain: string | null;
  readonly identifierUris: readonly string[];
  readonly web: { readonly redirectUris: readonly string[]; readonly logoutUrl: string | null };
  readonly spa: { readonly redirectUris: readonly string[] };
  readonly publicClient: { readonly redirectUris: readonly string[] };
  readonly isFallbackPublicClient: boolean;
  readonly api: { readonly oauth2PermissionScopes: readonly PublishedScope[] };
  readonly appRoles: readonly PublishedAppRole[];
  readonly requiredResourceAccess: readonly RequiredResourceAccess[];
  readonly keyCredentials: readonly KeyCredential[];
  readonly compatibility: Compatibility;
  readonly passwordCredentials: readonly PasswordCredential[];
  readonly createdDateTime: Date;
}

/** An application's presence in a tenant. */
export interface ServicePrincipal {
  readonly id: ObjectId;
  readonly appId: AppId;
  readonly displayName: string;
  readonly appOwnerOrganizationId: string | null;
  readonly accountEnabled: boolean;
  readonly appRoleAssignmentRequired: boolean;
  readonly servicePrincipalType: 'Application';
  readonly createdDateTime: Date;
  /** What the application publishes, as its home has it now. */
  readonly identifierUris: readonly string[];
  readonly oauth2PermissionScopes: readonly PublishedScope[];
  readonly appRoles: readonly PublishedAppRole[];
}

/** Delegated permissions that a tenant granted to a client, for all its people or for one. */
export interface OAuth2PermissionGrant {
  readonly id: ObjectId;
  readonly clientId: ObjectId;
  readonly resourceId: ObjectId;
  readonly consentType: 'AllPrincipals' | 'Principal';
  readonly principalId: ObjectId | null;
  /** Values with a space between, as Graph has it. */
  readonly scope: string;
}

/** An app role of a resource that is assigned to a service principal, a user or a group. */
export interface AppRoleAssignment {
  readonly id: ObjectId;
  readonly appRoleId: string;
  readonly principalId: ObjectId;
  readonly principalType: 'ServicePrincipal' | 'User' | 'Group';
  readonly principalDisplayName: string | null;
  readonly resourceId: ObjectId;
  readonly resourceDisplayName: string | null;
  readonly createdDateTime: Date;
}
