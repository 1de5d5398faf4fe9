import { setTimeout as sleep } from 'node:timers/promises';

export interface LateRequests {
  /** Requests that succeeded, of those that ended before the revocation was sent; and how the others were refused. */
  readonly before: number;
  readonly refusedBefore: readonly string[];
  /** Requests that began after the revocation was acknowledged and were answered, and those of them that succeeded. */
  readonly after: number;
  readonly leaks: number;
  /** How the others of them were refused: each message once. */
  readonly refusals: readonly string[];
}

export interface Race {
  /** Resolves when the request succeeded, rejects when it was refused. */
  readonly asks: readonly (() => Promise<unknown>)[];
  readonly revoke: () => Promise<unknown>;
  /** Of each ask, after the acknowledgement. */
  readonly tries: number;
  /** Of each ask, at once. */
  readonly callers?: number;
  /** How often each ask must have succeeded before the revocation is sent: what is remembered is there by then. */
  readonly warm?: number;
}

/** A machine under load answers so, or not at all. */
const FAULT = /^503 |^fetch failed$/;

/** Many callers at once ask until the revocation is acknowledged, and `tries` times by each ask afterwards. */
export async function lateRequests({ asks, revoke, tries, callers = 10, warm = 20 }: Race): Promise<LateRequests> {
  const succeeded = asks.map(() => 0);
  const [refusedBefore, refusals] = [new Set<string>(), new Set<string>()];
  let state: 'before' | 'revoking' | 'acknowledged' = 'before';
  let [after, leaks] = [0, 0];
  const caller = async (ask: () => Promise<unknown>, index: number, wanted: number) => {
    for (let mine = 0; mine < wanted; ) {
      const isLate = state === 'acknowledged';
      const refusal = await ask().then(
        () => undefined,
        (error: Error) => error.message,
      );
      // Nobody was let in and nobody refused: asked again.
      if (refusal !== undefined && FAULT.test(refusal)) continue;
      if (!isLate && state === 'before') {
        if (refusal === undefined) succeeded[index] = (succeeded[index] ?? 0) + 1;
        else refusedBefore.add(refusal);
      }
      if (!isLate) continue;
      mine += 1;
      after += 1;
      if (refusal === undefined) leaks += 1;
      else refusals.add(refusal);
    }
  };
  const wanted = Math.ceil(tries / callers);
  const all = asks.flatMap((ask, index) => Array.from({ length: callers }, () => caller(ask, index, wanted)));
  // One that is refused before is looked at by the test; waiting for it to succeed would take for ever.
  while (succeeded.some((count) => count < warm) && refusedBefore.size === 0) await sleep(1);
  state = 'revoking';
  await revoke().finally(() => {
    state = 'acknowledged';
  });
  await Promise.all(all);
  const before = succeeded.reduce((sum, count) => sum + count, 0);
  return { before, refusedBefore: [...refusedBefore], after, leaks, refusals: [...refusals] };
}
