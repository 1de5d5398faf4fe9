import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Preparations } from '../../src/authorization/operation.ts';
import { Authorization } from '../../src/authorization/perform.ts';
import {
  type DatabaseUrls,
  dropDatabase,
  ensureDatabase,
  startEmbeddedPostgres,
} from '../../src/store/embedded-postgres.ts';
import { Sealer } from '../../src/store/sealing.ts';
import { Store } from '../../src/store/store.ts';
import { endSuperuser } from './superuser.ts';

/** What test/support/global-setup.ts wrote down for the workers. */
export interface TestCluster {
  readonly directory: string;
  readonly template: string;
}

export interface TestDatabase {
  readonly urls: DatabaseUrls;
  readonly superuserUrl: string;
  readonly sealer: Sealer;
  /** Of which the sealer is made, for other processes on the same database. */
  readonly key: Buffer;
  /** One store per runtime login, as `main.ts` would open it. */
  openStore(login: 'authentication' | 'directory' | 'operator'): Store;
  authorization(login: 'authentication' | 'directory'): Authorization;
  /** One for all that lays something out: each of its own would be connections of its own. */
  readonly operator: Authorization;
  drop(): Promise<void>;
}

/** Of one test file. Two files run at once, and each connection of theirs is a process of Postgres. */
const MAX_STORES = 32;

/** For tests that hash no password: any attempt fails loudly. */
export const noPreparations: Preparations = {
  hashNewPassword: () => Promise.reject(new Error('This test injects no password hashing.')),
  checkPassword: () => Promise.reject(new Error('This test injects no password check.')),
};

/** A directory for files of one test; it goes with the run. */
export function aTestDirectory(): string {
  return mkdtempSync(join(dirname(process.env.BAILIWICK_TEST_CLUSTER ?? ''), 'files-'));
}

/** A fresh clone of the migrated template database. Every test file has its own. */
export async function aDatabase(preparations: Partial<Preparations> = {}): Promise<TestDatabase> {
  const cluster: TestCluster = JSON.parse(readFileSync(process.env.BAILIWICK_TEST_CLUSTER ?? '', 'utf8'));
  const postgres = await startEmbeddedPostgres(cluster.directory);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await ensureDatabase(postgres.superuser, name, cluster.template);
  const urls = postgres.urls(name);
  const key = randomBytes(32);
  const sealer = new Sealer(key);
  const superuserUrl = postgres.superuser.replace('/postgres?', `/${name}?`);
  const stores: Store[] = [];
  const openStore = (login: 'authentication' | 'directory' | 'operator') => {
    if (stores.length === MAX_STORES) throw new Error('A test opens store after store; their connections stay open.');
    const store = new Store({ url: urls[login], sealer, onError: () => {}, maxConnections: 4, sharedConnections: 2 });
    stores.push(store);
    return store;
  };
  const authorization = (login: 'authentication' | 'directory' | 'operator') =>
    new Authorization(openStore(login), { ...noPreparations, ...preparations });
  return {
    urls,
    superuserUrl,
    sealer,
    key,
    openStore,
    authorization,
    operator: authorization('operator'),
    drop: async () => {
      await Promise.all([...stores.map((store) => store.end()), endSuperuser(superuserUrl)]);
      await dropDatabase(postgres.superuser, name);
      await postgres.stop();
    },
  };
}
