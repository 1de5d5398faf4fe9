import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openSealer } from '../../src/store/key-encryption-key.ts';
import { Sealer } from '../../src/store/sealing.ts';

const sealer = new Sealer(randomBytes(32));
const place = { tenantId: 'a', table: 'signing_keys', row: 'k1', column: 'sealed_private_key' };

describe('a sealed value (SEC-03)', () => {
  const sealed = sealer.seal(place, 'the private key');

  test('opens where it was sealed', () => {
    expect(sealer.open(place, sealed).toString()).toBe('the private key');
    expect(sealer.open(place, sealer.seal(place, '')).length).toBe(0);
  });

  test('shows nothing of what is in it, and never looks the same twice', () => {
    expect(sealed.includes('private')).toBe(false);
    expect(sealer.seal(place, 'the private key').equals(sealed)).toBe(false);
  });

  test('opens with no bit of it flipped, nothing cut off and nothing added', () => {
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = Buffer.from(sealed);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => sealer.open(place, altered)).toThrow();
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => sealer.open(place, sealed.subarray(0, length))).toThrow();
    }
    expect(() => sealer.open(place, Buffer.concat([sealed, Buffer.of(0)]))).toThrow();
  });

  test.each([
    ['tenant', { ...place, tenantId: 'b' }],
    ['table', { ...place, table: 'artifacts' }],
    ['row', { ...place, row: 'k2' }],
    ['column', { ...place, column: 'payload' }],
    ['tenant whose name runs into the table’s', { ...place, tenantId: 'as', table: 'igning_keys' }],
    ['row that looks like two parts', { ...place, row: 'k1|18:sealed_private_key' }],
  ])('does not open at another %s', (_what, elsewhere) => {
    expect(() => sealer.open(elsewhere, sealed)).toThrow();
  });

  test('does not open under another key-encryption key', () => {
    expect(() => new Sealer(randomBytes(32)).open(place, sealed)).toThrow();
  });

  test('a keyed hash is one of its purpose and key alone', () => {
    const hash = sealer.keyedHash('secrets', 'x');
    expect(hash).toHaveLength(32);
    expect(sealer.keyedHash('secrets', 'x')).toEqual(hash);
    expect(sealer.keyedHash('other', 'x')).not.toEqual(hash);
    expect(new Sealer(randomBytes(32)).keyedHash('secrets', 'x')).not.toEqual(hash);
  });

  test('a key-encryption key of another length is refused', () => {
    for (const length of [0, 16, 31, 33]) expect(() => new Sealer(randomBytes(length))).toThrow('32 bytes');
  });
});

describe('the key-encryption key’s file', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'bailiwick-key-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('is made once, for its owner alone, and then found', () => {
    const file = join(directory, 'deep', 'key');
    const first = openSealer(file, true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'deep'))).toEqual(['key']);
    const text = readFileSync(file, 'utf8');
    expect(openSealer(file, true).open(place, first.seal(place, 'x')).toString()).toBe('x');
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('is not made where it must be given', () => {
    const file = join(directory, 'absent');
    expect(() => openSealer(file, false)).toThrow(`There is no key-encryption key at ${file}.`);
    expect(existsSync(file)).toBe(false);
  });

  test('is refused, and left as it is, when it does not hold 32 bytes in base64url', () => {
    const file = join(directory, 'bad');
    for (const text of ['', 'short', randomBytes(32).toString('hex'), `${randomBytes(31).toString('base64url')}!`]) {
      writeFileSync(file, text);
      expect(() => openSealer(file, true)).toThrow('is not 32 bytes in base64url');
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });

  test('may end with a newline', () => {
    const file = join(directory, 'newline');
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`);
    expect(openSealer(file, false)).toBeInstanceOf(Sealer);
  });
});
