import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Mailer } from '../../src/server/mailer.ts';
import { aMailServer, MAIL_HOST, MAIL_PASSWORD, MAIL_USER, refusal } from '../support/mail-server.ts';

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

async function serverThat(...[options]: Parameters<typeof aMailServer>) {
  const server = await aMailServer(options);
  opened.push(server);
  return server;
}

const RUNNING = new AbortController().signal;
const A_MAIL = {
  ...{ id: '00000000-0000-4000-8000-000000000001', tenantId: 'ta', to: 'alice@ta.example' },
  ...{ subject: 'Words', text: 'Some words – with a dash.\n' },
};

describe('mail is sent', () => {
  test.each(['smtps', 'starttls'] as const)('by %s, encrypted and signed in', async (tls) => {
    const server = await serverThat({ tls });
    expect(await server.mailer().send(A_MAIL, RUNNING)).toEqual({ outcome: 'sent' });
    const [mail] = server.received;
    expect(mail).toMatchObject({
      ...{ from: 'no-reply@login.example', to: [A_MAIL.to], isEncrypted: true, user: MAIL_USER },
      text: A_MAIL.text.replace(/\n/g, '\r\n'),
    });
    expect(Object.fromEntries(mail?.headers ?? [])).toMatchObject({
      ...{ from: 'Bailiwick <no-reply@login.example>', to: A_MAIL.to, subject: A_MAIL.subject },
      'message-id': `<${A_MAIL.id}@login.example>`,
      'auto-submitted': 'auto-generated',
      'content-type': 'text/plain; charset=utf-8',
    });
  });

  test('to a server on this machine without TLS and password', async () => {
    const server = await serverThat({ tls: 'none' });
    expect(await new Mailer(server.config).send(A_MAIL, RUNNING)).toEqual({ outcome: 'sent' });
    expect(server.received).toMatchObject([{ isEncrypted: false, user: undefined }]);
  });
});

describe('no password and no word goes over a line that is not the mail server’s', () => {
  test.each(['smtps', 'starttls'] as const)('by %s with a certificate of nobody that is trusted', async (tls) => {
    const server = await serverThat({ tls });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const outcome = await new Mailer(server.config, { address: '127.0.0.1' }).send(A_MAIL, RUNNING);
      expect(outcome).toEqual({ outcome: 'later', error: expect.stringMatching(/^SMTP: E(TLS|SOCKET)$/) });
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
    expect(server.received).toEqual([]);
  });

  test('with a certificate for another name', async () => {
    const server = await serverThat({ tls: 'starttls', hosts: ['other.example'] });
    expect(await server.mailer().send(A_MAIL, RUNNING)).toMatchObject({ outcome: 'later' });
    expect(server.received).toEqual([]);
  });

  test('when STARTTLS is taken out of what the server says it can do', async () => {
    const heard: string[] = [];
    const server = await aTalker((line) => {
      heard.push(line);
      if (/^EHLO/.test(line)) return '250-mail.example\r\n250 AUTH PLAIN LOGIN';
      return /^STARTTLS/.test(line) ? '454 4.7.0 Not now' : '250 OK';
    });
    const config = { ...server.config, isLoopback: false };
    const outcome = await new Mailer(config, { address: '127.0.0.1' }).send(A_MAIL, RUNNING);
    expect(outcome).toEqual({ outcome: 'later', error: expect.stringMatching(/^SMTP: ETLS/) });
    expect(heard.filter((line) => !/^(EHLO|STARTTLS|QUIT)/.test(line))).toEqual([]);
  });
});

describe('a server that does not take it', () => {
  test.each([
    ['a mailbox that is full for now', 452, 'later', 'SMTP: EENVELOPE 452 4.2.2', '4.2.2 Full'],
    ['a mailbox that is not there', 550, 'dead', 'SMTP: EENVELOPE 550 5.1.1', '5.1.1 Nobody of that name'],
  ] as const)('%s (%d) is %s', async (_what, code, outcome, error, words) => {
    const server = await serverThat({
      tls: 'smtps',
      onRecipient: (address) => {
        throw refusal(code, `${words} ${address} ${MAIL_PASSWORD}`);
      },
    });
    const mailer = server.mailer();
    expect(await mailer.send(A_MAIL, RUNNING)).toEqual({ outcome, error });
    expect(mailer.isPaused).toBe(false);
  });

  test('the message is refused for good after it was read', async () => {
    const server = await serverThat({
      tls: 'smtps',
      onMessage: () => {
        throw refusal(554, '5.7.1 Looks like spam');
      },
    });
    expect(await server.mailer().send(A_MAIL, RUNNING)).toEqual({ outcome: 'dead', error: 'SMTP: EMESSAGE 554 5.7.1' });
  });

  test('a password that is not taken ends no message, pauses the mailer, and is in no word of what came of it', async () => {
    const server = await serverThat({ tls: 'starttls', password: 'another one' });
    const mailer = server.mailer();
    const outcome = await mailer.send(A_MAIL, RUNNING);
    expect(outcome).toEqual({ outcome: 'later', error: 'SMTP: EAUTH 535 5.7.8' });
    expect(mailer.isPaused).toBe(true);
  });

  test('nobody listens', async () => {
    const server = await aMailServer({ tls: 'smtps' });
    await server.close();
    expect(await server.mailer().send(A_MAIL, RUNNING)).toEqual({ outcome: 'later', error: 'SMTP: ESOCKET' });
  });

  test('a server that never says a word is left when this one ends', async () => {
    const server = await aTalker(() => undefined, '');
    const ending = new AbortController();
    const mailer = new Mailer(server.config, { address: '127.0.0.1' });
    const sending = mailer.send(A_MAIL, ending.signal);
    setTimeout(() => ending.abort(), 200);
    expect(await sending).toEqual({ outcome: 'later', error: 'SMTP: EABORT' });
    expect(mailer.isPaused).toBe(false);
  });
});

test.each([
  ...[
    '',
    'alice',
    'alice@',
    '@ta.example',
    'alice@ta.example, mallory@tb.example',
    'alice@ta.example\r\nRCPT TO:<m@tb.example>',
  ],
  ...[
    '<alice@ta.example>',
    'alice@ta.example>',
    'a b@ta.example',
    '"alice"@ta.example',
    'alice@ta.example\u0000',
    'a@b@c.example',
  ],
  ...[`${'a'.repeat(65)}@ta.example`, 'alice@ta.example\u2028', 'group:alice@ta.example;'],
])('nothing is sent to %j, which is no plain address', async (to) => {
  const server = await serverThat({ tls: 'none' });
  expect(await new Mailer(server.config).send({ ...A_MAIL, to }, RUNNING)).toMatchObject({ outcome: 'dropped' });
  expect(server.connections).toBe(0);
});

/** Something on loopback that speaks SMTP by hand. */
async function aTalker(answerTo: (line: string) => string | undefined, greeting = '220 mail.example ESMTP\r\n') {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(greeting);
    socket.on('data', (data) => {
      for (const line of data.toString().split('\r\n').filter(Boolean)) {
        const words = answerTo(line);
        if (words !== undefined) socket.write(`${words}\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(resolve);
      }),
  });
  const { port } = server.address() as AddressInfo; // of a TCP server
  const who = `${encodeURIComponent(MAIL_USER)}:${encodeURIComponent(MAIL_PASSWORD)}`;
  return {
    config: {
      url: `smtp://${who}@${MAIL_HOST}:${port}`,
      isLoopback: true,
      from: { name: 'Bailiwick', address: 'no-reply@login.example' },
    },
  };
}
