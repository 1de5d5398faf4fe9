import { realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

export default async function tearDown(): Promise<void> {
  const { stopTestPostgres } = globalThis as { stopTestPostgres?: () => Promise<void> }; // set by global-setup.ts
  await stopTestPostgres?.();
  const directory = dirname(process.env.BAILIWICK_TEST_CLUSTER ?? '');
  // As root, the cluster is elsewhere and this is a link to it.
  rmSync(realpathSync(join(directory, 'postgres')), { recursive: true, force: true });
  rmSync(directory, { recursive: true, force: true });
}
