import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { Browser, formsOf, headingOf, type Page } from '../../scripts/demo-story/browser.ts';
import {
  SESSION_ABSOLUTE_SECONDS,
  SESSION_IDLE_SECONDS,
  sessionSeconds,
} from '../../src/authentication/session-lifetime.ts';
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
let second: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;
let application: WebApplication;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  second = await anAuthenticationServer(database, { publicOrigin: server.origin });
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  application = await aWebApplication(database, tenant);
  alice = await aPerson(database, server, tenant);
  bob = await aPerson(database, server, tenant, { name: 'Bob', password: 'saddle thimble juniper 46' });
});

afterAll(async () => {
  expect([...server.errors, ...second.errors]).toEqual([]);
  await server.close();
  await second.close();
  await database.drop();
});

const ask = (parameters?: Record<string, string>) => new Authorize(server, tenant, application, parameters).url;
const sessionCookie = (browser: Browser, tenantId: string = tenant.id) =>
  browser.cookies.get(`bailiwick-session-${tenantId}|/`)?.value;
const errorOf = (page: Page) => page.location?.searchParams.get('error');

async function atSignIn(browser = new Browser(server.origin), parameters?: Record<string, string>) {
  const page = await browser.open(ask(parameters));
  expect(headingOf(page)).toMatch(/^(Sign in|Confirm that it is you)$/);
  return { browser, page };
}

describe('signing in', () => {
  test('goes from the request over password and consent to a code and tokens', async () => {
    const { tokens, parameters } = await signIn(server, tenant, application, alice);
    expect(parameters.get('iss')).toBe(`${server.origin}/${tenant.id}/v2.0`);
    expect(tokens.scope?.split(' ').sort()).toEqual(['User.Read', 'offline_access', 'openid', 'profile']);
    expect(decodeJwt(tokens.access_token)).toMatchObject({ oid: alice.id, tid: tenant.id });
  });

  test('asks neither for the password nor for consent again', async () => {
    const { browser } = await signIn(server, tenant, application, alice);
    const page = await browser.open(ask());
    expect(page.location?.searchParams.get('code')).toBeTruthy();
  });

  test('works by a domain in the path, and binds what comes of it to the tenant’s id', async () => {
    const browser = new Browser(server.origin);
    const page = await browser.open(ask().replace(tenant.id, tenant.domain.toUpperCase()));
    const done = await enterPassword(browser, page, alice);
    expect(done.location?.searchParams.get('iss')).toBe(`${server.origin}/${tenant.id}/v2.0`);
  });

  test('shows who asks and fills in whom the application hinted at', async () => {
    const { page } = await atSignIn(undefined, { login_hint: alice.username });
    expect(page.text).toContain('to continue to <strong><bdi>Web App</bdi>');
    expect(formsOf(page)[0]?.fields.username).toBe(alice.username);
  });

  test.each([
    ['nothing', { username: '', password: '' }, 'Enter your username.'],
    ['no password', { username: 'alice', password: '' }, 'Enter your password.'],
  ])('with %s says what is missing', async (_what, filled, text) => {
    const { browser, page } = await atSignIn();
    const again = await browser.submit(page, { ...filled, decision: 'accept' });
    expect([again.status, again.text]).toEqual([400, expect.stringContaining(text)]);
  });

  test('takes a name in any case, with spaces around it', async () => {
    const { browser, page } = await atSignIn();
    const done = await enterPassword(browser, page, { ...alice, username: ` ${alice.username.toUpperCase()} ` });
    expect(done.location?.searchParams.get('code')).toBeTruthy();
  });

  test('is left by cancelling: the application is told', async () => {
    const { browser, page } = await atSignIn();
    const done = await browser.submit(page, { decision: 'cancel' });
    expect([errorOf(done), done.location?.searchParams.get('state')]).toEqual(['access_denied', expect.any(String)]);
  });

  test('is recorded, success and failure', async () => {
    const carol = await aPerson(database, server, tenant, { name: 'Carol' });
    const { browser, page } = await atSignIn();
    const again = await enterPassword(browser, page, { ...carol, password: 'wrong' });
    await enterPassword(browser, again, carol);
    const rows = await asSuperuser(
      database,
      `select error_code as code, event_type as type, user_display_name as name, app_id as app, ip_address is not null as ip
        from sign_ins where user_id = $1 order by created_at`,
      [carol.id],
    );
    const common = { type: 'interactiveUser', name: 'Carol', app: application.appId, ip: true };
    expect(rows.slice(0, 2)).toEqual([
      { code: 50126, ...common },
      { code: 0, ...common },
    ]);
  });

  test('of somebody who does not exist is a matter of the security log alone', async () => {
    const { browser, page } = await atSignIn();
    const [{ before }] = await count();
    const logged = server.refusals.length;
    await enterPassword(browser, page, { username: `nobody@${tenant.domain}`, password: 'whatever it may be' });
    expect(await count()).toEqual([{ before }]);
    expect(server.refusals.slice(logged)).toEqual(['There is no such user.']);
  });

  test('ends in a page of words when the browser comes back too late', async () => {
    const { browser, page } = await atSignIn();
    await asSuperuser(database, `update artifacts set expires_at = now() where model = 'Interaction'`);
    const late = await enterPassword(browser, page, alice);
    expect([late.status, headingOf(late)]).toEqual([400, 'This page is no longer valid']);
  });

  test('answers HEAD without a body', async () => {
    const { browser, page } = await atSignIn();
    const head = await browser.ask(page.url, { method: 'HEAD' });
    expect([head.status, head.text, head.headers.get('content-type')]).toEqual([200, '', 'text/html; charset=utf-8']);
  });
});

const count = () =>
  asSuperuser<{ before: string }>(database, 'select count(*) as before from sign_ins') as Promise<[{ before: string }]>;

describe('a person who is signed in', () => {
  test('proves it again for prompt=login, as himself', async () => {
    const { browser } = await signIn(server, tenant, application, alice);
    const { page } = await atSignIn(browser, { prompt: 'login' });
    expect([headingOf(page), formsOf(page)[0]?.action]).toEqual([
      'Confirm that it is you',
      expect.stringMatching(/\/confirm$/),
    ]);
    // The form has no say in who he is.
    const stranger = await browser.submit(page, { username: bob.username, password: bob.password, decision: 'accept' });
    expect([stranger.status, headingOf(stranger)]).toEqual([400, 'Confirm that it is you']);
    const done = await browser.submit(stranger, { password: alice.password, decision: 'accept' });
    expect(done.location?.searchParams.get('code')).toBeTruthy();
  });

  test('chooses for prompt=select_account', async () => {
    const { browser } = await signIn(server, tenant, application, alice);
    const page = await browser.open(ask({ prompt: 'select_account' }));
    expect([headingOf(page), page.text]).toEqual([
      'Is this the right account?',
      expect.stringContaining(alice.username),
    ]);
    const done = await browser.submit(page, { decision: 'accept' });
    expect(done.location?.searchParams.get('code')).toBeTruthy();
  });

  test('can be somebody else, whose session then is the only one', async () => {
    await signIn(server, tenant, application, bob);
    const { browser } = await signIn(server, tenant, application, alice);
    const former = sessionCookie(browser);
    const page = await browser.open(ask({ prompt: 'select_account' }));
    const form = await browser.open(`${page.url}?account=other`);
    expect(headingOf(form)).toBe('Sign in');
    const done = await enterPassword(browser, form, bob);
    expect(done.location?.searchParams.get('code')).toBeTruthy();
    const mine = await browser.open(`/${tenant.id}/account`);
    expect(mine.text).toContain(bob.username);
    browser.cookies.set(`bailiwick-session-${tenant.id}|/`, { value: former ?? '', path: '/' });
    expect(errorOf(await browser.open(ask({ prompt: 'none' })))).toBe('login_required');
  });

  test('SES-10: prompt=none, max_age and a hint at somebody else never switch silently', async () => {
    const { browser } = await signIn(server, tenant, application, alice);
    const { tokens } = await signIn(server, tenant, application, bob);
    expect(errorOf(await new Browser(server.origin).open(ask({ prompt: 'none' })))).toBe('login_required');
    const hint = { id_token_hint: tokens.id_token ?? '' };
    expect(errorOf(await browser.open(ask({ prompt: 'none', ...hint })))).toBe('login_required');
    expect(headingOf(await browser.open(ask(hint)))).toBe('Sign in');
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(errorOf(await browser.open(ask({ prompt: 'none', max_age: '1' })))).toBe('login_required');
    expect(headingOf(await browser.open(ask({ max_age: '1' })))).toBe('Confirm that it is you');
  });

  test('TEN-07: is nobody in another organization, whatever cookie is copied', async () => {
    const { browser } = await signIn(server, tenant, application, alice);
    const elsewhere = await aWebApplication(database, other);
    const thief = new Browser(server.origin);
    thief.cookies.set(`bailiwick-session-${other.id}|/`, { value: sessionCookie(browser) ?? '', path: '/' });
    const page = await thief.open(new Authorize(server, other, elsewhere, { prompt: 'none' }).url);
    expect(errorOf(page)).toBe('login_required');
  });

  test('SES-12: is signed out after the idle limit, and after the absolute one', async () => {
    const now = 1_000_000_000;
    expect(sessionSeconds(now, now)).toBe(SESSION_IDLE_SECONDS);
    expect(sessionSeconds(now - SESSION_ABSOLUTE_SECONDS + 60, now)).toBe(60);
    const { browser } = await signIn(server, tenant, application, alice);
    const [row] = await asSuperuser<{ idle: number }>(
      database,
      `select extract(epoch from expires_at - now())::int as idle from artifacts
        where model = 'Session' and user_id = $1 order by created_at desc limit 1`,
      [alice.id],
    );
    expect(Math.abs((row?.idle ?? 0) - SESSION_IDLE_SECONDS)).toBeLessThan(60);
    await asSuperuser(database, `update artifacts set expires_at = now() where model = 'Session'`);
    for (const node of [server, second]) {
      expect(errorOf(await browserAt(node, browser).open(ask({ prompt: 'none' })))).toBe('login_required');
    }
  });

  test('SES-08: is signed out at every process once he has signed out', async () => {
    const { browser } = await signIn(server, tenant, application, alice);
    const kept = new Map(browser.cookies);
    const page = await browser.open(`/${tenant.id}/oauth2/v2.0/logout`);
    expect(headingOf(page)).toBe('Sign out?');
    const done = await browser.submit(page, { logout: 'yes' });
    expect(headingOf(done)).toBe('You are signed out');
    for (const node of [server, second]) {
      const thief = browserAt(node, browser);
      for (const [name, cookie] of kept) thief.cookies.set(name, cookie);
      const answer = await thief.open(ask({ prompt: 'none' }));
      expect(errorOf(answer)).toBe('login_required');
    }
  });
});

function browserAt(node: TestAuthenticationServer, { cookies }: Browser): Browser {
  const browser = new Browser(node.publicOrigin, node.origin);
  for (const [name, cookie] of cookies) browser.cookies.set(name, cookie);
  return browser;
}

describe('an attacker', () => {
  test.each([
    ['another Origin', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' }],
    ['an opaque Origin', { Origin: 'null' }],
    ['Sec-Fetch-Site: cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['Sec-Fetch-Site: same-site', { 'Sec-Fetch-Site': 'same-site' }],
  ])('SES-01: can not sign anybody in from %s', async (_what, headers) => {
    const { browser, page } = await atSignIn();
    browser.formHeaders = headers;
    const refused = await enterPassword(browser, page, alice);
    expect([refused.status, sessionCookie(browser)]).toEqual([403, undefined]);
  });

  test.each([
    ['no', ''],
    ['a foreign', 'x'.repeat(43)],
  ])('SES-01, SES-02: gets nowhere with %s token in the form', async (_what, csrf) => {
    const { browser, page } = await atSignIn();
    const refused = await browser.submit(page, { ...alice, csrf, decision: 'accept' });
    expect([refused.status, sessionCookie(browser)]).toEqual([400, undefined]);
  });

  test('SES-02: can not use the token of another interaction, for sign-in or for consent', async () => {
    const { page: mine } = await atSignIn();
    const csrf = formsOf(mine)[0]?.fields.csrf ?? '';
    const { browser, page } = await atSignIn();
    expect((await browser.submit(page, { ...alice, csrf, decision: 'accept' })).status).toBe(400);
    const fresh = await aWebApplication(database, tenant);
    const consent = await enterPassword(browser, await browser.open(new Authorize(server, tenant, fresh).url), alice);
    expect(headingOf(consent)).toBe('Allow access?');
    expect((await browser.submit(consent, { csrf, decision: 'accept' })).status).toBe(400);
    expect(await asSuperuser(database, 'select from service_principals where app_id = $1', [fresh.appId])).toEqual([]);
  });

  test('SES-02: can not sign anybody out with a token of his own session', async () => {
    const { browser: mallory } = await signIn(server, tenant, application, bob);
    const his = await mallory.open(`/${tenant.id}/oauth2/v2.0/logout`);
    const { browser } = await signIn(server, tenant, application, alice);
    const hers = await browser.open(`/${tenant.id}/oauth2/v2.0/logout`);
    const xsrf = formsOf(his)[0]?.fields.xsrf ?? '';
    expect((await browser.submit(hers, { xsrf, logout: 'yes' })).status).toBe(400);
    expect((await browser.open(ask())).location?.searchParams.get('code')).toBeTruthy();
  });

  test('SES-03: who fixed a cookie before the sign-in holds nothing after it', async () => {
    const browser = new Browser(server.origin);
    const fixed = { value: 'a-session-id-that-an-attacker-chose', path: '/' };
    browser.cookies.set(`bailiwick-session-${tenant.id}|/`, fixed);
    const { page } = await atSignIn(browser);
    const before = sessionCookie(browser);
    await enterPassword(browser, page, alice);
    const after = sessionCookie(browser);
    expect([before, after].includes(fixed.value)).toBe(false);
    expect(after).not.toBe(before);
    await atSignIn(browser, { prompt: 'login' }).then(({ page: again }) =>
      browser.submit(again, { password: alice.password, decision: 'accept' }),
    );
    expect(sessionCookie(browser)).not.toBe(after);
    const thief = new Browser(server.origin);
    for (const value of [fixed.value, before ?? '', after ?? '']) {
      thief.cookies.set(`bailiwick-session-${tenant.id}|/`, { value, path: '/' });
      expect(errorOf(await thief.open(ask({ prompt: 'none' })))).toBe('login_required');
    }
  });

  test('SES-04: who plants his interaction in another’s browser is found out', async () => {
    const { browser: mallory } = await signIn(server, tenant, application, bob);
    const planted = await mallory.open(ask({ prompt: 'consent' }));
    expect(headingOf(planted)).toMatch(/^Allow/);
    const { browser: victim } = await signIn(server, tenant, application, alice);
    for (const [name, cookie] of mallory.cookies) {
      if (/interaction|resume/.test(name)) victim.cookies.set(name, cookie);
    }
    expect((await victim.open(planted.url)).status).toBe(400);
    expect((await victim.submit(planted, { decision: 'accept' })).status).toBe(400);
  });

  test.each(['nobody', 'x'.repeat(10_000), 'a\u0000b', "'; drop table users; --", '\ud800'])(
    'has no luck with an odd name (%#)',
    async (username) => {
      const { browser, page } = await atSignIn();
      const again = await enterPassword(browser, page, { username, password: 'whatever it may be' });
      expect(again.status).toBe(400);
    },
  );

  test('can not double a field, send another type or a form without end', async () => {
    const { browser, page } = await atSignIn();
    const form = formsOf(page)[0];
    const send = (body: string, headers: Record<string, string> = {}) =>
      browser.ask(form?.action ?? '', { method: 'POST', body, headers: { ...browser.formHeaders, ...headers } });
    const good = `${new URLSearchParams({ ...form?.fields, ...alice, decision: 'accept' })}`;
    expect((await send(`${good}&username=bob`)).status).toBe(400);
    expect((await send(good, { 'Content-Type': 'application/json' })).status).toBe(415);
    expect((await send(`${good}&x=${'y'.repeat(1_000_000)}`)).status).toBe(413);
    expect((await send(`${good}&%FF=%FF`)).status).toBe(303);
  });
});

describe('headers and cookies', () => {
  test('SES-05: every cookie is HttpOnly, SameSite=Lax, bound to tenant or interaction, and to no domain', async () => {
    const { browser } = await signIn(server, tenant, application, alice);
    expect(browser.setCookies.length).toBeGreaterThan(4);
    for (const line of browser.setCookies) {
      expect(line).toMatch(/; httponly/i);
      expect(line).toMatch(/; samesite=lax/i);
      expect(line).not.toMatch(/; domain/i);
      const [, name = '', path = ''] = /^([^=]+)=.*?; path=([^;]+)/i.exec(line) ?? [];
      expect(path === '/' ? name.includes(tenant.id) : path.startsWith(`/${tenant.id}/`)).toBe(true);
    }
  });

  test('SES-05: over https they are Secure and carry the prefix that holds a browser to it', async () => {
    const safe = await anAuthenticationServer(database, { publicOrigin: 'https://login.example' });
    const browser = new Browser(safe.publicOrigin, safe.origin);
    const page = await browser.open(new Authorize({ origin: safe.publicOrigin }, tenant, application).url);
    await enterPassword(browser, page, alice);
    expect(browser.setCookies.length).toBeGreaterThan(4);
    for (const line of browser.setCookies) {
      expect(line).toMatch(line.includes(`path=/${tenant.id}`) ? /^__Secure-/ : /^__Host-/);
      expect(line).toMatch(/; secure/i);
    }
    expect(page.headers.get('strict-transport-security')).toBeTruthy();
    await safe.close();
  });

  test('response_mode=form_post runs its own script and no other', async () => {
    const { browser } = await signIn(server, tenant, application, alice);
    const page = await browser.open(ask({ response_mode: 'form_post' }));
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'sha256-[^']{44}'$/);
    expect(formsOf(page)[0]?.fields.code).toBeTruthy();
  });

  test('SES-07, RED-05: no page can be framed, cached, or run a script', async () => {
    const { browser, page } = await atSignIn();
    const errors = await Promise.all([
      browser.open(ask().replace(application.appId, '00000000-0000-4000-8000-000000000000')),
      browser.open(ask().replace('app.example', 'evil.example')),
      browser.open(`/${other.id.replace(/^./, '0')}/oauth2/v2.0/authorize`),
      browser.open('/common/oauth2/v2.0/authorize'),
      browser.open(`/${tenant.id}/interaction/${'x'.repeat(32)}`),
    ]);
    expect(errors.map(({ status, location }) => [status, location])).toEqual(errors.map(() => [400, undefined]));
    for (const { headers, text } of [page, ...errors]) {
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|script-src/);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(text).not.toMatch(/<script|<style|style="| on[a-z]+="/);
    }
  });

  test('RED-17: what others chose is text on every page', async () => {
    const payload = '"><script>alert(1)</script>';
    const hostile = await aWebApplication(database, tenant, { name: `App ${payload}` });
    const browser = new Browser(server.origin);
    const asked = new Authorize(server, tenant, hostile, { login_hint: payload, state: payload, ui_locales: payload });
    const page = await browser.open(asked.url);
    const again = await enterPassword(browser, page, { username: payload, password: 'wrong' });
    const consent = await enterPassword(browser, again, alice);
    const refused = await browser.open(`${asked.url}&redirect_uri=${encodeURIComponent(payload)}`);
    for (const { text } of [page, again, consent, refused]) {
      expect(text).not.toContain('<script');
      expect(text).not.toContain('</script');
    }
    const done = await browser.submit(consent, { decision: 'cancel' });
    expect(done.location?.searchParams.get('state')).toBe(payload);
  });

  test('the files that pages link are kept for ever and are what they say', async () => {
    const { browser, page } = await atSignIn();
    const links = [...page.text.matchAll(/(?:href|src)="([^"]*\/assets\/[^"]+)"/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(1);
    for (const link of links) {
      const file = await browser.ask(link);
      expect([file.status, file.headers.get('cache-control')]).toEqual([200, expect.stringContaining('immutable')]);
      expect(file.headers.get('content-type')).toMatch(link.includes('.css') ? /^text\/css/ : /^image\/svg/);
      expect((await browser.ask(link, { method: 'POST' })).status).toBe(405);
    }
  });
});
