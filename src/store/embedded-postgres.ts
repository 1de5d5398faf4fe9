import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type PostgresHost, preparePostgresHost } from './postgres-host.ts';
import { scramVerifier } from './scram-verifier.ts';
import { readOrMake } from './write-once.ts';

/** The URLs of a database: its owner's and the three runtime logins'. */
export interface DatabaseUrls {
  readonly owner: string;
  readonly authentication: string;
  readonly directory: string;
  readonly operator: string;
}

export interface EmbeddedPostgres {
  /** URLs of the named database, which need not exist. */
  urls(database: string): DatabaseUrls;
  /** The bootstrap superuser's URL: for making databases, never for serving. */
  readonly superuser: string;
  /** Ends the server if this process started it. */
  stop(): Promise<void>;
}

const LOGINS = ['superuser', 'owner', 'authentication', 'directory', 'operator'] as const;
type Passwords = Record<(typeof LOGINS)[number], string>;

/** `duplicate_database`, and `unique_violation` where both were made at the same moment. */
const ALREADY_MADE: ReadonlySet<string> = new Set(['42P04', '23505']);

/**
 * A real Postgres from the npm package, in `directory`; started unless one runs there already. It listens on a unix
 * socket in a directory of mode 0700 only.
 * @param settings further server settings, such as `fsync=off` in tests
 */
export async function startEmbeddedPostgres(
  directory: string,
  settings: readonly string[] = [],
): Promise<EmbeddedPostgres> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const host = await preparePostgresHost(directory);
  const passwords = readPasswords(join(directory, 'postgres-logins.json'));
  const url = (login: keyof Passwords, database: string) =>
    `postgresql://bailiwick_${login === 'superuser' ? 'superuser' : `${login}_login`}:${passwords[login]}@/${database}?host=${encodeURIComponent(host.socketDirectory)}`;
  const superuser = url('superuser', 'postgres');
  const server = (await answers(superuser)) ? undefined : await start(host, passwords, settings, superuser);
  await ensureOwner(superuser, passwords.owner);
  return {
    superuser,
    urls: (database) => ({
      owner: url('owner', database),
      authentication: url('authentication', database),
      directory: url('directory', database),
      operator: url('operator', database),
    }),
    stop: () => (server ? stop(server) : Promise.resolve()),
  };
}

/** Makes the owner's database when it is not there. */
export async function ensureDatabase(superuser: string, name: string, template = 'template1'): Promise<void> {
  await withClient(superuser, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount) return;
    const [database, source] = [client.escapeIdentifier(name), client.escapeIdentifier(template)];
    await client
      .query(`create database ${database} owner bailiwick_owner_login template ${source}`)
      .catch((error: unknown) => {
        // Another process, which started with this one, was first.
        if (!(error instanceof pg.DatabaseError && ALREADY_MADE.has(error.code ?? ''))) throw error;
      });
  });
}

export async function dropDatabase(superuser: string, name: string): Promise<void> {
  await withClient(superuser, (client) =>
    client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`),
  );
}

function readPasswords(file: string): Passwords {
  const made = () =>
    JSON.stringify(Object.fromEntries(LOGINS.map((login) => [login, randomBytes(24).toString('base64url')])));
  return JSON.parse(readOrMake(file, made)) as Passwords; // written by the line above
}

async function start(
  host: PostgresHost,
  passwords: Passwords,
  settings: readonly string[],
  superuser: string,
): Promise<ChildProcess | undefined> {
  if (!existsSync(join(host.dataDirectory, 'PG_VERSION'))) await initialise(host, passwords.superuser);
  const flags = [
    'listen_addresses=',
    `unix_socket_directories=${host.socketDirectory}`,
    'max_connections=200',
    ...settings,
  ];
  const server = spawn(host.postgres, ['-D', host.dataDirectory, ...flags.flatMap((flag) => ['-c', flag])], {
    ...host.identity,
    cwd: host.dataDirectory,
    stdio: ['ignore', 'ignore', 'pipe'],
    // In a session of its own: Ctrl-C is for this process, which still needs the database to end well.
    detached: true,
  });
  let log = '';
  server.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    log = (log + chunk).slice(-4_000);
  });
  process.once('exit', () => server.kill('SIGINT'));
  for (let waited = 0; waited < 60_000; waited += 50) {
    if (await answers(superuser)) return server.exitCode === null ? server : undefined;
    // Another process may have won the race for the data directory: then its server answers soon.
    if (server.exitCode !== null && waited > 10_000) break;
    await sleep(50);
  }
  throw new Error(`The embedded Postgres did not start: ${log}`);
}

async function initialise(host: PostgresHost, password: string): Promise<void> {
  const { uid, gid } = host.identity;
  // Where nobody else reaches: the data directory must be empty, and what is around it may be open to others.
  const passwordFile = join(host.socketDirectory, `initdb-${process.pid}`);
  writeFileSync(passwordFile, password, { mode: 0o600, flag: 'wx' });
  if (uid !== undefined && gid !== undefined) chownSync(passwordFile, uid, gid);
  try {
    await runInitdb(host, passwordFile);
  } finally {
    rmSync(passwordFile);
  }
}

async function runInitdb({ initdb, dataDirectory, identity }: PostgresHost, passwordFile: string): Promise<void> {
  const flags = [
    '--auth=scram-sha-256',
    '--username=bailiwick_superuser',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
  const child = spawn(initdb, ['-D', dataDirectory, ...flags, `--pwfile=${passwordFile}`], {
    ...identity,
    cwd: dataDirectory,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk;
  });
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (code !== 0) throw new Error(`initdb failed: ${log}`);
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  await ended;
}

async function ensureOwner(superuser: string, password: string): Promise<void> {
  await withClient(superuser, async (client) => {
    const { rowCount } = await client.query(`select from pg_roles where rolname = 'bailiwick_owner_login'`);
    if (!rowCount)
      await client.query(
        `create role bailiwick_owner_login login createrole password ${client.escapeLiteral(scramVerifier(password))}`,
      );
  });
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
