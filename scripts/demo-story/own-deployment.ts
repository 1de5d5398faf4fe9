import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  commandLine,
  type Deployment,
  type Environment,
  freePort,
  ROOT,
  start,
  stop,
  untilHealthy,
} from './processes.ts';

export const MANIFEST = join(ROOT, 'config', 'demo.yaml');
/** The command line; another build's where the caller says so. */
export const BAILIWICK = process.env.BAILIWICK_CLI ?? join(ROOT, 'scripts', 'bailiwick');

/** Does something with a deployment of its own, in which the demo's organizations are: fresh data, free ports, gone afterwards. */
export async function inOwnDeployment(
  { tls = false }: { readonly tls?: boolean | undefined },
  work: (deployment: Deployment) => Promise<void>,
): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'bailiwick-check-'));
  const [port, directoryPort] = [await freePort(), await freePort()];
  const scheme = tls ? 'https' : 'http';
  const environment = {
    DATA_DIRECTORY: data,
    AUTHENTICATION_ORIGIN: `${scheme}://localhost:${port}`,
    AUTHENTICATION_LISTEN: `127.0.0.1:${port}`,
    DIRECTORY_ORIGIN: `${scheme}://localhost:${directoryPort}`,
    DIRECTORY_LISTEN: `127.0.0.1:${directoryPort}`,
    // Refusals are a part of the story, and what the log says of them is not.
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'error',
  };
  let server: ChildProcess | undefined;
  try {
    server = await serve(environment, tls);
    const bailiwick = commandLine(BAILIWICK, environment);
    await bailiwick('apply', '-f', MANIFEST);
    await work({ origin: environment.AUTHENTICATION_ORIGIN, directoryOrigin: environment.DIRECTORY_ORIGIN, bailiwick });
  } finally {
    await stop(server);
    // As root, Postgres keeps its rows where its own user can reach them: the link says where.
    const postgres = join(data, 'postgres');
    if (existsSync(postgres)) rmSync(realpathSync(postgres), { recursive: true, force: true });
    rmSync(data, { recursive: true, force: true });
  }
}

/** Starts both listeners, and waits until they answer. */
export async function serve(environment: Environment, tls: boolean): Promise<ChildProcess> {
  const child = start(BAILIWICK, ['serve', ...(tls ? ['--tls'] : [])], environment, 'inherit');
  try {
    const authority = tls ? join(environment.DATA_DIRECTORY ?? '', 'tls', 'ca.pem') : undefined;
    await untilHealthy(`${environment.AUTHENTICATION_ORIGIN}/healthz`, child, authority);
    await untilHealthy(`${environment.DIRECTORY_ORIGIN}/healthz`, child, authority);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return child;
}
