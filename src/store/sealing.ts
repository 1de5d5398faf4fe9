import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Where a sealed value lives. All of it is bound in, so a ciphertext that was moved does not open. */
export interface SealContext {
  readonly tenantId: string;
  readonly table: string;
  readonly row: string;
  readonly column: string;
}

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals values with AES-256-GCM under keys derived from a key-encryption key of 32 bytes: version, IV, tag, ciphertext.
 * Each place has a key of its own: one key with random IVs would be used up after 2^32 values (NIST SP 800-38D, 8.3),
 * and every session and code is one.
 * `keyed` derives further keys (HKDF-SHA-256, RFC 5869) for keyed hashes, one for each purpose.
 */
export class Sealer {
  readonly #key: Buffer;
  readonly #hashKeys = new Map<string, Buffer>();
  readonly #keyEncryptionKey: Buffer;

  constructor(keyEncryptionKey: Buffer) {
    if (keyEncryptionKey.length !== 32) throw new Error('The key-encryption key must be 32 bytes.');
    this.#keyEncryptionKey = keyEncryptionKey;
    this.#key = this.derive('bailiwick/sealing/1');
  }

  derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#keyEncryptionKey, '', purpose, 32));
  }

  /** HMAC-SHA-256 under a key of that purpose: for values that are compared and never read back. */
  keyedHash(purpose: string, value: string): Buffer {
    let key = this.#hashKeys.get(purpose);
    if (!key) {
      key = this.derive(purpose);
      this.#hashKeys.set(purpose, key);
    }
    return createHmac('sha256', key).update(value).digest();
  }

  seal(context: SealContext, plaintext: Uint8Array | string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const place = associated(context);
    const cipher = createCipheriv('aes-256-gcm', this.#keyOf(place), iv).setAAD(place);
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), iv, cipher.getAuthTag(), ciphertext]);
  }

  /** @throws when the value was altered, moved, or sealed under another key. */
  open(context: SealContext, sealed: Buffer): Buffer {
    if (sealed.length < 1 + IV_BYTES + TAG_BYTES || sealed[0] !== VERSION) throw new Error('Not a sealed value.');
    const iv = sealed.subarray(1, 1 + IV_BYTES);
    const tag = sealed.subarray(1 + IV_BYTES, 1 + IV_BYTES + TAG_BYTES);
    const place = associated(context);
    const decipher = createDecipheriv('aes-256-gcm', this.#keyOf(place), iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(place).setAuthTag(tag);
    return Buffer.concat([decipher.update(sealed.subarray(1 + IV_BYTES + TAG_BYTES)), decipher.final()]);
  }

  #keyOf(place: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(place).digest();
  }
}

/** Length-prefixed, so no two contexts read the same. */
function associated({ tenantId, table, row, column }: SealContext): Buffer {
  return Buffer.from([tenantId, table, row, column].map((part) => `${Buffer.byteLength(part)}:${part}`).join('|'));
}
