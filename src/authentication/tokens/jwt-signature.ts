import { sign } from 'node:crypto';
import type { SigningAlgorithm } from '../../authorization/internal/signing-keys.ts';
import type { TenantKey, TenantKeyring } from '../keys/tenant-keyring.ts';

/**
 * The signature bytes of a JWS (RFC 7518, sections 3.3 and 3.4), on the event loop's thread: 31 µs for ES256. A job for
 * libuv's pool costs as much again in hand-over on one core, and would queue behind the password hashes, which fill it.
 */
export function signBytes({ kid, privateKey }: TenantKey, bytes: Uint8Array): Buffer {
  if (!privateKey) throw new Error(`the key ${kid} is here to verify only`);
  return sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
}

/** A JWT (RFC 7519) in compact form, signed by the tenant's current key of that algorithm. */
export function signJwt(
  keyring: TenantKeyring,
  header: { readonly alg: SigningAlgorithm; readonly typ: string },
  claims: object,
): string {
  const key = keyring.key('current', header.alg);
  if (!key) throw new Error(`the tenant in scope has no current ${header.alg} key`);
  const signed = `${headerOf(key, header)}.${encoded(claims)}`;
  return `${signed}.${signBytes(key, Buffer.from(signed)).toString('base64url')}`;
}

/** A key signs with one algorithm, so its headers differ in their type alone. */
const headers = new WeakMap<TenantKey, Map<string, string>>();

function headerOf(key: TenantKey, header: { readonly alg: SigningAlgorithm; readonly typ: string }): string {
  const ofKey = headers.get(key) ?? new Map<string, string>();
  const known = ofKey.get(header.typ);
  if (known !== undefined) return known;
  const made = encoded({ ...header, kid: key.kid });
  headers.set(key, ofKey.set(header.typ, made));
  return made;
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
