import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CATALOGUE } from '../../src/authorization/catalogue/index.ts';
import { Authorization } from '../../src/authorization/perform.ts';
import { Store } from '../../src/store/store.ts';
import { CASES, requestOf } from '../isolation/cases.ts';
import type { Answer } from '../support/answer.ts';
import { aDatabase, noPreparations, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, codeOf, type TestDirectoryServer } from '../support/directory-server.ts';
import { aLine, type Line } from '../support/faults.ts';
import { newObjects } from '../support/furnished-tenant.ts';
import { snapshot } from '../support/snapshot.ts';
import { anApplication, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let line: Line;
let store: Store;
let server: TestDirectoryServer;
let tenant: TestTenant;
let person: TestPrincipal;
let daemon: TestPrincipal;

beforeAll(async () => {
  database = await aDatabase();
  line = await aLine(database.urls.directory);
  store = new Store({ url: line.url, sealer: database.sealer, onError: () => {} });
  server = await aDirectoryServer(database, CATALOGUE, new Authorization(store, noPreparations));
  tenant = await aTenant(database);
  person = await aUser(database, tenant, { scopes: ['User.Read'] });
  daemon = await anApplication(database, tenant, ['User.Read.All']);
});

afterAll(async () => {
  await server.close();
  await store.end();
  await line.close();
  await database.drop();
});

const me = async (token?: string) => server.call(token ?? (await person.token()), 'GET', '/v1.0/me');

async function untilBack(): Promise<Answer> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const answer = await me();
    if (answer.status !== 503) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return me();
}

describe('DBF-05: while the database is away', () => {
  test('every route says so, whoever asks, and refuses nobody; nothing is changed, and afterwards all is as it was', async () => {
    const known = await person.token();
    expect((await me(known)).status).toBe(200);
    const before = await snapshot(database, []);
    const routes = CATALOGUE.filter(({ route }) => route);
    line.cut();
    const answers = [];
    for (const operation of routes) {
      const { method, path, body } = requestOf(operation, newObjects(), tenant);
      for (const token of [known, await daemon.token()])
        answers.push({ name: operation.name, answer: await server.call(token, method, path, body) });
    }
    line.mend();
    for (const { name, answer } of answers) {
      const code = name === 'registerClient' ? 'temporarily_unavailable' : 'ServiceUnavailable';
      expect([name, answer.status, codeOf(answer)]).toEqual([name, 503, code]);
      expect(answer.headers.get('retry-after')).toBe('2');
      expect(answer.headers.get('www-authenticate')).toBeNull();
      expect(answer.text).not.toMatch(/ECONN|postgres|127\.0\.0\.1|connect/i);
    }
    expect(answers).toHaveLength(2 * routes.length);
    expect(Object.keys(CASES).length).toBeGreaterThanOrEqual(routes.length);
    expect((await untilBack()).status).toBe(200);
    expect(await snapshot(database, [])).toEqual(before);
  });

  test('who has no token is refused all the same: nobody needs the database to see that', async () => {
    line.cut();
    const none = await server.call(undefined, 'GET', '/v1.0/me');
    const nonsense = await server.call('nonsense', 'GET', '/v1.0/me');
    line.mend();
    expect([none.status, nonsense.status]).toEqual([401, 401]);
    await untilBack();
  });
});
