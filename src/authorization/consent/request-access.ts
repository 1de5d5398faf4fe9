import {
  describeScopes,
  lockOpenConsentRequest,
  readRequestedApplication,
} from '../../directory/consent-request-review.ts';
import { isRequester, type ReadRequests } from '../../directory/consent-requests.ts';
import { isConsentReviewer } from '../../directory/consent-reviewers.ts';
import type { Permit } from '../../store/permit.ts';
import type { DirectoryAction } from '../../vocabulary/actions.ts';
import type { ScopesOfApi } from '../../vocabulary/consent-requests.ts';
import { actionsOf } from '../../vocabulary/directory-roles.ts';
import { notFound } from '../../vocabulary/errors.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import type { Caller, Target } from '../operation.ts';
import { reachToApprove } from './request-decision.ts';

/** What a caller may see and do with requests for consent, now. */
export interface RequestSight {
  /** All of them; else his own parts alone. */
  readonly seesAll: boolean;
  /** A role lets him decide, or the policy names him. */
  readonly mayReview: boolean;
}

/** Of an application and of the operator: all. What an application may do was decided by its permissions. */
export async function sightOf(permit: ReadRequests, { userId, directoryRoles }: Caller): Promise<RequestSight> {
  if (!userId) return { seesAll: true, mayReview: false };
  const byRole = actionsOf(directoryRoles);
  const may = (action: DirectoryAction) => byRole.has(action);
  const isReviewer = await isConsentReviewer(permit, userId);
  return {
    seesAll: isReviewer || may('directory/appConsentRequests/standard/read'),
    mayReview: isReviewer || may('directory/appConsentRequests/review'),
  };
}

/** @throws DirectoryError `Request_ResourceNotFound` for a request of others, as for one that is not there */
export async function visibleRequest(permit: ReadRequests, id: ObjectId, caller: Caller): Promise<Target> {
  const { seesAll } = await sightOf(permit, caller);
  if (!seesAll && !(caller.userId && (await isRequester(permit, id, caller.userId)))) throw notFound();
  return { isOwn: true };
}

/**
 * For a decision, which locks the request: what a reviewer's roles must allow beside. That he is named a reviewer makes
 * every request his own to decide; what he would approve may need more.
 * @throws DirectoryError `Request_ResourceNotFound`, 409 once it is closed
 */
export async function reviewedRequest(
  permit: Permit<'directory/appConsentRequests/review'>,
  id: ObjectId,
  caller: Caller,
  approved: readonly ScopesOfApi[] = [],
): Promise<Target> {
  const { userId } = caller;
  await visibleRequest(permit, id, caller);
  if (userId && !(await sightOf(permit, caller)).mayReview) return { isOwn: false };
  const { appId, requesters } = await lockOpenConsentRequest(permit, id);
  if (approved.length === 0) return { isOwn: true };
  const reach = reachToApprove({
    application: await readRequestedApplication(permit, appId),
    scopes: await describeScopes(permit, approved),
    isOwn: requesters.some((requester) => requester.userId === userId),
  });
  return { isOwn: true, ...(reach ? { reach } : {}) };
}
