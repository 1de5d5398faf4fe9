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

const BEARER = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i;
const MAX_TOKEN_LENGTH = 8_192;

/** The token of an `Authorization` header (RFC 6750, section 2.1); nothing when it holds none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  const token = BEARER.exec(authorization ?? '')?.[1];
  return token !== undefined && token.length <= MAX_TOKEN_LENGTH ? token : undefined;
}
