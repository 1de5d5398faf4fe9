/** Seconds that an access token lives. What it may do is asked of live rows at every call, so this bounds its signature only. */
export const ACCESS_TOKEN_SECONDS = 3_600;

/** Of tokens for this API: what its application says, within bounds that the database keeps. */
export function accessTokenSeconds({
  accessTokenSeconds: wished,
}: {
  readonly accessTokenSeconds: number | null;
}): number {
  return wished ?? ACCESS_TOKEN_SECONDS;
}

/** Seconds by which clocks of others may differ. MSAL rounds: half its assertions begin half a second from now. */
export const CLOCK_TOLERANCE_SECONDS = 5;
