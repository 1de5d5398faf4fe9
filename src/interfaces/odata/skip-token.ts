import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { type Cursor, invalidSkipToken } from '../../vocabulary/list-query.ts';
import type { Principal } from '../../vocabulary/principals.ts';

/** What a skip token belongs to. It opens for the same caller, path and question, and for nothing else. */
export interface PageBinding {
  readonly principal: Principal;
  /** The request's path with its ids. */
  readonly path: string;
  readonly question: readonly (readonly [name: string, value: string])[];
}

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const LIFETIME = 24 * 60 * 60 * 1_000;
const MAX_LENGTH = 8_192;
const MIN_SECRET_BYTES = 32;

/**
 * Seals the place where a page ended, so that a caller can neither read the sort key of a row nor make one up:
 * AES-256-GCM under a key derived from `secret` (HKDF-SHA-256, RFC 5869), the binding as associated data, and 24 hours
 * to live. All processes of a deployment need the same secret of 32 bytes or more.
 */
export class SkipTokens {
  readonly #key: Buffer;
  readonly #now: () => number;

  constructor(secret: Uint8Array, now: () => number = Date.now) {
    if (secret.length < MIN_SECRET_BYTES)
      throw new Error(`The secret of skip tokens must be ${MIN_SECRET_BYTES} bytes or more.`);
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'bailiwick/skip-token/1', 32));
    this.#now = now;
  }

  seal(cursor: Cursor, binding: PageBinding): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(digestOf(binding));
    const plaintext = JSON.stringify({ cursor, expiresAt: this.#now() + LIFETIME });
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), iv, cipher.getAuthTag(), ciphertext]).toString('base64url');
  }

  /** @throws ListQueryError with one message, whether the token was altered, moved, expired or never ours. */
  open(token: string, binding: PageBinding): Cursor {
    const sealed = Buffer.from(token.slice(0, MAX_LENGTH), 'base64url');
    // One spelling for each token: base64url as such ignores foreign characters and loose bits at the end.
    if (sealed.toString('base64url') !== token || sealed[0] !== VERSION) throw invalidSkipToken();
    const { cursor, expiresAt } = this.#decrypt(sealed, digestOf(binding));
    if (this.#now() >= expiresAt) throw invalidSkipToken();
    return cursor;
  }

  #decrypt(sealed: Buffer, associated: Buffer): { cursor: Cursor; expiresAt: number } {
    const iv = sealed.subarray(1, 1 + IV_BYTES);
    const tag = sealed.subarray(1 + IV_BYTES, 1 + IV_BYTES + TAG_BYTES);
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(associated).setAuthTag(tag);
      const ciphertext = sealed.subarray(1 + IV_BYTES + TAG_BYTES);
      return JSON.parse(Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8'));
    } catch {
      throw invalidSkipToken();
    }
  }
}

function digestOf({ principal, path, question }: PageBinding): Buffer {
  const parts = [principal.tenantId, ...identityOf(principal), path, question];
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}

/** Ids only: the same caller with a fresh access token goes on where he was. */
function identityOf(principal: Principal): readonly string[] {
  switch (principal.kind) {
    case 'delegated':
      return [principal.kind, principal.userId, principal.appId];
    case 'application':
      return [principal.kind, principal.servicePrincipalId, principal.appId];
    case 'session':
      return [principal.kind, principal.userId];
    case 'internal':
      return [principal.kind, principal.name];
  }
}
