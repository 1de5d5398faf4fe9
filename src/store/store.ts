import pg from 'pg';
import type { TenantId } from '../vocabulary/ids.ts';
import { Permit } from './permit.ts';
import type { Sealer } from './sealing.ts';
import { SharedConnections } from './shared-connections.ts';
import { isRetryable, isUnfit, ON_PRIMARY, translateSqlError } from './sql-errors.ts';

/** What a transaction is bound to. Row level security reads nothing else. */
export interface Binding<Action extends string> {
  readonly action: Action;
  readonly tenantId: TenantId;
  readonly access: 'read' | 'write';
  /** Shows one published application of another tenant (wire.md, "Consent: one truth"). */
  readonly appId?: string | undefined;
  /** Shows one verified domain, whosever it is. */
  readonly domain?: string | undefined;
}

export interface StoreOptions {
  readonly url: string;
  readonly sealer: Sealer;
  readonly onError: (error: Error) => void;
  readonly maxConnections?: number;
  readonly sharedConnections?: number;
}

const BEGIN = { read: { name: 'begin-read', text: 'begin read only' }, write: { name: 'begin-write', text: 'begin' } };
const COMMIT = { name: 'commit', text: 'commit' };
const BIND = {
  name: 'bind',
  text: `select set_config('bailiwick.tenant_id', $1, true), set_config('bailiwick.app_id', $2, true),
    set_config('bailiwick.domain', $3, true), ${ON_PRIMARY}`,
};
const MAX_ATTEMPTS = 3;

/** One database login's connections, and the only maker of permits. */
export class Store {
  readonly #pool: pg.Pool;
  readonly #shared: SharedConnections;
  readonly #sealer: Sealer;

  constructor({ url, sealer, onError, maxConnections = 10, sharedConnections = 4 }: StoreOptions) {
    const config = {
      connectionString: url,
      application_name: 'bailiwick',
      connectionTimeoutMillis: 3_000,
      statement_timeout: 2_000,
      // Postgres itself ends a statement long before: then nobody is there any more, and the connection is given up.
      query_timeout: 10_000,
      idle_in_transaction_session_timeout: 5_000,
      pipeline: true,
    };
    this.#pool = new pg.Pool({ ...config, max: maxConnections });
    this.#pool.on('error', onError);
    // A connection that breaks inside a transaction rejects its statements; unheard, the event would end the process.
    this.#pool.on('connect', (client) => client.on('error', () => {}));
    // Short statements go by keys: one plan serves all values. Measured, planning anew was two thirds of what reading the
    // versions of one tenant cost Postgres.
    const shared = { ...config, options: '-c plan_cache_mode=force_generic_plan' };
    this.#shared = new SharedConnections(shared, sharedConnections, onError);
    this.#sealer = sealer;
  }

  /**
   * Runs `work` in a transaction of its own connection. Commits when it resolves, rolls back when it rejects; runs it
   * again (three times at most) where it did nothing and may succeed now.
   */
  transaction<Action extends string, Result>(
    binding: Binding<Action>,
    work: (permit: Permit<Action>) => Promise<Result>,
  ): Promise<Result> {
    return retrying(binding.access, () => this.#attempt(binding, work));
  }

  /**
   * Runs `work`, which must queue its statement, or its few, before its first `await`, in a transaction on a shared pipelined
   * connection. For short statements only: a slow one would stall its neighbours.
   */
  shortTransaction<Action extends string, Result>(
    binding: Binding<Action>,
    work: (permit: Permit<Action>) => Promise<Result>,
  ): Promise<Result> {
    return this.#onShared(binding.access, (client) => this.#pipeline(client, binding, work));
  }

  /**
   * Runs `work`, which must queue one statement that binds the tenant itself or needs none, as a transaction of its
   * own. Postgres ends the binding with the statement; a statement that forgets it sees and writes nothing of a tenant.
   */
  selfBoundStatement<Action extends string, Result>(
    { action, tenantId, access }: Pick<Binding<Action>, 'action' | 'tenantId' | 'access'>,
    work: (permit: Permit<Action>) => Promise<Result>,
  ): Promise<Result> {
    return this.#onShared(access, (client) => {
      const permit = new Permit(action, tenantId, client, this.#sealer);
      const result = work(permit);
      permit.close();
      return result;
    });
  }

  async end(): Promise<void> {
    await Promise.all([this.#pool.end(), this.#shared.end()]);
  }

  async #attempt<Action extends string, Result>(
    binding: Binding<Action>,
    work: (permit: Permit<Action>) => Promise<Result>,
  ): Promise<Result> {
    const client = await this.#pool.connect();
    const permit = new Permit(binding.action, binding.tenantId, client, this.#sealer);
    let broken: Error | undefined;
    try {
      const opened = Promise.all([client.query(BEGIN[binding.access]), client.query(bind(binding))]);
      const [result] = await Promise.all([work(permit), opened]);
      permit.close();
      const committed = client.query(COMMIT);
      // A read has nothing to lose: the connection keeps its order, so the next transaction begins after this commit.
      if (binding.access === 'read') committed.catch(() => {});
      else if ((await committed).command !== 'COMMIT')
        throw new Error('The transaction was aborted before its commit.');
      return result;
    } catch (error) {
      permit.close();
      if (isUnfit(error)) broken = error;
      await client.query('rollback').catch((cause: Error) => {
        broken = cause;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  #onShared<Result>(access: Binding<string>['access'], work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    return retrying(access, async () => {
      let client: pg.Client | undefined;
      try {
        const acquired = this.#shared.acquire();
        client = acquired instanceof Promise ? await acquired : acquired;
        return await work(client);
      } catch (error) {
        if (client && isUnfit(error)) this.#shared.retire(client);
        // What an aborted transaction of somebody else left. It is queued between two transactions, as each is queued whole.
        else if (client && isRetryable(error)) client.query('rollback').catch(() => {});
        throw error;
      }
    });
  }

  async #pipeline<Action extends string, Result>(
    client: pg.Client,
    binding: Binding<Action>,
    work: (permit: Permit<Action>) => Promise<Result>,
  ): Promise<Result> {
    const permit = new Permit(binding.action, binding.tenantId, client, this.#sealer);
    const [result, { command }] = await corked(client, () => {
      const opened = [client.query(BEGIN[binding.access]), client.query(bind(binding))] as const;
      // In an async function, so that even what `work` throws at once can not keep the commit from being queued.
      const working = (async () => work(permit))();
      permit.close();
      return Promise.all([working, client.query(COMMIT), ...opened]);
    });
    if (command !== 'COMMIT') throw new Error('The transaction was aborted before its commit.');
    return result;
  }
}

async function retrying<Result>(access: Binding<string>['access'], run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isRetryable(error)) throw translateSqlError(error, access);
    }
  }
}

/** Sends in one packet what `queue` queues. */
function corked<Result>({ connection: { stream } }: pg.Client, queue: () => Result): Result {
  stream.cork();
  try {
    return queue();
  } finally {
    stream.uncork();
  }
}

function bind({ tenantId, appId = '', domain = '' }: Binding<string>) {
  return { ...BIND, values: [tenantId, appId, domain] };
}
