/** A picture as a client sends it. */
export interface Image {
  readonly type: 'image/png' | 'image/jpeg';
  readonly bytes: Uint8Array;
}

export const MAX_IMAGE_BYTES = 100 * 1_024;
const MAX_PIXELS = 1_024;

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const CHUNK_FRAME = 12;
/** Start of frame in a JPEG (ITU-T T.81, table B.1); the other numbers between are tables. */
const FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
const START_OF_SCAN = 0xda;

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Why the bytes are not a picture of the type that they are said to be, or nothing. Only what every viewer agrees on is
 * accepted: the structure whole, no bytes after its end (a file that is also something else), a small size.
 */
export function imageProblem({ type, bytes }: Image): string | undefined {
  if (bytes.length > MAX_IMAGE_BYTES) return `Must be at most ${MAX_IMAGE_BYTES} bytes.`;
  const size = type === 'image/png' ? pngSize(bytes) : jpegSize(bytes);
  if (!size) return `Must be a whole ${type === 'image/png' ? 'PNG' : 'JPEG'} and nothing else.`;
  const isSmall = [size.width, size.height].every((length) => length >= 1 && length <= MAX_PIXELS);
  return isSmall ? undefined : `Must be at most ${MAX_PIXELS} by ${MAX_PIXELS} pixels.`;
}

/** ISO/IEC 15948: the signature, then chunks, of which IHDR is the first and IEND the last. */
function pngSize(bytes: Uint8Array): Size | undefined {
  if (!PNG_SIGNATURE.every((byte, index) => bytes[index] === byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kinds: string[] = [];
  let at = PNG_SIGNATURE.length;
  while (at + CHUNK_FRAME <= bytes.length && kinds.at(-1) !== 'IEND') {
    kinds.push(String.fromCharCode(...bytes.subarray(at + 4, at + 8)));
    at += CHUNK_FRAME + view.getUint32(at);
  }
  const isWhole = at === bytes.length && kinds[0] === 'IHDR' && kinds.at(-1) === 'IEND' && kinds.includes('IDAT');
  return isWhole ? { width: view.getUint32(16), height: view.getUint32(20) } : undefined;
}

/** ITU-T T.81, annex B: segments up to the scan, of which one is the frame; the end of the image is the end of the file. */
function jpegSize(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isFramed = bytes.length > 4 && view.getUint16(0) === 0xffd8 && view.getUint16(bytes.length - 2) === 0xffd9;
  let size: Size | undefined;
  let at = 2;
  while (isFramed && at + 9 < bytes.length && bytes[at] === 0xff) {
    const kind = bytes[at + 1] ?? 0;
    if (kind === START_OF_SCAN) return size;
    if (FRAMES.has(kind)) size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}
