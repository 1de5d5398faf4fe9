import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';

/** The three runtime logins and, for `migrate` and `doctor`, the owner. */
export interface DatabaseConfig {
  readonly owner: string | undefined;
  readonly authentication: string | undefined;
  readonly directory: string | undefined;
  readonly operator: string | undefined;
}

export interface Listener {
  /** What clients and discovery call it; without a trailing slash. */
  readonly origin: string;
  readonly host: string;
  readonly port: number;
}

/** The mail server, and in whose name mail is sent. */
export interface MailConfig {
  /** `smtps:`, or `smtp:` for STARTTLS, with the password in it. */
  readonly url: string;
  /** On this machine: TLS is not asked of it. */
  readonly isLoopback: boolean;
  readonly from: { readonly name: string; readonly address: string };
}

export interface Config {
  readonly dataDirectory: string;
  /** Undefined: the embedded Postgres in the data directory. */
  readonly database: DatabaseConfig | undefined;
  readonly authentication: Listener;
  readonly directory: Listener;
  readonly trustedProxies: readonly string[];
  /** Whose pages may read the directory API's answers. */
  readonly directoryAllowedOrigins: readonly string[];
  /** `host:port` or `host:port=address`: what may be fetched from, or sent to, in a private network. */
  readonly outboundAllow: readonly string[];
  /** Undefined: no mail is sent. */
  readonly mail: MailConfig | undefined;
  readonly keyEncryptionKeyFile: string;
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  readonly logLevel: LogLevel;
}

type Environment = Readonly<Record<string, string | undefined>>;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Variables that may be given as a file's path in `NAME_FILE`. */
const SECRETS = [
  'DATABASE_URL',
  'AUTHENTICATION_DATABASE_URL',
  'DIRECTORY_DATABASE_URL',
  'OPERATOR_DATABASE_URL',
  'SMTP_URL',
] as const;

/** With `serve --tls`: where an https origin is found on one's own machine. */
const TLS_ORIGINS = {
  AUTHENTICATION_ORIGIN: 'https://localhost:8443',
  DIRECTORY_ORIGIN: 'https://localhost:8444',
};

/** Every mistake of the configuration at once, each with the name of its variable. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a mistake' : 'mistakes'}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

const origin = z.string().superRefine((value, context) => {
  const url = URL.parse(value);
  if (!url || url.origin !== value)
    context.addIssue('must be an origin such as https://login.example.com, without a path');
  else if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    context.addIssue('must be https; plain http is accepted for localhost only');
  }
});

const listen = z.string().transform((value, context) => {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(value) ?? [];
  if (host !== '' && Number(port) <= 65_535) return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
  context.addIssue('must have the form address:port, such as 127.0.0.1:8400');
  return z.NEVER;
});

const databaseUrl = z.string().superRefine((value, context) => {
  const problem = databaseProblem(value);
  if (problem) context.addIssue(problem);
});

/** Nothing but where the server is and who signs in there: how safely is not for a URL to say. */
const smtpUrl = z.string().superRefine((value, context) => {
  const url = URL.parse(value);
  if (
    !url ||
    !/^smtps?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !/^\/?$/.test(url.pathname + url.search + url.hash)
  )
    context.addIssue('must be a URL of the form smtps://user:password@host:port, or smtp:// for STARTTLS, and no more');
  else if ((url.username === '') !== (url.password === ''))
    context.addIssue('must have both a user and a password, or neither');
  else if (!isDecodable(url.username + url.password))
    context.addIssue('must have its user and password percent-encoded');
});

const mailbox = z.string().transform((value, context) => {
  const [, name = '', address] =
    /^(?:([^<>"@\p{C}]{1,100}) (?=<))?<?([^\s<>"@]{1,64}@[a-z0-9.-]{1,255})>?$/iu.exec(value) ?? [];
  if (address !== undefined) return { name, address };
  context.addIssue('must be an address such as no-reply@example.com or Example <no-reply@example.com>');
  return z.NEVER;
});

const list = z.string().transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

const proxies = list.superRefine((values, context) => {
  const wrong = values.find((value) => isIP(value.split('/')[0] ?? '') === 0);
  if (wrong !== undefined) context.addIssue(`${wrong} is not an address or a range such as 10.0.0.0/8`);
});

/** As browsers send them in `Origin`: whatever else was written would never match. */
const browserOrigins = list.superRefine((values, context) => {
  const wrong = values.find((value) => URL.parse(value)?.origin !== value || /^null$|\*/.test(value));
  if (wrong !== undefined) context.addIssue(`${wrong} is not an origin such as https://app.example`);
});

const outboundPlaces = list.superRefine((values, context) => {
  const wrong = values.find((value) => {
    const [place = '', address] = value.split(/=(.*)/s);
    return !/^([a-z0-9-]+\.)+[a-z0-9-]+:\d{1,5}$/i.test(place) || (address !== undefined && isIP(address) === 0);
  });
  if (wrong !== undefined) context.addIssue(`${wrong} is neither host.name:port nor host.name:port=address`);
});

const environmentSchema = z.object({
  DATA_DIRECTORY: z.string().default('.data'),
  DATABASE_URL: databaseUrl.optional(),
  AUTHENTICATION_DATABASE_URL: databaseUrl.optional(),
  DIRECTORY_DATABASE_URL: databaseUrl.optional(),
  OPERATOR_DATABASE_URL: databaseUrl.optional(),
  AUTHENTICATION_ORIGIN: origin.default('http://localhost:8400'),
  AUTHENTICATION_LISTEN: listen.optional(),
  DIRECTORY_ORIGIN: origin.default('http://localhost:8401'),
  DIRECTORY_LISTEN: listen.optional(),
  DIRECTORY_ALLOWED_ORIGINS: browserOrigins.default([]),
  TRUSTED_PROXIES: proxies.default([]),
  OUTBOUND_ALLOW: outboundPlaces.default([]),
  SMTP_URL: smtpUrl.optional(),
  MAIL_FROM: mailbox.optional(),
  KEY_ENCRYPTION_KEY_FILE: z.string().optional(),
  TLS_CERTIFICATE_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
});

/**
 * Reads the configuration, validates it whole and freezes it.
 * @param options `tls`: origins are https on this machine unless set
 * @throws ConfigError with every mistake
 */
export function readConfig(
  environment: Environment,
  { tls = false, readFile = readText }: { tls?: boolean; readFile?: (path: string) => string } = {},
): Config {
  const problems: string[] = [];
  const defaults = tls ? TLS_ORIGINS : {};
  const parsed = environmentSchema.safeParse({ ...defaults, ...withSecretFiles(environment, readFile, problems) });
  if (!parsed.success)
    problems.push(...parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  const { data } = parsed;
  if (data && (data.TLS_CERTIFICATE_FILE === undefined) !== (data.TLS_KEY_FILE === undefined)) {
    problems.push('TLS_CERTIFICATE_FILE and TLS_KEY_FILE: both or neither must be set');
  }
  if (data && (data.SMTP_URL === undefined) !== (data.MAIL_FROM === undefined)) {
    problems.push('SMTP_URL and MAIL_FROM: both or neither must be set');
  }
  if (problems.length > 0 || !data) throw new ConfigError(problems);
  return configOf(data);
}

/** The process's own environment. The only place that reads it. */
export function ownEnvironment(): Environment {
  return process.env;
}

function configOf(data: z.output<typeof environmentSchema>): Config {
  const { TLS_CERTIFICATE_FILE, TLS_KEY_FILE, SMTP_URL, MAIL_FROM } = data;
  const database = {
    owner: data.DATABASE_URL,
    authentication: data.AUTHENTICATION_DATABASE_URL,
    directory: data.DIRECTORY_DATABASE_URL,
    operator: data.OPERATOR_DATABASE_URL,
  };
  return Object.freeze({
    dataDirectory: data.DATA_DIRECTORY,
    database: Object.values(database).some((url) => url !== undefined) ? database : undefined,
    authentication: listenerOf(data.AUTHENTICATION_ORIGIN, data.AUTHENTICATION_LISTEN),
    directory: listenerOf(data.DIRECTORY_ORIGIN, data.DIRECTORY_LISTEN),
    trustedProxies: data.TRUSTED_PROXIES,
    directoryAllowedOrigins: data.DIRECTORY_ALLOWED_ORIGINS,
    outboundAllow: data.OUTBOUND_ALLOW,
    mail:
      SMTP_URL !== undefined && MAIL_FROM
        ? { url: SMTP_URL, isLoopback: isLoopback(new URL(SMTP_URL).hostname), from: MAIL_FROM }
        : undefined,
    keyEncryptionKeyFile: data.KEY_ENCRYPTION_KEY_FILE ?? join(data.DATA_DIRECTORY, 'key-encryption-key'),
    tls:
      TLS_CERTIFICATE_FILE && TLS_KEY_FILE
        ? { certificateFile: TLS_CERTIFICATE_FILE, keyFile: TLS_KEY_FILE }
        : undefined,
    logLevel: data.LOG_LEVEL,
  });
}

/** Listens on loopback at the origin's own port unless told otherwise. */
function listenerOf(publicOrigin: string, address: { host: string; port: number } | undefined): Listener {
  const { port, protocol } = new URL(publicOrigin);
  const own = { host: '127.0.0.1', port: Number(port || (protocol === 'https:' ? 443 : 80)) };
  return { origin: publicOrigin, ...(address ?? own) };
}

function withSecretFiles(
  environment: Environment,
  readFile: (path: string) => string,
  problems: string[],
): Environment {
  const result: Record<string, string | undefined> = { ...environment };
  for (const name of SECRETS) {
    const path = environment[`${name}_FILE`];
    if (path === undefined) continue;
    if (environment[name] !== undefined) problems.push(`${name} and ${name}_FILE: only one may be set`);
    try {
      result[name] = readFile(path).trim();
    } catch {
      problems.push(`${name}_FILE: ${path} can not be read`);
    }
  }
  return result;
}

/** A connection over a network must be encrypted and the server verified; a socket or loopback need not be. */
function databaseProblem(url: string): string | undefined {
  const parsed = URL.parse(url.replace(/^(postgres(?:ql)?:\/\/[^@/]*@)\//, '$1socket/'));
  if (!parsed || !/^postgres(ql)?:$/.test(parsed.protocol))
    return 'must be a URL of the form postgresql://user:password@host/database';
  if (parsed.username === '') return 'must name a user';
  const socket = parsed.searchParams.get('host')?.startsWith('/');
  if (socket || isLoopback(parsed.hostname)) return undefined;
  return parsed.searchParams.get('sslmode') === 'verify-full'
    ? undefined
    : 'must have sslmode=verify-full for a database on another machine';
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
