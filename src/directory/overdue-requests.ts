import type { Permit } from '../store/permit.ts';
import type { ObjectChange } from '../vocabulary/objects.ts';
import { STATUS } from './consent-requests.ts';
import { enqueue, type Notice, WEBHOOK } from './outbox.ts';
import { readTenantPolicy } from './tenant-policies.ts';

const AT_ONCE = 500;

interface Overdue {
  readonly id: string;
  readonly application: string;
  readonly requesters: readonly string[];
}

/** Closes requests that nobody decided in their time or of which nobody is left, and tells who asked, and the webhook. */
export async function expireRequests(
  permit: Permit<'directory/appConsentRequests/expire' | 'directory/appConsentRequests/ownRequest/create'>,
): Promise<readonly ObjectChange[]> {
  const overdue = await permit.query<Overdue & Record<string, unknown>>({
    text: `with overdue as (
        select r.id from app_consent_requests r
        where r.tenant_id = $1 and r.status = 'InProgress' and ${STATUS('r')} = 'Expired'
        order by r.expires_at limit $2 for update skip locked)
      update app_consent_requests r set status = 'Expired', completed_at = now()
      from overdue where r.tenant_id = $1 and r.id = overdue.id
      returning r.id, r.app_display_name as application, array(select u.user_id from user_consent_requests u
        where u.tenant_id = $1 and u.app_consent_request_id = r.id) as requesters`,
    values: [permit.tenantId, AT_ONCE],
  });
  if (overdue.length === 0) return [];
  const { notificationWebhook } = await readTenantPolicy(permit, 'adminConsentRequestPolicy');
  const noticeOf = ({ id, application }: Overdue, channel: Notice['channel'], recipient: string): Notice => ({
    ...{ kind: 'consentRequestExpired', channel, recipient, subjectId: id },
    parameters: { application, requestId: id },
  });
  await enqueue(
    permit,
    overdue.flatMap((request) => [
      ...request.requesters.map((userId) => noticeOf(request, 'mail', userId)),
      ...(notificationWebhook ? [noticeOf(request, 'webhook', WEBHOOK)] : []),
    ]),
  );
  return overdue.map(({ id, application }) => ({
    type: 'AppConsentRequest',
    id,
    displayName: application,
    before: { status: 'InProgress' },
    after: { status: 'Expired' },
  }));
}
