import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Answer } from '../support/answer.ts';
import { aClientApplication, aPerson, consentTo, type TestApplication } from '../support/applications.ts';
import { aSignedInBrowser, authorize, type Browser, post, redeemForm, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { times } from '../support/length.ts';
import { aServerProcess, type ServerProcess } from '../support/server-processes.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

/** The long form redeems 1,000 of each kind; both run over two processes on one Postgres. */
const COUNT = times(15, 1_000);
const PARALLEL = 10;
const PATIENCE = 30 * 60_000;

let database: TestDatabase;
let processes: ServerProcess[];
let tenant: TestTenant;
let browser: Browser;
let client: TestApplication;

beforeAll(async () => {
  database = await aDatabase();
  const origin = 'http://localhost:8400';
  processes = [await aServerProcess(database, origin), await aServerProcess(database, origin)];
  tenant = await aTenant(database);
  browser = await aSignedInBrowser(database, tenant, await aPerson(database, tenant));
  client = await aClientApplication(database, tenant, { spa: ['https://spa.example/callback'], isConfidential: false });
  const scopes = ['openid', 'profile', 'offline_access', 'User.Read'];
  await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes });
});

afterAll(async () => {
  await Promise.all(processes.map((each) => each.stop()));
  await database.drop();
});

const originOf = (index: number) => processes[index % processes.length]?.origin ?? '';

const storm = (form: Record<string, string>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: PARALLEL }, (_, index) => post(originOf(index), tenant, 'token', form)));

const aCode = (index: number) =>
  authorize(originOf(index), tenant, client, browser, { scope: 'offline_access User.Read', nonce: '' });

describe(`${COUNT} codes and ${COUNT} refresh tokens, each by ${PARALLEL} requests at once over two processes`, () => {
  const refreshTokens: string[] = [];

  test(
    'RAC-01: each code gives exactly one answer with tokens, none is lost',
    async () => {
      for (let index = 0; index < COUNT; index += 1) {
        const answers = await storm(redeemForm(client, await aCode(index), true));
        const won = answers.filter(({ status }) => status === 200);
        const lost = answers
          .filter(({ status }) => status !== 200)
          .map(({ status, body }) => `${status} ${body.error}`);
        expect([won.length, ...new Set(lost)]).toEqual([1, '400 invalid_grant']);
      }
    },
    PATIENCE,
  );

  test(
    'RAC-02: each refresh token has one child, which lives; none is lost',
    async () => {
      for (let index = 0; index < COUNT; index += 1) {
        const answer = await post(originOf(index), tenant, 'token', redeemForm(client, await aCode(index), true));
        refreshTokens.push(answer.body.refresh_token);
      }
      const children: string[] = [];
      for (const token of refreshTokens) {
        const won = (await storm(refreshForm(client, token, true))).filter(({ status }) => status === 200);
        const mine = new Set(won.map(({ body }) => body.refresh_token));
        expect([won.length > 0, mine.size]).toEqual([true, 1]);
        children.push(...mine);
      }
      expect(new Set(children).size).toBe(COUNT);
      for (const [index, child] of children.entries()) {
        expect((await post(originOf(index + 1), tenant, 'token', refreshForm(client, child, true))).status).toBe(200);
      }
      const [row] = await asSuperuser<{ live: number }>(
        database,
        `select count(*)::int as live from artifacts a join token_families f on f.tenant_id = a.tenant_id and f.id = a.family_id
         where a.tenant_id = $1 and a.model = 'RefreshToken' and a.consumed_at is null and f.revoked_at is null
           and exists (select from artifacts p where p.tenant_id = a.tenant_id and p.family_id = a.family_id
             and p.model = 'RefreshToken' and p.consumed_at is not null)`,
        [tenant.id],
      );
      expect(row?.live).toBe(COUNT);
    },
    PATIENCE,
  );
});
