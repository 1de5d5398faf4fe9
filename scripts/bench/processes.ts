import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const SERVER_CORE = 0;
const LOAD_CORE = 1;

/** Whether servers can have a core of their own, apart from the load and the database. */
export const pinned = canPin();

function canPin(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return availableParallelism() > 1;
  } catch {
    return false;
  }
}

/** Keeps this process, and what it starts from now on, off the servers' core. */
export function leaveTheServersCore(): void {
  if (pinned) execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', `${LOAD_CORE}`, `${process.pid}`]);
}

export interface Server {
  readonly child: ChildProcess;
  /** The first line that it printed. */
  readonly firstLine: string;
  /** Resident memory in MiB. */
  memory(): number;
  /** Processor time used so far, in microseconds: by clock ticks of ten milliseconds. */
  processorTime(): number;
  stop(): Promise<void>;
}

/** Starts a Node program on the servers' core; resolves with its first line, or when `isReady` does. */
export async function startServer(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  isReady?: () => Promise<void>,
): Promise<Server> {
  const command = [process.execPath, ...words];
  const [program = '', ...rest] = pinned ? ['taskset', '--cpu-list', `${SERVER_CORE}`, ...command] : command;
  const child = spawn(program, rest, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`${words[0]} ended with exit code ${code}.`)));
  });
  ended.catch(() => {});
  const printed = new Promise<string>((resolve) => child.stdout.setEncoding('utf8').once('data', resolve));
  const firstLine = await Promise.race([isReady ? isReady().then(() => '') : printed, ended]);
  child.stdout.resume();
  return {
    child,
    firstLine,
    processorTime: () => processorTimeOf(child.pid),
    memory: () =>
      Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1_024),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

const TICK_MICROSECONDS = 10_000;

/** Fields 14 and 15 of /proc/PID/stat (proc(5)); the name before them may hold spaces. */
function processorTimeOf(pid: number | undefined): number {
  const [user = '0', system = '0'] =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
  return (Number(user) + Number(system)) * TICK_MICROSECONDS;
}
