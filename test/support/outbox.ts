import type { Authorization } from '../../src/authorization/perform.ts';
import { enqueue, type Notice } from '../../src/directory/outbox.ts';
import { makeOutbound, type Outbound } from '../../src/outbound/fetch.ts';
import { Courier } from '../../src/server/courier.ts';
import { makeLogs } from '../../src/server/log.ts';
import type { Mailer } from '../../src/server/mailer.ts';
import type { Store } from '../../src/store/store.ts';
import type { TenantId } from '../../src/vocabulary/ids.ts';
import type { TestDatabase } from './database.ts';
import { asSuperuser, ORIGIN } from './tenants.ts';

const STORES = new WeakMap<TestDatabase, Store>();
const AUTHORIZATIONS = new WeakMap<TestDatabase, Authorization>();

/** That of the authentication side: the same for all that ask, because connections are few. */
export const authorizationOf = (database: TestDatabase): Authorization =>
  kept(AUTHORIZATIONS, database, () => database.authorization('authentication'));

function kept<Value>(values: WeakMap<TestDatabase, Value>, database: TestDatabase, make: () => Value): Value {
  const value = values.get(database) ?? make();
  values.set(database, value);
  return value;
}

/** A courier, and all that it wrote down. */
export interface TestCourier {
  readonly courier: Courier;
  deliver(): Promise<void>;
  log(): string;
}

export function aCourier(
  database: TestDatabase,
  {
    mailer,
    outbound = makeOutbound(),
    authorization = authorizationOf(database),
    origin = ORIGIN,
  }: {
    readonly mailer?: Mailer;
    readonly outbound?: Outbound;
    readonly authorization?: Authorization;
    readonly origin?: string;
  } = {},
): TestCourier {
  let text = '';
  const { server } = makeLogs('debug', { write: (line) => (text += line) });
  const courier = new Courier({
    ...{ authorization, mailer, outbound, origin, log: server },
    onError: (error) => {
      throw error;
    },
  });
  return { courier, deliver: () => courier.deliver(), log: () => text };
}

/** Puts notices into the tenant's outbox, as some deed of the authentication side would. */
export async function put(database: TestDatabase, tenantId: TenantId, ...notices: Notice[]): Promise<void> {
  const store = kept(STORES, database, () => database.openStore('authentication'));
  const binding = { action: 'authentication/tokens/issue', tenantId, access: 'write' } as const;
  await store.transaction(binding, (permit) => enqueue(permit, notices));
}

/** That somebody asks for an application, told by mail to a person, or by webhook. */
export function aRequestNotice(recipient: string, more: { application?: string; requester?: string } = {}): Notice {
  const requestId = crypto.randomUUID();
  return {
    kind: 'consentRequestCreated',
    channel: recipient === 'webhook' ? 'webhook' : 'mail',
    recipient,
    subjectId: requestId,
    parameters: { application: 'Reports', requester: 'Alice', requestId, ...more },
  };
}

export interface OutboxRow {
  readonly kind: string;
  readonly channel: string;
  readonly recipient: string;
  readonly subject_id: string;
  readonly parameters: object;
  readonly attempts: number;
  readonly outcome: string | null;
  readonly last_error: string | null;
  /** Seconds. */
  readonly wait: number;
}

export function outboxOf(database: TestDatabase, tenantId: TenantId): Promise<OutboxRow[]> {
  return asSuperuser<OutboxRow>(
    database,
    `select kind, channel, recipient, subject_id, parameters, attempts, outcome, last_error,
      extract(epoch from next_attempt_at - now())::float8 as wait
      from outbox_messages where tenant_id = $1 order by created_at, recipient, subject_id`,
    [tenantId],
  );
}

/** As if so much time had passed for everything that waits. */
export async function later(database: TestDatabase, time: string): Promise<void> {
  await asSuperuser(
    database,
    `update outbox_messages set next_attempt_at = next_attempt_at - $1::interval, deliver_until = deliver_until - $1::interval
      where settled_at is null`,
    [time],
  );
}
