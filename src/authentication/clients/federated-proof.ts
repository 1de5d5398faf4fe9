import { decodeJwt, decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose';
import type { TrustedIssuer } from '../../authorization/internal/federated-credentials.ts';
import type { PublicJwk } from '../../vocabulary/public-keys.ts';
import type { KeySet } from './remote-keys.ts';

const ALGORITHMS = ['RS256', 'PS256', 'ES256'];
/** An assertion that lives longer is no proof that somebody is there now. */
const MAX_SECONDS = 86_400;
const CLOCK_SECONDS = 30;

/** An assertion of another issuer that a credential of the application trusts. */
export interface FederatedProof {
  readonly issuer: string;
  readonly tokenId: string | undefined;
  /** Seconds since the epoch: until then it is taken, which is a little longer than it says itself. */
  readonly expiresAt: number;
}

/**
 * Verifies an assertion of another issuer against an application's federated credentials (RFC 7523, section 3): issuer,
 * subject and the one audience are those of one credential, to the letter; the signature is by a key that the issuer
 * publishes; it lives for a day at most.
 * @param keysOf the issuer's keys; asked only for issuers that the application trusts
 */
export async function verifyFederated(
  assertion: string,
  credentials: readonly TrustedIssuer[],
  keysOf: (issuer: string, kid: string | undefined) => Promise<KeySet | undefined>,
): Promise<FederatedProof | undefined> {
  const claimed = claimsOf(assertion);
  const trusted = credentials.find(
    ({ issuer, subject, audiences }) =>
      claimed.iss === issuer && claimed.sub === subject && isExactly(claimed.aud, audiences),
  );
  if (!trusted) return undefined;
  const { kid, alg } = headerOf(assertion);
  const set = await keysOf(trusted.issuer, kid);
  for (const key of candidates(set?.keys ?? [], kid, alg)) {
    const proof = await proven(assertion, key, trusted);
    if (proof) return proof;
  }
  return undefined;
}

async function proven(
  assertion: string,
  key: PublicJwk,
  { issuer, subject, audiences }: TrustedIssuer,
): Promise<FederatedProof | undefined> {
  try {
    const { alg = '' } = headerOf(assertion);
    const { payload } = await jwtVerify(assertion, await importJWK({ ...key }, alg), {
      algorithms: ALGORITHMS,
      issuer,
      subject,
      audience: [...audiences],
      requiredClaims: ['exp', 'iat'],
      clockTolerance: CLOCK_SECONDS,
    });
    const { exp = 0, iat = 0, jti } = payload;
    const now = Date.now() / 1_000;
    // Not made in the future, and neither lives for longer than a day nor did (jose checks the rest).
    if (iat > now + CLOCK_SECONDS || exp - iat > MAX_SECONDS) return undefined;
    return { issuer, tokenId: jti, expiresAt: exp + CLOCK_SECONDS };
  } catch {
    return undefined;
  }
}

/** Of a key that is not named, all of the algorithm's kind may be meant. */
function candidates(keys: readonly PublicJwk[], kid: string | undefined, alg: string | undefined): PublicJwk[] {
  const kind = alg === 'ES256' ? 'EC' : 'RSA';
  return keys.filter(
    (key) => key.kty === kind && (kid === undefined || key.kid === kid) && (key.alg === undefined || key.alg === alg),
  );
}

/** RFC 7523 lets an assertion have several audiences; one that others take too is not for us. */
function isExactly(aud: unknown, audiences: readonly string[]): boolean {
  const given = Array.isArray(aud) ? aud : [aud];
  return given.length === 1 && audiences.length === 1 && given[0] === audiences[0];
}

function claimsOf(assertion: string): JWTPayload {
  try {
    return decodeJwt(assertion);
  } catch {
    return {};
  }
}

function headerOf(assertion: string): { readonly kid: string | undefined; readonly alg: string | undefined } {
  try {
    const { kid, alg } = decodeProtectedHeader(assertion);
    return { kid: typeof kid === 'string' ? kid : undefined, alg };
  } catch {
    return { kid: undefined, alg: undefined };
  }
}
