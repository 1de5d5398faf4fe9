const DURATION = /^PT(?:([1-9]\d?)H)?(?:([1-9]|[1-5]\d)M)?(?:([1-9]|[1-5]\d)S)?$/;

/**
 * Seconds of an ISO 8601 duration in hours, minutes and seconds, such as `PT1H30M`. Spelled one way alone (no `PT90M`),
 * so that what was set and what is shown are the same text; NaN for anything else.
 */
export function secondsOf(duration: string): number {
  const match = DURATION.exec(duration);
  if (!match || duration === 'PT') return Number.NaN;
  const [, hours = 0, minutes = 0, seconds = 0] = match;
  return Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}
