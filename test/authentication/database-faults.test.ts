import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Authorization } from '../../src/authorization/perform.ts';
import { Store } from '../../src/store/store.ts';
import { answerOf } from '../support/answer.ts';
import { aClientApplication, aPerson, assignRole, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import {
  aSignedInBrowser,
  authorize,
  type Browser,
  credentialsOf,
  post,
  redeemForm,
  refreshForm,
} from '../support/authorize.ts';
import { aDatabase, noPreparations, type TestDatabase } from '../support/database.ts';
import { aLine, failingWrite, type Line } from '../support/faults.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let line: Line;
let store: Store;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let browser: Browser;
let spa: TestApplication;
let daemon: TestApplication;

beforeAll(async () => {
  database = await aDatabase();
  line = await aLine(database.urls.authentication);
  store = new Store({
    url: line.url,
    sealer: database.sealer,
    onError: () => {},
    maxConnections: 4,
    sharedConnections: 2,
  });
  server = await anAuthenticationServer(database, { authorization: new Authorization(store, noPreparations) });
  tenant = await aTenant(database);
  browser = await aSignedInBrowser(database, tenant, await aPerson(database, tenant));
  spa = await aClientApplication(database, tenant, { spa: ['https://spa.example/callback'], isConfidential: false });
  const scopes = ['openid', 'profile', 'offline_access', 'User.Read'];
  await consentTo(database, tenant, { clientId: spa.servicePrincipalId, scopes });
  daemon = await aClientApplication(database, tenant);
  await assignRole(database, tenant, daemon.servicePrincipalId, 'User.Read.All');
});

afterAll(async () => {
  await server.close();
  await store.end();
  await line.close();
  await database.drop();
});

const token = (form: Record<string, string>) => post(server.origin, tenant, 'token', form);

const WRITES = [
  ['the artifact that is issued', 'artifacts', 'insert'],
  ['the artifact that is redeemed', 'artifacts', 'update'],
  ['the sign-in record', 'sign_ins', 'insert'],
] as const;

describe('DBF-06: a write that fails in the middle strands no honest client', () => {
  test.each(WRITES)('%s, at the redemption of a code', async (_what, table, event) => {
    const form = redeemForm(spa, await authorize(server.origin, tenant, spa, browser), true);
    const repair = await failingWrite(database, table, event);
    const failed = await token(form).finally(repair);
    expect([failed.status, failed.body.error, failed.headers.get('retry-after')]).toEqual([
      503,
      'temporarily_unavailable',
      '2',
    ]);
    expect((await token(form)).status).toBe(200);
  });

  test.each(WRITES)('%s, at a refresh', async (_what, table, event) => {
    const first = await token(redeemForm(spa, await authorize(server.origin, tenant, spa, browser), true));
    const form = refreshForm(spa, first.body.refresh_token, true);
    const repair = await failingWrite(database, table, event);
    const failed = await token(form).finally(repair);
    expect([failed.status, failed.body.error]).toEqual([503, 'temporarily_unavailable']);
    const retried = await token(form);
    expect(retried.status).toBe(200);
    expect((await token(refreshForm(spa, retried.body.refresh_token, true))).status).toBe(200);
  });

  test('the sign-in record, at client credentials: no token that is not on record', async () => {
    const form = { ...credentialsOf(daemon), grant_type: 'client_credentials' };
    const repair = await failingWrite(database, 'sign_ins', 'insert');
    const failed = await token(form).finally(repair);
    expect([failed.status, failed.body.error]).toEqual([503, 'temporarily_unavailable']);
    expect((await token(form)).status).toBe(200);
  });

  test('the family, at the authorization endpoint: no code without it', async () => {
    const repair = await failingWrite(database, 'token_families', 'insert');
    const failed = await authorize(server.origin, tenant, spa, browser).finally(repair);
    expect([failed.answer.status, failed.answer.headers.get('location')]).toEqual([503, null]);
    expect((await authorize(server.origin, tenant, spa, browser)).parameters.get('code')).toEqual(expect.any(String));
  });
});

test('a fault that is ours is told to nobody but the log, once', async () => {
  const form = { ...credentialsOf(daemon), grant_type: 'client_credentials' };
  const before = server.errors.length;
  const repair = await failingWrite(database, 'sign_ins', 'insert', 'XX000');
  const failed = await token(form).finally(repair);
  expect([failed.status, failed.body.error]).toEqual([500, 'server_error']);
  expect(failed.text).not.toContain('device');
  expect(server.errors.slice(before)).toMatchObject([{ cause: { message: 'no space left on device' } }]);
  expect((await token(form)).status).toBe(200);
});

test('AUD-02: a refusal that can not be recorded is not answered: come back', async () => {
  const repair = await failingWrite(database, 'sign_ins', 'insert');
  const form = { ...credentialsOf(daemon), grant_type: 'client_credentials', resource: 'https://nobody.example' };
  const refused = await post(server.origin, tenant, 'token', form);
  const silent = { prompt: 'none', scope: 'openid Directory.Read.All' };
  const { answer } = await authorize(server.origin, tenant, spa, browser, silent);
  await repair();
  for (const { status, headers } of [refused, answer]) {
    expect([status, headers.get('retry-after'), headers.get('location')]).toEqual([503, '2', null]);
  }
  expect(refused.body.error).toBe('temporarily_unavailable');
  expect((await post(server.origin, tenant, 'token', form)).status).toBe(400);
});

describe('DBF-05: while the database is away', () => {
  test('every endpoint says so, with Retry-After, and refuses nobody; afterwards all is as it was', async () => {
    const authorized = await authorize(server.origin, tenant, spa, browser);
    const first = await token(redeemForm(spa, authorized, true));
    const base = `${server.origin}/${tenant.id}`;
    const bearer = { authorization: `Bearer ${first.body.access_token}` };
    line.cut();
    const answers = [
      await token({ ...credentialsOf(daemon), grant_type: 'client_credentials' }),
      await token(refreshForm(spa, first.body.refresh_token, true)),
      await post(server.origin, tenant, 'introspect', { ...credentialsOf(daemon), token: first.body.access_token }),
      await post(server.origin, tenant, 'revoke', { client_id: spa.appId, token: first.body.refresh_token }),
      await answerOf(await fetch(`${base}/oidc/userinfo`, { headers: bearer })),
      await answerOf(await fetch(`${base}/oauth2/v2.0/authorize?client_id=${spa.appId}`)),
      await answerOf(await fetch(`${base}/oauth2/v2.0/logout`)),
    ];
    line.mend();
    for (const { status, body, headers } of answers) {
      expect([status, body.error]).toEqual([503, 'temporarily_unavailable']);
      expect(headers.get('retry-after')).toBe('2');
    }
    const refreshed = await untilBack(() => token(refreshForm(spa, first.body.refresh_token, true)));
    expect(refreshed.status).toBe(200);
  });
});

const METADATA = ['/v2.0/.well-known/openid-configuration', '/discovery/v2.0/keys'];

describe('DBF-05: public metadata while the database is away', () => {
  test('is answered as it was last known, so that APIs go on verifying tokens', async () => {
    const urls = [tenant.id, tenant.domain.toUpperCase()].flatMap((name) =>
      METADATA.map((path) => `${server.origin}/${name}${path}`),
    );
    const read = (url: string) => fetch(url).then(answerOf);
    const before = await Promise.all(urls.map((url) => untilBack(() => read(url))));
    const unknown = `${server.origin}/${crypto.randomUUID()}${METADATA[1]}`;
    expect((await read(unknown)).status).toBe(400);
    line.cut();
    const during = await Promise.all(urls.map(read));
    const strangers = await Promise.all([unknown, `${server.origin}/nobody.example${METADATA[0]}`].map(read));
    line.mend();
    expect(before.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(during.map(({ status, body }) => [status, body])).toEqual(before.map(({ body }) => [200, body]));
    // Whom nobody asked for before may exist or not: neither is said.
    for (const { status, headers } of strangers) expect([status, headers.get('retry-after')]).toEqual([503, '2']);
  });

  test('is not that of a tenant which was closed before', async () => {
    const closed = await aTenant(database, 'Closed');
    const read = (path: string) => fetch(`${server.origin}/${closed.id}${path}`).then(answerOf);
    for (const path of METADATA) expect((await untilBack(() => read(path))).status).toBe(200);
    await asSuperuser(database, 'update tenants set is_enabled = false where id = $1', [closed.id]);
    for (const path of METADATA) expect((await read(path)).status).toBe(400);
    line.cut();
    const during = await Promise.all(METADATA.map(read));
    line.mend();
    expect(during.map(({ status }) => status)).toEqual([503, 503]);
  });
});

/** Connections come back with the next requests; the first of them may still meet a dead one. */
async function untilBack(ask: () => ReturnType<typeof token>) {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const answer = await ask();
    if (answer.status !== 503) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return ask();
}
