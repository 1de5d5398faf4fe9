import { readVersions, type VersionKey } from '../directory/versions.ts';
import type { Store } from '../store/store.ts';
import { Batch } from './batch.ts';
import { NO_TENANT } from './internal/tenants.ts';

/**
 * Reads versions from the primary, for each request after it arrived: requests that wait at the same moment share one
 * round trip, and none gets an answer that was asked for before it came. What a cache holds under the version that is
 * returned is therefore never older than the request (wire.md, "Revocation").
 */
export class Versions {
  readonly #batch: Batch<VersionKey, string | undefined>;

  constructor(store: Store) {
    // Needs no tenant to be bound: one statement where a transaction would be four.
    const binding = { action: 'authorization/versions/read', tenantId: NO_TENANT, access: 'read' } as const;
    this.#batch = new Batch('greedy', (keys) =>
      store.selfBoundStatement(binding, (permit) => readVersions(permit, keys)),
    );
  }

  /** Undefined: the tenant does not exist. */
  read(key: VersionKey): Promise<string | undefined> {
    return this.#batch.add(key);
  }
}
