import { LRUCache } from 'lru-cache';
import type { TenantId } from '../vocabulary/ids.ts';

const MAX_NOTED = 50_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** What was used is noted once an hour for each thing, however many requests use it, and none of them waits for that. */
export class HourlyNotes {
  readonly #write: (tenantId: TenantId, ids: readonly string[]) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  // Asked for each token. By the id alone, which is a string that has its hash; the time of a minute ago does, without a timer.
  readonly #noted = new LRUCache<string, TenantId>({ max: MAX_NOTED, ttl: HOUR_MS, ttlResolution: MINUTE_MS });

  constructor(write: (tenantId: TenantId, ids: readonly string[]) => Promise<void>, onError: (error: unknown) => void) {
    this.#write = write;
    this.#onError = onError;
  }

  note(tenantId: TenantId, ids: readonly string[]): void {
    const due = ids.filter((id) => this.#noted.get(id) !== tenantId);
    if (due.length === 0) return;
    for (const id of due) this.#noted.set(id, tenantId);
    this.#write(tenantId, due).catch((error: unknown) => {
      for (const id of due) this.#noted.delete(id);
      this.#onError(error);
    });
  }
}
