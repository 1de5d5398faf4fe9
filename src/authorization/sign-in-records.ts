import { type AssumedVersion, insertSignIns, type SignInEntry, type SignInRecord } from '../directory/sign-ins.ts';
import type { Store } from '../store/store.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import { Batch } from './batch.ts';
import { NO_TENANT } from './internal/tenants.ts';

const ACTION = 'authentication/signIns/create';

/**
 * Writes sign-in records of many requests with one commit. Each caller waits for the commit that holds its own record:
 * what was acknowledged is on disk.
 */
export class SignInRecords {
  readonly #store: Store;
  readonly #batch: Batch<SignInRecord, boolean>;

  constructor(store: Store) {
    this.#store = store;
    this.#batch = new Batch('even', (records) => this.#write(records));
  }

  /** False: what the record's answer was made from is no longer so, and nothing was written. */
  add(tenantId: TenantId, entry: SignInEntry, assumed?: AssumedVersion): Promise<boolean> {
    return this.#batch.add({ tenantId, entry, assumed });
  }

  #write(records: readonly SignInRecord[]): Promise<boolean[]> {
    return this.#store.selfBoundStatement({ action: ACTION, tenantId: NO_TENANT, access: 'write' }, (permit) =>
      insertSignIns(permit, records),
    );
  }
}
