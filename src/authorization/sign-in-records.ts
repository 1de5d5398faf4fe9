import { insertSignIns, type SignInEntry, type SignInRecord } from '../directory/sign-ins.ts';
import type { Store } from '../store/store.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import { Batch } from './batch.ts';
import { NO_TENANT } from './internal/tenants.ts';

/** Commits on their way at once: while one waits for the disk, the next is written. */
const MAX_COMMITS = 2;
const ACTION = 'authentication/signIns/create';

/**
 * Writes sign-in records of many requests with one commit. Each caller waits for the commit that holds its own record:
 * what was acknowledged is on disk.
 */
export class SignInRecords {
  readonly #store: Store;
  readonly #batch: Batch<SignInRecord, undefined>;

  constructor(store: Store) {
    this.#store = store;
    this.#batch = new Batch((records) => this.#write(records), MAX_COMMITS);
  }

  async add(tenantId: TenantId, entry: SignInEntry): Promise<void> {
    await this.#batch.add({ tenantId, entry });
  }

  async #write(records: readonly SignInRecord[]): Promise<undefined[]> {
    await this.#store.selfBoundStatement({ action: ACTION, tenantId: NO_TENANT, access: 'write' }, (permit) =>
      insertSignIns(permit, records),
    );
    return records.map(() => undefined);
  }
}
