import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aClientApplication, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

/** What anybody may ask as often as he likes must cost little: counted in Postgres, not in time. */
let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let spa: TestApplication;

const SPA = 'https://spa.example';

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  spa = await aClientApplication(database, tenant, { spa: [`${SPA}/callback`], isConfidential: false });
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const one = async <Value>(text: string): Promise<Value | undefined> =>
  (await asSuperuser<{ value: Value }>(database, text))[0]?.value;

test('signing keys are made once, though what is remembered of the client knows none', async () => {
  await asSuperuser(
    database,
    `create sequence attempts;
     create function count_attempt() returns trigger language plpgsql security definer as $$ begin
       perform nextval('attempts'); return new; end $$;
     create trigger count_attempt before insert on signing_keys for each row execute function count_attempt();`,
  );
  const ask = () =>
    fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/authorize?client_id=${spa.appId}`, { redirect: 'manual' });
  for (let round = 0; round < 5; round += 1) await ask();
  // The current and the next RSA key, whose making costs a quarter of a second of a core.
  expect(Number(await one('select last_value as value from attempts'))).toBe(2);
});

const preflight = async (origin: string) => {
  const response = await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/token`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });
  return response.headers.get('access-control-allow-origin');
};

test('SES-13: preflights do not read the applications each time, and see at once what the organization changes', async () => {
  const scans = async () => {
    await asSuperuser(database, 'select pg_stat_force_next_flush()');
    return Number(
      await one(`select seq_scan + idx_scan as value from pg_stat_user_tables where relname = 'service_principals'`),
    );
  };
  expect([await preflight(SPA), await preflight('https://evil.example')]).toEqual([SPA, null]);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const before = await scans();
  for (let round = 0; round < 50; round += 1) expect(await preflight(`https://evil-${round}.example`)).toBeNull();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect((await scans()) - before).toBeLessThan(10);
  await asSuperuser(database, 'update applications set spa_redirect_uris = $2 where app_id = $1', [
    spa.appId,
    ['https://moved.example/callback'],
  ]);
  expect([await preflight(SPA), await preflight('https://moved.example')]).toEqual([null, 'https://moved.example']);
});

test('SES-13: an opaque origin is nobody’s, whatever an application has registered; without an origin there is no permission', async () => {
  const odd = await aClientApplication(database, tenant, { spa: ['com.example.app:/callback'], isConfidential: false });
  const ask = async (headers: Record<string, string>) => {
    const body = new URLSearchParams({ client_id: odd.appId, grant_type: 'refresh_token', refresh_token: 'x' });
    const answer = await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/token`, { method: 'POST', body, headers });
    return answer.headers.get('access-control-allow-origin');
  };
  expect([await ask({ origin: 'null' }), await ask({}), await preflight('null')]).toEqual([null, null, null]);
});
