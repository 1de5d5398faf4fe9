/** The few forms of DER (ITU-T X.690) that a certificate is made of. */

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;

export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  if (length > 0xffff) throw new Error('Longer than any certificate.');
  return Buffer.concat([Buffer.of(tag, 0x80 | bytes.length, ...bytes), content]);
}

export const sequence = (...parts: readonly Uint8Array[]) => element(SEQUENCE, ...parts);
export const set = (...parts: readonly Uint8Array[]) => element(SET, ...parts);
export const octets = (content: Uint8Array) => element(OCTET_STRING, content);
export const utf8 = (text: string) => element(UTF8_STRING, Buffer.from(text));
export const TRUE = Buffer.of(0x01, 0x01, 0xff);

/** Context-specific: `[number]`, constructed unless told otherwise. */
export const tagged = (number: number, content: Uint8Array, isConstructed = true) =>
  element(0x80 | (isConstructed ? 0x20 : 0) | number, content);

/** A non-negative integer of big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first < 0 ? Buffer.of(0) : bytes.subarray(first);
  return element(INTEGER, ...((shortest[0] ?? 0) >= 0x80 ? [Buffer.of(0), shortest] : [shortest]));
}

export function bits(content: Uint8Array, unused = 0): Buffer {
  return element(BIT_STRING, Buffer.of(unused), content);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

/** RFC 5280, section 4.1.2.5: UTCTime through 2049. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050
    ? element(UTC_TIME, Buffer.from(digits.slice(2)))
    : element(GENERALIZED_TIME, Buffer.from(digits));
}
