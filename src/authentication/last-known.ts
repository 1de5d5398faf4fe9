import { LRUCache } from 'lru-cache';
import { DirectoryError } from '../vocabulary/errors.ts';

const MAX_KNOWN = 10_000;
const KEPT_MS = 3_600_000;

/**
 * What was read last, for while the database is away, and for an hour at most. Only for what is public and by which
 * nothing is decided here: APIs that verify tokens go on doing so (DBF-05).
 */
export class LastKnown<Value extends object | string> {
  readonly #known = new LRUCache<string, Value>({ max: MAX_KNOWN, ttl: KEPT_MS });

  /** @throws what `read` throws, unless the database is away and the key is known */
  async read(key: string, read: () => Promise<Value | undefined>): Promise<Value | undefined> {
    try {
      const value = await read();
      if (value === undefined) this.#known.delete(key);
      else this.#known.set(key, value);
      return value;
    } catch (error) {
      const isAway = error instanceof DirectoryError && error.code === 'ServiceUnavailable';
      const known = isAway ? this.#known.get(key) : undefined;
      if (known === undefined) throw error;
      return known;
    }
  }
}
