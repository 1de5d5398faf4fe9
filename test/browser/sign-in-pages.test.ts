import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { aBrowserWorld, type BrowserWorld } from '../support/browser-world.ts';
import { examine } from '../support/examined.ts';
import { Authorize, aPerson, aWebApplication, type Person, type WebApplication } from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';
import { fillSignIn, heading, press } from '../support/visitor.ts';

let world: BrowserWorld;
let database: BrowserWorld['database'];
let server: BrowserWorld['server'];
let contoso: TestTenant;
let fabrikam: TestTenant;
let hr: WebApplication;
let analytics: WebApplication;
let alice: Person;
let ada: Person;

beforeAll(async () => {
  world = await aBrowserWorld();
  ({ database, server } = world);
  contoso = await aTenant(database, 'Contoso');
  fabrikam = await aTenant(database, 'Fabrikam');
  const { redirectUri } = world;
  hr = await aWebApplication(database, contoso, { name: 'Contoso HR', redirectUri });
  analytics = await aWebApplication(database, fabrikam, {
    ...{ name: 'Fabrikam Analytics', redirectUri, published: true },
    requires: { scopes: ['openid', 'profile', 'User.Read.All'], roles: ['AuditLog.Read.All'] },
  });
  alice = await aPerson(database, server, contoso, { name: 'Alice Moreau' });
  ada = await aPerson(database, server, contoso, { name: 'Ada Okafor', roles: ['Global Administrator'] });
}, 120_000);

afterAll(() => world.close());

const ask = (application: WebApplication, parameters: Record<string, string> = {}) =>
  new Authorize(server, contoso, application, parameters).url;

const adminConsent = ({ appId, redirectUri }: WebApplication) =>
  `${server.origin}/${contoso.id}/v2.0/adminconsent?${new URLSearchParams({ client_id: appId, redirect_uri: redirectUri, state: 's' })}`;

describe.each([
  ['with JavaScript', true],
  ['without JavaScript', false],
])('%s', (_what, javaScriptEnabled) => {
  test('a person signs in, consents and arrives at the application', async () => {
    const { page, close } = await world.visitor({ javaScriptEnabled });
    const carol = await aPerson(database, server, contoso, { name: 'Carol' });
    await page.goto(ask(hr));
    await fillSignIn(page, carol);
    expect(await heading(page)).toBe('Allow access?');
    await press(page, 'Accept');
    expect(await heading(page)).toBe('done');
    await page.goto(ask(hr));
    expect(await heading(page)).toBe('done');
    await close();
  });

  test('a person cancels', async () => {
    const { page, close } = await world.visitor({ javaScriptEnabled });
    await page.goto(ask(hr, { prompt: 'consent' }));
    await fillSignIn(page, alice);
    await press(page, 'Cancel');
    expect(await heading(page)).toBe('access_denied');
    await close();
  });

  test('a person signs out', async () => {
    const { page, close } = await world.visitor({ javaScriptEnabled });
    await page.goto(`${server.origin}/${contoso.id}/account`);
    await fillSignIn(page, alice);
    expect(await heading(page)).toBe('My account');
    await page.goto(`${server.origin}/${contoso.id}/oauth2/v2.0/logout`);
    await press(page, 'Sign out');
    expect(await heading(page)).toBe('You are signed out');
    await page.goto(`${server.origin}/${contoso.id}/account`);
    expect(await heading(page)).toBe('Sign in');
    await close();
  });
});

describe('a browser', () => {
  test('shows who can approve what a person can not', async () => {
    const { page, close } = await world.visitor();
    await page.goto(ask(analytics, { scope: 'openid User.Read.All' }));
    await fillSignIn(page, alice);
    expect(await heading(page)).toBe('An administrator has to approve this');
    await press(page, 'Back to Fabrikam Analytics');
    expect(await heading(page)).toBe('access_denied');
    await close();
  });

  test('lets an administrator consent for everybody, and refuses somebody else', async () => {
    const { page, close } = await world.visitor();
    await page.goto(adminConsent(analytics));
    await fillSignIn(page, alice);
    expect(await heading(page)).toBe('An administrator has to approve this');
    await press(page, 'Sign in with an administrator account', 'link');
    await fillSignIn(page, ada);
    expect(await heading(page)).toBe('Allow access for everybody?');
    await press(page, 'Accept for everybody');
    expect(await heading(page)).toBe('done');
    expect(new URL(page.url()).searchParams.get('admin_consent')).toBe('True');
    await close();
  });

  test('refuses a wrong password, and lets the person try again', async () => {
    const { page, close } = await world.visitor();
    await page.goto(ask(hr));
    await fillSignIn(page, { ...alice, password: 'not her password' });
    expect(await page.getByRole('alert').textContent()).toContain('The username or the password is not right.');
    expect(await page.getByLabel('Username').inputValue()).toBe(alice.username);
    expect(await page.evaluate('document.activeElement.id')).toBe('password');
    await page.getByLabel('Password').fill(alice.password);
    await press(page, 'Sign in');
    expect(await heading(page)).not.toBe('Sign in');
    await close();
  });

  test('changes a password', async () => {
    const { page, close } = await world.visitor();
    const dora = await aPerson(database, server, contoso, { name: 'Dora' });
    await page.goto(`${server.origin}/${contoso.id}/account`);
    await fillSignIn(page, dora);
    await press(page, 'Change password', 'link');
    await page.getByLabel('Current password').fill(dora.password);
    await page.getByLabel('New password', { exact: true }).fill('orchard compass pebble 58');
    await page.getByLabel('New password, once more').fill('orchard compass pebble 58');
    await press(page, 'Change password');
    expect(await heading(page)).toBe('My account');
    expect(await page.getByRole('status').textContent()).toContain('Your password is changed.');
    await close();
  });

  test('needs no mouse', async () => {
    const { page, close } = await world.visitor();
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
    await close();
  });
});

/** Every page, by the way that leads to it. */
const PAGES: Record<string, (page: Page) => Promise<void>> = {
  'sign-in': async (page) => {
    await page.goto(ask(hr));
  },
  'sign-in-rejected': async (page) => {
    await page.goto(ask(hr, { login_hint: alice.username }));
    await fillSignIn(page, { ...alice, password: 'wrong' });
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
    await fillSignIn(page, await aPerson(database, server, contoso, { name: 'Nora', mustChange: true }));
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
    await fillSignIn(page, alice);
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
  await fillSignIn(page, person);
}

describe('every page', () => {
  test.each(Object.keys(PAGES))('%s: axe finds nothing, in light and dark, on phone and desktop', async (name) => {
    const { page, close } = await world.visitor();
    await asSuperuser(database, 'delete from sign_in_throttles');
    await PAGES[name]?.(page);
    await examine(page, name);
    await close();
  });
});
