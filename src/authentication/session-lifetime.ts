/** A browser session ends after this long without use … */
export const SESSION_IDLE_SECONDS = 12 * 3_600;
/** … and this long after the person authenticated, however much it is used (NIST SP 800-63B-4, section 2.1.3). */
export const SESSION_ABSOLUTE_SECONDS = 7 * 24 * 3_600;

/** Seconds that a session may live from now. `loginTs`: when the person authenticated, seconds since the epoch. */
export function sessionSeconds(loginTs: number | undefined, now: number = Math.floor(Date.now() / 1_000)): number {
  const absolute = Math.floor(loginTs ?? now) + SESSION_ABSOLUTE_SECONDS - now;
  return Math.max(1, Math.min(SESSION_IDLE_SECONDS, absolute));
}
