import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { urlProblem } from '../vocabulary/outbound-urls.ts';
import { addressesOf, allowedOf, type Resolve, resolveByDns } from './addresses.ts';
import { Turns } from './turns.ts';

/** In one process, and for one party (a tenant): nobody's slow server keeps the others waiting. */
const AT_ONCE = 8;
const AT_ONCE_FOR_ONE = 3;
const MAX_HEADER_BYTES = 16_384;

/** The only way out: https to public addresses, small answers in a short time, nothing followed. */
export interface Outbound {
  /**
   * @param options `maxBytes` of the answer, when not the outbound's own; `party` on whose behalf, for a fair share
   * @throws OutboundError for whatever is not a whole answer with status 200
   */
  get(url: string, options?: { accept?: string; maxBytes?: number; party?: string }): Promise<FetchedBody>;
  /**
   * Sends the body; of the answer only the status is read, redirects too.
   * @throws OutboundError where there was none
   */
  post(url: string, body: Buffer, headers: Headers, party?: string): Promise<{ readonly status: number }>;
}

type Headers = Readonly<Record<string, string>>;

export interface FetchedBody {
  readonly body: Buffer;
  readonly contentType: string | undefined;
}

export interface OutboundOptions {
  /** `host:port` or `host:port=address`: where a private network may be reached. */
  readonly allow?: readonly string[];
  readonly resolve?: Resolve;
  /** For all of it: waiting for a turn, look-up, connection, answer. */
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  /** PEM of the authorities that are trusted instead of the well-known ones. */
  readonly authority?: string;
}

/**
 * Something could not be fetched. One text, after one time, for every reason: what answers, and how, at an address that
 * somebody wrote down is nothing to tell him. The cause is for the log.
 */
export class OutboundError extends Error {
  constructor(cause: unknown) {
    super('The address could not be reached.', { cause });
  }
}

interface Sent {
  readonly method: 'GET' | 'POST';
  readonly headers: Headers;
  readonly body?: Buffer;
  readonly party: string | undefined;
}

export function makeOutbound(options: OutboundOptions = {}): Outbound {
  const { allow = [], resolve = resolveByDns, timeoutMs = 2_500, maxBytes: ownMaxBytes = 100_000 } = options;
  const allowed = allowedOf(allow);
  const turns = new Turns(AT_ONCE, AT_ONCE_FOR_ONE);

  const exchange = <T>(text: string, sent: Sent, read: (answer: IncomingMessage) => T | Promise<T>): Promise<T> =>
    within(timeoutMs, async (signal) => {
      const problem = urlProblem(text);
      if (problem) throw new Error(`The URL ${problem}.`);
      const url = new URL(text);
      const giveBack = await turns.take(sent.party ?? url.host, signal);
      try {
        const addresses = await addressesOf(url, allowed, resolve);
        const answer = await send(url, addresses, sent, signal, options.authority);
        try {
          return await read(answer);
        } finally {
          answer.destroy();
        }
      } finally {
        giveBack();
      }
    });

  return {
    get: (url, { accept = 'application/json', maxBytes = ownMaxBytes, party } = {}) =>
      exchange(url, { method: 'GET', headers: { accept }, party }, (answer) => readBody(answer, maxBytes)),
    post: (url, body, headers, party) =>
      exchange(url, { method: 'POST', headers, body, party }, ({ statusCode = 0 }) => ({ status: statusCode })),
  };
}

/** Success at once; failure when the time is over, whenever it was clear (no scan of ports by the clock). */
async function within<T>(milliseconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, abort } = withAbort();
  const over = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  const timer = setTimeout(abort, milliseconds);
  try {
    return await Promise.race([work(signal), over.then(() => Promise.reject(signal.reason))]);
  } catch (cause) {
    await over;
    throw new OutboundError(cause);
  } finally {
    clearTimeout(timer);
  }
}

function withAbort() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error('It took too long.')) };
}

/**
 * To the checked addresses and no others, by a connection of its own. No cookies, no proxy of the environment, no session
 * that is kept, no certificate that is not verified whatever the environment says.
 */
function send(
  url: URL,
  addresses: readonly string[],
  { method, headers, body }: Sent,
  signal: AbortSignal,
  authority: string | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, {
      method,
      headers: {
        ...headers,
        'user-agent': 'Bailiwick',
        'accept-encoding': 'identity',
        ...(body ? { 'content-length': String(body.length) } : {}),
      },
      agent: new Agent({ keepAlive: false, maxCachedSessions: 0 }),
      lookup: lookupOf(addresses),
      rejectUnauthorized: true,
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
      ...(authority === undefined ? {} : { ca: authority }),
    });
    request.once('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
}

/** Answers with what was looked up and checked before. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all }, callback) => {
    if (all) callback(null, found);
    else callback(null, found[0]?.address ?? '', found[0]?.family);
  };
}

async function readBody(answer: IncomingMessage, maxBytes: number): Promise<FetchedBody> {
  const { statusCode, headers } = answer;
  if (statusCode !== 200) throw new Error(`The answer had the status ${statusCode}.`);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new Error('The answer was compressed.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`The answer had more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return { body: Buffer.concat(chunks), contentType: headers['content-type'] };
}
