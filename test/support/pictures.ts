import { crc32, deflateSync } from 'node:zlib';

/** A part of a PNG, with its length and checksum. */
export function chunk(kind: string, content: Buffer): Buffer {
  const frame = Buffer.alloc(12 + content.length);
  frame.writeUInt32BE(content.length, 0);
  frame.write(kind, 4, 'latin1');
  content.copy(frame, 8);
  frame.writeUInt32BE(crc32(frame.subarray(4, 8 + content.length)), 8 + content.length);
  return frame;
}

/** A grey PNG of that size. */
export function png(width: number, height: number, extra: readonly [string, Buffer][] = []): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const rows = deflateSync(Buffer.alloc((width + 1) * height, 0x80));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    ...extra.map(([kind, content]) => chunk(kind, content)),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

export const PNG = png(4, 4);

/** A JPEG's frame and scan of that size: its structure, with no picture that anybody would look at. */
export function jpeg(width: number, height: number): Buffer {
  const frame = Buffer.from('ffc0000b0800000000010111 00'.replace(' ', ''), 'hex');
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  const scan = Buffer.from('ffda0008010100003f00', 'hex');
  return Buffer.concat([
    Buffer.from('ffd8', 'hex'),
    frame,
    scan,
    Buffer.from('55aa', 'hex'),
    Buffer.from('ffd9', 'hex'),
  ]);
}
