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

/** A client of the same organization that gets these delegated permissions without asking the person (Graph). */
export interface PreAuthorizedApplication {
  readonly appId: string;
  readonly delegatedPermissionIds: readonly string[];
}

/** Claims that tokens carry only where the application asks for them; Entra's names. */
export const OPTIONAL_CLAIMS = ['acct', 'email', 'family_name', 'given_name', 'idtyp', 'upn'] as const;

export interface OptionalClaim {
  readonly name: (typeof OPTIONAL_CLAIMS)[number];
  /** Graph's property; what is not known of a person is left out whether it is essential or not, as Entra has it. */
  readonly essential: boolean;
}

/** Of the ID tokens for the application, and of the access tokens for its API. */
export interface OptionalClaims {
  readonly idToken?: readonly OptionalClaim[] | undefined;
  readonly accessToken?: readonly OptionalClaim[] | undefined;
}

/** Which groups a token names: none, all that he is in, those that are assigned to the application, or directory roles. */
export const GROUP_MEMBERSHIP_CLAIMS = ['None', 'SecurityGroup', 'ApplicationGroup', 'DirectoryRole', 'All'] as const;
export type GroupMembershipClaims = (typeof GROUP_MEMBERSHIP_CLAIMS)[number];

/** A publisher is a verified domain of the application's home (docs/decisions/0024). All null: not verified. */
export interface VerifiedPublisher {
  readonly displayName: string | null;
  readonly verifiedPublisherId: string | null;
  readonly addedDateTime: Date | null;
}

/** The definition of an application, in its home tenant. */
export interface Application {
  readonly id: ObjectId;
  readonly appId: AppId;
  readonly displayName: string;
  readonly description: string | null;
  readonly signInAudience: 'AzureADMyOrg' | 'AzureADMultipleOrgs';
  readonly publisherDomain: string | null;
  readonly verifiedPublisher: VerifiedPublisher;
  /** No new tokens anywhere, and those that were issued are refused; the definition stays. */
  readonly isDisabled: boolean;
  readonly tags: readonly string[];
  readonly notes: string | null;
  readonly info: {
    readonly termsOfServiceUrl: string | null;
    readonly privacyStatementUrl: string | null;
    readonly supportUrl: string | null;
    /** A path below the sign-in server's origin. */
    readonly logoUrl: string | null;
  };
  readonly identifierUris: readonly string[];
  readonly web: {
    readonly redirectUris: readonly string[];
    readonly logoutUrl: string | null;
    readonly homePageUrl: string | null;
  };
  readonly spa: { readonly redirectUris: readonly string[] };
  readonly publicClient: { readonly redirectUris: readonly string[] };
  readonly isFallbackPublicClient: boolean;
  readonly api: {
    readonly oauth2PermissionScopes: readonly PublishedScope[];
    readonly preAuthorizedApplications: readonly PreAuthorizedApplication[];
    /** Of access tokens for this API; an ISO 8601 duration, or null: an hour. */
    readonly accessTokenLifetime: string | null;
  };
  readonly appRoles: readonly PublishedAppRole[];
  readonly optionalClaims: OptionalClaims;
  readonly groupMembershipClaims: GroupMembershipClaims;
  /** Where the application's signing keys are (RFC 7591, section 2); null: they are in `keyCredentials`. */
  readonly jwksUri: string | null;
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
  /** This organization's own words on it. */
  readonly tags: readonly string[];
  readonly notes: string | null;
  readonly verifiedPublisher: VerifiedPublisher;
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

/** Who owns an application or service principal: a person, or another application's service principal. */
export interface Owner {
  readonly '@odata.type': '#microsoft.graph.user' | '#microsoft.graph.servicePrincipal';
  readonly id: ObjectId;
  readonly displayName: string;
  readonly userPrincipalName: string | null;
  readonly appId: string | null;
}
