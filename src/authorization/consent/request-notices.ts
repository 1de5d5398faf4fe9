import type { OpenConsentRequest } from '../../directory/consent-request-review.ts';
import type { AskedConsent } from '../../directory/consent-requests.ts';
import { type Notice, WEBHOOK } from '../../directory/outbox.ts';
import type { AdminConsentRequestPolicy } from '../../vocabulary/consent-policy.ts';
import { commonScopes, countScopes, type ScopesOfApi, unionOfScopes } from '../../vocabulary/consent-requests.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';

/** The application that is asked for. */
export interface NamedApplication {
  readonly appDisplayName: string;
}

/**
 * That somebody asks: each reviewer is told of a request once, by mail; of those who join it the webhook alone, so that
 * a hundred people who want the same do not fill anybody's mailbox.
 */
export function askedNotices(
  { id, userConsentRequestId, outcome, requester }: AskedConsent,
  { appDisplayName }: NamedApplication,
  { notifyReviewers, notificationWebhook }: AdminConsentRequestPolicy,
  reviewers: readonly ObjectId[],
): readonly Notice[] {
  const parameters = { requestId: id, application: appDisplayName, requester };
  const hooks = notificationWebhook ? ([{ channel: 'webhook', recipient: WEBHOOK }] as const) : [];
  if (outcome === 'widened') return [];
  if (outcome === 'joined')
    return hooks.map((hook) => ({
      kind: 'consentRequestJoined',
      subjectId: userConsentRequestId,
      parameters,
      ...hook,
    }));
  const mails = notifyReviewers ? reviewers.map((recipient) => ({ channel: 'mail', recipient }) as const) : [];
  return [...mails, ...hooks].map((way) => ({ kind: 'consentRequestCreated', subjectId: id, parameters, ...way }));
}

/** That it was decided, to each who asked and to the webhook. What the reviewer wrote is read after signing in. */
export function decidedNotices(
  { id, appDisplayName, requesters }: OpenConsentRequest,
  approved: readonly ScopesOfApi[],
  { hasJustification, hasWebhook }: { readonly hasJustification: boolean; readonly hasWebhook: boolean },
): readonly Notice[] {
  const notice = (asked: readonly ScopesOfApi[], way: Pick<Notice, 'channel' | 'recipient'>): Notice => ({
    kind: 'consentRequestDecided',
    subjectId: id,
    parameters: {
      requestId: id,
      application: appDisplayName,
      result: resultOf(asked, approved),
      hasJustification: hasJustification ? 'true' : 'false',
    },
    ...way,
  });
  const mails = requesters.map(({ userId, scopes }) => notice(scopes, { channel: 'mail', recipient: userId }));
  const all = requesters.flatMap(({ scopes }) => scopes);
  return hasWebhook ? [...mails, notice(all, { channel: 'webhook', recipient: WEBHOOK })] : mails;
}

function resultOf(asked: readonly ScopesOfApi[], approved: readonly ScopesOfApi[]) {
  const granted = countScopes(commonScopes(asked, approved));
  if (granted === 0) return 'denied';
  return granted < countScopes(unionOfScopes(asked)) ? 'partlyApproved' : 'approved';
}
