import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestDatabase } from './database.ts';
import type { ServerProcessSettings } from './server-process.ts';

export interface ServerProcess {
  readonly origin: string;
  stop(): Promise<void>;
}

/** Starts an authorization server in a process of its own on the test's database. */
export async function aServerProcess(database: TestDatabase, publicOrigin: string): Promise<ServerProcess> {
  const settings: ServerProcessSettings = {
    url: database.urls.authentication,
    key: database.key.toString('base64'),
    publicOrigin,
  };
  const file = new URL('./server-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [file, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  });
  return { origin: await firstLine(child), stop: () => stopped(child) };
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
