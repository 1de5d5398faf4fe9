import { describeScopes, readRequestedApplication } from '../../directory/consent-request-review.ts';
import {
  findConsentRequestDecision,
  listUserConsentRequests,
  type ReadRequests,
  readConsentRequest,
} from '../../directory/consent-requests.ts';
import {
  type AppConsentRequest,
  type ConsentApproval,
  type ConsentRequestDecision,
  type ConsentRequestStatus,
  commonScopes,
  fromPendingScopes,
  type RequestedApplication,
  type RequestedScope,
  toPendingScopes,
  type UserConsentRequest,
} from '../../vocabulary/consent-requests.ts';
import { CONSENT_REACHES, consentReachOf } from '../../vocabulary/directory-roles.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import type { Caller } from '../operation.ts';
import { sightOf } from './request-access.ts';
import { reachToApprove } from './request-decision.ts';

/** Who asked first comes first. */
const MOST_REQUESTERS = 200;

export interface ConsentRequestDetails extends AppConsentRequest {
  readonly application: RequestedApplication;
  /** It waits, and the caller is one of those who decide. */
  readonly mayReview: boolean;
  readonly scopes: readonly ReviewedScope[];
  /** At most 200; to one who asked, his own alone. */
  readonly userConsentRequests: readonly UserConsentRequest[];
  readonly userConsentRequestCount: number;
  readonly decision: ConsentRequestDecision | null;
}

export interface ReviewedScope extends RequestedScope {
  /** The caller may approve it. */
  readonly mayApprove: boolean;
  /** To approve it takes an administrator, whoever reviews. */
  readonly needsAdministrator: boolean;
}

/** A request as it is now, with what of it the caller may see and do. */
export async function detailsOf(permit: ReadRequests, id: ObjectId, caller: Caller): Promise<ConsentRequestDetails> {
  const { seesAll, mayReview } = await sightOf(permit, caller);
  const request = await readConsentRequest(permit, id);
  const query = { top: MOST_REQUESTERS, count: true };
  const parts = await listUserConsentRequests(permit, id, seesAll ? undefined : caller.userId, query);
  const asked = seesAll ? fromPendingScopes(request.pendingScopes) : parts.value.flatMap(({ scopes }) => scopes);
  const application = await readRequestedApplication(permit, request.appId);
  const decision = await findConsentRequestDecision(permit, id);
  const isOpen = request.status === 'InProgress';
  const isOwn = parts.value.some(({ createdBy }) => createdBy.user.id === caller.userId);
  const reach = CONSENT_REACHES.indexOf(consentReachOf(caller.directoryRoles));
  const scopes = (await describeScopes(permit, asked)).map((scope): ReviewedScope => {
    const needed = reachToApprove({ application, scopes: [scope], isOwn });
    const reaches = needed === undefined || reach >= CONSENT_REACHES.indexOf(needed);
    return {
      ...scope,
      needsAdministrator: reachToApprove({ application, scopes: [scope], isOwn: false }) !== undefined,
      mayApprove: isOpen && mayReview && reaches && application.isAvailable && scope.isPublished,
    };
  });
  return {
    ...request,
    pendingScopes: toPendingScopes(asked),
    application,
    mayReview: isOpen && mayReview,
    scopes,
    userConsentRequests: parts.value,
    userConsentRequestCount: parts.count ?? parts.value.length,
    decision: decision ? { ...decision, approvedScopes: commonScopes(decision.approvedScopes, asked) } : null,
  };
}

/** Graph's way to say the same of one person's part. */
export function approvalOf(
  id: ObjectId,
  {
    status,
    decision,
    mayReview,
  }: {
    readonly status: ConsentRequestStatus;
    readonly decision: ConsentRequestDecision | undefined;
    readonly mayReview: boolean;
  },
): ConsentApproval {
  const stage = {
    id,
    displayName: 'Review',
    assignedToMe: mayReview && status === 'InProgress',
    status,
    reviewResult: decision?.reviewResult ?? 'NotReviewed',
    justification: decision?.justification ?? null,
    reviewedBy: decision?.reviewedBy ?? null,
    reviewedDateTime: decision?.reviewedDateTime ?? null,
  } as const;
  return { id, stages: [stage] };
}
