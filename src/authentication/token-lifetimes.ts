/** Seconds that an access token lives. What it may do is asked of live rows at every call, so this bounds its signature only. */
export const ACCESS_TOKEN_SECONDS = 3_600;
