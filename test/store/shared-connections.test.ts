import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Permit } from '../../src/store/permit.ts';
import { Store } from '../../src/store/store.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { type FilledTenant, twoFilledTenants } from '../support/filled-tenants.ts';
import { times } from '../support/length.ts';

let database: TestDatabase;
let store: Store;
let ta: FilledTenant;
let tb: FilledTenant;

beforeAll(async () => {
  database = await aDatabase();
  [ta, tb] = await twoFilledTenants(database);
});

afterAll(() => database.drop());

beforeAll(() => {
  const { urls, sealer } = database;
  store = new Store({ url: urls.directory, sealer, onError: () => {}, sharedConnections: 1 });
});

afterAll(() => store.end());

const short = (tenant: FilledTenant, work: (permit: Permit<'test'>) => Promise<unknown>) =>
  store.shortTransaction({ action: 'test', tenantId: tenant.id, access: 'read' }, work);

const circular: { self?: unknown } = {};
circular.self = circular;

/** Each fails in its own way: in pg, on the wire, while parsing, binding, running. */
const failures: Readonly<Record<string, (permit: Permit<'test'>) => Promise<unknown>>> = {
  'a value that can not be written down': (permit) =>
    permit.query({ name: 'echo', text: 'select $1::jsonb', values: [circular] }),
  'a NUL in a text': (permit) => permit.query({ name: 'echo-text', text: 'select $1::text', values: ['\0'] }),
  'too few values': (permit) => permit.query({ name: 'two', text: 'select $1::text, $2::text', values: ['one'] }),
  'a syntax error under a name': (permit) => permit.query({ name: 'broken', text: 'selec' }),
  'another text under a name that is taken': (permit) => permit.query({ name: 'whose', text: 'select 2' }),
  'a table that is not there': (permit) => permit.query({ text: 'select * from nowhere' }),
  'a table that it may not read': (permit) => permit.query({ name: 'secrets', text: 'select * from artifacts' }),
  'a division by zero': (permit) => permit.query({ name: 'divide', text: 'select 1 / $1::integer', values: [0] }),
  'a value of another type': (permit) => permit.query({ name: 'echo-id', text: 'select $1::uuid', values: ['x'] }),
  'a write in a read': (permit) => permit.query({ text: 'delete from users' }),
  'work that rejects': () => Promise.reject(new Error('work')),
  'work that throws': () => {
    throw new Error('work');
  },
};

const honest = (permit: Permit<'test'>) =>
  permit.query({
    name: 'whose',
    text: 'select distinct tenant_id as id, $1::text as echo from users',
    values: ['mine'],
  });
const echo = (permit: Permit<'test'>) => permit.query({ name: 'echo', text: 'select $1::jsonb', values: [{ a: 1 }] });

describe('one pipelined connection that all share', () => {
  test.each(Object.entries(failures))('%s is an error to its own transaction alone', async (_name, failing) => {
    const together = await Promise.allSettled([
      short(ta, honest),
      short(ta, failing),
      short(tb, honest),
      short(tb, failing),
      short(ta, honest),
    ]);
    expect(together.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    const seen = together.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    expect(seen).toEqual([ta, tb, ta].map(({ id }) => ({ id, echo: 'mine' })));
    // Nothing is left behind that would fail who comes later.
    await expect(short(tb, honest)).resolves.toEqual([{ id: tb.id, echo: 'mine' }]);
  });

  test('after a value that could not be written down, its statement works again at once', async () => {
    await expect(short(ta, echo)).resolves.toEqual([{ jsonb: { a: 1 } }]);
    for (let index = 0; index < 5; index += 1) {
      await expect(short(ta, failures['a value that can not be written down'] ?? honest)).rejects.toThrow();
      await expect(short(ta, echo)).resolves.toEqual([{ jsonb: { a: 1 } }]);
    }
  });

  describe('DBF-02: a transaction that its commit did not end', () => {
    const bare = (text: string) =>
      store.selfBoundStatement({ action: 'test', tenantId: ta.id, access: 'read' }, (permit) => permit.query({ text }));
    /** As a commit that is cancelled leaves the connection. */
    const leaveAborted = () => Promise.allSettled([bare('begin'), bare('select 1 / 0')]);

    test('fails no short transaction that follows, waiting already or coming later', async () => {
      const [, ...waiting] = await Promise.all([leaveAborted(), short(tb, honest), short(ta, honest)]);
      expect(waiting).toEqual([tb, ta].map(({ id }) => [{ id, echo: 'mine' }]));
      await leaveAborted();
      await expect(short(tb, honest)).resolves.toEqual([{ id: tb.id, echo: 'mine' }]);
    });

    test('fails no statement that binds itself', async () => {
      const [, ...waiting] = await Promise.all([leaveAborted(), bare('select 1 as one'), bare('select 1 as one')]);
      expect(waiting).toEqual([[{ one: 1 }], [{ one: 1 }]]);
      await leaveAborted();
      await expect(bare('select 1 as one')).resolves.toEqual([{ one: 1 }]);
    });

    test('whose commit was refused: its own answer is an error, its neighbours’ are not', async () => {
      const [own, ...neighbours] = await Promise.allSettled([
        short(ta, (permit) => permit.query({ text: 'deallocate commit' })),
        short(tb, honest),
        bare('select 1 as one'),
      ]);
      expect(own).toMatchObject({
        status: 'rejected',
        reason: { code: 'ServiceUnavailable', cause: { code: '26000' } },
      });
      expect(neighbours).toMatchObject([
        { status: 'fulfilled', value: [{ id: tb.id, echo: 'mine' }] },
        { status: 'fulfilled', value: [{ one: 1 }] },
      ]);
    });
  });

  test('of many mixed transactions, each gets its own answer', async () => {
    // Two that have to do with a name are told apart by luck: which of two texts comes first on a new connection.
    const byName = ['a value that can not be written down', 'another text under a name that is taken'];
    const kinds = Object.entries(failures).filter(([name]) => !byName.includes(name));
    const wrong: unknown[] = [];
    const one = async (index: number) => {
      const tenant = index % 2 ? ta : tb;
      const failing = index % 3 === 0 ? kinds[Math.floor(Math.random() * kinds.length)] : undefined;
      const nonce = `${tenant.mark} ${index}`;
      const answer = await short(
        tenant,
        failing?.[1] ??
          ((permit) =>
            permit.query({
              name: 'nonce',
              text: 'select distinct tenant_id as id, $1::text as echo from users',
              values: [nonce],
            })),
      ).then(
        (rows) => JSON.stringify(rows),
        (error: Error) => error,
      );
      const expected = JSON.stringify([{ id: tenant.id, echo: nonce }]);
      if (failing ? typeof answer === 'string' : answer !== expected)
        wrong.push([failing?.[0], String(answer instanceof Error ? answer.cause : answer)]);
    };
    for (let done = 0; done < times(4_000, 20_000); done += 200) {
      await Promise.all(Array.from({ length: 200 }, (_, index) => one(done + index)));
    }
    expect(wrong).toEqual([]);
  }, 120_000);
});
