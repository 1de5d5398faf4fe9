import { deflateSync, inflateSync } from 'node:zlib';
import { chunk } from '../../test/support/pictures.ts';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const COLOURS = 256;

/**
 * The same picture of its 256 most frequent colours, a third of the size: pages have few, and shades between them where
 * letters end. Takes what Chromium writes: eight bits for each of red, green and blue, not interlaced.
 */
export function ofFewColours(png: Buffer): Buffer {
  const { width, height, pixels } = decoded(png);
  const counts = new Map<number, number>();
  for (let at = 0; at < pixels.length; at += 3) {
    const colour = pixels.readUIntBE(at, 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = paletteOf([...counts].sort(([, one], [, other]) => other - one).map(([colour]) => colour));
  const places = new Map([...counts.keys()].map((colour) => [colour, nearest(palette, colour)]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < width * height; at += 1) {
    const row = Math.floor(at / width);
    rows[at + row + 1] = places.get(pixels.readUIntBE(at * 3, 3)) ?? 0;
  }
  const colours = Buffer.alloc(palette.length * 3);
  palette.forEach((colour, place) => {
    colours.writeUIntBE(colour, place * 3, 3);
  });
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 3, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([
    ...[SIGNATURE, chunk('IHDR', header), chunk('PLTE', colours)],
    ...[chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))],
  ]);
}

/** The first of each hue, so that a small mark keeps its own, then whatever comes first. */
function paletteOf(byFrequency: readonly number[]): number[] {
  const hues = new Map<number, number>();
  for (const colour of byFrequency) {
    const hue = colour & 0xe0e0e0;
    if (!hues.has(hue)) hues.set(hue, colour);
  }
  return [...new Set([...hues.values(), ...byFrequency])].slice(0, COLOURS);
}

function nearest(palette: readonly number[], colour: number): number {
  const distances = palette.map((other) => {
    const apart = [16, 8, 0].map((shift) => ((other >> shift) & 255) - ((colour >> shift) & 255));
    return apart.reduce((sum, one) => sum + one * one, 0);
  });
  return distances.indexOf(Math.min(...distances));
}

function decoded(png: Buffer): { readonly width: number; readonly height: number; readonly pixels: Buffer } {
  const parts: Buffer[] = [];
  let header = Buffer.alloc(0);
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const kind = png.toString('latin1', at + 4, at + 8);
    const content = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    if (kind === 'IHDR') header = Buffer.from(content);
    if (kind === 'IDAT') parts.push(content);
  }
  if (header[8] !== 8 || header[9] !== 2 || header[12] !== 0) throw new Error('Not the kind of PNG that is expected.');
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  return { width, height, pixels: unfiltered(inflateSync(Buffer.concat(parts)), width * 3, height) };
}

/** PNG, section 9.2: each byte is written as what it is more than its neighbours foretell. */
function unfiltered(raw: Buffer, stride: number, height: number): Buffer {
  const pixels = Buffer.alloc(stride * height);
  for (let row = 0; row < height; row += 1) {
    const filter = raw[row * (stride + 1)] ?? 0;
    for (let column = 0; column < stride; column += 1) {
      const at = row * stride + column;
      const left = column < 3 ? 0 : (pixels[at - 3] ?? 0);
      const above = row === 0 ? 0 : (pixels[at - stride] ?? 0);
      const corner = column < 3 || row === 0 ? 0 : (pixels[at - stride - 3] ?? 0);
      pixels[at] = ((raw[at + row + 1] ?? 0) + foretold(filter, left, above, corner)) & 255;
    }
  }
  return pixels;
}

function foretold(filter: number, left: number, above: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  if (filter !== 4) return 0;
  const estimate = left + above - corner;
  const [byLeft, byAbove, byCorner] = [left, above, corner].map((one) => Math.abs(estimate - one)) as [
    number,
    number,
    number,
  ]; // of three
  if (byLeft <= byAbove && byLeft <= byCorner) return left;
  return byAbove <= byCorner ? above : corner;
}
