import cluster, { type Worker } from 'node:cluster';
import type { Log } from './log.ts';

/** A worker that ends sooner than this after its start did not start. */
const START_MS = 5_000;
const MAX_FAILED_STARTS = 5;

/**
 * Runs `count` copies of this program, which share its ports, and replaces one that dies. Resolves when all have ended
 * after a signal.
 * @throws when workers die again and again before they serve
 */
export async function runWorkers(count: number, untilSignal: Promise<unknown>, log: Log): Promise<void> {
  let isEnding = false;
  let failedStarts = 0;
  const failed = new Promise<never>((_, reject) => {
    const fork = () => {
      const worker = cluster.fork();
      const startedAt = Date.now();
      worker.once('exit', (code, signal) => {
        if (isEnding) return;
        failedStarts = Date.now() - startedAt < START_MS ? failedStarts + 1 : 0;
        log.error({ worker: worker.process.pid, exitCode: code, signal }, 'A worker ended; another takes its place.');
        if (failedStarts >= MAX_FAILED_STARTS) reject(new Error('The workers end as soon as they start.'));
        else fork();
      });
    };
    for (let index = 0; index < count; index += 1) fork();
  });
  try {
    await Promise.race([untilSignal, failed]);
  } finally {
    isEnding = true;
    await Promise.all(Object.values(cluster.workers ?? {}).flatMap((worker) => (worker ? [end(worker)] : [])));
  }
}

async function end(worker: Worker): Promise<void> {
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  worker.process.kill('SIGTERM');
  await ended;
}
