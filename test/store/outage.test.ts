import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Permit } from '../../src/store/permit.ts';
import { Store } from '../../src/store/store.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { type FilledTenant, twoFilledTenants } from '../support/filled-tenants.ts';
import { asSuperuser } from '../support/tenants.ts';

let database: TestDatabase;
let ta: FilledTenant;
let road: Road;
let store: Store;

beforeAll(async () => {
  database = await aDatabase();
  [ta] = await twoFilledTenants(database);
  const socket = new URL(database.urls.directory.replace('@/', '@localhost/')).searchParams.get('host') ?? '';
  road = await aRoad(`${socket}/.s.PGSQL.5432`);
  const url = new URL(database.urls.directory.replace('@/', `@127.0.0.1:${road.port}/`));
  url.search = '';
  store = new Store({
    url: url.href,
    sealer: database.sealer,
    onError: () => {},
    maxConnections: 3,
    sharedConnections: 2,
  });
});

afterAll(async () => {
  road.open();
  await store.end();
  road.close();
  await database.drop();
});

afterEach(() => road.open());

/** A way to Postgres that can be cut, closed, or made to swallow everything. */
interface Road {
  readonly port: number;
  open(): void;
  /** Ends every connection, and refuses new ones. */
  cut(): void;
  /** Packets vanish: no answer, no error. */
  swallow(): void;
  close(): void;
}

async function aRoad(socketPath: string): Promise<Road> {
  const pairs = new Set<[Socket, Socket]>();
  let state: 'open' | 'cut' | 'swallow' = 'open';
  const server: Server = createServer((near) => {
    if (state === 'cut') return near.destroy();
    const far = connect(socketPath);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (data) => state !== 'swallow' && to.write(data));
      from.on('error', () => {});
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port, // listening on TCP
    open: () => {
      state = 'open';
    },
    cut: () => {
      state = 'cut';
      for (const [near] of pairs) near.destroy();
    },
    swallow: () => {
      state = 'swallow';
    },
    close: () => server.close(),
  };
}

const binding = (access: 'read' | 'write') => ({ action: 'test', tenantId: ta.id, access }) as const;
const look = (permit: Permit<string>) => permit.query<{ id: string }>({ name: 'look', text: 'select id from users' });
const kinds = ['transaction', 'shortTransaction'] as const;
const unavailable = { code: 'ServiceUnavailable', status: 503, retryAfter: 2 };

describe('when the database is away', () => {
  test.each(kinds)('DBF-05: a %s is 503, and works again as soon as the database is back', async (kind) => {
    await expect(store[kind](binding('read'), look)).resolves.toHaveLength(1);
    road.cut();
    for (let index = 0; index < 5; index += 1) {
      await expect(store[kind](binding('read'), look)).rejects.toMatchObject(unavailable);
    }
    road.open();
    await expect(store[kind](binding('read'), look)).resolves.toHaveLength(1);
  });

  test.each(kinds)(
    'DBF-05: a %s under way when the connection breaks is 503, and its neighbours recover',
    async (kind) => {
      const working = Array.from({ length: 6 }, () =>
        store[kind](binding('read'), (permit) => permit.query({ text: 'select pg_sleep(1)' })),
      );
      const ended = Promise.allSettled(working);
      await sleep(300);
      road.cut();
      for (const result of await ended) {
        expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
      }
      road.open();
      await expect(
        Promise.all(Array.from({ length: 10 }, () => store[kind](binding('read'), look))),
      ).resolves.toHaveLength(10);
    },
  );

  test('DBF-05: a connection that breaks between two statements of a transaction rejects it, and ends no process', async () => {
    const broken = store.transaction(binding('write'), async (permit) => {
      await permit.query({
        text: `update users set display_name = 'never' where tenant_id = $1`,
        values: [ta.id],
      });
      road.cut();
      await sleep(100);
      road.open();
      return look(permit);
    });
    await expect(broken).rejects.toMatchObject(unavailable);
    expect(await asSuperuser(database, `select id from users where display_name = 'never'`)).toEqual([]);
    await expect(store.transaction(binding('read'), look)).resolves.toHaveLength(1);
  });

  test.each(kinds)(
    'DBF-05: sessions that an administrator ends make a %s 503 at worst, and the next one works',
    async (kind) => {
      await store[kind](binding('read'), look);
      const working = store[kind](binding('read'), (permit) => permit.query({ text: 'select pg_sleep(1)' }));
      const rejected = expect(working).rejects.toMatchObject({ ...unavailable, cause: { code: '57P01' } });
      await sleep(200);
      await asSuperuser(
        database,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'bailiwick'`,
      );
      await rejected;
      await sleep(100);
      await expect(store[kind](binding('read'), look)).resolves.toHaveLength(1);
    },
  );

  test('DBF-05: of connections that broke, none is left behind on either side', async () => {
    for (let round = 0; round < 5; round += 1) {
      road.cut();
      await Promise.allSettled(Array.from({ length: 8 }, () => store.shortTransaction(binding('read'), look)));
      road.open();
      await Promise.allSettled(Array.from({ length: 8 }, () => store.shortTransaction(binding('read'), look)));
    }
    await sleep(200);
    const [row] = await asSuperuser<{ count: number }>(
      database,
      `select count(*)::integer from pg_stat_activity where datname = current_database() and application_name = 'bailiwick'`,
    );
    expect(row?.count).toBeLessThanOrEqual(2 + 3);
  });

  test('DBF-05: where packets vanish without an error, all calls are 503 in bounded time, and recover', async () => {
    await store.shortTransaction(binding('read'), look);
    road.swallow();
    const started = Date.now();
    const results = await Promise.allSettled(
      kinds.flatMap((kind) => [store[kind](binding('read'), look), store[kind](binding('read'), look)]),
    );
    expect(Date.now() - started).toBeLessThan(15_000);
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
    road.open();
    for (const kind of kinds) await expect(store[kind](binding('read'), look)).resolves.toHaveLength(1);
  }, 40_000);
});
