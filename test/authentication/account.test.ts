import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, formsOf, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import {
  Authorize,
  aPerson,
  aWebApplication,
  enterPassword,
  type Person,
  signIn,
  type WebApplication,
} from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let application: WebApplication;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso Ltd');
  application = await aWebApplication(database, tenant, { name: 'HR' });
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const NEW = 'orchard compass pebble 58';
const fields = (current: string, fresh = NEW, again = fresh) => ({
  currentPassword: current,
  newPassword: fresh,
  confirmPassword: again,
  decision: 'accept',
});

async function atAccount(person: Person) {
  const browser = new Browser(server.origin);
  const page = await enterPassword(browser, await browser.open(`/${tenant.id}/account`), person);
  expect(headingOf(page)).toBe('My account');
  return { browser, page };
}

const formTo = (page: Page, end: string) => formsOf(page).findIndex(({ action }) => action.endsWith(end));
const isSignedIn = async (browser: Browser) => headingOf(await browser.open(`/${tenant.id}/account`)) === 'My account';

describe('a password that somebody else set', () => {
  test('must be changed before the sign-in goes on', async () => {
    const alice = await aPerson(database, server, tenant, { mustChange: true });
    const browser = new Browser(server.origin);
    const page = await enterPassword(
      browser,
      await browser.open(new Authorize(server, tenant, application).url),
      alice,
    );
    expect(headingOf(page)).toBe('Choose a new password');
    expect(await isSignedIn(browser)).toBe(false);
    const consent = await browser.submit(page, fields(alice.password));
    expect(headingOf(consent)).toBe('Allow access?');
    const done = await browser.submit(consent, { decision: 'accept' });
    expect(done.location?.searchParams.get('code')).toBeTruthy();
    const { tokens } = await signIn(server, tenant, application, { ...alice, password: NEW });
    expect(tokens.access_token).toBeTruthy();
  });

  test('is refused with every mistake in words, and stays', async () => {
    const alice = await aPerson(database, server, tenant, { mustChange: true });
    const browser = new Browser(server.origin);
    let page = await enterPassword(browser, await browser.open(new Authorize(server, tenant, application).url), alice);
    const tries: [Record<string, string>, string][] = [
      [fields(''), 'Enter your current password.'],
      [fields(alice.password, ''), 'Enter a new password.'],
      [fields(alice.password, NEW, `${NEW}!`), 'The two new passwords differ.'],
      [fields(alice.password, alice.password), 'This is your current password. Choose a new one.'],
      [fields('not the current one'), 'This is not your current password.'],
      [fields(alice.password, 'too short'), 'Use at least 15 characters.'],
    ];
    for (const [filled, words] of tries) {
      page = await browser.submit(page, filled);
      expect([page.status, textOf(page)]).toEqual([400, expect.stringContaining(words)]);
    }
    const [row] = await asSuperuser(
      database,
      'select force_change_next_sign_in as forced from user_passwords where user_id = $1',
      [alice.id],
    );
    expect(row).toEqual({ forced: true });
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('is an interruption in the records, and then a success', async () => {
    const alice = await aPerson(database, server, tenant, { mustChange: true });
    const browser = new Browser(server.origin);
    const page = await enterPassword(browser, await browser.open(`/${tenant.id}/account`), alice);
    await browser.submit(page, fields(alice.password));
    const rows = await asSuperuser<{ code: number }>(
      database,
      'select error_code as code from sign_ins where user_id = $1 order by created_at',
      [alice.id],
    );
    expect(rows.map(({ code }) => code)).toEqual([50055, 50055, 0]);
    const audits = await asSuperuser(
      database,
      `select activity_display_name as activity, result from directory_audits where initiated_by -> 'user' ->> 'id' = $1`,
      [alice.id],
    );
    expect(audits).toEqual([{ activity: 'Change user password', result: 'success' }]);
  });
});

describe('changing one’s own password', () => {
  async function atChange(person: Person) {
    const { browser } = await atAccount(person);
    return { browser, page: await browser.open(`/${tenant.id}/account/password`) };
  }

  test('SES-09: ends every other session and token family, and keeps this one', async () => {
    const alice = await aPerson(database, server, tenant);
    const elsewhere = await signIn(server, tenant, application, alice);
    const { browser, page } = await atChange(alice);
    const done = await browser.submit(page, fields(alice.password));
    expect([headingOf(done), textOf(done)]).toEqual([
      'My account',
      expect.stringContaining('Your password is changed.'),
    ]);
    expect(await isSignedIn(browser)).toBe(true);
    expect(await isSignedIn(elsewhere.browser)).toBe(false);
    const [families] = await asSuperuser<{ alive: string }>(
      database,
      `select count(*) as alive from token_families f join users u on u.id = f.user_id
        where f.user_id = $1 and f.created_at >= u.sign_in_sessions_valid_from`,
      [alice.id],
    );
    expect(families?.alive).toBe('0');
    const code = await browser.open(new Authorize(server, tenant, application).url);
    expect(code.location?.searchParams.get('code')).toBeTruthy();
  });

  test.each([
    ['7 characters', 'kbV4%xz'],
    ['14 characters', 'orchard comp 5'],
    ['a common password', 'password password'],
    ['the organization’s name', 'contoso ltd contoso'],
    ['one’s own name', 'alicealicealicealice'],
    ['a repetition', 'aaaaaaaaaaaaaaaaaaaa'],
    ['more than 256 characters', 'kV9 '.repeat(70)],
  ])('SEC-09: %s is not enough', async (_what, fresh) => {
    const alice = await aPerson(database, server, tenant);
    const { browser, page } = await atChange(alice);
    const refused = await browser.submit(page, fields(alice.password, fresh));
    expect([refused.status, headingOf(refused)]).toEqual([400, 'Change your password']);
    expect(await isSignedIn(browser)).toBe(true);
    const [row] = await asSuperuser(database, 'select last_password_change_at from users where id = $1', [alice.id]);
    expect(row).toEqual({ last_password_change_at: null });
  });

  test.each([
    ['64 characters', 'mountain vowel 7 pebble orchard compass violet tractor 31 harvest'.slice(0, 64), undefined],
    [
      '128 characters, and not the first 72',
      `${'mountain vowel 7 '.repeat(9).slice(0, 127)}x`,
      `${'mountain vowel 7 '.repeat(9).slice(0, 127)}y`,
    ],
    ['letters alone', 'violet tractor harvest', undefined],
  ])('SEC-08: takes %s whole', async (_what, fresh, almost) => {
    const alice = await aPerson(database, server, tenant);
    const { browser, page } = await atChange(alice);
    expect(headingOf(await browser.submit(page, fields(alice.password, fresh)))).toBe('My account');
    if (almost) {
      const stranger = new Browser(server.origin);
      const form = await stranger.open(`/${tenant.id}/account`);
      expect((await enterPassword(stranger, form, { ...alice, password: almost })).status).toBe(400);
    }
    await atAccount({ ...alice, password: fresh });
  });

  test('SEC-08: takes an accent composed and decomposed for the same', async () => {
    const alice = await aPerson(database, server, tenant);
    const { browser, page } = await atChange(alice);
    await browser.submit(page, fields(alice.password, 'caf\u00e9 orchard pebble 7'));
    await atAccount({ ...alice, password: 'cafe\u0301 orchard pebble 7' });
  });

  test('the current password is guessed no faster here', async () => {
    const alice = await aPerson(database, server, tenant);
    const { browser, page } = await atChange(alice);
    for (let n = 0; n < 10; n += 1) await browser.submit(page, fields(`wrong ${n}`));
    const throttled = await browser.submit(page, fields(alice.password));
    expect([throttled.status, textOf(throttled)]).toEqual([429, expect.stringContaining('Too many attempts')]);
  });
});

describe('my account', () => {
  test('signs out here, and the cookie is worth nothing', async () => {
    const { browser, page } = await atAccount(await aPerson(database, server, tenant));
    const kept = new Map(browser.cookies);
    const done = await browser.submit(page, { decision: 'accept' }, formTo(page, '/sign-out'));
    expect(headingOf(done)).toBe('You are signed out');
    for (const [name, cookie] of kept) browser.cookies.set(name, cookie);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('signs out everywhere, and at once lets the person in again', async () => {
    const alice = await aPerson(database, server, tenant);
    const { browser: elsewhere } = await signIn(server, tenant, application, alice);
    const { browser, page } = await atAccount(alice);
    const done = await browser.submit(page, { decision: 'accept' }, formTo(page, '/sign-out-everywhere'));
    expect(headingOf(done)).toBe('You are signed out everywhere');
    expect([await isSignedIn(browser), await isSignedIn(elsewhere)]).toEqual([false, false]);
    await atAccount(alice);
  });

  test.each(['/sign-out', '/sign-out-everywhere'])('SES-02: %s needs the token of this very session', async (end) => {
    const alice = await aPerson(database, server, tenant);
    const { browser } = await signIn(server, tenant, application, alice);
    const page = await browser.open(`/${tenant.id}/account`);
    const foreign = await atAccount(await aPerson(database, server, tenant));
    const csrf = formsOf(foreign.page)[0]?.fields.csrf ?? '';
    expect((await browser.submit(page, { csrf }, formTo(page, end))).status).toBe(400);
    browser.formHeaders = { Origin: 'https://evil.example' };
    expect((await browser.submit(page, {}, formTo(page, end))).status).toBe(403);
    expect(await isSignedIn(browser)).toBe(true);
  });

  test('believes no address that claims that something was done', async () => {
    const { browser } = await atAccount(await aPerson(database, server, tenant));
    const page = await browser.open(`/${tenant.id}/account?done=passwordChanged`);
    expect(page.text).not.toContain('role="status"');
  });

  test('is closed to somebody who was disabled a moment ago', async () => {
    const alice = await aPerson(database, server, tenant);
    const { browser } = await atAccount(alice);
    await asSuperuser(database, 'update users set account_enabled = false where id = $1', [alice.id]);
    expect(await isSignedIn(browser)).toBe(false);
  });
});

describe('signing out by an application', () => {
  const logout = (parameters: Record<string, string> = {}) =>
    `/${tenant.id}/oauth2/v2.0/logout?${new URLSearchParams(parameters)}`;

  test('asks in the application’s name, and leads back to it with its state', async () => {
    const { browser, tokens } = await signIn(server, tenant, application, await aPerson(database, server, tenant));
    const page = await browser.open(
      logout({ id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: application.redirectUri, state: 's-2' }),
    );
    expect(textOf(page)).toContain('HR asks to sign you out.');
    const done = await browser.submit(page, { logout: 'yes' });
    expect(done.location?.href).toBe(`${application.redirectUri}?state=s-2`);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('lets the person stay signed in', async () => {
    const { browser } = await signIn(server, tenant, application, await aPerson(database, server, tenant));
    const page = await browser.open(logout());
    expect(headingOf(await browser.submit(page, { decision: 'cancel' }))).toBe('My account');
    expect(await isSignedIn(browser)).toBe(true);
  });

  test('asks nobody where nobody is signed in, and runs no script for it', async () => {
    const browser = new Browser(server.origin);
    expect(headingOf(await browser.open(logout()))).toBe('You are signed out');
    const parameters = {
      client_id: application.appId,
      post_logout_redirect_uri: application.redirectUri,
      state: 's-3',
    };
    const page = await browser.open(logout(parameters));
    expect(page.location?.href).toBe(`${application.redirectUri}?state=s-3`);
    expect(
      (await browser.open(logout({ ...parameters, post_logout_redirect_uri: 'https://evil.example' }))).status,
    ).toBe(400);
  });

  test('DEV-07: a link or an image signs nobody out', async () => {
    const { browser } = await atAccount(await aPerson(database, server, tenant));
    const page = await browser.open(`/${tenant.id}/oauth2/v2.0/logout`);
    expect(headingOf(page)).toBe('Sign out?');
    expect(await isSignedIn(browser)).toBe(true);
    const bare = await browser.ask(`/${tenant.id}/oauth2/v2.0/logout/confirm`, { method: 'POST', body: 'logout=yes' });
    expect(bare.status).toBe(400);
    expect(await isSignedIn(browser)).toBe(true);
  });
});
