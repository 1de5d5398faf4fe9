interface Waiting<Item, Result> {
  readonly item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

const MAX_SIZE = 200;
const MAX_RUNNING = 2;

/**
 * Does for many callers at once what costs the same for one: those who wait while a batch is on its way go together
 * with the next. A caller's batch always starts after the call.
 */
export class Batch<Item, Result> {
  readonly #run: (items: readonly Item[]) => Promise<readonly Result[]>;
  #waiting: Waiting<Item, Result>[] = [];
  #running = 0;

  /** @param run answers in the order of the items; its rejection is that of every item */
  constructor(run: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#run = run;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#running < MAX_RUNNING) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#running += 1;
    // Lets those who call in the same turn of the event loop join.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#next(this.#waiting.splice(0, MAX_SIZE));
    this.#running -= 1;
  }

  async #next(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#run(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (index < results.length)
          resolve(result as Result); // index is in range
        else reject(new Error('A batch answered for fewer than it was asked.'));
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
