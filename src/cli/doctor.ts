import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Config, ConfigError } from '../config.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { inspectDatabase } from '../store/inspection.ts';
import { databaseProblems } from '../store/safety.ts';
import { expiringCredentials } from './expiring-credentials.ts';
import { print } from './output.ts';
import { CommandError, type Operator, type Rooms } from './rooms.ts';
import { undeliveredNotices } from './undelivered.ts';

/** One thing that was looked at. `mend` says what to do about a problem. */
interface Finding {
  readonly check: string;
  readonly isWell: boolean;
  readonly words: string;
  readonly mend?: string;
  /** Well as yet, and not for long. */
  readonly isWarning?: boolean;
}

const LOGINS = ['authentication', 'directory', 'operator'] as const;
const OLDEST_POSTGRES = 150_000;
const NEWEST_POSTGRES = 190_000;
/** Access tokens are accepted with five seconds of tolerance. */
const MAX_SKEW_MS = 2_000;
const MIN_VALID_MS = 14 * 86_400_000;

export function addDoctor(program: Command, rooms: Rooms): void {
  program
    .command('doctor')
    .description(
      'Look at the configuration, database, keys, clock and certificates; say what is wrong and how to mend it.',
    )
    .option('--json', 'print the findings as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const findings = await examine(rooms);
      print(rooms, { findings }, json, () => findings.map(textOf).join('\n'));
      const problems = findings.filter(({ isWell }) => !isWell).length;
      if (problems > 0)
        throw new CommandError(problems === 1 ? 'There is a problem.' : `There are ${problems} problems.`);
    });
}

async function examine(rooms: Rooms): Promise<Finding[]> {
  let config: Config;
  try {
    config = rooms.config();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((words) => ({ check: 'configuration', isWell: false, words, mend: 'Set the variable.' }));
  }
  const findings: Finding[] = [
    { check: 'configuration', isWell: true, words: 'valid' },
    mailOf(config),
    ...filesOf(config),
  ];
  let database: Database;
  try {
    database = await openDatabase(config);
  } catch (error) {
    return [
      ...findings,
      { check: 'database', isWell: false, words: messageOf(error), mend: 'See docs/configuration.md.' },
    ];
  }
  try {
    for (const login of LOGINS) findings.push(...(await loginFindings(config, database, login)));
    // Where the operator's login does not get in, that is said already.
    const isReached = findings.some(({ check }) => check === 'database login operator: server');
    return isReached ? [...findings, ...(await tenantFindings(rooms, config))] : findings;
  } finally {
    await database.close();
  }
}

async function loginFindings(config: Config, database: Database, login: (typeof LOGINS)[number]): Promise<Finding[]> {
  const check = `database login ${login}`;
  if (config.database && !config.database[login]) {
    return [{ check, isWell: true, words: 'not configured for this process' }];
  }
  try {
    const url = database.url(login);
    const problems = await databaseProblems(url, database.sealer, login);
    const { serverVersion, clockSkewMs, roundTripMs, isReplica } = await inspectDatabase(url);
    return [
      ...(problems.length === 0
        ? [{ check, isWell: true, words: 'row level security, migrations and keys are as they must be' }]
        : []),
      ...problems.map((words) => ({ check, isWell: false, words, mend: mendOf(words) })),
      {
        check: `${check}: clock`,
        isWell: Math.abs(clockSkewMs) <= MAX_SKEW_MS + roundTripMs,
        words: `${clockSkewMs} ms from this machine's`,
        mend: 'Let both machines keep time with NTP.',
      },
      {
        check: `${check}: server`,
        isWell: serverVersion >= OLDEST_POSTGRES && serverVersion < NEWEST_POSTGRES && !isReplica,
        words: `Postgres ${Math.floor(serverVersion / 10_000)}${isReplica ? ', a replica' : ''}`,
        mend: 'Use the primary of a Postgres 15 to 18: what was revoked must be seen at once.',
      },
    ];
  } catch (error) {
    return [
      {
        check,
        isWell: false,
        words: messageOf(error),
        mend: 'Check the URL, the password and that `bailiwick migrate` made the login.',
      },
    ];
  }
}

/** Of all tenants: credentials of their applications, and notices that reach nobody. */
async function tenantFindings(rooms: Rooms, config: Config): Promise<Finding[]> {
  try {
    const operator = await rooms.openOperator();
    try {
      return [...(await credentialFindings(operator)), ...(await noticeFindings(operator, config))];
    } finally {
      await operator.close();
    }
  } catch (error) {
    const mend = 'Mend what is said above; then look again.';
    return [{ check: 'the tenants', isWell: false, words: messageOf(error), mend }];
  }
}

async function credentialFindings(operator: Operator): Promise<Finding[]> {
  const found = await expiringCredentials(operator);
  return found.map(({ tenantId, application, credential, endDateTime }) => ({
    check: `${credential} of ${application} (${tenantId})`,
    isWell: true,
    isWarning: true,
    words: `${endDateTime.getTime() < Date.now() ? 'ended' : 'ends'} ${endDateTime.toISOString()}`,
    mend: 'Add another one, have the application use it, and remove this one.',
  }));
}

async function noticeFindings(operator: Operator, { mail }: Config): Promise<Finding[]> {
  const found = await undeliveredNotices(operator);
  const isOff = (channel: string) => channel === 'mail' && !mail;
  return found.map(({ tenantId, channel, isDead, count, oldestDateTime, error }) => ({
    check: `notices by ${channel} (${tenantId})`,
    isWell: true,
    isWarning: true,
    words: `${count} ${isDead ? 'given up' : 'waiting'} since ${oldestDateTime.toISOString()}${error === null ? '' : `; ${error}`}`,
    mend:
      isOff(channel) && !isDead ? 'Set SMTP_URL and MAIL_FROM.' : 'The log says which, and what went wrong each time.',
  }));
}

function mailOf({ mail }: Config): Finding {
  const words = mail ? `by ${new URL(mail.url).host}` : 'off: notices wait, because SMTP_URL is not set';
  return { check: 'mail', isWell: true, words };
}

/** Files that others must not read, and certificates that run out. */
function filesOf({ keyEncryptionKeyFile, tls, dataDirectory }: Config): Finding[] {
  const own = join(dataDirectory, 'tls');
  const [certificate, key] = tls
    ? [tls.certificateFile, tls.keyFile]
    : [join(own, 'certificate.pem'), join(own, 'key.pem')];
  return [
    ...(existsSync(keyEncryptionKeyFile) ? [secrecyOf('key-encryption key', keyEncryptionKeyFile)] : []),
    ...(tls || existsSync(key) ? [secrecyOf('TLS key', key), validityOf(certificate)] : []),
  ];
}

function secrecyOf(check: string, file: string): Finding {
  try {
    // Container engines mount secrets readable, into a container that has nobody else.
    const isOpen = (statSync(file).mode & 0o007) !== 0 && !file.startsWith('/run/secrets/');
    const words = isOpen ? `${file} can be read by everybody` : `${file} is private`;
    return { check, isWell: !isOpen, words, mend: `chmod 600 ${file}` };
  } catch {
    return { check, isWell: false, words: `${file} can not be read`, mend: 'Check the path and the permissions.' };
  }
}

function validityOf(file: string): Finding {
  const check = 'TLS certificate';
  try {
    const { validToDate } = new X509Certificate(readFileSync(file));
    const isWell = validToDate.getTime() - Date.now() > MIN_VALID_MS;
    return {
      check,
      isWell,
      words: `valid until ${validToDate.toISOString()}`,
      mend: 'Renew it, and start the server again.',
    };
  } catch {
    return { check, isWell: false, words: `${file} is not a certificate`, mend: 'It must be PEM, the leaf first.' };
  }
}

function mendOf(problem: string): string {
  if (problem.includes('bailiwick migrate')) return 'Run `bailiwick migrate`.';
  if (problem.includes('key-encryption key')) return 'Bring back the key file that belongs to this database.';
  if (problem.includes('login'))
    return 'Use the logins that `bailiwick migrate` makes, never the owner or a superuser.';
  return 'Somebody changed the schema by hand: restore it from the migrations.';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function textOf({ check, isWell, isWarning = false, words, mend }: Finding): string {
  const text = `${check}: ${words}`;
  if (isWell && !isWarning) return `✓ ${text}`;
  return `${isWarning ? '!' : '✗'} ${text}\n  → ${mend}`;
}
