import type { IncomingMessage } from 'node:http';
import { badRequest, DirectoryError } from '../vocabulary/errors.ts';
import { type Image, MAX_IMAGE_BYTES } from '../vocabulary/images.ts';

const MAX_BYTES = 256 * 1_024;

/**
 * The JSON body of a request, or undefined when there is none.
 * @throws DirectoryError 400, 413, 415
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (isEmpty(request)) return undefined;
  requireSmall(request, MAX_BYTES);
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new DirectoryError('Request_UnsupportedMediaType');
  requirePlain(request);
  const text = (await readBytes(request, MAX_BYTES)).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('The request body is not valid JSON.');
  }
}

/**
 * The picture that a request carries. What is in it is the operation's to check.
 * @throws DirectoryError 400, 413, 415
 */
export async function readImage(request: IncomingMessage): Promise<Image> {
  const type = IMAGE_TYPES.find((known) => known === request.headers['content-type']?.toLowerCase());
  requireSmall(request, MAX_IMAGE_BYTES);
  if (!type)
    throw new DirectoryError('Request_UnsupportedMediaType', 'The request body must be image/png or image/jpeg.');
  requirePlain(request);
  if (isEmpty(request)) throw badRequest('The request has no body.');
  return { type, bytes: await readBytes(request, MAX_IMAGE_BYTES) };
}
const IMAGE_TYPES = ['image/png', 'image/jpeg'] as const;

function isEmpty({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) === 0 && headers['transfer-encoding'] === undefined;
}

function requireSmall({ headers }: IncomingMessage, max: number): void {
  if (Number(headers['content-length'] ?? 0) > max) throw new DirectoryError('Request_EntityTooLarge');
}

function requirePlain({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw new DirectoryError('Request_UnsupportedMediaType');
}

async function readBytes(request: IncomingMessage, max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > max) throw new DirectoryError('Request_EntityTooLarge');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
