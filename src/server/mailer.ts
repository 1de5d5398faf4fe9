import { createTransport, type Transporter } from 'nodemailer';
import type { Settlement } from '../authorization/internal/outbox.ts';
import type { MailConfig } from '../config.ts';
import { Turns } from '../outbound/turns.ts';

/** Connections to the mail server at once, and for one tenant. */
const AT_ONCE = 5;
const AT_ONCE_FOR_ONE = 3;
/** Waiting for a turn, connection, sign-in and message together. */
const TIMEOUT_MS = 30_000;
/** A mail server that is out of order is left alone for so long. */
const PAUSE_MS = 30_000;

export interface Mail {
  /** Names the message at every try: a receiver knows it again. */
  readonly id: string;
  /** On whose behalf, for a fair share. */
  readonly tenantId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface MailerOptions {
  /** Where the server is, when its name is not to be looked up. */
  readonly address?: string;
  /** PEM of the authorities that are trusted instead of the well-known ones. */
  readonly authority?: string;
}

/**
 * Sends mail by SMTP: over TLS from the first byte (`smtps:`), or after a STARTTLS that must succeed (`smtp:`). The
 * server's certificate is verified. Only a server on this machine may do without.
 */
export class Mailer {
  readonly #transport: Transporter;
  readonly #turns = new Turns(AT_ONCE, AT_ONCE_FOR_ONE);
  readonly #from: MailConfig['from'];
  #pausedUntil = 0;

  constructor({ url, from, isLoopback }: MailConfig, { address, authority }: MailerOptions = {}) {
    const { protocol, hostname, port, username, password } = new URL(url);
    const isSecure = protocol === 'smtps:';
    this.#from = from;
    this.#transport = createTransport({
      host: address ?? hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port || (isSecure ? 465 : 587)),
      secure: isSecure,
      ...(isSecure || isLoopback ? { ignoreTLS: true } : { requireTLS: true }),
      tls: {
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        servername: hostname,
        ...(authority === undefined ? {} : { ca: authority }),
      },
      ...(username === ''
        ? {}
        : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) }, forceAuth: true }),
      connectionTimeout: 10_000,
      greetingTimeout: 10_000,
      socketTimeout: 20_000,
      dnsTimeout: 5_000,
      maxResponseSize: 16_384,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  /** Whether it makes no sense to try now. */
  get isPaused(): boolean {
    return Date.now() < this.#pausedUntil;
  }

  /** Does not throw: whatever goes wrong is an outcome. */
  async send({ id, tenantId, to, subject, text }: Mail, stopped: AbortSignal): Promise<Settlement> {
    if (!isAddress(to)) return { outcome: 'dropped', error: 'The recipient has no address that mail can be sent to.' };
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const giveBack = await this.#turns.take(tenantId, signal);
      try {
        await this.#transport.sendMail({
          from: this.#from,
          to: { name: '', address: to },
          subject,
          text,
          messageId: `<${id}@${this.#from.address.replace(/^.*@/, '')}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal,
        });
        return { outcome: 'sent' };
      } finally {
        giveBack();
      }
    } catch (error) {
      const { isServer, ...settlement } = failureOf(error);
      if (isServer && !stopped.aborted) this.#pausedUntil = Date.now() + PAUSE_MS;
      return settlement;
    }
  }
}

/** One plain address and nothing that a header or a command could be made of. */
function isAddress(text: string): boolean {
  return /^[^\s<>()[\]:;,\\"@\p{C}\p{Z}]{1,64}@[^\s<>()[\]:;,\\"@\p{C}\p{Z}]{1,255}$/u.test(text);
}

/**
 * What the library's error means, in its own code and the server's numbers. The server's words stay out: they may quote
 * what was sent to it.
 */
function failureOf(error: unknown) {
  const { code, command, responseCode, response } = Object(error) as Partial<Record<string, unknown>>; // of whatever was thrown
  const known = typeof code === 'string' && /^E[A-Z]+$/.test(code) ? code : 'failed';
  const status = typeof responseCode === 'number' ? ` ${responseCode}` : '';
  const [, enhanced] = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(String(response)) ?? [];
  // Whoever is refused as a sender is so whomever he writes to.
  const isMessage = (known === 'EENVELOPE' || known === 'EMESSAGE') && command !== 'MAIL FROM';
  const isRefused = isMessage && typeof responseCode === 'number' && responseCode >= 500;
  return {
    outcome: isRefused ? ('dead' as const) : ('later' as const),
    error: `SMTP: ${known}${status}${enhanced === undefined ? '' : ` ${enhanced}`}`,
    /** Any other message would have failed as well. */
    isServer: !isMessage,
  };
}
