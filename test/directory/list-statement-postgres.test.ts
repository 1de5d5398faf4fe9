import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readPage } from '../../src/directory/list-statement.ts';
import { parseFilter } from '../../src/interfaces/odata/filter.ts';
import type { Store } from '../../src/store/store.ts';
import { newTenantId } from '../../src/vocabulary/ids.ts';
import type { ListQuery, Order } from '../../src/vocabulary/list-query.ts';
import type { Page } from '../../src/vocabulary/objects.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { matches, printFilter } from '../support/filter-meaning.ts';
import { filters, THINGS, THINGS_TABLE, type Thing, things } from '../support/list-filters.ts';
import { asSuperuser } from '../support/tenants.ts';

const tenantId = newTenantId();
const rows: Thing[] = fc.sample(things, { numRuns: 60, seed: 7 }).map((thing) => ({ id: randomUUID(), ...thing }));
let database: TestDatabase;
let store: Store;

const list = (query: ListQuery, listable = THINGS): Promise<Page<Thing>> =>
  store.transaction({ action: 'list', tenantId, access: 'read' }, (permit) => readPage<Thing>(permit, listable, query));
const ids = (found: readonly Thing[]) => found.map(({ id }) => id).sort();

beforeAll(async () => {
  database = await aDatabase();
  store = database.openStore('directory');
  await asSuperuser(database, THINGS_TABLE);
  // Without row level security here, so that the statement's own tenant condition is what keeps the other tenant out.
  for (const owner of [tenantId, newTenantId()]) {
    await asSuperuser(
      database,
      `insert into things select $1, id, title, code, score, active, made_at + interval '123 microseconds', owner_id,
         array(select jsonb_array_elements_text(tags)), parts, 'secret'
       from jsonb_to_recordset($2) as t(id uuid, title text, code text, score integer, active boolean, made_at timestamptz,
         owner_id uuid, tags jsonb, parts jsonb)`,
      [
        owner,
        JSON.stringify(
          rows.map(({ madeDateTime, ownerId, ...row }) => ({ ...row, made_at: madeDateTime, owner_id: ownerId })),
        ),
      ],
    );
  }
});

afterAll(() => database.drop());

describe('a list of real rows', () => {
  test('holds the rows of the tenant and no others, with what was put in', async () => {
    const { value, next } = await list({ top: 999 });
    expect(ids(value)).toEqual(ids(rows));
    expect(next).toBeUndefined();
    expect(value.find(({ id }) => id === rows[0]?.id)).toEqual({ ...rows[0] });
  });

  test('holds exactly the rows that a filter means, for any filter', async () => {
    await fc.assert(
      fc.asyncProperty(filters, async (filter) => {
        const { value, count } = await list({ top: 999, filter: parseFilter(printFilter(filter)), count: true });
        const meant = rows.filter((row) => matches(filter, row));
        expect(ids(value)).toEqual(ids(meant));
        expect(count).toBe(meant.length);
      }),
      { numRuns: 400 },
    );
  }, 20_000);

  test('is walked page by page in any order without a row lost or doubled, nulls and ties included', async () => {
    const names = Object.entries(THINGS.columns).flatMap(([path, { orderBy }]) => (orderBy ? [path] : []));
    const order = fc.record({
      property: fc.constantFrom(...names).map((path) => ({ path })),
      direction: fc.constantFrom('asc' as const, 'desc' as const),
    });
    const orders = fc.uniqueArray(order, { maxLength: 2, size: 'max', selector: ({ property }) => property.path });
    await fc.assert(
      fc.asyncProperty(orders, fc.constantFrom(1, 7, 30), async (orderBy: Order[], top) => {
        const asked = orderBy.length > 0 ? { orderBy } : {};
        const whole = await list({ top: 999, ...asked });
        const walked: Thing[] = [];
        let page: Page<Thing> | undefined;
        do {
          page = await list({ top, ...asked, ...(page?.next ? { after: page.next.map(String) } : {}) });
          walked.push(...page.value);
        } while (page.next && walked.length <= rows.length);
        expect(walked.map(({ id }) => id)).toEqual(whole.value.map(({ id }) => id));
        expect(walked).toHaveLength(rows.length);
      }),
      { numRuns: 80 },
    );
  }, 20_000);

  test('selects some properties, counts on the first page only, and is empty with a count of nought', async () => {
    const select = [{ path: 'title' }, { path: 'tags' }];
    const first = await list({ top: 2, select, count: true });
    expect(first.value.map(Object.keys)).toEqual([
      ['title', 'tags'],
      ['title', 'tags'],
    ]);
    expect(first.count).toBe(rows.length);
    expect(await list({ top: 2, select, count: true, after: first.next?.map(String) ?? [] })).not.toHaveProperty(
      'count',
    );
    const none = await list({ top: 2, count: true, filter: parseFilter("code eq 'not there'") });
    expect(none).toEqual({ value: [], count: 0 });
  });

  test.each([
    "' or '1'='1",
    "'; drop table things; --",
    "' union select secret_hash from things --",
    "x' and pg_sleep(10) --",
    "\\'; delete from things; --",
    "U&'\\0027 or 1=1",
    "'||(select secret_hash from things limit 1)||'",
    '$$ or true $$',
    "'::text is not null --",
    '$1',
    '{secret}',
    '%',
    '_',
    '\u02bc or 1=1',
  ])('takes %j for what it says', async (text) => {
    const quoted = `'${text.replaceAll("'", "''")}'`;
    const forms = [
      `title eq ${quoted}`,
      `code in (${quoted})`,
      `startsWith(title,${quoted})`,
      `endsWith(code,${quoted})`,
      `contains(code,${quoted})`,
      `tags/any(t:t eq ${quoted})`,
    ];
    for (const form of forms) {
      const filter = parseFilter(form);
      const { value } = await list({ top: 999, filter });
      expect(ids(value)).toEqual(ids(rows.filter((row) => matches(filter, row))));
    }
  });

  test('is limited by the condition of its own kind of list', async () => {
    const code = rows[0]?.code ?? '';
    const withCode = { ...THINGS, name: 'things-with-code', where: 'code = $2' };
    const found = await store.transaction({ action: 'list', tenantId, access: 'read' }, (permit) =>
      readPage<Thing>(permit, withCode, { top: 999, filter: parseFilter('active ne null') }, [code]),
    );
    expect(ids(found.value)).toEqual(ids(rows.filter((row) => row.code === code && row.active !== null)));
  });
});
