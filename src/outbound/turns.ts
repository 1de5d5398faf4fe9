/**
 * How many may be under way at once, in all and for one party; whoever is above that waits for his turn. It comes to the party
 * whose last one is longest ago, so that a few with long queues do not keep the others waiting.
 */
export class Turns {
  readonly #limit: number;
  readonly #limitForOne: number;
  readonly #underWay = new Map<string, number>();
  readonly #waiting: { readonly party: string; readonly start: () => void }[] = [];
  /** Of those that are under way or waiting: the number of its last turn. */
  readonly #lastTurns = new Map<string, number>();
  #total = 0;
  #turns = 0;

  constructor(limit: number, limitForOne: number) {
    this.#limit = limit;
    this.#limitForOne = limitForOne;
  }

  /**
   * @param signal ends the waiting
   * @returns gives the turn back
   * @throws the signal's reason
   */
  async take(party: string, signal: AbortSignal): Promise<() => void> {
    await new Promise<void>((resolve, reject) => {
      const waiting = { party, start: resolve };
      signal.addEventListener('abort', () => {
        const place = this.#waiting.indexOf(waiting);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(signal.reason);
      });
      this.#waiting.push(waiting);
      this.#startNext();
    });
    return () => {
      this.#count(party, -1);
      this.#startNext();
    };
  }

  #startNext(): void {
    const free = this.#waiting.filter(({ party }) => this.#isFree(party));
    const [first, ...others] = free;
    if (!first) return;
    const next = others.reduce((best, each) => (this.#lastTurn(each) < this.#lastTurn(best) ? each : best), first);
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    this.#turns += 1;
    this.#lastTurns.set(next.party, this.#turns);
    this.#count(next.party, 1);
    next.start();
  }

  #lastTurn({ party }: { readonly party: string }): number {
    return this.#lastTurns.get(party) ?? 0;
  }

  #isFree(party: string): boolean {
    return this.#total < this.#limit && (this.#underWay.get(party) ?? 0) < this.#limitForOne;
  }

  #count(party: string, difference: 1 | -1): void {
    this.#total += difference;
    const count = (this.#underWay.get(party) ?? 0) + difference;
    if (count > 0) this.#underWay.set(party, count);
    else {
      this.#underWay.delete(party);
      if (!this.#waiting.some((waiting) => waiting.party === party)) this.#lastTurns.delete(party);
    }
  }
}
