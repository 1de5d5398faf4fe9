import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from '@jest/globals';
import type { Deployment } from '../support/deployment.ts';

const PROGRAMS = join(import.meta.dirname, 'python');
/** Debian's own, for which its packages are; the first on the path may be another. */
const PYTHON = '/usr/bin/python3';

/** The version of a Debian package, when it is installed. */
export function debianVersion(name: string): string | undefined {
  const { stdout } = spawnSync('dpkg-query', ['--status', name], { encoding: 'utf8' });
  const status = stdout ?? '';
  return /^Status: .* installed$/m.test(status) ? /^Version: (.+)$/m.exec(status)?.[1] : undefined;
}

/**
 * The flows of a client from Debian. A package that is not installed is a failure that names it.
 * @param needed packages that it works with and does not bring itself
 */
export function debianClient(name: string, flows: () => void, needed: readonly string[] = []): void {
  const missing = [name, ...needed].filter((one) => debianVersion(one) === undefined);
  if (missing.length === 0) describe(`${name} ${debianVersion(name)}`, flows);
  else
    describe(name, () => {
      test('is installed', () => {
        throw new Error(`Not here: ${missing.join(', ')}. As root: apt-get install ${missing.join(' ')}`);
      });
    });
}

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export interface Started {
  /** All that it has written when this is in it; rejects when it ends without. */
  until(words: RegExp): Promise<string>;
  readonly ended: Promise<Ran>;
}

/** Starts a program with nothing of this process's environment but its path, and what is given. */
export function started(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  input = '',
): Started {
  const child = spawn(program, words, { env: { PATH: process.env.PATH, ...environment } });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      written[name] += chunk;
    });
  // One that reads nothing may end before it is given anything.
  child.stdin.on('error', () => {}).end(input);
  const ended = new Promise<Ran>((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) => done({ ...written, code }));
  });
  const until = async (wanted: RegExp) => {
    for (;;) {
      const all = `${written.stdout}${written.stderr}`;
      if (wanted.test(all)) return all;
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${all}`);
      await sleep(50);
    }
  };
  return { until, ended };
}

/** Runs a program to its end. */
export const ran = (...asked: Parameters<typeof started>): Promise<Ran> => started(...asked).ended;

/** Runs one of the programs in `python/`, which is given an authority to trust and JSON, and answers in JSON. */
export async function python<Result>(
  { certificateAuthority }: Deployment,
  program: string,
  asked: object,
): Promise<Result> {
  const environment = { REQUESTS_CA_BUNDLE: certificateAuthority };
  const { stdout, stderr, code } = await ran(PYTHON, [join(PROGRAMS, program)], environment, JSON.stringify(asked));
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
