import type { Permit } from '../store/permit.ts';
import { STATUS } from './consent-requests.ts';
import { listReviewerIds } from './consent-reviewers.ts';
import { enqueue } from './outbox.ts';
import { readTenantPolicy } from './tenant-policies.ts';

/** So long before its end a request is brought to mind, unless it was made within a day. */
const AHEAD = `interval '3 days'`;
const AGE = `interval '1 day'`;
const AT_ONCE = 100;

interface Ending {
  readonly id: string;
  readonly application: string;
  readonly expiresAt: Date;
}

/** Reminds everybody who reviews now, once, of each request that is about to expire. */
export async function remindReviewers(permit: Permit<'directory/appConsentRequests/remind'>): Promise<void> {
  const { notifyReviewers, remindersEnabled } = await readTenantPolicy(permit, 'adminConsentRequestPolicy');
  if (!notifyReviewers || !remindersEnabled) return;
  const ending = await permit.query<Ending & Record<string, unknown>>({
    text: `select r.id, r.app_display_name as application, r.expires_at as "expiresAt" from app_consent_requests r
      where r.tenant_id = $1 and ${STATUS('r')} = 'InProgress'
        and r.expires_at <= now() + ${AHEAD} and r.created_at <= now() - ${AGE}
      order by r.expires_at, r.id limit ${AT_ONCE}`,
    values: [permit.tenantId],
  });
  if (ending.length === 0) return;
  const reviewers = await listReviewerIds(permit);
  const notices = ending.flatMap(({ id, application, expiresAt }) =>
    reviewers.map((recipient) => ({
      ...({ kind: 'consentRequestReminder', channel: 'mail', recipient, subjectId: id } as const),
      parameters: { application, requestId: id, expiresAt: expiresAt.toISOString() },
    })),
  );
  await enqueue(permit, notices);
}
