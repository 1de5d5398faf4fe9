import type { Permit } from '../../src/store/permit.ts';
import { type Binding, Store, type StoreOptions } from '../../src/store/store.ts';

interface RememberedRow {
  readonly at: number;
  readonly row: object;
}

/**
 * A build that is broken on purpose: what it once read of a version it believes for a while, as a cache with a lifetime
 * would. Whoever serves by it lets requests through after a revocation was acknowledged.
 */
export class StaleStore extends Store {
  readonly #believedMs: number;
  readonly #known = new Map<string, RememberedRow>();

  constructor(options: StoreOptions, believedMs: number) {
    super(options);
    this.#believedMs = believedMs;
  }

  override selfBoundStatement<Action extends string, Result>(
    binding: Pick<Binding<Action>, 'action' | 'tenantId' | 'access'>,
    work: (permit: Permit<Action>) => Promise<Result>,
  ): Promise<Result> {
    if (binding.action !== 'authorization/versions/read') return super.selfBoundStatement(binding, work);
    return super.selfBoundStatement(binding, (permit) => work(this.#forgetful(permit)));
  }

  #forgetful<Action extends string>(permit: Permit<Action>): Permit<Action> {
    const query: Permit<Action>['query'] = async <Row extends object>(
      statement: Parameters<typeof permit.query>[0],
    ) => {
      const rows = await permit.query<Row & Record<string, unknown>>(statement);
      const [tenants, apps] = (statement.values ?? []) as [readonly string[], readonly string[]]; // of `readVersions`
      return rows.map((row, index) => this.#believed(`${tenants[index]} ${apps[index]}`, row));
    };
    // The one method that reading versions calls.
    return { query } as Permit<Action>;
  }

  #believed<Row extends object>(key: string, row: Row): Row {
    const known = this.#known.get(key);
    if (known && Date.now() - known.at < this.#believedMs) return known.row as Row; // stored below
    this.#known.set(key, { at: Date.now(), row });
    return row;
  }
}
