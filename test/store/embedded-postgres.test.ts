import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { ensureDatabase, startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { oneAtATime } from '../../src/store/one-at-a-time.ts';

const SETTINGS = ['fsync=off'];
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bailiwick-embedded-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Another process that starts, or joins, the Postgres of the directory, and leaves when its input ends. */
async function another(): Promise<() => Promise<number | null>> {
  const program = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(resolve('src/store/embedded-postgres.ts'))});
    const postgres = await startEmbeddedPostgres(${JSON.stringify(directory)}, ['fsync=off']);
    console.log('here');
    process.stdin.on('end', () => postgres.stop().then(() => process.stdin.destroy())).resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  await Promise.race([
    new Promise((done) => child.stdout.once('data', done)),
    ended.then((code) => Promise.reject(new Error(`It ended with ${code}.`))),
  ]);
  return () => {
    child.stdin.end();
    return ended;
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  return client.connect().then(
    () => client.end().then(() => true),
    () => false,
  );
}

describe('the embedded Postgres', () => {
  test('is started once by processes that begin at the same moment, on a directory that has none yet', async () => {
    const [own, ...others] = await Promise.all([
      startEmbeddedPostgres(directory, SETTINGS),
      ...[1, 2, 3].map(() => another()),
    ]);
    await Promise.all(['one', 'one', 'two'].map((name) => ensureDatabase(own.superuser, name)));
    expect(await answers(own.superuser)).toBe(true);
    expect(await Promise.all(others.map((leave) => leave()))).toEqual([0, 0, 0]);
    await own.stop();
  }, 60_000);

  test('outlives the process that started it, and ends with the last that uses it', async () => {
    const leave = await another();
    const own = await startEmbeddedPostgres(directory, SETTINGS);
    expect(await leave()).toBe(0);
    expect(await answers(own.superuser)).toBe(true);
    await own.stop();
    expect(await answers(own.superuser)).toBe(false);
    expect(readdirSync(directory).filter((name) => name.includes('lock'))).toEqual([]);
  }, 60_000);
});

describe('the lock', () => {
  test('of a process that is no more is none', async () => {
    const gone = spawn(process.execPath, ['-e', '']);
    await new Promise((done) => gone.once('exit', done));
    const lock = join(directory, 'lock');
    writeFileSync(lock, String(gone.pid));
    expect(await oneAtATime(lock, async () => 'done')).toBe('done');
    expect(existsSync(lock)).toBe(false);
  });

  test('is given to one after the other, also when the work fails', async () => {
    const lock = join(directory, 'lock');
    let inside = 0;
    const work = async (index: number) => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((done) => setTimeout(done, 5));
      inside -= 1;
      if (index % 2) throw new Error('failed');
    };
    const outcomes = await Promise.allSettled([0, 1, 2, 3].map((index) => oneAtATime(lock, () => work(index))));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
  });
});
