import pg from 'pg';

/**
 * A few pipelined connections that many short transactions share. Each transaction queues all its statements in one
 * tick, so none ever stands between another's `begin` and `commit`. Measured against a checked-out client that waits
 * for each statement: three times the throughput.
 */
export class SharedConnections {
  readonly #config: pg.ClientConfig;
  readonly #clients: (pg.Client | Promise<pg.Client> | undefined)[];
  readonly #onError: (error: Error) => void;
  #next = 0;
  #ended = false;

  constructor(config: pg.ClientConfig, size: number, onError: (error: Error) => void) {
    this.#config = config;
    this.#clients = new Array(size).fill(undefined);
    this.#onError = onError;
  }

  /** A connected client, in turn. Resolves without waiting when it is connected already. */
  acquire(): pg.Client | Promise<pg.Client> {
    const slot = this.#next;
    this.#next = (slot + 1) % this.#clients.length;
    return this.#clients[slot] ?? this.#connect(slot);
  }

  /** Gives nobody this connection any more, and ends it when what is under way on it is answered. */
  retire(client: pg.Client): void {
    const slot = this.#clients.indexOf(client);
    if (slot === -1) return;
    this.#clients[slot] = undefined;
    void client.end().catch(() => {});
  }

  async end(): Promise<void> {
    this.#ended = true;
    const clients = await Promise.allSettled(this.#clients.map((client) => client));
    await Promise.allSettled(
      clients.map((client) => (client.status === 'fulfilled' ? client.value?.end() : undefined)),
    );
  }

  #connect(slot: number): Promise<pg.Client> {
    if (this.#ended) return Promise.reject(new Error('The connection pool has ended.'));
    const client = new pg.Client({ ...this.#config, pipeline: true });
    const connecting = client.connect().then(
      () => {
        if (this.#clients[slot] === connecting) this.#clients[slot] = client;
        return client;
      },
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    // A connection reports its end twice, and its slot may have a new one by then.
    const forget = () => {
      if (this.#clients[slot] === client || this.#clients[slot] === connecting) this.#clients[slot] = undefined;
    };
    client.on('error', (error) => {
      forget();
      this.#onError(error);
    });
    client.on('end', forget);
    this.#clients[slot] = connecting;
    return connecting;
  }
}
