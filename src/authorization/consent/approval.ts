import {
  findResources,
  lockOpenConsentRequest,
  type OpenConsentRequest,
  readRequestedApplication,
  recordDecision,
} from '../../directory/consent-request-review.ts';
import { readConsentRequest } from '../../directory/consent-requests.ts';
import { recordConsent } from '../../directory/consents.ts';
import { enqueue } from '../../directory/outbox.ts';
import { readTenantPolicy } from '../../directory/tenant-policies.ts';
import { shareTurns } from '../../directory/turns.ts';
import type { Permit } from '../../store/permit.ts';
import {
  type AppConsentRequest,
  commonScopes,
  countScopes,
  type ScopesOfApi,
  unionOfScopes,
} from '../../vocabulary/consent-requests.ts';
import { badRequest } from '../../vocabulary/errors.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import type { ObjectChange, Written } from '../../vocabulary/objects.ts';
import { grantsOf } from './request-decision.ts';
import { decidedNotices } from './request-notices.ts';

type Review = Permit<'directory/appConsentRequests/review'>;

/** Of a record: a request of thousands is not written down grant by grant. */
const MAX_RECORDED = 1_000;

/** Who decides, and what he says to those who asked. */
interface Reviewed {
  readonly id: ObjectId;
  /** Absent: the operator. */
  readonly reviewerId?: ObjectId | undefined;
  readonly justification?: string | undefined;
}

export interface Approval extends Reviewed {
  readonly consentType: 'AllPrincipals' | 'Principal';
  readonly scopes: readonly ScopesOfApi[];
}

/**
 * Approves a part of a request, or all of it, by the same record of consent as the pages make: nothing that was granted
 * before becomes less. That the reviewer may was decided.
 * @throws DirectoryError 409 once it is closed; `Request_BadRequest` for what nobody asked for, and for an application,
 *   API or scope that is not offered any more: nothing is decided then
 */
export async function approveRequest(
  permit: Review,
  { id, reviewerId, justification, consentType, scopes }: Approval,
): Promise<Written<AppConsentRequest>> {
  const request = await lockOpenConsentRequest(permit, id);
  const approved = unionOfScopes(scopes);
  requireAsked(request, approved);
  const { isAvailable } = await readRequestedApplication(permit, request.appId);
  if (!isAvailable) throw badRequest('The application is disabled or no longer offered to this organization.');
  const resources = await findResources(
    permit,
    approved.map(({ resourceAppId }) => resourceAppId),
  );
  const people = request.requesters.map(({ userId }) => userId);
  await shareTurns(permit, { ids: [...people, ...resources.values()], appIds: [request.appId] });
  const granted: ObjectChange[] = [];
  for (const { principalIds, scopes: given } of grantsOf(request.requesters, approved, consentType)) {
    const { changes } = await recordConsent(permit, {
      appId: request.appId,
      principalIds,
      scopes: given.flatMap(({ resourceAppId, values }) => {
        const resourceId = resources.get(resourceAppId);
        return resourceId ? [{ resourceId, values }] : [];
      }),
      appRoles: [],
      by: reviewerId,
      requestId: id,
    });
    granted.push(...changes);
  }
  const decision = { reviewResult: 'Approve', justification, consentType, approved } as const;
  return close(permit, request, { ...decision, reviewerId }, granted);
}

/** @throws DirectoryError 409 once it is closed */
export async function denyRequest(
  permit: Review,
  { id, reviewerId, justification }: Reviewed,
): Promise<Written<AppConsentRequest>> {
  const request = await lockOpenConsentRequest(permit, id);
  return close(permit, request, { reviewResult: 'Deny', reviewerId, justification, approved: [] }, []);
}

function requireAsked({ requesters }: OpenConsentRequest, approved: readonly ScopesOfApi[]): void {
  const asked = requesters.flatMap(({ scopes }) => scopes);
  if (countScopes(commonScopes(approved, asked)) < countScopes(approved))
    throw badRequest('scopes: Nobody asked for one of these permissions.');
}

async function close(
  permit: Review,
  request: OpenConsentRequest,
  decision: Omit<Parameters<typeof recordDecision>[1], 'requestId'>,
  granted: readonly ObjectChange[],
): Promise<Written<AppConsentRequest>> {
  const { reviewerId: _, ...after } = decision;
  await recordDecision(permit, { ...decision, requestId: request.id });
  const { notificationWebhook } = await readTenantPolicy(permit, 'adminConsentRequestPolicy');
  const hasJustification = decision.justification !== undefined;
  const told = { hasJustification, hasWebhook: notificationWebhook !== null };
  await enqueue(permit, decidedNotices(request, decision.approved, told));
  const closed = {
    ...({ type: 'AppConsentRequest', id: request.id, displayName: request.appDisplayName } as const),
    before: { status: 'InProgress' },
    after: { status: 'Completed', ...after },
  };
  const value = await readConsentRequest(permit, request.id);
  return { value, changes: [closed, ...granted].slice(0, MAX_RECORDED) };
}
