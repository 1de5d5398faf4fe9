import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 120_000;
const LOOK_MS = 50;

/**
 * Does the work while no other process of this machine does any under the same lock file. What a process left behind
 * that is no more is no lock.
 */
export async function oneAtATime<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  for (let waited = 0; !take(file); waited += LOOK_MS) {
    if (waited > PATIENCE_MS)
      throw new Error(`Process ${holderOf(file)} has ${file} and does not give it back. If it is stuck, end it.`);
    await sleep(LOOK_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Whether the lock is ours now: it appears with its holder in it, or not at all. */
function take(file: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const holder = holderOf(file);
    if (holder !== undefined && !isAlive(holder)) removeLeftBy(holder, file, draft);
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Of several that find it, one moves it away; what was taken anew meanwhile is put back. */
function removeLeftBy(holder: number, file: string, aside: string): void {
  try {
    renameSync(file, aside);
    if (holderOf(aside) !== holder) linkSync(aside, file);
  } catch {
    // Somebody else was faster.
  }
}

function holderOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code; // thrown by node:fs and process.kill
}
