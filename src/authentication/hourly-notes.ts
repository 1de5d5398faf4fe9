import { LRUCache } from 'lru-cache';
import type { TenantId } from '../vocabulary/ids.ts';

const MAX_NOTED = 50_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** What was used is noted once an hour for each thing, however many requests use it, and none of them waits for that. */
export class HourlyNotes {
  readonly #write: (tenantId: TenantId, ids: readonly string[]) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  // By the id alone, which is a string that has its hash; the time of a minute ago does, without a timer.
  readonly #noted = new LRUCache<string, TenantId>({ max: MAX_NOTED, ttl: HOUR_MS, ttlResolution: MINUTE_MS });
  // Asked first: with many tenants a cache of strings is seldom in the processor's, and each token asks for three.
  readonly #lately = new WeakMap<object, number>();

  constructor(write: (tenantId: TenantId, ids: readonly string[]) => Promise<void>, onError: (error: unknown) => void) {
    this.#write = write;
    this.#onError = onError;
  }

  /** @param of stands for these ids as long as it lives */
  note(tenantId: TenantId, ids: readonly string[], of: object = ids): void {
    const now = Date.now();
    if ((this.#lately.get(of) ?? 0) > now - MINUTE_MS) return;
    this.#lately.set(of, now);
    const due = ids.filter((id) => this.#noted.get(id) !== tenantId);
    if (due.length === 0) return;
    for (const id of due) this.#noted.set(id, tenantId);
    this.#write(tenantId, due).catch((error: unknown) => {
      for (const id of due) this.#noted.delete(id);
      this.#lately.delete(of);
      this.#onError(error);
    });
  }
}
