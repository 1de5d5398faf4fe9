import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDatabase, startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { Sealer } from '../../src/store/sealing.ts';
import { DIRECTORY_API } from '../../src/vocabulary/permissions.ts';

const TEMPLATE = 'bailiwick_template';

/** One real Postgres for the run, with a migrated template database that every test file clones. */
export default async function setUp(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bailiwick-test-'));
  const postgres = await startEmbeddedPostgres(directory, [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
  ]);
  await ensureDatabase(postgres.superuser, TEMPLATE);
  await migrate({ url: (login) => postgres.urls(TEMPLATE)[login], sealer: new Sealer(randomBytes(32)) }, [
    { ...DIRECTORY_API, identifierUris: ['http://localhost:8401', 'https://graph.microsoft.com'] },
  ]);
  const file = join(directory, 'cluster.json');
  writeFileSync(file, JSON.stringify({ directory, template: TEMPLATE }));
  process.env.BAILIWICK_TEST_CLUSTER = file;
  // What the processes of the tests start compiles once in the run, which is more than half of what a command takes.
  process.env.NODE_COMPILE_CACHE = join(directory, 'compiled');
  Object.assign(globalThis, { stopTestPostgres: postgres.stop });
}
