import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const PURPOSE = 'bailiwick/refresh-token-successor/1';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals a refresh token's successor under a key that only the bearer of the token itself can derive (HKDF-SHA-256,
 * RFC 5869; AES-256-GCM): IV, tag, ciphertext. The database alone yields no token, with or without its keys.
 */
export function sealSuccessor(tenantId: string, token: string, successor: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(tenantId, token), iv);
  const ciphertext = Buffer.concat([cipher.update(successor, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]);
}

/** @throws when the value was sealed for another token, in another tenant, or was altered */
export function openSuccessor(tenantId: string, token: string, sealed: Buffer): string {
  const iv = sealed.subarray(0, IV_BYTES);
  const decipher = createDecipheriv(CIPHER, keyOf(tenantId, token), iv, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const plaintext = Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  return plaintext.toString('utf8');
}

function keyOf(tenantId: string, token: string): Buffer {
  return Buffer.from(hkdfSync('sha256', token, tenantId, PURPOSE, 32));
}
