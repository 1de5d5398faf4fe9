import type { IncomingMessage } from 'node:http';
import { badRequest, DirectoryError } from '../vocabulary/errors.ts';

const MAX_BYTES = 256 * 1_024;

/**
 * The JSON body of a request, or undefined when there is none.
 * @throws DirectoryError 400, 413, 415
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const {
    'content-type': type,
    'content-length': length,
    'transfer-encoding': chunked,
    'content-encoding': encoding,
  } = request.headers;
  if (Number(length ?? 0) === 0 && chunked === undefined) return undefined;
  if (Number(length ?? 0) > MAX_BYTES) throw new DirectoryError('Request_EntityTooLarge');
  if (!/^application\/json\s*(;|$)/i.test(type ?? '')) throw new DirectoryError('Request_UnsupportedMediaType');
  if (encoding !== undefined && encoding !== 'identity') throw new DirectoryError('Request_UnsupportedMediaType');
  const text = await readText(request);
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('The request body is not valid JSON.');
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new DirectoryError('Request_EntityTooLarge');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
