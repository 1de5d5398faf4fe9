import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/demo-story/processes.ts';
import { readConfig } from '../../src/config.ts';
import { makeOwnCertificate } from '../../src/server/certificate-authority.ts';
import { readCertificate } from '../../src/server/certificates.ts';
import { withHealth } from '../../src/server/health.ts';
import { type Certificate, type Listening, listen } from '../../src/server/listener.ts';
import { errorFields, makeLogs } from '../../src/server/log.ts';
import { makeAddressOf } from '../../src/server/proxies.ts';
import { aTestDirectory } from '../support/database.ts';

function aRequest(remoteAddress: string, forwarded?: string): IncomingMessage {
  const headersDistinct = forwarded === undefined ? {} : { 'x-forwarded-for': [forwarded] };
  return { socket: { remoteAddress }, headersDistinct } as unknown as IncomingMessage; // all that is read of it
}

describe('the address of a caller', () => {
  test.each([
    ['nobody is trusted', [], '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['the peer is not trusted', ['10.0.0.0/8'], '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['a trusted proxy tells', ['10.0.0.0/8'], '10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['what the caller wrote himself is passed by', ['10.0.0.0/8'], '10.1.2.3', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
    ['two proxies in a row', ['10.0.0.0/8'], '10.1.2.3', '1.1.1.1, 198.51.100.1, 10.9.9.9', '198.51.100.1'],
    ['nonsense ends the walk', ['10.0.0.0/8'], '10.1.2.3', '1.1.1.1, <script>', '10.1.2.3'],
    ['no header', ['10.0.0.0/8'], '10.1.2.3', undefined, '10.1.2.3'],
    ['a dual-stack socket', ['10.0.0.0/8'], '::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['a stranger on a dual-stack socket', [], '::ffff:203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['a proxy that is one', ['10.0.0.0/8'], '10.1.2.3', '1.1.1.1, ::ffff:198.51.100.1', '198.51.100.1'],
    ['IPv6', ['2001:db8::/32'], '2001:db8::1', '2001:db9::7', '2001:db9::7'],
  ])('NET-06: %s', (_name, trusted, peer, forwarded, address) => {
    expect(makeAddressOf(trusted)(aRequest(peer, forwarded))).toBe(address);
  });
});

test('/healthz says whether the database answers, before anything else is asked', async () => {
  const port = await freePort();
  let isHealthy = true;
  const handle = withHealth(
    (_request, response) => response.end('handled'),
    async () => isHealthy,
  );
  const listener = await listen({ host: '127.0.0.1', port }, handle);
  try {
    const read = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return [answer.status, await answer.text()];
    };
    expect(await read('/healthz')).toEqual([200, '{"status":"ok"}']);
    isHealthy = false;
    expect(await read('/healthz')).toEqual([503, '{"status":"unavailable"}']);
    expect(await read('/other')).toEqual([200, 'handled']);
  } finally {
    await listener.close(0);
  }
});

describe('a listener', () => {
  async function listening(work: (port: number, listener: Listening) => Promise<void>, certificate?: Certificate) {
    const port = await freePort();
    const listener = await listen(
      { host: '127.0.0.1', port },
      async (request, response) => {
        if (request.url === '/slow') await sleep(500);
        response.end('done');
      },
      certificate,
    );
    try {
      await work(port, listener);
    } finally {
      await listener.close(0);
    }
  }

  test('a port that is taken is told in words', async () => {
    await listening(async (port) => {
      await expect(listen({ host: '127.0.0.1', port }, () => {})).rejects.toThrow(/is taken by another program/);
    });
  });

  test('ends gracefully: what is in flight is finished, nothing new is accepted', async () => {
    await listening(async (port, listener) => {
      const answer = fetch(`http://127.0.0.1:${port}/slow`);
      await sleep(100);
      const closed = listener.close(5_000);
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
      expect(await (await answer).text()).toBe('done');
      await closed;
    });
  });

  test('cuts what does not end within its grace', async () => {
    await listening(async (port, listener) => {
      const answer = fetch(`http://127.0.0.1:${port}/slow`).then(
        () => 'answered',
        () => 'cut',
      );
      await sleep(100);
      await listener.close(50);
      expect(await answer).toBe('cut');
    });
  });

  test('headers beyond 32 KB are refused', async () => {
    await listening(async (port) => {
      const { status } = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-long': 'x'.repeat(40_000) } });
      expect(status).toBe(431);
    });
  });

  test('a caller who never finishes his headers is cut off', async () => {
    await listening(async (port) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
      const drip = setInterval(() => socket.write('x-drip: 1\r\n'), 1_000);
      const startedAt = Date.now();
      const answer = await new Promise<string>((resolve) => {
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk.toString();
        });
        socket.once('close', () => resolve(text));
      });
      clearInterval(drip);
      expect(answer).toContain('408');
      expect(Date.now() - startedAt).toBeLessThan(20_000);
    });
  });
});

describe('the own certificate', () => {
  test('is accepted by whoever trusts its authority, and by nobody else', async () => {
    const directory = aTestDirectory();
    const config = readConfig({ DATA_DIRECTORY: directory }, { tls: true });
    const certificate = readCertificate(config, true);
    const port = await freePort();
    const listener = await listen(
      { host: '127.0.0.1', port },
      (_request, response) => response.end('secure'),
      certificate,
    );
    try {
      const ask = (host: string, ca?: Buffer) =>
        new Promise<string>((resolve, reject) => {
          get(`https://${host}:${port}/`, { ca, agent: false }, (response) => {
            response.setEncoding('utf8').on('data', resolve);
          }).on('error', reject);
        });
      const ca = readFileSync(join(directory, 'tls', 'ca.pem'));
      expect(await ask('localhost', ca)).toBe('secure');
      expect(await ask('127.0.0.1', ca)).toBe('secure');
      await expect(ask('localhost')).rejects.toThrow(/self-signed certificate/);
      expect(statSync(join(directory, 'tls', 'key.pem')).mode & 0o777).toBe(0o600);
      expect(readCertificate(config, true)).toEqual(certificate);
    } finally {
      await listener.close(0);
    }
  });

  test('is made anew when the hosts change, and is for them alone', () => {
    const directory = aTestDirectory();
    const first = readCertificate(readConfig({ DATA_DIRECTORY: directory }, { tls: true }), true);
    const moved = readConfig(
      { DATA_DIRECTORY: directory, AUTHENTICATION_ORIGIN: 'https://login.example.com' },
      { tls: true },
    );
    const second = readCertificate(moved, true);
    expect(second).not.toEqual(first);
    const leaf = new X509Certificate(second?.certificate ?? '');
    expect(leaf.checkHost('login.example.com')).toBe('login.example.com');
    expect(leaf.checkHost('other.example.com')).toBeUndefined();
  });

  test('its authority is an authority, and the server’s certificate is not one', () => {
    const { authority, certificate, key } = makeOwnCertificate(['localhost', '127.0.0.1', '::1']);
    const [ca, leaf] = [new X509Certificate(authority), new X509Certificate(certificate)];
    expect([ca.ca, leaf.ca]).toEqual([true, false]);
    expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkIP('::1')).toBe('::1');
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(398 * 86_400_000);
    expect(key).toContain('BEGIN PRIVATE KEY');
  });
});

describe('the log', () => {
  const CANARY = 'canary-7f3a9c';

  function written(work: (logs: ReturnType<typeof makeLogs>) => void): string {
    let text = '';
    work(makeLogs('debug', { write: (line) => (text += line) }));
    return text;
  }

  test('SEC-01: fields that name a secret are not written, at any depth that is logged', () => {
    const secrets = {
      password: CANARY,
      client_secret: CANARY,
      authorization: CANARY,
      cookie: CANARY,
      access_token: CANARY,
    };
    const text = written(({ server }) => server.info({ ...secrets, request: { ...secrets, body: secrets } }, 'Asked.'));
    expect(text).toContain('[redacted]');
    expect(text).not.toContain(CANARY);
  });

  test('SEC-01: of an error its words and place are written, never what a library hung on it', () => {
    const cause = Object.assign(new Error('refused'), { parameters: [CANARY], detail: CANARY, code: '23505' });
    const error = Object.assign(new Error('failed', { cause }), {
      request: { body: CANARY },
      connectionString: CANARY,
    });
    const text = written(({ server }) => server.error(errorFields(error), 'A request failed.'));
    expect(text).toContain('23505');
    // At every depth: `code` is the name of a secret, and the log must say why all the same.
    expect(written(({ server }) => server.error(errorFields(cause), 'A request failed.'))).toContain('23505');
    expect(text).not.toContain(CANARY);
  });

  test('AUD-05: one event is one line, whatever is in it', () => {
    const text = written(({ security }) => security.warn({ reason: 'a\r\nb\u001b[31m\u2028' }, 'Refused.'));
    expect(text.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(text)).toMatchObject({ level: 'warn', channel: 'security' });
  });
});
