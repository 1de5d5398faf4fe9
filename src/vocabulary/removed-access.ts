import type { ObjectId } from './ids.ts';

/** Delegated permissions that ended, of one API. */
export interface RemovedGrants {
  readonly resourceId: ObjectId;
  readonly resourceDisplayName: string;
  /** Whether it was granted for everybody, or by people for themselves. */
  readonly consentType: 'AllPrincipals' | 'Principal';
  readonly scopes: readonly string[];
  /** How many grants: one for everybody, else one for each person. */
  readonly count: number;
}

/** An application permission that ended. */
export interface RemovedAppRole {
  readonly resourceId: ObjectId;
  readonly resourceDisplayName: string;
  readonly appRoleId: string;
  /** As the API publishes it; null when it does so no more. */
  readonly value: string | null;
}

/** All that one act of revocation took away (docs/decisions/0028). */
export interface RemovedAccess {
  readonly grants: readonly RemovedGrants[];
  readonly appRoleAssignments: readonly RemovedAppRole[];
  /** Sign-ins of the application that ended, with every code, refresh token and access token that came of them. */
  readonly tokenFamilies: number;
  /** People whose grants or sign-ins those were. */
  readonly users: number;
  /** What the application keeps, because it was granted for everybody and this was one person's part alone. */
  readonly stillGrantedForEverybody: boolean;
  /** Whether the application itself is gone from the organization. */
  readonly removed: boolean;
}
