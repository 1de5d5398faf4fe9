import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const ROOT = join(import.meta.dirname, '..', '..');

/** Where a deployment is reached, and how its command line is called. */
export interface Deployment {
  readonly origin: string;
  readonly directoryOrigin: string;
  /** Runs `bailiwick …` and returns what it wrote to stdout. Throws with stderr when it exits other than 0. */
  bailiwick(...words: string[]): Promise<string>;
}

/** The environment of every process of a deployment of its own. */
export type Environment = Readonly<Record<string, string>>;

/** A program that runs the command line with an environment. */
export function commandLine(program: string, environment: Environment): Deployment['bailiwick'] {
  return async (...words) => {
    const { stdout } = await run(program, words, {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      maxBuffer: 16e6,
    });
    return stdout;
  };
}

/** Starts a program that stays; what it writes goes to `output`. */
export function start(
  program: string,
  words: readonly string[],
  environment: Environment,
  output: 'inherit' | 'ignore',
): ChildProcess {
  return spawn(program, words, {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', output, output],
  });
}

/**
 * Waits until the address answers 200; gives up when the process ends first.
 * @param authority the file of the certificate authority, which appears while the server starts
 */
export async function untilHealthy(url: string, child: ChildProcess, authority?: string): Promise<void> {
  for (let waited = 0; waited < 120_000; waited += 100) {
    if (authority !== undefined && existsSync(authority))
      setDefaultCACertificates([...getCACertificates('default'), readFileSync(authority, 'utf8')]);
    if (child.exitCode !== null) throw new Error(`The server ended with exit code ${child.exitCode}.`);
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(100);
  }
  throw new Error(`${url} did not become healthy within two minutes.`);
}

export async function stop(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** Of these ports of loopback, the ones that somebody listens on. */
export async function takenPorts(ports: readonly number[]): Promise<number[]> {
  const taken = await Promise.all(
    ports.map((port) => {
      const server = createServer();
      return new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(true));
        server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)));
      });
    }),
  );
  return ports.filter((_, index) => taken[index]);
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port.');
  return address.port;
}
