import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/demo-story/processes.ts';
import { type DatabaseUrls, startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { deploymentApplications } from '../../src/vocabulary/permissions.ts';
import type { TestDatabase } from './database.ts';
import { asSuperuser } from './tenants.ts';

const MAIN = resolve(import.meta.dirname, '..', '..', 'src', 'main.ts');
const run = promisify(execFile);

export interface RunningServer {
  readonly child: ChildProcess;
  /** All that it wrote, on both streams. */
  output(): string;
  /** Resolves with the exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

/** A deployment as an operator has it: real processes of `src/main.ts` on an embedded Postgres that outlives them. */
export interface Deployment {
  readonly origin: string;
  readonly directoryOrigin: string;
  readonly urls: DatabaseUrls;
  readonly superuserUrl: string;
  /** The file of the authority of its own that it proves itself by, with `tls`. */
  readonly certificateAuthority: string;
  readonly environment: Readonly<Record<string, string>>;
  bailiwick(...words: string[]): Promise<string>;
  /** Starts `serve` and waits until it answers. */
  serve(words?: readonly string[], environment?: Record<string, string>): Promise<RunningServer>;
  /** Starts `serve` and waits for nothing. */
  launch(words: readonly string[], environment?: Record<string, string>): RunningServer;
  end(): Promise<void>;
}

export interface DeploymentOptions {
  /** Over https, with the deployment's own authority, which this process comes to trust as soon as it is served. */
  readonly tls?: boolean;
  /** Where it keeps its rows, and goes with it; an embedded Postgres of its own unless given. */
  readonly database?: TestDatabase;
}

export async function aDeployment({ tls = false, database }: DeploymentOptions = {}): Promise<Deployment> {
  const data = mkdtempSync(join(tmpdir(), 'bailiwick-deployment-'));
  const [port, directoryPort] = [await freePort(), await freePort()];
  const scheme = tls ? 'https' : 'http';
  const certificateAuthority = join(data, 'tls', 'ca.pem');
  const origins = {
    AUTHENTICATION_ORIGIN: `${scheme}://localhost:${port}`,
    DIRECTORY_ORIGIN: `${scheme}://localhost:${directoryPort}`,
  };
  const place = database ? await placeIn(database, data, origins.DIRECTORY_ORIGIN) : await ownPlace(data);
  const environment = {
    DATA_DIRECTORY: data,
    ...origins,
    ...place.environment,
    LOG_LEVEL: 'debug',
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
  };
  const launched: RunningServer[] = [];
  const launch = (words: readonly string[], more: Record<string, string> = {}): RunningServer => {
    const child = spawn(process.execPath, [MAIN, 'serve', ...(tls ? ['--tls'] : []), ...words], {
      env: { PATH: process.env.PATH, ...environment, ...more },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    const ended = new Promise<number | string | null>((done) =>
      child.once('exit', (code, signal) => done(signal ?? code)),
    );
    const server = { child, output: () => output, ended };
    launched.push(server);
    return server;
  };
  return {
    origin: environment.AUTHENTICATION_ORIGIN,
    directoryOrigin: environment.DIRECTORY_ORIGIN,
    urls: place.urls,
    superuserUrl: place.superuserUrl,
    certificateAuthority,
    environment,
    bailiwick: async (...words) => {
      const { stdout } = await run(process.execPath, [MAIN, ...words], {
        env: { PATH: process.env.PATH, ...environment },
      });
      return stdout;
    },
    launch,
    serve: async (words = [], more = {}) => {
      const server = launch(words, more);
      const side = words.includes('directory') ? environment.DIRECTORY_ORIGIN : environment.AUTHENTICATION_ORIGIN;
      await untilHealthy(`${side}/healthz`, server, tls ? certificateAuthority : undefined);
      return server;
    },
    end: async () => {
      for (const { child } of launched) child.kill('SIGKILL');
      await Promise.all(launched.map(({ ended }) => ended));
      await place.close();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Where a deployment keeps its rows. */
interface Place {
  readonly urls: DatabaseUrls;
  readonly superuserUrl: string;
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

async function ownPlace(data: string): Promise<Place> {
  const postgres = await startEmbeddedPostgres(data);
  return {
    urls: postgres.urls('bailiwick'),
    superuserUrl: postgres.superuser.replace('/postgres?', '/bailiwick?'),
    environment: {},
    close: async () => {
      await postgres.stop();
      rmSync(realpathSync(join(data, 'postgres')), { recursive: true, force: true });
    },
  };
}

/** As an operator migrates a Postgres of his own: with this deployment's key and origin. */
async function placeIn(database: TestDatabase, data: string, directoryOrigin: string): Promise<Place> {
  const { urls, superuserUrl, sealer, key } = database;
  writeFileSync(join(data, 'key-encryption-key'), key.toString('base64url'), { mode: 0o600 });
  // That of the template.
  await asSuperuser(database, 'delete from deployment');
  await migrate({ url: (login) => urls[login], sealer }, deploymentApplications(directoryOrigin));
  const environment = {
    AUTHENTICATION_DATABASE_URL: urls.authentication,
    DIRECTORY_DATABASE_URL: urls.directory,
    OPERATOR_DATABASE_URL: urls.operator,
  };
  return { urls, superuserUrl, environment, close: () => database.drop() };
}

/** @param authority the file of the one that is to be trusted, which appears while the server starts */
export async function untilHealthy(url: string, { child, output }: RunningServer, authority?: string): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (child.exitCode !== null) break;
    if (authority !== undefined && existsSync(authority))
      setDefaultCACertificates([...getCACertificates('default'), readFileSync(authority, 'utf8')]);
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(50);
  }
  throw new Error(`The server is not healthy: ${output()}`);
}
