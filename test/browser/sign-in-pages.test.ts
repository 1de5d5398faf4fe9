import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aCallbackServer } from '../support/callback-server.ts';
import { aChromium } from '../support/chromium.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { examine } from '../support/examined.ts';
import { Authorize, aPerson, aWebApplication, type Person, type WebApplication } from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let callback: Awaited<ReturnType<typeof aCallbackServer>>;
let browser: Browser;
let contoso: TestTenant;
let fabrikam: TestTenant;
let hr: WebApplication;
let analytics: WebApplication;
let alice: Person;
let ada: Person;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  callback = await aCallbackServer();
  browser = await aChromium();
  contoso = await aTenant(database, 'Contoso');
  fabrikam = await aTenant(database, 'Fabrikam');
  const { redirectUri } = callback;
  hr = await aWebApplication(database, contoso, { name: 'Contoso HR', redirectUri });
  analytics = await aWebApplication(database, fabrikam, {
    ...{ name: 'Fabrikam Analytics', redirectUri, published: true },
    requires: { scopes: ['openid', 'profile', 'User.Read.All'], roles: ['AuditLog.Read.All'] },
  });
  alice = await aPerson(database, server, contoso, { name: 'Alice Moreau' });
  ada = await aPerson(database, server, contoso, { name: 'Ada Okafor', roles: ['Global Administrator'] });
}, 120_000);

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await browser.close();
  await callback.close();
  await server.close();
  await database.drop();
});

/** A fresh browser profile; what its console complains of fails the test that opened it. */
async function aVisitor({
  javaScriptEnabled = true,
} = {}): Promise<{ context: BrowserContext; page: Page; complaints: string[] }> {
  const context = await browser.newContext({ javaScriptEnabled });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // A page that says that something failed has a status that says so too, which Chromium reports.
    if (!/status of 4\d\d|status of 503/.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`));
  return { context, page, complaints };
}

const ask = (application: WebApplication, parameters: Record<string, string> = {}) =>
  new Authorize(server, contoso, application, parameters).url;
const heading = (page: Page) => page.locator('h1').textContent();

/** Presses, and is on the next page: what a test does then happens there. */
async function press(page: Page, name: string, role: 'button' | 'link' = 'button'): Promise<void> {
  const arrived = page.waitForEvent('framenavigated');
  await page.getByRole(role, { name }).click();
  await arrived;
  await page.waitForLoadState();
}

async function signIn(page: Page, { username, password }: Person): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(password);
  await press(page, 'Sign in');
}

const adminConsent = ({ appId, redirectUri }: WebApplication) =>
  `${server.origin}/${contoso.id}/v2.0/adminconsent?${new URLSearchParams({ client_id: appId, redirect_uri: redirectUri, state: 's' })}`;

describe.each([
  ['with JavaScript', true],
  ['without JavaScript', false],
])('%s', (_what, javaScriptEnabled) => {
  test('a person signs in, consents and arrives at the application', async () => {
    const { context, page, complaints } = await aVisitor({ javaScriptEnabled });
    const carol = await aPerson(database, server, contoso, { name: 'Carol' });
    await page.goto(ask(hr));
    await signIn(page, carol);
    expect(await heading(page)).toBe('Allow access?');
    await press(page, 'Accept');
    expect(await heading(page)).toBe('done');
    await page.goto(ask(hr));
    expect(await heading(page)).toBe('done');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('a person cancels', async () => {
    const { context, page, complaints } = await aVisitor({ javaScriptEnabled });
    await page.goto(ask(hr, { prompt: 'consent' }));
    await signIn(page, alice);
    await press(page, 'Cancel');
    expect(await heading(page)).toBe('access_denied');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('a person signs out', async () => {
    const { context, page, complaints } = await aVisitor({ javaScriptEnabled });
    await page.goto(`${server.origin}/${contoso.id}/account`);
    await signIn(page, alice);
    expect(await heading(page)).toBe('My account');
    await page.goto(`${server.origin}/${contoso.id}/oauth2/v2.0/logout`);
    await press(page, 'Sign out');
    expect(await heading(page)).toBe('You are signed out');
    await page.goto(`${server.origin}/${contoso.id}/account`);
    expect(await heading(page)).toBe('Sign in');
    expect(complaints).toEqual([]);
    await context.close();
  });
});

describe('a browser', () => {
  test('shows who can approve what a person can not', async () => {
    const { context, page, complaints } = await aVisitor();
    await page.goto(ask(analytics, { scope: 'openid User.Read.All' }));
    await signIn(page, alice);
    expect(await heading(page)).toBe('An administrator has to approve this');
    await press(page, 'Back to Fabrikam Analytics');
    expect(await heading(page)).toBe('access_denied');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('lets an administrator consent for everybody, and refuses somebody else', async () => {
    const { context, page, complaints } = await aVisitor();
    await page.goto(adminConsent(analytics));
    await signIn(page, alice);
    expect(await heading(page)).toBe('An administrator has to approve this');
    await press(page, 'Sign in with an administrator account', 'link');
    await signIn(page, ada);
    expect(await heading(page)).toBe('Allow access for everybody?');
    await press(page, 'Accept for everybody');
    expect(await heading(page)).toBe('done');
    expect(new URL(page.url()).searchParams.get('admin_consent')).toBe('True');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('refuses a wrong password, and lets the person try again', async () => {
    const { context, page, complaints } = await aVisitor();
    await page.goto(ask(hr));
    await signIn(page, { ...alice, password: 'not her password' });
    expect(await page.getByRole('alert').textContent()).toContain('The username or the password is not right.');
    expect(await page.getByLabel('Username').inputValue()).toBe(alice.username);
    expect(await page.evaluate('document.activeElement.id')).toBe('password');
    await page.getByLabel('Password').fill(alice.password);
    await press(page, 'Sign in');
    expect(await heading(page)).not.toBe('Sign in');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('changes a password', async () => {
    const { context, page, complaints } = await aVisitor();
    const dora = await aPerson(database, server, contoso, { name: 'Dora' });
    await page.goto(`${server.origin}/${contoso.id}/account`);
    await signIn(page, dora);
    await press(page, 'Change password', 'link');
    await page.getByLabel('Current password').fill(dora.password);
    await page.getByLabel('New password', { exact: true }).fill('orchard compass pebble 58');
    await page.getByLabel('New password, once more').fill('orchard compass pebble 58');
    await press(page, 'Change password');
    expect(await heading(page)).toBe('My account');
    expect(await page.getByRole('status').textContent()).toContain('Your password is changed.');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('needs no mouse', async () => {
    const { context, page, complaints } = await aVisitor();
    const emil = await aPerson(database, server, contoso, { name: 'Emil' });
    await page.goto(ask(hr));
    await page.locator('#username:focus').waitFor();
    await page.keyboard.type(emil.username);
    await page.keyboard.press('Tab');
    await page.keyboard.type(emil.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Allow access?' }).waitFor();
    const reached: string[] = [];
    for (let n = 0; n < 12 && reached.at(-1) !== 'Accept'; n += 1) {
      await page.keyboard.press('Tab');
      reached.push(String(await page.evaluate('document.activeElement.textContent')));
      const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
      expect(outline).not.toBe('none');
    }
    expect(reached.slice(-2)).toEqual(['Cancel', 'Accept']);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'done' }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });
});

/** Every page, by the way that leads to it. */
const PAGES: Record<string, (page: Page) => Promise<void>> = {
  'sign-in': async (page) => {
    await page.goto(ask(hr));
  },
  'sign-in-rejected': async (page) => {
    await page.goto(ask(hr, { login_hint: alice.username }));
    await signIn(page, { ...alice, password: 'wrong' });
  },
  confirm: async (page) => {
    await signedIn(page, alice);
    await page.goto(ask(hr, { prompt: 'login' }));
  },
  'select-account': async (page) => {
    await signedIn(page, alice);
    await page.goto(ask(hr, { prompt: 'select_account' }));
  },
  consent: async (page) => {
    await signedIn(page, alice);
    await page.goto(ask(hr, { prompt: 'consent' }));
  },
  'consent-administrator': async (page) => {
    await signedIn(page, ada);
    await page.goto(ask(analytics, { scope: 'openid User.Read User.ReadWrite.All', prompt: 'consent' }));
  },
  'needs-approval': async (page) => {
    await signedIn(page, alice);
    await page.goto(ask(analytics, { scope: 'openid User.ReadWrite.All' }));
  },
  'admin-consent': async (page) => {
    await signedIn(page, ada);
    await page.goto(adminConsent(analytics));
  },
  'consent-recorded': async (page) => {
    await signedIn(page, ada);
    await page.goto(`${server.origin}/${contoso.id}/v2.0/adminconsent?client_id=${analytics.appId}&scope=User.Read`);
    await press(page, 'Accept for everybody');
  },
  'forced-password': async (page) => {
    await page.goto(ask(hr));
    await signIn(page, await aPerson(database, server, contoso, { name: 'Nora', mustChange: true }));
  },
  'change-password-refused': async (page) => {
    await signedIn(page, alice);
    await page.goto(`${server.origin}/${contoso.id}/account/password`);
    await page.getByLabel('Current password').fill('wrong');
    await page.getByLabel('New password', { exact: true }).fill('orchard compass pebble 58');
    await page.getByLabel('New password, once more').fill('orchard compass pebble 58');
    await press(page, 'Change password');
  },
  'my-account': async (page) => {
    await page.goto(ask(hr));
    await signIn(page, alice);
    if ((await heading(page)) === 'Allow access?') await press(page, 'Accept');
    await page.goto(`${server.origin}/${contoso.id}/account`);
  },
  'sign-out': async (page) => {
    await signedIn(page, alice);
    await page.goto(`${server.origin}/${contoso.id}/oauth2/v2.0/logout`);
  },
  'signed-out': async (page) => {
    await page.goto(`${server.origin}/${contoso.id}/oauth2/v2.0/logout/success`);
  },
  'error-application': async (page) => {
    await page.goto(ask({ ...hr, appId: '00000000-0000-4000-8000-000000000000' }));
  },
  'error-tenant': async (page) => {
    await page.goto(`${server.origin}/nobody.example/oauth2/v2.0/authorize`);
  },
  'error-expired': async (page) => {
    await page.goto(`${server.origin}/${contoso.id}/interaction/${'x'.repeat(32)}`);
  },
};

async function signedIn(page: Page, person: Person): Promise<void> {
  await page.goto(`${server.origin}/${contoso.id}/account`);
  await signIn(page, person);
}

describe('every page', () => {
  test.each(Object.keys(PAGES))('%s: axe finds nothing, in light and dark, on phone and desktop', async (name) => {
    const { context, page, complaints } = await aVisitor();
    await asSuperuser(database, 'delete from sign_in_throttles');
    await PAGES[name]?.(page);
    await examine(page, name);
    expect(complaints).toEqual([]);
    await context.close();
  });
});
