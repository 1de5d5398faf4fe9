import type { ObjectId } from './ids.ts';

/** Delegated scopes of one API, by their names. */
export interface ScopesOfApi {
  readonly resourceAppId: string;
  readonly values: readonly string[];
}

export type ConsentRequestStatus = 'InProgress' | 'Completed' | 'Expired';
export type ReviewResult = 'Approve' | 'Deny';

/** Microsoft Graph's `appConsentRequest`: what people asked administrators to consent to for one application. */
export interface AppConsentRequest {
  readonly id: ObjectId;
  readonly appId: string;
  /** The application's name when the first one asked. */
  readonly appDisplayName: string;
  readonly status: ConsentRequestStatus;
  /** All that anybody asked for. */
  readonly pendingScopes: readonly { readonly displayName: string; readonly resourceAppId: string }[];
  readonly createdDateTime: Date;
  readonly expiresDateTime: Date;
  readonly completedDateTime: Date | null;
  /** Null until somebody decides. */
  readonly reviewResult: ReviewResult | null;
}

/** Microsoft Graph's `userConsentRequest`: one person's part of it. */
export interface UserConsentRequest {
  readonly id: ObjectId;
  readonly reason: string;
  readonly status: ConsentRequestStatus;
  readonly createdDateTime: Date;
  readonly completedDateTime: Date | null;
  readonly createdBy: { readonly user: NamedPerson };
  readonly scopes: readonly ScopesOfApi[];
}

export interface NamedPerson {
  readonly id: ObjectId;
  readonly displayName: string;
  readonly userPrincipalName: string;
}

/** A person's own request, as he is told of it. */
export interface MyConsentRequest
  extends Pick<AppConsentRequest, 'id' | 'appId' | 'appDisplayName' | 'status' | 'reviewResult' | 'expiresDateTime'> {
  readonly createdDateTime: Date;
  readonly completedDateTime: Date | null;
  readonly justification: string | null;
  readonly scopes: readonly ScopesOfApi[];
  /** Of all that was asked for, by whomever. */
  readonly approvedScopes: readonly ScopesOfApi[];
}

/** What a reviewer decided. */
export interface ConsentRequestDecision {
  readonly reviewResult: ReviewResult;
  readonly justification: string | null;
  /** Of an approval. */
  readonly consentType: 'AllPrincipals' | 'Principal' | null;
  readonly approvedScopes: readonly ScopesOfApi[];
  /** Null for the operator, and for somebody who is gone. */
  readonly reviewedBy: NamedPerson | null;
  readonly reviewedDateTime: Date;
}

/** A scope that was asked for, as the API publishes it now. */
export interface RequestedScope {
  readonly resourceAppId: string;
  readonly resourceDisplayName: string;
  readonly value: string;
  /** In the API's words for administrators; null where it has none. */
  readonly title: string | null;
  readonly description: string | null;
  /** False: meanwhile the API does not publish it any more, or is itself not here. */
  readonly isPublished: boolean;
  /** With it an application that an administrator signs in to has his powers. */
  readonly isPrivileged: boolean;
}

/** What is known of the application that is asked for, now. */
export interface RequestedApplication {
  /** Null when it can not be seen any more. */
  readonly displayName: string | null;
  /** Consent to it is possible: its home has neither withdrawn nor deactivated it, and it is not disabled here. */
  readonly isAvailable: boolean;
  /** It registered itself, and no administrator has let it in. */
  readonly isPending: boolean;
}

/** Microsoft Graph's `approval`, of one stage. */
export interface ConsentApproval {
  readonly id: ObjectId;
  readonly stages: readonly ApprovalStage[];
}

export interface ApprovalStage {
  readonly id: ObjectId;
  readonly displayName: string;
  /** The caller may decide. */
  readonly assignedToMe: boolean;
  readonly status: 'InProgress' | 'Completed' | 'Expired';
  readonly reviewResult: ReviewResult | 'NotReviewed';
  readonly justification: string | null;
  readonly reviewedBy: NamedPerson | null;
  readonly reviewedDateTime: Date | null;
}

/** Graph's words for scopes, which name each by itself. */
export type PendingScopes = AppConsentRequest['pendingScopes'];

export function fromPendingScopes(pending: PendingScopes): ScopesOfApi[] {
  return unionOfScopes(pending.map(({ displayName, resourceAppId }) => ({ resourceAppId, values: [displayName] })));
}

export function toPendingScopes(scopes: readonly ScopesOfApi[]): PendingScopes {
  return scopes.flatMap(({ resourceAppId, values }) => values.map((value) => ({ displayName: value, resourceAppId })));
}

/** What is in one list or in the other: one entry for each API, each name once. */
export function unionOfScopes(one: readonly ScopesOfApi[], other: readonly ScopesOfApi[] = []): ScopesOfApi[] {
  const byApi = new Map<string, Set<string>>();
  for (const { resourceAppId, values } of [...one, ...other])
    byApi.set(resourceAppId, new Set([...(byApi.get(resourceAppId) ?? []), ...values]));
  return entriesOf(byApi);
}

/** What is in one list and in the other. */
export function commonScopes(one: readonly ScopesOfApi[], other: readonly ScopesOfApi[]): ScopesOfApi[] {
  const [mine, theirs] = [unionOfScopes(one), unionOfScopes(other)];
  const valuesOf = (id: string) => theirs.find(({ resourceAppId }) => resourceAppId === id)?.values ?? [];
  const common = mine.map(({ resourceAppId, values }) => {
    const shared = valuesOf(resourceAppId);
    return [resourceAppId, new Set(values.filter((value) => shared.includes(value)))] as const;
  });
  return entriesOf(new Map(common));
}

/** How many scopes there are, of all APIs together. */
export function countScopes(scopes: readonly ScopesOfApi[]): number {
  return scopes.reduce((sum, { values }) => sum + values.length, 0);
}

function entriesOf(byApi: ReadonlyMap<string, ReadonlySet<string>>): ScopesOfApi[] {
  return [...byApi]
    .filter(([, values]) => values.size > 0)
    .map(([resourceAppId, values]) => ({ resourceAppId, values: [...values] }));
}
