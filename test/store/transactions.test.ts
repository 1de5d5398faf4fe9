import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NO_TENANT } from '../../src/authorization/internal/tenants.ts';
import type { Permit } from '../../src/store/permit.ts';
import { type Binding, Store } from '../../src/store/store.ts';
import type { TenantId } from '../../src/vocabulary/ids.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { type FilledTenant, twoFilledTenants } from '../support/filled-tenants.ts';
import { times } from '../support/length.ts';
import { asSuperuser } from '../support/tenants.ts';

let database: TestDatabase;
let store: Store;
let ta: FilledTenant;
let tb: FilledTenant;

beforeAll(async () => {
  database = await aDatabase();
  [ta, tb] = await twoFilledTenants(database);
  // Postgres looks for a deadlock after a second, and the store gives a statement two: on a busy machine that is a race.
  const [faster] = await asSuperuser<{ text: string }>(
    database,
    `select format('alter database %I set deadlock_timeout = ''50ms''', current_database()) as text`,
  );
  await asSuperuser(database, faster?.text ?? '');
  store = new Store({
    url: database.urls.directory,
    sealer: database.sealer,
    onError: () => {},
    maxConnections: 2,
    sharedConnections: 2,
  });
});

afterAll(async () => {
  await store.end();
  await database.drop();
});

const reading = (tenantId: TenantId): Binding<'test'> => ({ action: 'test', tenantId, access: 'read' });
const writing = (tenantId: TenantId): Binding<'test'> => ({ action: 'test', tenantId, access: 'write' });
const COUNT = { name: 'count-users', text: 'select distinct tenant_id as id from users' };
const idsSeen = async (permit: Permit<'test'>) =>
  (await permit.query<{ id: string }>(COUNT)).map(({ id }) => id.slice(0, 8));

const insertUser = (permit: Permit<'test'>, name: string) =>
  permit.query({
    name: 'insert-user',
    text: `insert into users (tenant_id, id, user_principal_name, display_name) values ($1, gen_random_uuid(), $2, $2)`,
    values: [permit.tenantId, name],
  });
/** Changes that person's row, and holds it until the transaction ends. */
const mark = (permit: Permit<'test'>, name: string) =>
  permit.query({
    text: `update users set job_title = coalesce(job_title, '') || 'x' where tenant_id = $1 and display_name = $2`,
    values: [permit.tenantId, name],
  });
const named = (name: string) => asSuperuser(database, 'select id from users where display_name = $1', [name]);

describe('a permit', () => {
  test('is closed after its transaction, and then refuses', async () => {
    for (const run of ['transaction', 'shortTransaction', 'selfBoundStatement'] as const) {
      let kept: Permit<'test'> | undefined;
      await store[run](reading(ta.id), async (permit) => {
        kept = permit;
        return permit.query({ text: 'select 1' });
      });
      await expect(kept?.query({ text: 'select 1' })).rejects.toThrow('is closed');
    }
  });

  test('of a failed transaction is closed as well', async () => {
    let kept: Permit<'test'> | undefined;
    await expect(
      store.transaction(writing(ta.id), async (permit) => {
        kept = permit;
        throw new Error('work failed');
      }),
    ).rejects.toThrow('work failed');
    await expect(kept?.query({ text: 'select 1' })).rejects.toThrow('is closed');
  });

  test('for short work takes no statement after the first await', async () => {
    await expect(
      store.shortTransaction(reading(ta.id), async (permit) => {
        await Promise.resolve();
        return permit.query(COUNT);
      }),
    ).rejects.toThrow('is closed');
  });

  test('for reading writes nothing, and can not be turned into one for writing', async () => {
    for (const run of ['transaction', 'shortTransaction'] as const) {
      await expect(store[run](reading(ta.id), (permit) => insertUser(permit, 'read-only'))).rejects.toMatchObject({
        code: 'InternalServerError',
        cause: { code: '25006' },
      });
    }
    // A database that takes no writes is another thing: come back later.
    await expect(
      store.transaction(writing(ta.id), async (permit) => {
        await permit.query({ text: 'set transaction read only' });
        await insertUser(permit, 'read-only');
      }),
    ).rejects.toMatchObject({ code: 'ServiceUnavailable', cause: { code: '25006' } });
    await expect(
      store.transaction(reading(ta.id), async (permit) => {
        await permit.query({ text: 'select id from users' });
        await permit.query({ text: 'set transaction read write' });
        await insertUser(permit, 'read-only');
      }),
    ).rejects.toMatchObject({ cause: { code: '25001' } });
    expect(await named('read-only')).toEqual([]);
  });

  test('sends one statement at a time: a second one behind a semicolon is refused', async () => {
    await expect(
      store.transaction(writing(ta.id), (permit) =>
        permit.query({ text: `select 1 where $1 = ''; delete from users`, values: [''] }),
      ),
    ).rejects.toMatchObject({ cause: { code: '42601' } });
    await expect(
      store.transaction(writing(ta.id), (permit) => permit.query({ text: 'select 1; delete from users' })),
    ).rejects.toMatchObject({ cause: { code: '42601' } });
  });

  test('that is bound to no tenant sees no rows', async () => {
    expect(await store.transaction(reading(NO_TENANT), idsSeen)).toEqual([]);
    expect(await store.shortTransaction(reading(NO_TENANT), idsSeen)).toEqual([]);
    expect(await store.selfBoundStatement(reading(NO_TENANT), idsSeen)).toEqual([]);
  });
});

describe('a transaction', () => {
  test('that was aborted, although the work went on as if nothing had happened, is an error', async () => {
    const work = async (permit: Permit<'test'>) => {
      await insertUser(permit, 'aborted');
      await permit.query({ text: 'select 1 / 0' }).catch(() => {});
      return 'fine';
    };
    await expect(store.transaction(writing(ta.id), work)).rejects.toThrow('aborted before its commit');
    await expect(
      store.shortTransaction(writing(ta.id), async (permit) => {
        await permit.query({ text: 'select 1 / 0' }).catch(() => {});
        return 'fine';
      }),
    ).rejects.toThrow('aborted before its commit');
    expect(await named('aborted')).toEqual([]);
  });

  test('that its own work ended early is an error, and writes nothing unbound', async () => {
    await expect(
      store.transaction(writing(ta.id), async (permit) => {
        await permit.query({ text: 'rollback' });
        await insertUser(permit, 'unbound');
      }),
    ).rejects.toMatchObject({ cause: { code: '42501' } });
    expect(await named('unbound')).toEqual([]);
  });

  test('rolls everything back when the work rejects', async () => {
    await expect(
      store.transaction(writing(ta.id), async (permit) => {
        await insertUser(permit, 'rolled-back');
        throw new Error('second thoughts');
      }),
    ).rejects.toThrow('second thoughts');
    expect(await named('rolled-back')).toEqual([]);
  });

  test('DBF-08: after real deadlocks both sides succeed, each change once', async () => {
    for (let round = 0; round < times(2, 20); round += 1) {
      const [first, second] = [`left-${round}`, `right-${round}`];
      await store.transaction(writing(ta.id), async (permit) => {
        await insertUser(permit, first);
        await insertUser(permit, second);
      });
      let [attempts, holding] = [0, 0];
      let met: () => void = () => {};
      const meeting = new Promise<void>((resolve) => {
        met = resolve;
      });
      const cross = (mine: string, other: string) =>
        store.transaction(writing(ta.id), async (permit) => {
          attempts += 1;
          await mark(permit, mine);
          holding += 1;
          if (holding === 2) met();
          await meeting;
          await mark(permit, other);
        });
      await Promise.all([cross(first, second), cross(second, first)]);
      // The loser may overtake the winner on its way to the same lock, and lose once more.
      expect(attempts).toBeGreaterThanOrEqual(3);
      const titles = await asSuperuser(database, 'select job_title from users where display_name = any ($1)', [
        [first, second],
      ]);
      expect(titles).toEqual([{ job_title: 'xx' }, { job_title: 'xx' }]);
    }
  });

  test.each([
    [1, 2, 'succeeds at the second attempt'],
    [2, 3, 'succeeds at the third attempt'],
    [9, 3, 'is 503 after the third, and leaves nothing'],
  ])('DBF-08: a transaction that a neighbour overtakes %i times is tried %i times and %s', async (overtaken, tries) => {
    const snapshots = new Store({
      url: `${database.urls.directory}&options=${encodeURIComponent('-c default_transaction_isolation=repeatable\\ read')}`,
      sealer: database.sealer,
      onError: () => {},
    });
    const name = `overtaken ${overtaken} times`;
    await store.transaction(writing(ta.id), (permit) => insertUser(permit, name));
    let attempts = 0;
    const result = snapshots.transaction(writing(ta.id), async (permit) => {
      attempts += 1;
      await permit.query(COUNT);
      await insertUser(permit, `partial ${overtaken} ${attempts}`);
      if (attempts <= overtaken) await store.transaction(writing(ta.id), (neighbour) => mark(neighbour, name));
      await mark(permit, name);
      return attempts;
    });
    if (overtaken < 3) await expect(result).resolves.toBe(tries);
    else
      await expect(result).rejects.toMatchObject({
        code: 'ServiceUnavailable',
        status: 503,
        retryAfter: 2,
        cause: { code: '40001' },
      });
    await snapshots.end();
    expect(attempts).toBe(tries);
    const partial = await asSuperuser<{ display_name: string }>(
      database,
      'select display_name from users where display_name like $1',
      [`partial ${overtaken} %`],
    );
    expect(partial).toEqual(overtaken < 3 ? [{ display_name: `partial ${overtaken} ${tries}` }] : []);
  });

  test('a statement beyond its time is 503, and the connection serves the next tenant', async () => {
    for (const run of ['transaction', 'shortTransaction'] as const) {
      await expect(
        store[run](reading(ta.id), (permit) => permit.query({ text: 'select pg_sleep(20)' })),
      ).rejects.toMatchObject({ code: 'ServiceUnavailable', cause: { code: '57014' } });
      for (let index = 0; index < 4; index += 1) expect(await store[run](reading(tb.id), idsSeen)).toEqual([tb.mark]);
    }
  });
});

describe('DBF-02: connections that many tenants use in turn', () => {
  type Fate = (permit: Permit<'test'>) => Promise<unknown>;
  const fates: readonly Fate[] = [
    idsSeen,
    idsSeen,
    idsSeen,
    (permit) => permit.query({ text: 'select 1 / 0' }),
    (permit) => permit.query({ text: 'select nothing from nowhere' }),
    (permit) => permit.query({ text: 'select pg_cancel_backend(pg_backend_pid()), pg_sleep(1)' }),
    (permit) => permit.query({ text: 'select $1::uuid', values: ['no guid'] }),
    (permit) => permit.query({ text: 'select $1::text', values: ['\0'] }),
    () => Promise.reject(new Error('the work fails by itself')),
    () => {
      throw new Error('the work throws at once');
    },
    (permit) => permit.query({ text: `select set_config('statement_timeout', '1', true), pg_sleep(0.05)` }),
    (permit) =>
      insertUser(permit, `${permit.tenantId}-left-behind`).then(() => Promise.reject(new Error('rolled back'))),
  ];

  test.each(['transaction', 'shortTransaction'] as const)(
    'no %s sees another tenant’s rows, whatever went wrong before on its connection',
    async (run) => {
      const before = JSON.stringify(await asSuperuser(database, 'select * from users order by id'));
      const rounds = times(2_000, 10_000);
      const wrong: unknown[] = [];
      let seen = 0;
      const one = async (index: number) => {
        const [own, pick] = [index % 2 === 0 ? ta : tb, Math.floor(Math.random() * fates.length)];
        const fate = fates[pick];
        const work = pick < 3 || fate === undefined ? idsSeen : fate;
        try {
          const answer = await store[run]({ ...(pick < 10 ? reading : writing)(own.id) }, work);
          if (work !== idsSeen) return;
          seen += 1;
          const foreign = own === ta ? tb.mark : ta.mark;
          if (!Array.isArray(answer) || !answer.includes(own.mark) || answer.includes(foreign)) wrong.push(answer);
        } catch (error) {
          if (work === idsSeen) wrong.push(error instanceof Error ? (error.cause ?? error) : error);
        }
      };
      const queue = Array.from({ length: rounds }, (_, index) => index);
      await Promise.all(
        // More than there are connections, and few enough for each to get one in time on a busy machine.
        Array.from({ length: 12 }, async () => {
          for (let next = queue.pop(); next !== undefined; next = queue.pop()) await one(next);
        }),
      );
      expect(wrong).toEqual([]);
      expect(seen).toBeGreaterThan(rounds / 8);
      // The last fate of a short transaction commits before its work rejects, as it is one packet: only there rows may stay.
      if (run === 'transaction') {
        expect(JSON.stringify(await asSuperuser(database, 'select * from users order by id'))).toBe(before);
      }
    },
    120_000,
  );

  test('DBF-02: nor is anybody refused for a neighbour whose commit did not end its transaction', async () => {
    const { urls, sealer } = database;
    const single = new Store({ url: urls.directory, sealer, onError: () => {}, maxConnections: 1 });
    await single.transaction(reading(ta.id), idsSeen);
    await single.transaction(reading(ta.id), (permit) => permit.query({ text: 'deallocate commit' }));
    await expect(single.transaction(reading(tb.id), idsSeen)).resolves.toEqual([tb.mark]);
    await single.end();
  });

  test.each([
    ['aborts its transaction', 'deallocate commit'],
    ['takes the statement that begins', 'deallocate "begin-write"'],
  ])('DBF-02: a short write behind a neighbour that %s is done once', async (_what, text) => {
    const { urls, sealer } = database;
    const single = new Store({ url: urls.directory, sealer, onError: () => {}, sharedConnections: 1 });
    const name = `once after ${text}`;
    await single.shortTransaction(writing(ta.id), idsSeen);
    const neighbour = single.shortTransaction(writing(ta.id), (permit) => permit.query({ text }));
    await Promise.all([
      neighbour.catch(() => {}),
      single.shortTransaction(writing(tb.id), (permit) => insertUser(permit, name)),
    ]);
    expect(await named(name)).toHaveLength(1);
    await single.end();
  });

  test('DBF-02: and nothing of a binding is left on the connection for a statement that binds nothing', async () => {
    const often = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: 20 }, work));
    await often(() => store.shortTransaction(reading(ta.id), idsSeen));
    await often(() => store.transaction(reading(ta.id), idsSeen));
    expect((await often(() => store.selfBoundStatement(reading(NO_TENANT), idsSeen))).flat()).toEqual([]);
    const unbound = await often(() =>
      store.transaction(reading(ta.id), async (permit) => {
        await permit.query({ text: 'rollback' });
        return idsSeen(permit);
      }),
    );
    expect(unbound.flat()).toEqual([]);
  });

  test('the control: with a binding that outlives its transaction the same look finds foreign rows', async () => {
    await store.transaction(reading(ta.id), (permit) =>
      permit.query({ text: `select set_config('bailiwick.tenant_id', $1, false)`, values: [tb.id] }),
    );
    const unbound = await Promise.all(
      Array.from({ length: 4 }, () =>
        store.transaction(reading(ta.id), async (permit) => {
          await permit.query({ text: 'rollback' });
          return idsSeen(permit);
        }),
      ),
    );
    expect(unbound.flat()).toContain(tb.mark);
  });
});
