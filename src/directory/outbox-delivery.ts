import type { Permit } from '../store/permit.ts';
import type { Notice } from './outbox.ts';

/** A notice that one courier holds for the time of its claim, and nobody else meanwhile. */
export type ClaimedMessage = Notice & {
  readonly id: string;
  /** The how manieth try this is: whoever settles another one comes too late. */
  readonly attempt: number;
  /** Of a person who may be told; null where there is nobody, or nobody any more. */
  readonly address: string | null;
  /** The organization's name. */
  readonly organization: string;
};

/** What became of a try. Errors are words of ours and numbers of protocols, never what the other side wrote. */
export type Settlement =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'dropped' | 'dead' | 'later'; readonly error: string };

export interface Settled {
  readonly id: string;
  readonly attempt: number;
  readonly settlement: Settlement;
  /** Before the next try, where it is to be tried later. */
  readonly delaySeconds: number;
}

/** A try is over long before: a courier that has not settled by then is gone. */
const CLAIM = `interval '5 minutes'`;
/** With the growing delay this takes longer than a notice is of use. */
export const MAX_ATTEMPTS = 16;

type Update = Permit<'notifications/outbox/update'>;

/** Takes what is due and nobody else is sending; of an organization that is closed, nothing. */
export function claimMessages(
  permit: Update,
  { channels, limit }: { readonly channels: readonly Notice['channel'][]; readonly limit: number },
): Promise<ClaimedMessage[]> {
  return permit.query<ClaimedMessage>({
    name: 'claim-messages',
    text: `with due as (
        select id from outbox_messages where tenant_id = $1 and settled_at is null and next_attempt_at <= now()
          and deliver_until > now() and attempts < $4 and channel = any($2)
          and exists (select from tenants where id = $1 and is_enabled)
        order by next_attempt_at limit $3 for update skip locked)
      update outbox_messages m set attempts = m.attempts + 1, next_attempt_at = now() + ${CLAIM}
      from due where m.tenant_id = $1 and m.id = due.id
      returning m.id, m.kind, m.channel, m.recipient, m.subject_id as "subjectId", m.parameters, m.attempts as attempt,
        (select coalesce(u.mail, u.user_principal_name) from users u where u.tenant_id = $1 and u.account_enabled
          and u.id = case when m.channel = 'mail' and m.recipient ~ '^[0-9a-f-]{36}$' then m.recipient::uuid end) as address,
        (select t.display_name from tenants t where t.id = $1) as organization`,
    values: [permit.tenantId, channels, limit, MAX_ATTEMPTS],
  });
}

/**
 * Writes down what became of a try. What is settled keeps its name, so that it is not told again, and not its words.
 * @returns whether this try was still the last one
 */
export async function settleMessage(
  permit: Update,
  { id, attempt, settlement, delaySeconds }: Settled,
): Promise<boolean> {
  const rows = await permit.query({
    name: 'settle-message',
    text: `update outbox_messages set outcome = $4, last_error = $5, settled_at = case when $4::text is not null then now() end,
        next_attempt_at = now() + make_interval(secs => $6), parameters = case when $4::text is null then parameters else '{}' end
      where tenant_id = $1 and id = $2 and attempts = $3 and settled_at is null returning true as settled`,
    values: [
      permit.tenantId,
      id,
      attempt,
      settlement.outcome === 'later' ? null : settlement.outcome,
      'error' in settlement ? settlement.error : null,
      delaySeconds,
    ],
  });
  return rows.length > 0;
}

/** Gives up what nobody could be told in time: its letters are dead. */
export function endOverdueMessages(permit: Update): Promise<DeadLetter[]> {
  return permit.query<DeadLetter>({
    text: `update outbox_messages set settled_at = now(), outcome = 'dead', parameters = '{}',
        last_error = coalesce(last_error, 'It could not be sent in time.')
      where tenant_id = $1 and settled_at is null
        and (deliver_until <= now() or attempts >= $2 and next_attempt_at <= now())
      returning id, kind, channel, last_error as error`,
    values: [permit.tenantId, MAX_ATTEMPTS],
  });
}

export interface DeadLetter {
  readonly id: string;
  readonly kind: string;
  readonly channel: string;
  readonly error: string;
}

/** In how many seconds something is due again on these channels; undefined: nothing waits. */
export async function readNextAttempt(
  permit: Permit<'notifications/outbox/read'>,
  channels: readonly Notice['channel'][],
): Promise<number | undefined> {
  const [row] = await permit.query<{ seconds: number | null }>({
    name: 'read-next-attempt',
    text: `select extract(epoch from min(next_attempt_at) - now())::float8 as seconds from outbox_messages
      where tenant_id = $1 and settled_at is null and channel = any($2)`,
    values: [permit.tenantId, channels],
  });
  return row?.seconds ?? undefined;
}

/** What waits and what was given up, counted. */
export interface Undelivered {
  readonly channel: Notice['channel'];
  readonly isDead: boolean;
  readonly count: number;
  readonly oldestDateTime: Date;
  /** Of the last one that was given up. */
  readonly error: string | null;
}

export function listUndelivered(permit: Permit<'notifications/outbox/read'>): Promise<Undelivered[]> {
  return permit.query<Undelivered & Record<string, unknown>>({
    text: `select channel, outcome is not null as "isDead", count(*)::int as count, min(created_at) as "oldestDateTime",
        (array_agg(last_error order by settled_at desc nulls last))[1] as error
      from outbox_messages where tenant_id = $1 and (settled_at is null or outcome = 'dead') group by 1, 2 order by 1, 2`,
    values: [permit.tenantId],
  });
}
