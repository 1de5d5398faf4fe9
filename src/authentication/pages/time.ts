/** A number of seconds in words, rounded up. */
export function inWords(seconds: number): string {
  const [count, unit] =
    seconds <= 90 ? [Math.max(1, Math.ceil(seconds)), 'second'] : [Math.ceil(seconds / 60), 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** A moment in UTC, to the second: `2026-03-09 14:03:07 UTC`. */
export function inUtc(moment: Date): string {
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
