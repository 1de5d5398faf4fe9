import { setTimeout as pause } from 'node:timers/promises';
import type { Permit } from '../../src/store/permit.ts';
import type { Store } from '../../src/store/store.ts';
import type { Action } from '../../src/vocabulary/actions.ts';
import type { TestDatabase } from './database.ts';
import { asSuperuser, type TestTenant } from './tenants.ts';

/** A write whose transaction stays open until it is told to commit. */
export interface InFlight {
  /** Resolves when all is written but the commit, or nothing can be. */
  readonly written: Promise<unknown>;
  /** Resolves to `done`, or to why it was not. */
  commit(): Promise<string>;
}

const open = new Set<() => void>();

/** For `afterEach`: a test that failed half way leaves transactions open, for which everything else would wait. */
export function commitAll(): void {
  for (const go of open) go();
  open.clear();
}

/** How often Postgres had to end somebody who waited in a circle: it does so after a second, and nobody notices. */
export async function deadlocks(database: TestDatabase): Promise<number> {
  const [row] = await asSuperuser<{ deadlocks: number }>(
    database,
    'select deadlocks::int as deadlocks from pg_stat_database where datname = current_database()',
  );
  return row?.deadlocks ?? 0;
}

export function inFlight<Name extends Action>(
  store: Store,
  { id: tenantId }: TestTenant,
  action: Name,
  write: (permit: Permit<Name>) => Promise<unknown>,
): InFlight {
  const [written, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  open.add(go.resolve);
  const committed = store.transaction({ action, tenantId, access: 'write' }, async (permit) => {
    await write(permit);
    written.resolve();
    await go.promise;
  });
  const outcome = committed.then(
    () => 'done',
    (error: Error) => error.message,
  );
  return {
    written: Promise.race([written.promise, outcome]),
    commit: () => {
      go.resolve();
      return outcome;
    },
  };
}

/** How many transactions of the database wait for a lock. */
export async function waiting(database: TestDatabase): Promise<number> {
  const [row] = await asSuperuser<{ count: number }>(
    database,
    `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.count ?? 0;
}

/** Until the work is settled, or waits for a lock besides those that wait already. */
export async function settledOrWaiting(database: TestDatabase, work: Promise<unknown>, others = 0): Promise<void> {
  let isSettled = false;
  const settle = () => (isSettled = true);
  work.then(settle, settle);
  while (!isSettled && (await waiting(database)) <= others) await pause(5);
}
