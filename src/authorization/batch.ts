import { DirectoryError } from '../vocabulary/errors.ts';

interface Waiting<Item, Result> {
  readonly item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

const MAX_SIZE = 200;

/**
 * `greedy` takes all who wait, as soon as it can: for what is answered at once. `even` is for what takes as long as the
 * callers do between two calls. It takes half of those who are here, since with all in one batch nobody is left to work
 * for meanwhile; and who was answered goes on in a turn of the event loop of his own, before the next batch is sent,
 * since together their answers would be made in step and the first would leave with the last.
 */
export type Pace = 'greedy' | 'even';

/**
 * Does for many callers at once what costs the same for one. One batch is on its way at a time, and those who wait
 * meanwhile go together with the next. A caller's batch always starts after the call. Where a batch fails, each of its
 * items is tried alone: an item that can not be done takes no neighbour along.
 */
export class Batch<Item, Result> {
  readonly #pace: Pace;
  readonly #run: (items: readonly Item[]) => Promise<readonly Result[]>;
  #waiting: Waiting<Item, Result>[] = [];
  #isAtWork = false;

  /** @param run answers in the order of the items, and does nothing at all when it rejects */
  constructor(pace: Pace, run: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#pace = pace;
    this.#run = run;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isAtWork) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    // Lets those who call in the same turn join.
    await nextTurn();
    for (let size = 0; this.#waiting.length > 0; ) {
      const batch = this.#waiting.splice(0, this.#sizeAfter(size));
      size = batch.length;
      await this.#next(batch);
      if (this.#pace === 'even') await nextTurn();
    }
    this.#isAtWork = false;
  }

  /** @param before the size of the batch before; 0 when nobody was here */
  #sizeAfter(before: number): number {
    const waiting = this.#waiting.length;
    const size = this.#pace === 'even' && before > 0 ? Math.ceil((before + waiting) / 2) : waiting;
    return Math.min(size, MAX_SIZE);
  }

  async #next(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#run(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error('A batch did not answer for each of its items.');
      for (const [index, { resolve }] of batch.entries()) {
        const goOn = () => resolve(results[index] as Result); // as many results as items
        if (this.#pace === 'even') setImmediate(goOn);
        else goOn();
      }
    } catch (error) {
      if (batch.length > 1 && !isAway(error)) await Promise.all(batch.map((waiting) => this.#next([waiting])));
      else for (const { reject } of batch) reject(error);
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Then no item would fare better alone, and what was sent may have been done. */
function isAway(error: unknown): boolean {
  return error instanceof DirectoryError && error.code === 'ServiceUnavailable';
}
