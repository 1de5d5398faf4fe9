/** How many may be under way at once, in all and for one party; whoever is above that waits for his turn. */
export class Turns {
  readonly #limit: number;
  readonly #limitForOne: number;
  readonly #underWay = new Map<string, number>();
  readonly #waiting: { readonly party: string; readonly start: () => void }[] = [];
  #total = 0;

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
    const place = this.#waiting.findIndex(({ party }) => this.#isFree(party));
    const [next] = place < 0 ? [] : this.#waiting.splice(place, 1);
    if (!next) return;
    this.#count(next.party, 1);
    next.start();
  }

  #isFree(party: string): boolean {
    return this.#total < this.#limit && (this.#underWay.get(party) ?? 0) < this.#limitForOne;
  }

  #count(party: string, difference: 1 | -1): void {
    this.#total += difference;
    const count = (this.#underWay.get(party) ?? 0) + difference;
    if (count > 0) this.#underWay.set(party, count);
    else this.#underWay.delete(party);
  }
}
