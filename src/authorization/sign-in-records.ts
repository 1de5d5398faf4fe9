import { insertSignIn, insertSignIns, type SignInEntry } from '../directory/sign-ins.ts';
import type { Store } from '../store/store.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import { Batch } from './batch.ts';
import { NO_TENANT } from './internal/tenants.ts';

interface SignInRecord {
  readonly tenantId: TenantId;
  readonly entry: SignInEntry;
}

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
    this.#batch = new Batch((records) => this.#write(records));
  }

  async add(tenantId: TenantId, entry: SignInEntry): Promise<void> {
    await this.#batch.add({ tenantId, entry });
  }

  async #write(records: readonly SignInRecord[]): Promise<undefined[]> {
    try {
      await this.#store.selfBoundStatement({ action: ACTION, tenantId: NO_TENANT }, (permit) =>
        insertSignIns(permit, records),
      );
    } catch (error) {
      // One record that does not go in (its tenant was deleted a moment ago) must not take its neighbours along.
      if (records.length === 1) throw error;
      await this.#writeOneByOne(records);
    }
    return records.map(() => undefined);
  }

  async #writeOneByOne(records: readonly SignInRecord[]): Promise<void> {
    const writes = records.map(({ tenantId, entry }) =>
      this.#store.shortTransaction({ action: ACTION, tenantId, access: 'write' }, (permit) =>
        insertSignIn(permit, entry),
      ),
    );
    const failed = (await Promise.allSettled(writes)).find((write) => write.status === 'rejected');
    if (failed) throw failed.reason;
  }
}
