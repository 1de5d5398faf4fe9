import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addTenant, getTenant } from '../../src/authorization/internal/tenants.ts';
import { Authorization } from '../../src/authorization/perform.ts';
import { type EmbeddedPostgres, ensureDatabase, startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { preparePostgresHost } from '../../src/store/postgres-host.ts';
import { databaseProblems } from '../../src/store/safety.ts';
import { Sealer } from '../../src/store/sealing.ts';
import { Store } from '../../src/store/store.ts';
import { newTenantId } from '../../src/vocabulary/ids.ts';
import { DIRECTORY_API } from '../../src/vocabulary/permissions.ts';
import { noPreparations } from '../support/database.ts';
import { operatorOf } from '../support/tenants.ts';

/** A primary that was stopped and comes back as a standby, as after a failover: with all its rows, which lag from now on. */
let directory: string;
let postgres: EmbeddedPostgres;
const sealer = new Sealer(randomBytes(32));
const tenantId = newTenantId();
const opened: Store[] = [];

function authorization(): Authorization {
  const store = new Store({ url: postgres.urls('standby').operator, sealer, onError: () => {} });
  opened.push(store);
  return new Authorization(store, noPreparations);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bailiwick-standby-'));
  postgres = await startEmbeddedPostgres(directory);
  await ensureDatabase(postgres.superuser, 'standby');
  const urls = postgres.urls('standby');
  await migrate({ url: (login) => urls[login], sealer }, [{ ...DIRECTORY_API, identifierUris: [] }]);
  await authorization().performInternal(operatorOf(tenantId), addTenant, {
    displayName: 'Contoso',
    domains: ['contoso.example'],
  });
  expect(await databaseProblems(urls.directory, sealer, 'directory')).toEqual([]);
  await Promise.all(opened.splice(0).map((store) => store.end()));
  await postgres.stop();
  const { dataDirectory } = await preparePostgresHost(directory);
  writeFileSync(join(dataDirectory, 'standby.signal'), '');
  postgres = await startEmbeddedPostgres(directory);
}, 60_000);

afterAll(async () => {
  await Promise.all(opened.map((store) => store.end()));
  await postgres.stop();
  rmSync(realpathSync(join(directory, 'postgres')), { recursive: true, force: true });
  rmSync(directory, { recursive: true, force: true });
});

describe('DBF-09: a standby', () => {
  test('is no database to start on', async () => {
    expect(await databaseProblems(postgres.urls('standby').directory, sealer, 'directory')).toEqual([
      'The database is a standby: what was revoked must be seen at once. Use the primary.',
    ]);
  });

  test('answers nobody, although it has the rows: neither state, nor versions, nor who is there', async () => {
    const unavailable = { code: 'ServiceUnavailable', status: 503, retryAfter: 2 };
    const asked = authorization();
    await expect(asked.performInternal(operatorOf(tenantId), getTenant, undefined)).rejects.toMatchObject(unavailable);
    await expect(asked.versionOf(tenantId)).rejects.toMatchObject(unavailable);
    const [store] = opened;
    await expect(
      store?.transaction({ action: 'test', tenantId, access: 'read' }, (permit) =>
        permit.query({ text: 'select from tenants' }),
      ),
    ).rejects.toMatchObject(unavailable);
    await expect(
      asked.performInternal(operatorOf(newTenantId()), addTenant, { displayName: 'Late', domains: ['late.example'] }),
    ).rejects.toMatchObject(unavailable);
  });
});
