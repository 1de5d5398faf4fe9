import type { ObjectId } from './ids.ts';

/** Delegated permissions that an application was granted, for everybody or for one person. */
export interface DelegatedAccess {
  /** Of the grant. */
  readonly id: ObjectId;
  readonly resourceId: ObjectId;
  readonly resourceDisplayName: string;
  readonly consentType: 'AllPrincipals' | 'Principal';
  readonly principalId: ObjectId | null;
  readonly principalDisplayName: string | null;
  readonly scopes: readonly GrantedScope[];
  readonly createdDateTime: Date;
  readonly lastUsedDateTime: Date | null;
}

/** A person or an application of the tenant, without a name once gone; without an id it was the operator. */
export interface Granter {
  readonly id: ObjectId | null;
  readonly displayName: string | null;
}

export interface GrantedScope {
  readonly value: string;
  /** Who consented last to it; null: nobody wrote it down. */
  readonly grantedBy: Granter | null;
  readonly grantedDateTime: Date | null;
  /** The policy under which a person allowed it himself. */
  readonly policy: string | null;
  /** The approved request for consent. */
  readonly consentRequestId: ObjectId | null;
}

/** A permission that an application has without a signed-in user. */
export interface ApplicationOnlyAccess {
  /** Of the assignment. */
  readonly id: ObjectId;
  readonly resourceId: ObjectId;
  readonly resourceDisplayName: string;
  readonly appRoleId: string;
  readonly value: string | null;
  readonly grantedBy: Granter;
  readonly createdDateTime: Date;
  readonly lastUsedDateTime: Date | null;
}

/** What an application can do in the tenant, who granted it, and when it was last used. */
export interface ApplicationAccess extends PresentApplication {
  /** Those for everybody first; of those for one person at most 200. */
  readonly delegated: readonly DelegatedAccess[];
  readonly application: readonly ApplicationOnlyAccess[];
  /** How many people consented themselves. */
  readonly peopleCount: number;
}

/** An application that was added to the tenant. */
export interface PresentApplication {
  /** Its service principal. */
  readonly id: ObjectId;
  readonly appId: string;
  readonly displayName: string;
  readonly accountEnabled: boolean;
  readonly createdDateTime: Date;
  readonly lastUsedDateTime: Date | null;
  /** The tenant in which it is defined; null: the deployment itself. */
  readonly appOwnerOrganizationId: string | null;
  readonly publisherDomain: string | null;
  readonly verifiedPublisherDomain: string | null;
}
