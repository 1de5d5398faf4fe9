import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { dropDatabase, ensureDatabase, startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { databaseProblems, GLOBAL_TABLES } from '../../src/store/safety.ts';
import { Sealer } from '../../src/store/sealing.ts';
import { DIRECTORY_API } from '../../src/vocabulary/permissions.ts';
import type { TestCluster } from '../support/database.ts';

const name = `fresh_${randomUUID().replaceAll('-', '')}`;
const logins = ['authentication', 'directory', 'operator'] as const;
const sealer = new Sealer(randomBytes(32));
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
let superuser: pg.Client;
let urls: ReturnType<typeof postgres.urls>;
const url = (login: keyof typeof urls) => urls[login];

beforeAll(async () => {
  const cluster: TestCluster = JSON.parse(readFileSync(process.env.BAILIWICK_TEST_CLUSTER ?? '', 'utf8'));
  postgres = await startEmbeddedPostgres(cluster.directory);
  await ensureDatabase(postgres.superuser, name);
  superuser = new pg.Client({ connectionString: postgres.superuser.replace('/postgres?', `/${name}?`) });
  await superuser.connect();
  // Logins that no other database of the cluster has yet, so that two migrations race for making them too.
  const given = postgres.urls(name);
  const fresh = (url: string, login: string) => url.replace(`bailiwick_${login}_login:`, `${name}_${login}:`);
  urls = {
    owner: given.owner,
    authentication: fresh(given.authentication, 'authentication'),
    directory: fresh(given.directory, 'directory'),
    operator: fresh(given.operator, 'operator'),
  };
});

afterAll(async () => {
  await superuser.end();
  await dropDatabase(postgres.superuser, name);
  const client = new pg.Client({ connectionString: postgres.superuser });
  await client.connect();
  for (const login of logins) await client.query(`drop role ${name}_${login}`);
  await client.end();
});

const application = { ...DIRECTORY_API, identifierUris: ['https://graph.microsoft.com'] };
const rows = async <Row>(text: string): Promise<Row[]> => (await superuser.query(text)).rows;

describe('migrations', () => {
  test('of four processes that start at once on an empty database, one migrates and all go on', async () => {
    const ran = await Promise.all(Array.from({ length: 4 }, () => migrate({ url, sealer }, [application])));
    expect(ran.map((names) => names.length).sort()).toEqual([0, 0, 0, 5]);
    for (const login of logins) expect(await databaseProblems(urls[login], sealer, login)).toEqual([]);
  });

  test('run again, they change nothing', async () => {
    const look = () =>
      rows(`select (select json_agg(r.* order by r.rolname) from pg_roles r) as roles, (select json_agg(m) from migrations m) as migrations,
        (select json_agg(d) from deployment d) as deployment, (select count(*) from pg_class) as objects`);
    const before = await look();
    expect(await migrate({ url, sealer }, [application])).toEqual([]);
    expect(await look()).toEqual(before);
  });

  test('from before app ids were kept, each stays its publisher’s, or else whose application is older', async () => {
    const [older, newer, published, gone] = Array.from({ length: 4 }, () => randomUUID());
    const [first, second] = [randomUUID(), randomUUID()];
    await superuser.query(`
      drop table application_ids;
      delete from migrations where name = '0005-application-ids';
      insert into tenants (id, display_name) values ('${first}', 'First'), ('${second}', 'Second');
      insert into applications (tenant_id, id, app_id, display_name, created_at) values
        ('${first}', gen_random_uuid(), '${older}', 'A', now()),
        ('${first}', gen_random_uuid(), '${newer}', 'B', now() - interval '1 day'),
        ('${second}', gen_random_uuid(), '${newer}', 'B', now()),
        ('${first}', gen_random_uuid(), '${published}', 'C', now() - interval '1 day'),
        ('${second}', gen_random_uuid(), '${published}', 'C', now());
      insert into published_applications (app_id, home_tenant_id, display_name) values ('${published}', '${second}', 'C');
      insert into published_application_versions (app_id, home_tenant_id) values ('${gone}', '${second}')`);
    expect(await migrate({ url, sealer }, [application])).toEqual(['0005-application-ids']);
    const kept = await rows<{ id: string; home: string | null }>(
      'select app_id as id, home_tenant_id as home from application_ids',
    );
    expect(new Map(kept.map(({ id, home }) => [id, home]))).toEqual(
      new Map([
        [older, first],
        [newer, first],
        [published, second],
        [gone, second],
        [application.appId, null],
      ]),
    );
    for (const login of logins) expect(await databaseProblems(urls[login], sealer, login)).toEqual([]);
    await superuser.query('delete from tenants');
  });

  test('under another key-encryption key they do not replace the first one', async () => {
    const other = new Sealer(randomBytes(32));
    await migrate({ url, sealer: other }, [application]);
    expect(await databaseProblems(urls.directory, other)).toEqual([
      'The key-encryption key does not open what this database holds.',
    ]);
    expect(await databaseProblems(urls.directory, sealer)).toEqual([]);
  });
});

describe('the schema, as the catalog of Postgres knows it', () => {
  beforeAll(() => migrate({ url, sealer }, [application]));

  test('every table but the listed global ones has a primary key that begins with tenant_id', async () => {
    const tables = await rows<{ name: string; first: string }>(
      `select c.relname as name, a.attname as first from pg_class c
       left join pg_index i on i.indrelid = c.oid and i.indisprimary
       left join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`,
    );
    expect(tables.length).toBeGreaterThan(20);
    const others = tables.filter(({ first }) => first !== 'tenant_id').map(({ name: table }) => table);
    expect(others).toEqual([...GLOBAL_TABLES].sort());
  });

  test('every index of a tenant table begins with tenant_id, so that it can be sharded', async () => {
    const indexes = await rows<{ name: string; table: string }>(
      `select i.indexrelid::regclass::text as name, c.relname as table from pg_index i join pg_class c on c.oid = i.indrelid
       join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
       where c.relnamespace = 'public'::regnamespace and a.attname <> 'tenant_id'`,
    );
    expect(indexes.filter(({ table }) => !GLOBAL_TABLES.includes(table))).toEqual([]);
  });

  test('every foreign key has the tenant in it on both sides; the reference to tenants is the tenant', async () => {
    const keys = await rows<{ key: string; here: string[]; there: string[] }>(
      `select c.conrelid::regclass || ' → ' || c.confrelid::regclass as key,
         array(select a.attname::text from unnest(c.conkey) with ordinality k (n, o) join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n order by o) as here,
         array(select a.attname::text from unnest(c.confkey) with ordinality k (n, o) join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.n order by o) as there
       from pg_constraint c where c.contype = 'f' and c.connamespace = 'public'::regnamespace`,
    );
    expect(keys.length).toBeGreaterThan(20);
    for (const { key, here, there } of keys) {
      const tenant = there.findIndex(
        (column) => ['tenant_id', 'home_tenant_id'].includes(column) || key.endsWith('→ tenants'),
      );
      expect({ key, column: here[tenant] }).toEqual({ key, column: expect.stringMatching(/^(home_)?tenant_id$/) });
    }
  });

  test('no foreign key looks for its rows through the whole table', async () => {
    const unindexed = await rows<{ key: string }>(
      `select c.conrelid::regclass || ' ' || c.conname as key from pg_constraint c
       where c.contype = 'f' and c.connamespace = 'public'::regnamespace and array_length(c.conkey, 1) = 1
         and not exists (select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1])`,
    );
    expect(unindexed).toEqual([
      { key: 'published_application_versions published_application_versions_home_tenant_id_fkey' },
    ]);
  });

  test('every column that a tenant’s person can fill has a type without a length to overflow', async () => {
    const columns = await rows(
      `select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
         and c.relname <> 'migrations' and format_type(a.atttypid, a.atttypmod) ~ '^(character|timestamp without)'`,
    );
    expect(columns).toEqual([]);
  });
});
