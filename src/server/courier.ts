import { everyTenant, type TenantVersion } from '../authorization/internal/every-tenant.ts';
import {
  type ClaimedMessage,
  claimDue,
  endOverdue,
  expireOverdueRequests,
  getNextAttempt,
  getWebhookTarget,
  remindOfRequests,
  type Settlement,
  settle,
  warnOfExpiringCredentials,
} from '../authorization/internal/outbox.ts';
import type { InternalOperation } from '../authorization/operation.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { Outbound } from '../outbound/fetch.ts';
import type { InternalAction } from '../vocabulary/actions.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import { internalPrincipal } from '../vocabulary/principals.ts';
import type { Log } from './log.ts';
import type { Mailer } from './mailer.ts';
import { noticeText } from './notice-text.ts';
import { sendWebhook } from './webhooks.ts';

const ROUND_MS = 5_000;
/** Between two looks at what ends by itself: requests, credentials, notices. */
const UPKEEP_MS = 900_000;
/** In one round: neither mail nor sign-ins wait until all of many tenants are looked at. */
const UPKEEPS_A_ROUND = 20;
/** Tenants at once: one whose receiver is slow keeps few waiting. */
const TENANTS_AT_ONCE = 8;
const CHANNELS = ['mail', 'webhook'] as const;
const MESSAGES_AT_ONCE = 3;
/** In one visit no further message is begun after so long. */
const VISIT_MS = 5_000;
const FIRST_DELAY_S = 60;
const LONGEST_DELAY_S = 21_600;

export interface CourierParts {
  readonly authorization: Authorization;
  /** Undefined: mail waits until there is one. */
  readonly mailer: Mailer | undefined;
  readonly outbound: Outbound;
  /** Of the sign-in server: where links lead. */
  readonly origin: string;
  readonly log: Log;
  readonly onError: (error: unknown) => void;
}

/** What is known of a tenant: nothing new is in its outbox before its version changes or the time comes. */
interface Known {
  readonly version: string;
  readonly nextAt: number;
  readonly upkeepAt: number;
}

/**
 * Sends what waits in the tenants' outboxes, and sees to what ends by itself. Any number of processes do so at once: each
 * takes messages that no other has, and one that dies with a message in its hand leaves it to the next after a while.
 */
export class Courier {
  readonly #parts: CourierParts;
  readonly #stopped = new AbortController();
  #known: ReadonlyMap<TenantId, Known> = new Map();
  #upkeepsLeft = 0;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.deliver()
        .catch(this.#parts.onError)
        .then(() => (this.#stopped.signal.aborted ? undefined : this.start()));
    }, ROUND_MS);
  }

  /** Walks through all tenants once, and enters those in which something may be due. */
  async deliver(): Promise<void> {
    const known = new Map<TenantId, Known>();
    this.#upkeepsLeft = UPKEEPS_A_ROUND;
    const tenants = everyTenant(this.#parts.authorization, 'courier');
    const walk = async () => {
      for await (const tenant of tenants) {
        if (this.#stopped.signal.aborted) return;
        known.set(tenant.id, await this.#visit(tenant));
      }
    };
    // They share one generator, which hands each tenant to one of them.
    await Promise.all(Array.from({ length: TENANTS_AT_ONCE }, walk));
    this.#known = known;
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('The server ends.'));
    clearTimeout(this.#timer);
    await this.#round;
  }

  async #visit({ id, version }: TenantVersion): Promise<Known> {
    const before = this.#known.get(id);
    const now = Date.now();
    const isUpkeep = now >= (before?.upkeepAt ?? 0) && this.#upkeepsLeft-- > 0;
    if (before?.version === version && now < before.nextAt && !isUpkeep) return before;
    try {
      if (isUpkeep) await this.#keepUp(id);
      while ((await this.#send(id)) === MESSAGES_AT_ONCE && Date.now() < now + VISIT_MS);
      const seconds = await this.#perform(id, getNextAttempt, this.#parts.mailer ? CHANNELS : ['webhook']);
      const nextAt = seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + seconds * 1_000;
      return { version, nextAt, upkeepAt: isUpkeep ? now + UPKEEP_MS : (before?.upkeepAt ?? 0) };
    } catch (error) {
      this.#parts.onError(error);
      return { version, nextAt: now, upkeepAt: before?.upkeepAt ?? 0 };
    }
  }

  async #keepUp(tenantId: TenantId): Promise<void> {
    await this.#perform(tenantId, expireOverdueRequests, undefined);
    await this.#perform(tenantId, remindOfRequests, undefined);
    await this.#perform(tenantId, warnOfExpiringCredentials, undefined);
    for (const { id, kind, channel, error } of await this.#perform(tenantId, endOverdue, undefined))
      this.#parts.log.error({ tenantId, messageId: id, kind, channel, reason: error }, 'A notice was given up.');
  }

  /** @returns how many messages were tried: as many as fit means that there may be more */
  async #send(tenantId: TenantId): Promise<number> {
    const { mailer, log } = this.#parts;
    const channels = mailer && !mailer.isPaused ? CHANNELS : (['webhook'] as const);
    const messages = await this.#perform(tenantId, claimDue, { channels, limit: MESSAGES_AT_ONCE });
    await Promise.all(
      messages.map(async (message) => {
        const settlement = await this.#try(tenantId, message);
        const { id, attempt, kind, channel } = message;
        await this.#perform(tenantId, settle, { id, attempt, settlement, delaySeconds: delayAfter(attempt) });
        if (settlement.outcome === 'sent' || settlement.outcome === 'dropped') return;
        const fields = { tenantId, messageId: id, kind, channel, attempt, reason: settlement.error };
        if (settlement.outcome === 'dead') log.error(fields, 'A notice was given up.');
        else log.warn(fields, 'A notice could not be sent yet.');
      }),
    );
    return messages.length;
  }

  async #try(tenantId: TenantId, message: ClaimedMessage): Promise<Settlement> {
    const { mailer, outbound, origin } = this.#parts;
    if (message.channel === 'webhook')
      return sendWebhook(outbound, tenantId, await this.#perform(tenantId, getWebhookTarget, undefined), message);
    const { id, address: to } = message;
    if (to === null || !mailer) return { outcome: 'dropped', error: 'There is nobody to tell any more.' };
    return mailer.send({ id, tenantId, to, ...noticeText(message, origin, tenantId) }, this.#stopped.signal);
  }

  #perform<Action extends InternalAction, Input, Result>(
    tenantId: TenantId,
    operation: InternalOperation<Action, Input, Result>,
    input: Input,
  ): Promise<Result> {
    return this.#parts.authorization.performInternal(internalPrincipal('courier', tenantId), operation, input);
  }
}

/** Doubles from a minute to six hours, and up to a quarter more, so that what failed together is not tried together. */
function delayAfter(attempt: number): number {
  return Math.min(FIRST_DELAY_S * 2 ** (attempt - 1), LONGEST_DELAY_S) * (1 + Math.random() / 4);
}
