import type { ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { setImmediate as tick } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/demo-story/processes.ts';
import { makeOutbound, OutboundError } from '../../src/outbound/fetch.ts';
import { Turns } from '../../src/outbound/turns.ts';
import { aSink, type Sink } from '../support/sink.ts';

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

async function sinkThat(answer?: Parameters<typeof aSink>[0]): Promise<Sink> {
  const sink = await aSink(answer);
  opened.push(sink);
  return sink;
}

/** What came of it, and after how long. */
async function outcomeOf(work: Promise<unknown>) {
  const start = performance.now();
  const outcome = await work.then(
    () => 'success',
    (error: unknown) => (error instanceof OutboundError ? error.message : error),
  );
  return { outcome, milliseconds: performance.now() - start };
}

const UNREACHABLE = 'The address could not be reached.';
const SHORT = { timeoutMs: 400 };

test('An answer is fetched, and a message is sent', async () => {
  const sink = await sinkThat((request, response) => {
    response.setHeader('content-type', 'application/json');
    const names = Object.keys(request.headers).sort();
    if (request.method === 'GET') response.end(JSON.stringify(names));
    else request.pipe(response.writeHead(202));
  });
  const { body, contentType } = await sink.outbound().get(`${sink.origin}/jwks?x=1`);
  expect(contentType).toBe('application/json');
  expect(JSON.parse(body.toString())).toEqual(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']);
  const answer = await sink.outbound().post(`${sink.origin}/hook`, Buffer.from('{}'), { 'x-a': 'b' });
  expect(answer).toEqual({ status: 202 });
  expect(sink.requests).toEqual(['GET /jwks?x=1', 'POST /hook']);
});

test('A certificate of nobody that is trusted is refused, whatever the environment says', async () => {
  const sink = await sinkThat();
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    const outbound = makeOutbound({ allow: [sink.allow], ...SHORT });
    expect((await outcomeOf(outbound.get(sink.origin))).outcome).toBe(UNREACHABLE);
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
  expect(sink.requests).toEqual([]);
});

describe('SRF-01: nothing reaches a server on this machine', () => {
  test.each([
    ...['127.0.0.1', '127.1', '2130706433', '0x7f.1', '0177.0.0.1', '[::1]', '[::ffff:7f00:1]', '0.0.0.0'],
    ...['localhost', 'localhost.', '169.254.169.254', '10.0.0.1'],
  ])('by %s', async (host) => {
    const sink = await sinkThat();
    const { outcome } = await outcomeOf(sink.outbound(SHORT).get(`https://${host}:${sink.port}/`));
    expect(outcome).toBe(UNREACHABLE);
    expect(sink.connections).toBe(0);
  });

  test.each([
    ['a private address', ['127.0.0.1']],
    ['a mapped one', ['::ffff:127.0.0.1']],
    ['a public and a private one', ['1.1.1.1', '127.0.0.1']],
    ['no address', []],
    ['nonsense', ['localhost']],
  ])('by a name that has %s', async (_what, addresses) => {
    const sink = await sinkThat();
    const outbound = sink.outbound({ ...SHORT, allow: [], resolve: async () => addresses });
    expect((await outcomeOf(outbound.get(`${sink.origin}/`))).outcome).toBe(UNREACHABLE);
    expect(sink.connections).toBe(0);
  });

  test('by a name whose address changes between the check and the connection', async () => {
    const [sink, other] = [await sinkThat(), await sinkThat()];
    const answers = [['127.0.0.1'], ['127.0.0.2']];
    let asked = 0;
    const resolve = async () => answers[asked++] ?? [];
    await sink.outbound({ allow: [`${sink.host}:${sink.port}`], resolve }).get(`${sink.origin}/`);
    expect([asked, sink.connections, other.connections]).toEqual([1, 1, 0]);
  });

  test('and the same name is reached once it is allowed, at that port alone', async () => {
    const [sink, other] = [await sinkThat(), await sinkThat()];
    const allowed = { ...SHORT, allow: [`${sink.host}:${sink.port}`], resolve: async () => ['127.0.0.1'] };
    await sink.outbound(allowed).get(`${sink.origin}/`);
    expect((await outcomeOf(other.outbound(allowed).get(`${other.origin}/`))).outcome).toBe(UNREACHABLE);
    expect([sink.requests.length, other.connections]).toEqual([1, 0]);
  });
});

test.each([301, 302, 303, 307, 308])('SRF-02: a redirect by %d is not followed', async (status) => {
  const target = await sinkThat();
  const sink = await sinkThat((_request, response) =>
    response.writeHead(status, { location: target.origin }).end('{}'),
  );
  const outbound = sink.outbound({ ...SHORT, allow: [sink.allow, target.allow] });
  expect((await outcomeOf(outbound.get(sink.origin))).outcome).toBe(UNREACHABLE);
  expect(await outbound.post(sink.origin, Buffer.from('{}'), {})).toEqual({ status });
  expect([sink.requests.length, target.connections]).toEqual([2, 0]);
});

describe('SRF-04: turns', () => {
  test('go round: parties with long queues do not keep another waiting', async () => {
    const turns = new Turns(4, 2);
    const { signal } = new AbortController();
    const started: string[] = [];
    const finish: (() => void)[] = [];
    const ask = (party: string) =>
      turns.take(party, signal).then((giveBack) => {
        started.push(party);
        finish.push(giveBack);
      });
    for (let queued = 0; queued < 10; queued += 1) for (const party of ['a', 'b', 'c']) void ask(party);
    void ask('victim');
    await tick();
    expect(started.toSorted()).toEqual(['a', 'a', 'b', 'c']);
    finish.shift()?.();
    await tick();
    expect(started.at(-1)).toBe('victim');
    while (finish.length > 0) {
      finish.shift()?.();
      await tick();
    }
    expect(started).toHaveLength(31);
  });
});

describe('SRF-04: an answer that is too slow or too big', () => {
  const MEGABYTE = Buffer.alloc(1_048_576, 'a');
  function pour(response: ServerResponse, megabytes: number): void {
    if (megabytes === 0 || response.destroyed) response.end();
    else response.write(MEGABYTE, () => pour(response, megabytes - 1));
  }
  const answers: [string, Parameters<typeof aSink>[0]][] = [
    ['that never comes', () => undefined],
    ['whose head comes and nothing else', (_request, response) => response.writeHead(200).flushHeaders()],
    [
      'that drips',
      (_request, response) => {
        const timer = setInterval(() => response.write(' '), 50);
        response.once('close', () => clearInterval(timer));
      },
    ],
    ['of 100 MB', (_request, response) => pour(response, 100)],
    ['without an end', (_request, response) => pour(response, -1)],
    [
      'that is a bomb of gzip',
      (_request, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(20_000_000))),
    ],
    [
      'with a head of 100 kB',
      (_request, response) => response.writeHead(200, { 'x-a': 'a'.repeat(100_000) }).end('{}'),
    ],
    [
      'that breaks off',
      (_request, response) => response.writeHead(200, { 'content-length': 10 }).write('{', () => response.destroy()),
    ],
  ];

  test.each(answers)('%s is given up in time, and little of it was read', async (name, answer) => {
    const [own, limit] = name === 'that never comes' ? [{}, 2_500] : [{ timeoutMs: 1_000 }, 1_000];
    let sent = 0;
    const sink = await sinkThat((request, response) => {
      request.socket.once('close', () => {
        sent = request.socket.bytesWritten;
      });
      answer?.(request, response);
    });
    const { outcome, milliseconds } = await outcomeOf(sink.outbound(own).get(sink.origin));
    expect(outcome).toBe(UNREACHABLE);
    expect(milliseconds).toBeGreaterThan(limit - 10);
    expect(milliseconds).toBeLessThan(limit + 2_000);
    await sink.close();
    opened.splice(0);
    // What the sockets of both ends hold, and no more.
    expect(sent).toBeLessThan(20 * MEGABYTE.length);
  });

  test('of one party does not keep another waiting, and no party has more than its share', async () => {
    let [atOnce, most] = [0, 0];
    const sink = await sinkThat((request, response) => {
      if (request.url === '/quick') return response.end('{}');
      atOnce += 1;
      most = Math.max(most, atOnce);
      response.once('close', () => {
        atOnce -= 1;
      });
    });
    const outbound = sink.outbound({ timeoutMs: 1_500 });
    const slow = Array.from({ length: 20 }, () => outcomeOf(outbound.get(sink.origin, { party: 'slow' })));
    const { outcome, milliseconds } = await outcomeOf(outbound.get(`${sink.origin}/quick`, { party: 'other' }));
    expect(outcome).toBe('success');
    expect(milliseconds).toBeLessThan(1_400);
    const ended = await Promise.all(slow);
    expect(new Set(ended.map((one) => one.outcome))).toEqual(new Set([UNREACHABLE]));
    expect(most).toBe(3);
  });
});

test('SRF-07: every failure has one text and one time: an open port is not told from a closed one', async () => {
  const closed = await freePort();
  const silent = createTcpServer((socket) => socket.resume().on('error', () => undefined)).listen(0, '127.0.0.1');
  const noise = createTcpServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .end('SSH-2.0-OpenSSH\r\n'),
  ).listen(0, '127.0.0.1');
  const notFound = await sinkThat((_request, response) => response.writeHead(404).end('secret text'));
  for (const server of [silent, noise]) opened.push({ close: () => new Promise((resolve) => server.close(resolve)) });
  const portOf = (server: typeof silent) => (server.address() as { port: number }).port; // of a TCP server
  const ports = [closed, portOf(silent), portOf(noise), notFound.port];
  const outcomes = [];
  for (const port of ports) {
    const outbound = notFound.outbound({ ...SHORT, allow: [`${notFound.host}:${port}=127.0.0.1`] });
    outcomes.push(await outcomeOf(outbound.get(`https://${notFound.host}:${port}/`)));
  }
  outcomes.push(await outcomeOf(notFound.outbound(SHORT).get('https://127.0.0.1:8443/')));
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(outcomes.map(() => UNREACHABLE));
  const times = outcomes.map(({ milliseconds }) => milliseconds);
  expect(Math.min(...times)).toBeGreaterThan(350);
  expect(Math.max(...times) - Math.min(...times)).toBeLessThan(250);
});
