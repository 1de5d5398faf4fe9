import { DirectoryError } from '../vocabulary/errors.ts';

interface Waiting<Item, Result> {
  readonly item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

const MAX_SIZE = 200;

/**
 * Does for many callers at once what costs the same for one: those who wait while a batch is on its way go together
 * with the next. A caller's batch always starts after the call. Where a batch fails, each of its items is tried alone:
 * an item that can not be done takes no neighbour along.
 */
export class Batch<Item, Result> {
  readonly #run: (items: readonly Item[]) => Promise<readonly Result[]>;
  #waiting: Waiting<Item, Result>[] = [];
  #running = 0;
  readonly #most: number;

  /**
   * @param run answers in the order of the items, and does nothing at all when it rejects
   * @param most batches on their way at once
   */
  constructor(run: (items: readonly Item[]) => Promise<readonly Result[]>, most: number) {
    this.#most = most;
    this.#run = run;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#running < this.#most) void this.#work();
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
      if (results.length !== batch.length) throw new Error('A batch did not answer for each of its items.');
      // As many results as items.
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
    } catch (error) {
      if (batch.length > 1 && !isAway(error)) await Promise.all(batch.map((waiting) => this.#next([waiting])));
      else for (const { reject } of batch) reject(error);
    }
  }
}

/** Then no item would fare better alone, and what was sent may have been done. */
function isAway(error: unknown): boolean {
  return error instanceof DirectoryError && error.code === 'ServiceUnavailable';
}
