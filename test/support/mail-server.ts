import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { MailConfig } from '../../src/config.ts';
import { makeOwnCertificate } from '../../src/server/certificate-authority.ts';
import { Mailer } from '../../src/server/mailer.ts';

export const MAIL_HOST = 'mail.example';
export const MAIL_USER = 'bailiwick@mail.example';
/** With everything that a URL would take for itself. */
export const MAIL_PASSWORD = 'canary:p@ss/w?rd#%';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly isEncrypted: boolean;
  readonly user: string | undefined;
  /** As it came, and its parts, decoded. */
  readonly raw: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

export interface MailServer {
  readonly port: number;
  readonly received: readonly ReceivedMail[];
  readonly connections: number;
  /** PEM */
  readonly authority: string;
  /** As `SMTP_URL` would be, with the password unless there is none to be given. */
  readonly config: MailConfig;
  /** Knows where the server is and trusts it. */
  mailer(): Mailer;
  close(): Promise<void>;
}

interface Options {
  readonly tls: 'smtps' | 'starttls' | 'none';
  /** Throws, with `responseCode`, what the server answers. */
  readonly onRecipient?: (address: string) => void | Promise<void>;
  readonly onMessage?: (mail: ReceivedMail) => void | Promise<void>;
  readonly onConnect?: () => void;
  /** Of whoever signs in. */
  readonly password?: string;
  /** Hosts that the certificate is for. */
  readonly hosts?: readonly string[];
}

/** A real SMTP server on loopback that keeps what it accepts; it wants user and password where there is TLS. */
export async function aMailServer(options: Options): Promise<MailServer> {
  const { tls, password = MAIL_PASSWORD, hosts = [MAIL_HOST] } = options;
  const { authority, certificate, key } = makeOwnCertificate(hosts);
  const received: ReceivedMail[] = [];
  let connections = 0;
  const server = new SMTPServer({
    ...{ cert: certificate, key, secure: tls === 'smtps', logger: false },
    ...(tls === 'none' ? { disabledCommands: ['AUTH', 'STARTTLS'] } : {}),
    onAuth: ({ username, password: given }, _session, done) =>
      username === MAIL_USER && given === password
        ? done(null, { user: username })
        : done(refusal(535, `5.7.8 No: ${username} ${given}`)),
    onConnect: (_session, done) => {
      connections += 1;
      options.onConnect?.();
      done();
    },
    onRcptTo: ({ address }, _session, done) => answer(async () => options.onRecipient?.(address), done),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () =>
        answer(async () => {
          const { mailFrom, rcptTo } = session.envelope;
          const mail = {
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
            isEncrypted: session.secure,
            user: session.user,
            ...parsed(Buffer.concat(chunks).toString('latin1')),
          };
          await options.onMessage?.(mail);
          received.push(mail);
        }, done),
      );
    },
  } satisfies SMTPServerOptions);
  server.on('error', () => undefined);
  const listening = server.listen(0, '127.0.0.1');
  await new Promise<void>((resolve) => listening.once('listening', resolve));
  const { port } = listening.address() as AddressInfo; // of a TCP server
  const config = configOf(tls, port);
  return {
    ...{ port, received, authority, config },
    get connections() {
      return connections;
    },
    mailer: () => new Mailer(config, { address: '127.0.0.1', authority }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** An error that the server answers with this code. */
export function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

function configOf(tls: Options['tls'], port: number): MailConfig {
  const from = { name: 'Bailiwick', address: 'no-reply@login.example' };
  if (tls === 'none') return { url: `smtp://localhost:${port}`, isLoopback: true, from };
  const who = `${encodeURIComponent(MAIL_USER)}:${encodeURIComponent(MAIL_PASSWORD)}`;
  return { url: `${tls === 'smtps' ? 'smtps' : 'smtp'}://${who}@${MAIL_HOST}:${port}`, isLoopback: false, from };
}

async function answer(work: () => Promise<void>, done: (error?: Error | null) => void): Promise<void> {
  await work().then(
    () => done(),
    (error: Error) => done(error),
  );
}

/** By hand, so that nothing of the library that wrote it reads it (RFC 5322, 2045). */
function parsed(raw: string): Pick<ReceivedMail, 'raw' | 'headers' | 'text'> {
  const [head = '', ...body] = raw.split('\r\n\r\n');
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = new Map(
    lines.map((line): [string, string] => [line.replace(/:.*/s, '').toLowerCase(), line.replace(/^[^:]*: ?/, '')]),
  );
  const encoded = body.join('\r\n\r\n');
  const encoding = headers.get('content-transfer-encoding');
  const bytes =
    encoding === 'base64'
      ? Buffer.from(encoded, 'base64')
      : Buffer.from(encoding === 'quoted-printable' ? unquoted(encoded) : encoded, 'latin1');
  return { raw, headers, text: bytes.toString('utf8') };
}

function unquoted(text: string): string {
  return text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
