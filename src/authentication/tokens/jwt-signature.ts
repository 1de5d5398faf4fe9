import { sign } from 'node:crypto';
import type { TenantKey, TenantKeyring } from '../keys/tenant-keyring.ts';

/**
 * The signature bytes of a JWS (RFC 7518, sections 3.3 and 3.4), on the event loop's thread: 31 µs for ES256. A job for
 * libuv's pool costs as much again in hand-over on one core, and would queue behind the password hashes, which fill it.
 */
export function signBytes({ kid, privateKey }: TenantKey, bytes: Uint8Array): Buffer {
  if (!privateKey) throw new Error(`the key ${kid} is here to verify only`);
  return sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
}

/** An access token (RFC 9068, section 2): a JWT in compact form, signed by the tenant's current ES256 key. */
export function signAccessToken(keyring: TenantKeyring, claims: object): string {
  const key = keyring.key('current', 'ES256');
  if (!key) throw new Error('the tenant in scope has no current ES256 key');
  const signed = `${headerOf(key)}.${encoded(claims)}`;
  return `${signed}.${signBytes(key, Buffer.from(signed)).toString('base64url')}`;
}

const headers = new WeakMap<TenantKey, string>();

function headerOf(key: TenantKey): string {
  const known = headers.get(key);
  if (known !== undefined) return known;
  const made = encoded({ alg: 'ES256', typ: 'at+jwt', kid: key.kid });
  headers.set(key, made);
  return made;
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
