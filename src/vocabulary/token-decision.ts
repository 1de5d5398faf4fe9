/**
 * What a token would carry and why: the words of the one decision that the token endpoints make, the sign-in records keep
 * and `explain` shows. The decision itself is `authorization/token-decision.ts`.
 */
import type { ObjectId } from './ids.ts';

/** Why there is no token, or less of one than was asked for: Entra's number and words that say what to do. */
export const DECISION_REASONS = {
  tenantUnknown: [90002, 'There is no organization of that name or id here. Check the tenant in the authority URL.'],
  applicationAbsent: [
    700016,
    'The application has not been added to this organization. An administrator must consent to it first.',
  ],
  applicationDisabled: [7000112, 'The application is disabled in this organization.'],
  applicationDeactivated: [7000112, 'The application has been deactivated by its publisher.'],
  applicationWithdrawn: [7000112, 'The publisher has withdrawn the application from this organization.'],
  userDisabled: [50057, 'The account is disabled or gone.'],
  grantGone: [700082, 'The token is no longer valid: it was used, revoked or has expired. Sign in again.'],
  resourceUnknown: [500011, 'The resource was not found in the organization, or is disabled there.'],
  notAssigned: [50105, 'The user is not assigned to the application, which its administrator requires.'],
  scopeUnknown: [70011, 'The resource publishes no such permission'],
  consentRequired: [65001, 'Neither the user nor an administrator has consented to use the application.'],
  nothingAssigned: [
    501051,
    'No application permission of the resource is assigned to this application in the organization. An administrator must assign one.',
  ],
  roleNotAssigned: [70011, 'The permission is not assigned to this application in the organization'],
} as const satisfies Record<string, readonly [number, string]>;
export type DecisionReason = keyof typeof DECISION_REASONS;

/** By whom, when and under which policy some scopes of a grant were consented to. */
export interface GrantOrigin {
  readonly scopes: readonly string[];
  /** Object id of the person or service principal; null: the operator of the deployment. */
  readonly by?: string | null;
  /** The permission grant policy that let a person consent for himself. */
  readonly policy?: string | null;
  /** The consent request that was approved. */
  readonly requestId?: string | null;
  /** RFC 3339. */
  readonly at?: string;
}

/** Delegated permissions that the client was granted on a resource. */
export interface GrantFacts {
  readonly id: ObjectId;
  /** Null: for everybody of the organization. */
  readonly principalId: ObjectId | null;
  readonly scopes: readonly string[];
  readonly origins?: readonly GrantOrigin[];
  /** RFC 3339; null: not since it is noted. */
  readonly lastUsedAt?: string | null;
}

/** Stands as the policy of a grant that the API pre-authorized, where nobody was asked. No policy of a tenant has such an id. */
export const PRE_AUTHORIZED = 'preAuthorizedApplications';

/** An app role that is assigned on a resource. */
export interface AssignmentFacts {
  readonly assignmentId: ObjectId;
  readonly appRoleId: string;
  /** A user or service principal; null: the operator. */
  readonly grantedBy?: ObjectId | null;
  /** RFC 3339. */
  readonly grantedAt?: string;
  readonly lastUsedAt?: string | null;
}

/** An API in the tenant, as its rows are: what is disabled or gone is in here too, and says so. */
export interface ResourceFacts {
  readonly appId: string;
  readonly servicePrincipalId: ObjectId;
  readonly displayName: string;
  readonly identifierUris: readonly string[];
  /** Its home is this tenant. */
  readonly isOwn: boolean;
  readonly isEnabled: boolean;
  /** Its home has neither deleted, unpublished nor deactivated it, nor withdrawn it from here. */
  readonly isDefined: boolean;
  readonly assignmentRequired: boolean;
  readonly scopes: readonly {
    readonly id: string;
    readonly value: string;
    readonly type: 'User' | 'Admin';
    readonly isEnabled: boolean;
  }[];
  readonly appRoles: readonly {
    readonly id: string;
    readonly value: string | null;
    readonly isEnabled: boolean;
    readonly allowedMemberTypes: readonly string[];
  }[];
  /** Of this client: for everybody, and for this person. */
  readonly grants: readonly GrantFacts[];
  /** What was taken away, when (seconds since the epoch with their fraction), and from whom (null: everybody). */
  readonly revoked: readonly {
    readonly scope: string;
    readonly principalId: ObjectId | null;
    readonly revokedAt: number;
  }[];
  /** Ids of scopes for which the API, of this very tenant, wants nobody to be asked on behalf of the client. */
  readonly preAuthorized?: readonly string[];
  /** Assigned to the client itself. */
  readonly clientRoles: readonly AssignmentFacts[];
  /** Assigned to the person or to a group that he is a direct member of. */
  readonly userRoles: readonly (AssignmentFacts & { readonly through: 'user' | 'group' })[];
}

/** The application that asks, in this tenant. */
export interface ClientFacts {
  readonly appId: string;
  /** Null: the organization has not added it. */
  readonly servicePrincipalId: ObjectId | null;
  readonly isOwn: boolean;
  readonly isEnabled: boolean;
  /** Its home has neither deleted nor unpublished it. */
  readonly isDefined: boolean;
  readonly isDisabledByPublisher: boolean;
  /** Its home took it away from this tenant. */
  readonly isWithdrawn: boolean;
  /** Registered dynamically, and waiting for an administrator. */
  readonly isPending: boolean;
  readonly assignmentRequired: boolean;
  /** The person, or a group that he is a direct member of, is assigned to it. */
  readonly isUserAssigned: boolean;
}

/** Everything that `decideToken` goes by. Rows as they are; what follows from them is the decision's alone. */
export interface TokenFacts {
  readonly tenantEnabled: boolean;
  readonly client: ClientFacts;
  /** Absent for an application's own token. */
  readonly user?: {
    readonly id: string;
    readonly isEnabled: boolean;
    readonly isGuest: boolean;
    /** Ids of role definitions. */
    readonly directoryRoles: readonly string[];
  };
  /** Absent where none has begun: the decision is then of this moment. `createdAt` in seconds since the epoch. */
  readonly family?: { readonly createdAt: number; readonly isAlive: boolean };
  readonly resources: readonly ResourceFacts[];
}

/** One token that is asked for. */
export interface TokenAsk {
  readonly kind: 'delegated' | 'application';
  /** App id. */
  readonly resource: string;
  /** Values as the resource publishes them; `all` for `.default`. */
  readonly asked: 'all' | readonly string[];
  /** They come from an earlier request of the same sign-in: what is published no more then narrows, and does not refuse. */
  readonly isInherited?: boolean;
  readonly via: 'authorize' | 'code' | 'refresh' | 'clientCredentials' | 'onBehalfOf' | 'device';
}

/** In the order in which they are decided. */
export const DECISION_STEPS = [
  'tenant',
  'client',
  'user',
  'family',
  'clientAssignment',
  'resource',
  'resourceAssignment',
  'scope',
  'role',
] as const;
export type StepName = (typeof DECISION_STEPS)[number];

export interface TraceStep {
  readonly step: StepName;
  readonly outcome: 'pass' | 'fail' | 'narrowed';
  /** Absent where it passed. */
  readonly reason?: DecisionReason;
  /** The scope, role or id that the step is about. */
  readonly subject?: string;
  /** What let it pass. */
  readonly by?: { readonly grant?: ObjectId; readonly assignment?: ObjectId; readonly policy?: string };
}

/** What the token carries, or why there is none. Without a token nothing is carried. */
export interface TokenDecision {
  readonly issued: boolean;
  /** The first rule that failed. */
  readonly refusal?: DecisionReason;
  /** Values as the resource publishes them. */
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** Every step, also those after one that failed. */
  readonly trace: readonly TraceStep[];
}

/** A decision as a sign-in record keeps it: what was carried by which row, what was not and why. No words, no secrets. */
export interface RecordedDecision extends Pick<TokenAsk, 'kind' | 'via' | 'resource'> {
  readonly refusal?: DecisionReason;
  /** Scope or role, and the id of the grant or assignment that gave it. */
  readonly given?: readonly (readonly [value: string, by: string])[];
  /** Scope or role, and why the token does not carry it. */
  readonly withheld?: readonly (readonly [value: string, reason: DecisionReason])[];
  /** How many of both are left out here, since the record is bounded. */
  readonly leftOut?: number;
}
