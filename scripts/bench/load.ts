import { connect } from 'node:net';

/** What is sent over and over: whole HTTP/1.1 requests, picked at random. */
export interface Load {
  readonly port: number;
  readonly requests: readonly Buffer[];
  readonly seconds: number;
}

export interface Measured {
  /** Answers within the counted time. */
  readonly answers: number;
  /** All 2xx answers, those of the warm-up too: each must have left its row. */
  readonly acknowledged: number;
  readonly perSecond: number;
  /** Milliseconds from writing the request to the last byte of the answer. */
  readonly p50: number;
  readonly p99: number;
  /** Answers other than 2xx by status, and broken connections. One of them voids the run. */
  readonly refused: Readonly<Record<string, number>>;
}

export const CONNECTIONS = 16;
const WARM_UP_SECONDS = 0.3;

/**
 * Keeps 16 requests in flight over kept-alive connections, each waiting for its answer. On raw sockets, because the load
 * shares a core with the database and an HTTP client costs more than some of the servers that it measures.
 */
export async function load({ port, requests, seconds }: Load): Promise<Measured> {
  const begin = performance.now() + WARM_UP_SECONDS * 1_000;
  const end = begin + seconds * 1_000;
  const latencies: number[] = [];
  const refused: Record<string, number> = {};
  let acknowledged = 0;
  const note = (status: string, sent: number, done: number) => {
    if (!status.startsWith('2')) refused[status] = (refused[status] ?? 0) + 1;
    else {
      acknowledged += 1;
      if (sent >= begin && done <= end) latencies.push(done - sent);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, () => exchange(port, requests, end, note)));
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => Number((latencies[Math.floor(latencies.length * q)] ?? Number.NaN).toFixed(2));
  return {
    answers: latencies.length,
    acknowledged,
    perSecond: Math.round(latencies.length / seconds),
    p50: quantile(0.5),
    p99: quantile(0.99),
    refused,
  };
}

/** One connection's requests and answers, one after the other, until `end`. */
function exchange(
  port: number,
  requests: readonly Buffer[],
  end: number,
  note: (status: string, sent: number, done: number) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    let sent = 0;
    let received = '';
    const next = () => {
      sent = performance.now();
      const request = requests[Math.floor(Math.random() * requests.length)];
      if (sent >= end || !request) socket.destroy();
      else socket.write(request);
    };
    socket.once('connect', next);
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (!isWhole(received)) return;
      note(received.slice(9, 12), sent, performance.now());
      received = '';
      next();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => note(error.code ?? 'broken', 0, 0));
    socket.once('close', () => resolve());
  });
}

function isWhole(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, head))?.[1];
  if (length === undefined) throw new Error(`An answer without a length: ${answer.slice(0, head)}`);
  return answer.length >= head + 4 + Number(length);
}

/** A form post, as bytes. */
export function formRequest(path: string, form: Readonly<Record<string, string>>): Buffer {
  const body = new URLSearchParams(form).toString();
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

/** A read with a bearer token, as bytes. */
export function bearerRequest(path: string, token: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
}
