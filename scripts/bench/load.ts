// Load for one endpoint: node scripts/bench/load.ts URL SECONDS FILE, where FILE holds one form body a line.
// Prints one line of JSON. Pin it to another core than the server: taskset -c 1 node scripts/bench/load.ts …
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { pathToFileURL } from 'node:url';

export interface Load {
  readonly url: string;
  /** Form bodies, picked at random; or a function that makes the next one. */
  readonly bodies: readonly string[] | (() => string);
  readonly seconds: number;
  readonly connections?: number;
  /** Seconds of load before the count starts; 1 by default. */
  readonly warmUp?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Measured {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Milliseconds from writing the request to the last byte of the answer. */
  readonly p50: number;
  readonly p99: number;
  /** Requests without an answer. */
  readonly errors: number;
  /** Answers other than 2xx, by status. One of them voids a round. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Keeps `connections` requests in flight over kept-alive connections, each connection waiting for its answer. */
export async function load({ url, bodies, seconds, connections = 16, warmUp = 1, headers }: Load): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const next = typeof bodies === 'function' ? bodies : () => bodies[Math.floor(Math.random() * bodies.length)] ?? '';
  const start = performance.now() + warmUp * 1000;
  const end = start + seconds * 1000;
  const latencies: number[] = [];
  const refused: Record<string, number> = {};
  let errors = 0;

  const send = (body: string) =>
    new Promise<number>((resolve, reject) => {
      const fields = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) };
      const call = request(url, { method: 'POST', agent, headers: { ...fields, ...headers } }, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
      });
      call.once('error', reject).end(body);
    });

  const work = async () => {
    for (let sent = performance.now(); sent < end; sent = performance.now()) {
      const status = await send(next()).catch(() => 0);
      const done = performance.now();
      if (status === 0) errors += 1;
      else if (status < 200 || status > 299) refused[status] = (refused[status] ?? 0) + 1;
      else if (sent >= start && done <= end) latencies.push(done - sent);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  agent.destroy();

  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => Number((latencies[Math.floor(latencies.length * q)] ?? Number.NaN).toFixed(3));
  return {
    requests: latencies.length,
    requestsPerSecond: Math.round(latencies.length / seconds),
    p50: quantile(0.5),
    p99: quantile(0.99),
    errors,
    refused,
  };
}

const [, script = '', url = '', seconds = '5', file = ''] = process.argv;
if (import.meta.url === pathToFileURL(script).href) {
  const bodies = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  console.log(JSON.stringify(await load({ url, bodies, seconds: Number(seconds) })));
}
