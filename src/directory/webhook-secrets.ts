import { randomBytes } from 'node:crypto';
import type { Permit } from '../store/permit.ts';
import { newObjectId } from '../vocabulary/ids.ts';
import { readTenantPolicy } from './tenant-policies.ts';

const TABLE = 'notification_secrets';
const COLUMN = 'sealed_secret';
/** Standard Webhooks wants 24 to 64. */
const SECRET_BYTES = 32;
/** So long a receiver may take to change over. */
const OVERLAP = `interval '24 hours'`;

/** Where a tenant's webhooks go, and by what the receiver knows them. */
export interface WebhookTarget {
  readonly url: string | undefined;
  /** The newest first. */
  readonly secrets: readonly Buffer[];
}

export interface NewWebhookSecret {
  readonly id: string;
  /** As Standard Webhooks writes it; shown this once. */
  readonly secretText: string;
  /** Until when the one before signs too. */
  readonly overlapEndDateTime: Date | undefined;
}

/** Makes a new signing secret. The one before goes on for a day beside it; older ones end now. */
export async function createWebhookSecret(
  permit: Permit<'notifications/webhookSecrets/create'>,
): Promise<NewWebhookSecret> {
  await permit.query({
    text: `delete from ${TABLE} where tenant_id = $1 and ends_at is not null`,
    values: [permit.tenantId],
  });
  const [before] = await permit.query<{ endsAt: Date }>({
    text: `update ${TABLE} set ends_at = now() + ${OVERLAP} where tenant_id = $1 returning ends_at as "endsAt"`,
    values: [permit.tenantId],
  });
  const id = newObjectId();
  const secret = randomBytes(SECRET_BYTES);
  await permit.query({
    text: `insert into ${TABLE} (tenant_id, id, ${COLUMN}) values ($1, $2, $3)`,
    values: [permit.tenantId, id, permit.seal(TABLE, id, COLUMN, secret)],
  });
  return { id, secretText: `whsec_${secret.toString('base64')}`, overlapEndDateTime: before?.endsAt };
}

/** As it stands at this moment: what was written down later than a notice holds for it too. */
export async function readWebhookTarget(permit: Permit<'notifications/outbox/read'>): Promise<WebhookTarget> {
  const { notificationWebhook } = await readTenantPolicy(permit, 'adminConsentRequestPolicy');
  const rows = await permit.query<{ id: string; sealed: Buffer }>({
    text: `select id, ${COLUMN} as sealed from ${TABLE} where tenant_id = $1 and (ends_at is null or ends_at > now())
      order by created_at desc`,
    values: [permit.tenantId],
  });
  const secrets = rows.map(({ id, sealed }) => permit.unseal(TABLE, id, COLUMN, sealed));
  return { url: notificationWebhook?.url, secrets };
}
