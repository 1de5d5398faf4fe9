import type { ApplicationPrincipal, DelegatedPrincipal } from './principals.ts';

/** An access token for the directory API whose signature, issuer, audience and times were checked. */
export interface VerifiedAccessToken {
  readonly principal: DelegatedPrincipal | ApplicationPrincipal;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Checks an access token (RFC 9068) that was issued for the directory API.
 * @throws DirectoryError `InvalidAuthenticationToken`, `ServiceUnavailable`
 */
export type VerifyAccessToken = (token: string) => Promise<VerifiedAccessToken>;
