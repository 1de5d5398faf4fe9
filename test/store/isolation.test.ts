import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { COPIED } from '../../src/directory/published-applications.ts';
import { SIDES } from '../../src/store/login-powers.ts';
import { GLOBAL_TABLES } from '../../src/store/safety.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { type FilledTenant, holdsMark, twoFilledTenants } from '../support/filled-tenants.ts';
import { asSuperuser } from '../support/tenants.ts';

let database: TestDatabase;
let ta: FilledTenant;
let tb: FilledTenant;
let tables: string[];

beforeAll(async () => {
  database = await aDatabase();
  [ta, tb] = await twoFilledTenants(database);
  tables = (
    await asSuperuser<{ name: string }>(
      database,
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
       and relname not in ('migrations', 'deployment') order by 1`,
    )
  ).map(({ name }) => name);
});

afterAll(() => database.drop());

async function asLogin<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** All columns of the table that this login may read; undefined when it may read none. */
async function readable(client: pg.Client, table: string): Promise<string | undefined> {
  const { rows } = await client.query<{ columns: string | null }>(
    `select string_agg(quote_ident(attname), ', ') as columns from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and has_column_privilege(attrelid, attnum, 'select')`,
    [table],
  );
  return rows[0]?.columns ?? undefined;
}

const bind = (client: pg.Client, tenantId: string) =>
  client.query(`select set_config('bailiwick.tenant_id', $1, true)`, [tenantId]);

/** Numbers without names: readable by all, and the published side of a multi-tenant application. */
const VERSIONS = ['tenant_versions', 'published_application_versions'];

describe.each(SIDES)('the %s login, with its own password', (side) => {
  test('DBF-01: without a tenant, or with an empty one, every table is empty', async () => {
    await asLogin(database.urls[side], async (client) => {
      for (const table of tables.filter((name) => !VERSIONS.includes(name))) {
        const columns = await readable(client, table);
        if (!columns) continue;
        for (const tenantId of [undefined, '']) {
          await client.query('begin');
          if (tenantId !== undefined) await bind(client, tenantId);
          expect({ table, rows: (await client.query(`select ${columns} from ${table}`)).rows }).toEqual({
            table,
            rows: [],
          });
          await client.query('rollback');
        }
      }
    });
  });

  test('DBF-01: with a tenant, every table that it may read shows that tenant’s rows and no other’s', async () => {
    await asLogin(database.urls[side], async (client) => {
      let seen = 0;
      for (const [own, foreign] of [
        [ta, tb],
        [tb, ta],
      ] as const) {
        for (const table of tables.filter((name) => !VERSIONS.includes(name))) {
          const columns = await readable(client, table);
          if (!columns) continue;
          await client.query('begin');
          await bind(client, own.id);
          const { rows } = await client.query(`select ${columns} from ${table}`);
          await client.query('commit');
          expect({ table, rows: rows.length > 0, foreign: holdsMark(rows, foreign.mark) }).toEqual({
            table,
            rows: true,
            foreign: false,
          });
          seen += 1;
        }
      }
      expect(seen).toBeGreaterThan(2 * 15);
    });
  });

  test('DBF-01: what is no GUID as tenant is an error, and shows nothing', async () => {
    await asLogin(database.urls[side], async (client) => {
      await client.query('begin');
      await bind(client, `${ta.id}' or true --`);
      await expect(client.query('select id from users')).rejects.toMatchObject({ code: '22P02' });
    });
  });

  test('DBF-01: a binding ends with its transaction, committed or not', async () => {
    await asLogin(database.urls[side], async (client) => {
      for (const end of ['commit', 'rollback']) {
        await client.query('begin');
        await bind(client, ta.id);
        expect((await client.query('select id from users')).rows).toHaveLength(1);
        await client.query(end);
        expect((await client.query('select id from users')).rows).toHaveLength(0);
      }
    });
  });

  test('DBF-01: it writes no row of another tenant, and moves none there', async () => {
    await asLogin(database.urls[side], async (client) => {
      for (const table of tables.filter((name) => !GLOBAL_TABLES.includes(name) && name !== 'tenant_versions')) {
        const mayInsert = await client.query<{ may: boolean }>(`select has_table_privilege($1, 'insert') as may`, [
          table,
        ]);
        if (!mayInsert.rows[0]?.may) continue;
        await client.query('begin');
        await bind(client, ta.id);
        await expect(client.query(`insert into ${table} (tenant_id) values ($1)`, [tb.id])).rejects.toMatchObject({
          code: '42501',
        });
        await client.query('rollback');
      }
      const mayUpdate = await client.query<{ table: string }>(
        `select c.relname as table from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
         where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and has_column_privilege(c.oid, a.attnum, 'update')`,
      );
      for (const { table } of mayUpdate.rows) {
        await client.query('begin');
        await bind(client, ta.id);
        await expect(client.query(`update ${table} set tenant_id = $1`, [tb.id])).rejects.toMatchObject({
          code: '42501',
        });
        await client.query('rollback');
      }
    });
  });

  test('the versions of all tenants can be seen, and nothing else of them', async () => {
    await asLogin(database.urls[side], async (client) => {
      const { rows } = await client.query('select * from tenant_versions');
      expect(rows.map((row) => Object.keys(row).sort())).toContainEqual(['tenant_id', 'version']);
      await client.query('begin');
      await bind(client, ta.id);
      const { rowCount } = await client.query('update tenant_versions set version = version + 1');
      expect(rowCount).toBe(1);
      await client.query('rollback');
    });
  });
});

test('the detector of foreign rows sees them: the same look without row level security finds both tenants in every table', async () => {
  for (const table of tables) {
    const rows = await asSuperuser(database, `select * from ${table}`);
    expect({ table, a: holdsMark(rows, ta.mark), b: holdsMark(rows, tb.mark) }).toEqual({ table, a: true, b: true });
  }
});

describe('DBF-03: nothing in the database crosses tenants', () => {
  test('there are no views, foreign tables, triggers or rules', async () => {
    const found = await asSuperuser(
      database,
      `select relname from pg_class where relnamespace = 'public'::regnamespace and (relkind in ('v', 'm', 'f') or relhasrules)
       union all select tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
         where c.relnamespace = 'public'::regnamespace and not tgisinternal`,
    );
    expect(found).toEqual([]);
  });

  test('a tenant table refers to rows of its own tenant, by a key that has the tenant in it', async () => {
    const crossing = await asSuperuser<{ key: string }>(
      database,
      `select c.conrelid::regclass || ' → ' || c.confrelid::regclass as key from pg_constraint c
       where c.contype = 'f' and c.connamespace = 'public'::regnamespace
         and not (c.confrelid = 'tenants'::regclass and (select attname from pg_attribute where attrelid = c.conrelid and attnum = c.conkey[1])
           in ('tenant_id', 'home_tenant_id'))
         and not exists (select from unnest(c.conkey, c.confkey) as k (here, there)
           join pg_attribute h on h.attrelid = c.conrelid and h.attnum = here
           join pg_attribute t on t.attrelid = c.confrelid and t.attnum = there
           where h.attname in ('tenant_id', 'home_tenant_id') and t.attname in ('tenant_id', 'home_tenant_id'))`,
    );
    expect(crossing).toEqual([]);
  });

  test('a tenant can not refer to another tenant’s object by any foreign key', async () => {
    await asLogin(database.urls.directory, async (client) => {
      const attempts: [string, unknown[]][] = [
        ['insert into group_members (tenant_id, group_id, user_id) values ($1, $2, $3)', [ta.id, ta.group, tb.user]],
        [
          `insert into role_assignments (tenant_id, id, role_definition_id, user_id) values ($1, gen_random_uuid(), gen_random_uuid(), $2)`,
          [ta.id, tb.user],
        ],
        [
          `insert into oauth2_permission_grants (tenant_id, id, client_id, resource_id, consent_type, scope)
           values ($1, gen_random_uuid(), $2, $3, 'AllPrincipals', '{}')`,
          [ta.id, tb.servicePrincipal, ta.directoryApi],
        ],
        [
          `insert into published_password_credentials (app_id, key_id, home_tenant_id, secret_hmac, start_at, end_at)
           values ($2, gen_random_uuid(), $1, 'planted', now(), now() + interval '1 day')`,
          [ta.id, tb.publishedAppId],
        ],
        [
          `insert into published_applications (app_id, home_tenant_id, display_name) values ($2, $1, 'not mine')`,
          [ta.id, tb.appId],
        ],
      ];
      for (const [text, values] of attempts) {
        await client.query('begin');
        await bind(client, ta.id);
        await expect(client.query(text, values)).rejects.toMatchObject({ code: '23503' });
        await client.query('rollback');
      }
    });
  });

  test('a withdrawal is seen by the application’s home and by the tenant that it is withdrawn from, and written by its home alone', async () => {
    await asLogin(database.urls.directory, async (client) => {
      const withdraw = (home: FilledTenant, from: FilledTenant, appId: string) =>
        client.query('insert into published_withdrawals (app_id, tenant_id, home_tenant_id) values ($1, $2, $3)', [
          appId,
          from.id,
          home.id,
        ]);
      await client.query('begin');
      await bind(client, ta.id);
      await withdraw(ta, tb, ta.publishedAppId);
      await bind(client, tb.id);
      const seen = await client.query('select home_tenant_id from published_withdrawals where tenant_id = $1', [tb.id]);
      expect(seen.rows).toEqual([{ home_tenant_id: ta.id }]);
      const taken = await client.query('delete from published_withdrawals where tenant_id = $1', [tb.id]);
      expect(taken.rowCount).toBe(0);
      await expect(withdraw(ta, ta, ta.publishedAppId)).rejects.toMatchObject({ code: '42501' });
      await client.query('rollback');
      await client.query('begin');
      await bind(client, tb.id);
      await expect(withdraw(tb, ta, ta.publishedAppId)).rejects.toMatchObject({ code: '23503' });
      await client.query('rollback');
    });
  });

  test('other tenants see every column that a published application has, as its home has it', async () => {
    const columns = await asSuperuser<{ name: string }>(
      database,
      `select attname as name from pg_attribute where attrelid = 'published_applications'::regclass and attnum > 0 and not attisdropped`,
    );
    expect([...COPIED, 'app_id', 'home_tenant_id'].sort()).toEqual(columns.map(({ name }) => name).sort());
  });

  test('the one function with its owner’s rights copies secrets of the bound tenant only, and can not be led astray', async () => {
    const functions = await asSuperuser<{ name: string; path: string[] }>(
      database,
      `select proname as name, proconfig as path from pg_proc where pronamespace = 'public'::regnamespace and prosecdef`,
    );
    expect(functions).toEqual([{ name: 'publish_password_credentials', path: ['search_path=public, pg_temp'] }]);
    await asLogin(database.urls.directory, async (client) => {
      await client.query('begin');
      await bind(client, ta.id);
      await client.query(`update applications set sign_in_audience = 'AzureADMultipleOrgs' where app_id = $1`, [
        ta.appId,
      ]);
      await client.query(
        `insert into published_applications (app_id, home_tenant_id, display_name) values ($1, $2, 'mine')`,
        [ta.appId, ta.id],
      );
      const count = async () => (await client.query('select key_id from published_password_credentials')).rows.length;
      expect(await count()).toBe(1);
      await client.query('select publish_password_credentials($1, $2)', [tb.id, tb.application]);
      await client.query('select publish_password_credentials($1, $2)', [ta.id, tb.application]);
      expect(await count()).toBe(1);
      await client.query('select publish_password_credentials($1, $2)', [ta.id, ta.application]);
      expect(await count()).toBe(2);
      await client.query('rollback');
    });
    await asLogin(database.urls.authentication, async (client) => {
      await expect(
        client.query('select publish_password_credentials($1, $2)', [ta.id, ta.application]),
      ).rejects.toMatchObject({ code: '42501' });
    });
  });
});
