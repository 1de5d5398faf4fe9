import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';

/** A public key's parameters and names, nothing else (RFC 7517). */
export type PublicJwk = Readonly<Record<string, unknown>>;

const MAX_NAME = 200;
const THUMBPRINTS = ['x5t', 'x5t#S256'] as const;
const ALGORITHMS: ReadonlySet<unknown> = new Set(['RS256', 'PS256', 'ES256']);

/**
 * The public JWK of a key that may verify signatures (RFC 8725, section 3.5).
 * @param key a certificate (PEM or base64 DER) or a JWK
 * @returns a string: why it is not accepted
 */
export function publicJwkOf(key: string | PublicJwk): PublicJwk | string {
  try {
    if (typeof key === 'object' && ('d' in key || 'k' in key)) return 'A private or symmetric key must never be sent.';
    const publicKey = typeof key === 'string' ? certificateOf(key).publicKey : createPublicKey({ key, format: 'jwk' });
    if (!isStrong(publicKey))
      return 'Must be an RSA key of 2048 to 8192 bits with an exponent of 65537 or more, or an EC key on P-256.';
    const names = typeof key === 'string' ? thumbprintsOf(certificateOf(key)) : namesOf(key);
    return { ...publicKey.export({ format: 'jwk' }), ...names };
  } catch {
    return 'Must be an X.509 certificate in PEM or base64, or a public JWK.';
  }
}

/** From when until when a certificate says that it is valid; a bare key says nothing. */
export function validityOf(key: string | PublicJwk): { startDateTime: string | null; endDateTime: string | null } {
  if (typeof key !== 'string') return { startDateTime: null, endDateTime: null };
  const { validFromDate, validToDate } = certificateOf(key);
  return { startDateTime: validFromDate.toISOString(), endDateTime: validToDate.toISOString() };
}

/**
 * NIST SP 800-131A, FIPS 186-5: with the exponent 1, a signature would be the message. A huge modulus or exponent makes
 * each verification as slow as whoever registered it likes.
 */
function isStrong({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = asymmetricKeyDetails;
  if (asymmetricKeyType === 'rsa') {
    const isUsable = publicExponent >= 65_537n && publicExponent < 2n ** 32n && publicExponent % 2n === 1n;
    return modulusLength >= 2_048 && modulusLength <= 8_192 && isUsable;
  }
  return asymmetricKeyType === 'ec' && namedCurve === 'prime256v1';
}

function certificateOf(text: string): X509Certificate {
  return new X509Certificate(text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64'));
}

function thumbprintsOf({ fingerprint, fingerprint256 }: X509Certificate): Record<string, string> {
  const encoded = (hex: string) => Buffer.from(hex.replaceAll(':', ''), 'hex').toString('base64url');
  return { x5t: encoded(fingerprint), 'x5t#S256': encoded(fingerprint256) };
}

/** A key that says for which algorithm it is, is for no other (RFC 7517, section 4.4). */
function namesOf(key: PublicJwk): Record<string, unknown> {
  const { kid, alg } = key;
  const thumbprints = THUMBPRINTS.filter((name) => /^[\w-]{27,43}$/.test(String(key[name])));
  return {
    ...(typeof kid === 'string' ? { kid: kid.slice(0, MAX_NAME) } : {}),
    ...(ALGORITHMS.has(alg) ? { alg } : {}),
    ...Object.fromEntries(thumbprints.map((name) => [name, key[name]])),
  };
}
