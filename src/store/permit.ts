import type { ClientBase, QueryConfig, QueryResultRow } from 'pg';
import type { TenantId } from '../vocabulary/ids.ts';
import type { SealContext, Sealer } from './sealing.ts';

/** One parameterised statement. A `name` makes it a prepared statement of its connection. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/**
 * The right to do one action in one tenant, for as long as one transaction lasts. The database client is private: who
 * holds no permit has no way to send SQL, and a permit for another action does not fit a query's parameter type.
 */
export class Permit<Action extends string> {
  readonly action: Action;
  readonly tenantId: TenantId;
  readonly #client: ClientBase;
  readonly #sealer: Sealer;
  #open = true;

  constructor(action: Action, tenantId: TenantId, client: ClientBase, sealer: Sealer) {
    this.action = action;
    this.tenantId = tenantId;
    this.#client = client;
    this.#sealer = sealer;
  }

  /** Rows of one statement. In a short permit it must be called before the first `await`. */
  async query<Row extends QueryResultRow>(statement: Statement): Promise<Row[]> {
    if (!this.#open) throw new Error(`The permit for ${this.action} is closed.`);
    // Without values pg would use the simple protocol, which runs whatever stands behind a semicolon too.
    const single: QueryConfig & { queryMode: 'extended' } = {
      ...statement,
      values: statement.values ? [...statement.values] : [],
      queryMode: 'extended',
    };
    const { rows } = await this.#client.query<Row>(single);
    return rows;
  }

  seal(table: string, row: string, column: string, plaintext: Uint8Array | string): Buffer {
    return this.#sealer.seal(this.#context(table, row, column), plaintext);
  }

  /** @throws when the value was altered, moved to another place, or sealed under another key. */
  unseal(table: string, row: string, column: string, sealed: Buffer): Buffer {
    return this.#sealer.open(this.#context(table, row, column), sealed);
  }

  /** HMAC-SHA-256 of a secret that is compared and never read back. */
  keyedHash(purpose: string, value: string): Buffer {
    return this.#sealer.keyedHash(purpose, value);
  }

  close(): void {
    this.#open = false;
  }

  #context(table: string, row: string, column: string): SealContext {
    return { tenantId: this.tenantId, table, row, column };
  }
}
