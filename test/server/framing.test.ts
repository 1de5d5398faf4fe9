import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/demo-story/processes.ts';
import { type Listening, listen } from '../../src/server/listener.ts';

let listening: Listening;
let port: number;
const arrived: string[] = [];

beforeAll(async () => {
  port = await freePort();
  listening = await listen({ host: '127.0.0.1', port }, async (request, response) => {
    arrived.push(`${request.method} ${request.url}`);
    let size = 0;
    try {
      for await (const chunk of request) size += chunk.length;
    } catch {
      return; // cut in the middle of its body
    }
    response.end(`read ${size}`);
  });
});

afterAll(() => listening.close(0));

interface Outcome {
  readonly text: string;
  readonly isClosed: boolean;
}

/** Sends bytes as they are, and waits for the end of the connection, or for as many answers. */
function send(bytes: string, answers = 1): Promise<Outcome> {
  arrived.length = 0;
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    const done = (isClosed: boolean) => {
      socket.destroy();
      resolve({ text, isClosed });
    };
    socket.on('error', () => {});
    socket.on('close', () => done(true));
    socket.on('data', (chunk) => {
      text += chunk;
      if ((text.match(/read \d+/g) ?? []).length >= answers) done(false);
    });
  });
}

const HOST = 'Host: localhost\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('NET-07: what two servers could read in two ways is refused, and its connection closed', () => {
  test.each([
    ['both lengths', `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\n${CHUNKED}\r\n0\r\n\r\n${SMUGGLED}`],
    ['two encodings', `POST / HTTP/1.1\r\n${HOST}${CHUNKED}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    [
      'an encoding of another name',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    ['two lengths', `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nContent-Length: 0\r\n\r\nabcd${SMUGGLED}`],
    ['a list of lengths', `POST / HTTP/1.1\r\n${HOST}Content-Length: 4, 4\r\n\r\nabcd${SMUGGLED}`],
    ['a length with a sign', `POST / HTTP/1.1\r\n${HOST}Content-Length: +4\r\n\r\nabcd${SMUGGLED}`],
    ['a space before the colon', `POST / HTTP/1.1\r\n${HOST}Content-Length : 4\r\n\r\nabcd${SMUGGLED}`],
    ['a folded line', `GET / HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n${SMUGGLED}`],
    ['a bare line feed', `GET / HTTP/1.1\r\n${HOST}X: a\nY: b\r\n\r\n${SMUGGLED}`],
    ['a bare carriage return', `GET / HTTP/1.1\r\n${HOST}X: a\rY: b\r\n\r\n${SMUGGLED}`],
    ['a NUL', `GET / HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n${SMUGGLED}`],
    ['a chunk that ends with a line feed', `POST / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n4\nabcd\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk of less than nothing', `POST / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n-4\r\nabcd\r\n0\r\n\r\n${SMUGGLED}`],
    [
      'a chunk beyond all numbers',
      `POST / HTTP/1.1\r\n${HOST}${CHUNKED}\r\nFFFFFFFFFFFFFFFFF\r\nabcd\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
  ])('%s', async (_name, bytes) => {
    const { text, isClosed } = await send(bytes);
    expect([text.split('\r\n')[0], isClosed]).toEqual(['HTTP/1.1 400 Bad Request', true]);
    expect(arrived).not.toContain('GET /smuggled');
  });

  test.each([
    ['two hosts', 'Host: localhost\r\nHost: evil.example\r\n'],
    ['the same host twice', `${HOST}${HOST}`],
    ['a host with a user', 'Host: localhost@evil.example\r\n'],
    ['a host with a path', 'Host: localhost/evil\r\n'],
    ['two hosts in one', 'Host: localhost, evil.example\r\n'],
    ['an empty host', 'Host: \r\n'],
  ])('NET-05: %s', async (_name, hosts) => {
    const { text, isClosed } = await send(`GET / HTTP/1.1\r\n${hosts}\r\n`);
    expect([text.split('\r\n')[0], isClosed]).toEqual(['HTTP/1.1 400 Bad Request', true]);
    expect(arrived).toEqual([]);
  });
});

describe('NET-07: what is unusual and clear is read as it stands', () => {
  test('requests that come at once are answered one by one, in their order', async () => {
    const { text } = await send(`GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}\r\n`, 2);
    expect(text.match(/200 OK/g)).toHaveLength(2);
    expect(arrived).toEqual(['GET /1', 'GET /2']);
  });

  test('a body on a GET, chunks with extensions and trailers end where they end', async () => {
    const chunks = `4;a=b\r\nabcd\r\n0\r\nHost: evil.example\r\n\r\n`;
    const { text } = await send(`GET / HTTP/1.1\r\n${HOST}${CHUNKED}\r\n${chunks}GET /2 HTTP/1.1\r\n${HOST}\r\n`, 2);
    expect(text.match(/read \d/g)).toEqual(['read 4', 'read 0']);
    expect(arrived).toEqual(['GET /', 'GET /2']);
  });

  test('HTTP/1.0 is answered without a host, and its connection closed where it does not ask otherwise', async () => {
    expect(await send('GET / HTTP/1.0\r\n\r\n', 9)).toMatchObject({ isClosed: true });
    expect(arrived).toEqual(['GET /']);
  });

  test('nobody gets another protocol, or a tunnel', async () => {
    const upgrade = await send(`GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    expect(upgrade.text).toContain('200 OK');
    expect(await send(`CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n`)).toEqual({ text: '', isClosed: true });
    expect(arrived).toEqual([]);
  });

  test('a body is asked for when its sender waits for that, and nothing else is expected of us', async () => {
    const waiting = `POST / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 4\r\n\r\nabcd`;
    expect((await send(waiting)).text).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
    const other = `POST / HTTP/1.1\r\n${HOST}Connection: close\r\nExpect: 200-ok\r\nContent-Length: 4\r\n\r\nabcd`;
    expect((await send(other)).text).toMatch(/^HTTP\/1.1 417 /);
    expect(arrived).toEqual([]);
  });
});
