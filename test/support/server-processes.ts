import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestDatabase } from './database.ts';
import type { ServerProcessOrigins, ServerProcessSettings } from './server-process.ts';

export interface ServerProcess extends ServerProcessOrigins {
  stop(): Promise<void>;
}

/** Starts both sides in a process of their own on the test's database. */
export async function aServerProcess(
  database: TestDatabase,
  publicOrigin: string,
  broken: Pick<ServerProcessSettings, 'believesVersionsMs'> = {},
): Promise<ServerProcess> {
  const settings: ServerProcessSettings = {
    urls: database.urls,
    key: database.key.toString('base64'),
    publicOrigin,
    ...broken,
  };
  const file = new URL('./server-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [file, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
  });
  const origins: ServerProcessOrigins = JSON.parse(await firstLine(child));
  return { ...origins, stop: () => stopped(child) };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout) for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('The server process ended before it listened.');
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill();
  });
}
