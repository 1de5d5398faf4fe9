import type { ObjectId } from './ids.ts';

/** Directory objects as the wire shows them: Microsoft Graph's property names. Absent values are null. */
export interface User {
  readonly id: ObjectId;
  readonly userPrincipalName: string;
  readonly displayName: string;
  readonly givenName: string | null;
  readonly surname: string | null;
  readonly mail: string | null;
  readonly jobTitle: string | null;
  readonly accountEnabled: boolean;
  readonly userType: 'Member' | 'Guest';
  readonly createdDateTime: Date;
  readonly lastPasswordChangeDateTime: Date | null;
  readonly signInSessionsValidFromDateTime: Date;
}

/** All properties of a user that the wire knows. */
export const USER_PROPERTIES = [
  'id',
  'userPrincipalName',
  'displayName',
  'givenName',
  'surname',
  'mail',
  'jobTitle',
  'accountEnabled',
  'userType',
  'createdDateTime',
  'lastPasswordChangeDateTime',
  'signInSessionsValidFromDateTime',
] as const satisfies readonly (keyof User)[];

/** What `User.ReadBasic.All` shows: enough to find somebody and to write to him. */
export const BASIC_USER_PROPERTIES = [
  'id',
  'userPrincipalName',
  'displayName',
  'givenName',
  'surname',
  'mail',
] as const satisfies readonly (keyof User)[];

/** What people without a directory role see of one another. */
export const COLLEAGUE_PROPERTIES = [
  ...BASIC_USER_PROPERTIES,
  'jobTitle',
  'userType',
] as const satisfies readonly (keyof User)[];

/** The tenant, as its own people see it. */
export interface Organization {
  readonly id: string;
  readonly displayName: string;
  readonly createdDateTime: Date;
  readonly verifiedDomains: readonly { readonly name: string; readonly isDefault: boolean }[];
}

export interface Group {
  readonly id: ObjectId;
  readonly displayName: string;
  readonly mailNickname: string;
  readonly description: string | null;
  readonly securityEnabled: boolean;
  readonly mailEnabled: boolean;
  readonly createdDateTime: Date;
}

/** A built-in directory role. */
export interface RoleDefinition {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly isBuiltIn: boolean;
  readonly isEnabled: boolean;
  readonly isPrivileged: boolean;
  readonly rolePermissions: readonly { readonly allowedResourceActions: readonly string[] }[];
}

/** A directory role that a user or service principal holds. */
export interface RoleAssignment {
  readonly id: ObjectId;
  readonly roleDefinitionId: string;
  readonly principalId: ObjectId;
  /** The whole organization: the only scope there is. */
  readonly directoryScopeId: '/';
}

export type ObjectType =
  | 'Organization'
  | 'User'
  | 'Group'
  | 'Application'
  | 'ServicePrincipal'
  | 'OAuth2PermissionGrant'
  | 'AppRoleAssignment'
  | 'RoleAssignment'
  | 'SigningKey'
  | 'TokenFamily'
  | 'AuditLog'
  | 'PermissionGrantPolicy'
  | 'Policy'
  | 'PermissionClassification'
  | 'AppConsentRequest'
  | 'FederatedIdentityCredential'
  | 'OutboxMessage';

/** What a write did to one object; the audit record's target is made from it. */
export interface ObjectChange {
  readonly type: ObjectType;
  readonly id: string;
  readonly displayName?: string | null;
  /** Properties before; absent for a creation. Never a secret. */
  readonly before?: object | undefined;
  /** Properties after; absent for a deletion. */
  readonly after?: object | undefined;
}

/** A write's answer together with what it changed. */
export interface Written<Value> {
  readonly value: Value;
  readonly changes: readonly ObjectChange[];
}

/** One page of a list. `next` is the sort key of the last row when there may be more. */
export interface Page<Value> {
  readonly value: readonly Value[];
  readonly next?: readonly unknown[] | undefined;
  readonly count?: number | undefined;
}
