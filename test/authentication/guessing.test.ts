import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, formsOf, type Page } from '../../scripts/demo-story/browser.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import {
  Authorize,
  aPerson,
  aWebApplication,
  enterPassword,
  type Person,
  type WebApplication,
} from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let second: TestAuthenticationServer;
let tenant: TestTenant;
let application: WebApplication;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  second = await anAuthenticationServer(database, { publicOrigin: server.origin });
  tenant = await aTenant(database, 'Contoso');
  application = await aWebApplication(database, tenant);
});

afterAll(async () => {
  expect([...server.errors, ...second.errors]).toEqual([]);
  await server.close();
  await second.close();
  await database.drop();
});

async function atSignIn(node = server): Promise<{ browser: Browser; page: Page }> {
  const browser = new Browser(node.publicOrigin, node.origin);
  return { browser, page: await browser.open(new Authorize(server, tenant, application).url) };
}

const WRONG = 'this is not the password';
/** Past the password: at the consent page, or at the application. */
const isIn = ({ status }: Page) => status === 200 || status === 303;
const isThrottled = ({ status, text }: Page) => status === 429 && text.includes('Too many attempts');

async function guess(person: { username: string }, times: number): Promise<Page[]> {
  const { browser, page } = await atSignIn();
  const answers = [];
  for (let n = 0; n < times; n += 1) answers.push(await enterPassword(browser, page, { ...person, password: WRONG }));
  return answers;
}

/** Lets the pause of everybody's throttle pass. */
const wait = () =>
  asSuperuser(database, 'update sign_in_throttles set locked_until = now() where locked_until is not null');
const evaluations = async ({ id }: Person) =>
  asSuperuser<{ code: number; n: number }>(
    database,
    'select error_code as code, count(*)::int as n from sign_ins where user_id = $1 group by 1 order by 1',
    [id],
  );

describe('guessing passwords', () => {
  test('DOS-04: is slowed down after ten tries, for the right password too', async () => {
    const alice = await aPerson(database, server, tenant);
    const answers = await guess(alice, 11);
    expect(answers.map(isThrottled)).toEqual([...Array(10).fill(false), true]);
    expect(Number(answers[10]?.headers.get('retry-after'))).toBeGreaterThan(25);
    const { browser, page } = await atSignIn();
    const right = await enterPassword(browser, page, alice);
    const wrong = await enterPassword(browser, page, { ...alice, password: WRONG });
    expect([right, wrong].map(isThrottled)).toEqual([true, true]);
    expect(right.text.replace(/\d+ seconds/, '')).toBe(wrong.text.replace(/\d+ seconds/, ''));
    await wait();
    expect(isIn(await enterPassword(browser, page, alice))).toBe(true);
  });

  test('DOS-04: the pause grows to a quarter of an hour, and after a hundred failures to a day', async () => {
    const alice = await aPerson(database, server, tenant);
    const pauses: number[] = [];
    await guess(alice, 10);
    for (let n = 0; n < 7; n += 1) {
      const [row] = await asSuperuser<{ pause: number }>(
        database,
        'select extract(epoch from locked_until - now())::int as pause from sign_in_throttles where locked_until is not null order by expires_at desc limit 1',
      );
      pauses.push(row?.pause ?? 0);
      await wait();
      await guess(alice, 1);
    }
    const expected = [30, 60, 120, 240, 480, 900, 900];
    expect(pauses.every((pause, index) => Math.abs(pause - (expected[index] ?? 0)) < 10)).toBe(true);
    await asSuperuser(database, 'update sign_in_throttles set failures = 99, locked_until = now()');
    await guess(alice, 1);
    const [last] = await guess(alice, 1);
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(80_000);
  });

  test('DOS-05: two hundred at once at two processes get no more looks than ten one after another', async () => {
    const alice = await aPerson(database, server, tenant);
    const sides = await Promise.all([atSignIn(server), atSignIn(second)]);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => {
        const { browser, page } = sides[n % 2] ?? sides[0];
        return enterPassword(browser, page, { ...alice, password: `${WRONG} ${n}` });
      }),
    );
    expect(answers.filter((answer) => !isThrottled(answer) && answer.status !== 400)).toEqual([]);
    const looked = (await evaluations(alice)).find(({ code }) => code === 50126)?.n ?? 0;
    expect(looked).toBeGreaterThan(0);
    expect(looked).toBeLessThanOrEqual(10 + 2);
  });

  test('DOS-06: does not keep the person out of his own device, nor anybody else out', async () => {
    const alice = await aPerson(database, server, tenant);
    const home = await atSignIn();
    await enterPassword(home.browser, home.page, alice);
    for (const name of [...home.browser.cookies.keys()]) {
      if (name.includes('session')) home.browser.cookies.delete(name);
    }
    expect((await guess(alice, 11)).map(isThrottled).at(-1)).toBe(true);
    const page = await home.browser.open(new Authorize(server, tenant, application).url);
    expect(isIn(await enterPassword(home.browser, page, alice))).toBe(true);
    const bob = await aPerson(database, server, tenant, { name: 'Bob' });
    const elsewhere = await atSignIn();
    expect(isIn(await enterPassword(elsewhere.browser, elsewhere.page, bob))).toBe(true);
  });

  test('DOS-06: a device is familiar only to its own person, and has its own limit', async () => {
    const alice = await aPerson(database, server, tenant);
    const bob = await aPerson(database, server, tenant, { name: 'Bob' });
    const { browser, page } = await atSignIn();
    await enterPassword(browser, page, bob);
    await guess(alice, 11);
    const mine = await browser.open(new Authorize(server, tenant, application, { prompt: 'login' }).url);
    const form = await browser.open(`${mine.url}?account=other`);
    expect(isThrottled(await enterPassword(browser, form, alice))).toBe(true);
    for (let n = 0; n < 10; n += 1) await enterPassword(browser, form, { ...bob, password: WRONG });
    expect(isThrottled(await enterPassword(browser, form, bob))).toBe(true);
  });

  test('a success forgets the failures before it', async () => {
    const alice = await aPerson(database, server, tenant);
    await guess(alice, 9);
    const { browser, page } = await atSignIn();
    expect(isIn(await enterPassword(browser, page, alice))).toBe(true);
    expect((await guess(alice, 9)).some(isThrottled)).toBe(false);
  });
});

describe('what an answer tells of a name', () => {
  async function people() {
    const known = await aPerson(database, server, tenant);
    const disabled = await aPerson(database, server, tenant, { isEnabled: false });
    const [username, password] = [`nobody-${known.id.slice(0, 8)}@${tenant.domain}`, known.password];
    return { wrong: { ...known, password: WRONG }, disabled, unknown: { username, password } };
  }
  const shown = (page: Page, username: string) =>
    [
      page.status,
      page.text.replaceAll(username, 'NAME').replace(/\d+ seconds/, 'PAUSE'),
      [...page.headers].filter(
        ([name]) => !['date', 'client-request-id', 'content-length', 'retry-after'].includes(name),
      ),
    ] as const;

  test('DOS-01, TEN-20: is the same bytes for who is unknown, disabled or mistyped his password, and for who is locked', async () => {
    const all = await people();
    const { browser, page } = await atSignIn();
    const [first, ...others] = await Promise.all(
      Object.values(all).map(async (who) => shown(await enterPassword(browser, page, who), who.username)),
    );
    for (const answer of others) expect(answer).toEqual(first);
    for (const who of Object.values(all)) await guess(who, 10);
    const [locked, ...alike] = await Promise.all(
      Object.values(all).map(async (who) => shown(await enterPassword(browser, page, who), who.username)),
    );
    expect(locked?.[0]).toBe(429);
    for (const answer of alike) expect(answer).toEqual(locked);
  });

  // Times need a machine that does nothing else.
  const long = process.env.BAILIWICK_LONG === '1' ? test : undefined;
  long?.(
    'DOS-01: takes the same time',
    async () => {
      const all = await people();
      const { browser, page } = await atSignIn();
      const times: Record<string, number[]> = { wrong: [], disabled: [], unknown: [] };
      for (let n = 0; n < 2_000; n += 1) {
        for (const [kind, who] of Object.entries(all)) {
          const began = performance.now();
          await enterPassword(browser, page, who);
          times[kind]?.push(performance.now() - began);
        }
        if (n % 9 === 8) await asSuperuser(database, 'delete from sign_in_throttles');
      }
      const { wrong = [], disabled = [], unknown = [] } = times;
      for (const sample of [disabled, unknown]) {
        expect(Math.abs(median(sample) - median(wrong))).toBeLessThan(2);
        expect(Math.abs(areaUnderCurve(sample, wrong) - 0.5)).toBeLessThan(0.05);
      }
    },
    900_000,
  );
});

function median(sample: readonly number[]): number {
  return [...sample].sort((a, b) => a - b)[Math.floor(sample.length / 2)] ?? 0;
}

/** How often a time of `a` is longer than one of `b`: a half when nothing can be learned. */
function areaUnderCurve(a: readonly number[], b: readonly number[]): number {
  const wins = a.reduce((sum, x) => sum + b.filter((y) => x > y).length + b.filter((y) => x === y).length / 2, 0);
  return wins / (a.length * b.length);
}

describe('too much work', () => {
  test('DOS-09: five hundred sign-ins at once are bounded; what is too much is told to come back, and the rest goes on', async () => {
    const { browser, page } = await atSignIn();
    const slowest = { answer: 0 };
    const watch = setInterval(async () => {
      const began = performance.now();
      // Needs the event loop alone, not the database that five hundred others wait for.
      await fetch(`${server.origin}/common/v2.0/.well-known/openid-configuration`);
      slowest.answer = Math.max(slowest.answer, performance.now() - began);
    }, 50);
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, n) => enterPassword(browser, page, { username: `nobody-${n}`, password: WRONG })),
    );
    clearInterval(watch);
    const busy = answers.filter(({ status }) => status === 503);
    expect(busy.length).toBeGreaterThan(0);
    expect(busy[0]?.headers.get('retry-after')).toBe('5');
    expect(busy[0]?.text).toContain('Your password was not checked.');
    expect(answers.filter(({ status }) => status !== 503 && status !== 400)).toEqual([]);
    expect(answers.length - busy.length).toBeGreaterThan(10);
    // Far more than it takes, far less than five hundred hashes one after the other would.
    expect(slowest.answer).toBeLessThan(9_000);
  });

  test('DOS-09: a try that was not looked at does not count', async () => {
    const [{ counted } = { counted: '' }] = await asSuperuser<{ counted: string }>(
      database,
      'select count(*) as counted from sign_in_throttles where failures = 0',
    );
    expect(Number(counted)).toBeGreaterThan(0);
  });

  test('DOS-10: a password of a megabyte is refused before it is hashed', async () => {
    const { browser, page } = await atSignIn();
    const refused = await enterPassword(browser, page, { username: 'alice', password: 'x'.repeat(1_000_000) });
    expect(refused.status).toBe(413);
    expect(formsOf(refused)).toEqual([]);
  });

  test('DOS-10: so is one of which nobody says how long it is', async () => {
    const { browser, page } = await atSignIn();
    const cookie = [...browser.cookies].map(([name, { value }]) => `${name.split('|')[0]}=${value}`).join('; ');
    const status = await new Promise((resolve, reject) => {
      const asked = request(new URL(formsOf(page)[0]?.action ?? '', server.origin), {
        method: 'POST',
        headers: { ...browser.formHeaders, cookie, 'content-type': 'application/x-www-form-urlencoded' },
      });
      asked.once('response', ({ statusCode }) => resolve(statusCode)).once('error', reject);
      asked.write(`username=alice&password=${'x'.repeat(15_000)}`);
      asked.end('x'.repeat(15_000));
    });
    expect(status).toBe(413);
  });
});

describe('a stored password', () => {
  test('SEC-06: is argon2id at OWASP’s minimum with a salt of its own, and useless without the pepper', async () => {
    const people = [await aPerson(database, server, tenant), await aPerson(database, server, tenant)];
    const rows = await asSuperuser<{ hash: string }>(
      database,
      'select password_hash as hash from user_passwords where user_id = any ($1)',
      [people.map(({ id }) => id)],
    );
    expect(rows.map(({ hash }) => hash)).toEqual(
      rows.map(() => expect.stringMatching(/^\$argon2id\$v=19\$m=19456,p=1,t=2\$/)),
    );
    expect(new Set(rows.map(({ hash }) => hash)).size).toBe(2);
    const { verify } = await import('argon2');
    expect(await verify(rows[0]?.hash ?? '', people[0]?.password ?? '')).toBe(false);
  });

  test('SEC-06: with weaker parameters is hashed anew at the next sign-in', async () => {
    const alice = await aPerson(database, server, tenant);
    const { hash, argon2id } = await import('argon2');
    const secret = database.sealer.derive('bailiwick/passwords/1');
    const weak = await hash(alice.password, { type: argon2id, memoryCost: 8_192, timeCost: 1, parallelism: 1, secret });
    await asSuperuser(database, 'update user_passwords set password_hash = $2 where user_id = $1', [alice.id, weak]);
    const { browser, page } = await atSignIn();
    expect(isIn(await enterPassword(browser, page, alice))).toBe(true);
    const [row] = await asSuperuser<{ hash: string }>(
      database,
      'select password_hash as hash from user_passwords where user_id = $1',
      [alice.id],
    );
    expect(row?.hash).toMatch(/m=19456,p=1,t=2/);
  });
});
