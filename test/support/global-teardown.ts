import { rmSync } from 'node:fs';
import { dirname } from 'node:path';

export default async function tearDown(): Promise<void> {
  const { stopTestPostgres } = globalThis as { stopTestPostgres?: () => Promise<void> }; // set by global-setup.ts
  await stopTestPostgres?.();
  rmSync(dirname(process.env.BAILIWICK_TEST_CLUSTER ?? ''), { recursive: true, force: true });
}
