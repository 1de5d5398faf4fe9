import { createHmac } from 'node:crypto';
import type { ClaimedMessage, NoticeKind, Settlement, WebhookTarget } from '../authorization/internal/outbox.ts';
import type { Outbound } from '../outbound/fetch.ts';
import type { TenantId } from '../vocabulary/ids.ts';

/** As receivers know them. */
const TYPES: Readonly<Record<NoticeKind, string>> = {
  consentRequestCreated: 'consentRequest.created',
  consentRequestJoined: 'consentRequest.joined',
  consentRequestDecided: 'consentRequest.decided',
  consentRequestExpired: 'consentRequest.expired',
  consentRequestReminder: 'consentRequest.reminder',
  credentialExpiring: 'credential.expiring',
};

/**
 * Sends a notice to the tenant's receiver after Standard Webhooks 1.0: its id is the same at every try, and it is signed
 * with each secret that is alive. Does not throw for what the receiver does.
 */
export async function sendWebhook(
  outbound: Outbound,
  tenantId: TenantId,
  { url, secrets }: WebhookTarget,
  { id, kind, subjectId, parameters }: Pick<ClaimedMessage, 'id' | 'kind' | 'subjectId' | 'parameters'>,
): Promise<Settlement> {
  if (url === undefined) return { outcome: 'dropped', error: 'No webhook is set any more.' };
  if (secrets.length === 0) return { outcome: 'later', error: 'Webhook: there is no secret to sign with.' };
  const now = new Date();
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const body = JSON.stringify({
    type: TYPES[kind],
    timestamp: now.toISOString(),
    data: { tenantId, id: subjectId, ...parameters },
  });
  const signatures = secrets.map((secret) => `v1,${signatureOf(secret, `${id}.${timestamp}.${body}`)}`);
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
  try {
    const { status } = await outbound.post(url, Buffer.from(body), headers, tenantId);
    if (status >= 200 && status < 300) return { outcome: 'sent' };
    // Standard Webhooks: whoever answers so wants nothing more.
    return { outcome: status === 410 ? 'dead' : 'later', error: `Webhook: the receiver answered ${status}.` };
  } catch {
    return { outcome: 'later', error: 'Webhook: the address could not be reached.' };
  }
}

function signatureOf(secret: Buffer, content: string): string {
  return createHmac('sha256', secret).update(content).digest('base64');
}
