import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, formsOf, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { Authorize, aPerson, aWebApplication, enterPassword, signIn, type WebApplication } from '../support/sign-in.ts';
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

const mine = (appId = '') => `/${tenant.id}/my-applications${appId && `/${appId}`}`;
const formTo = (page: Page, end: string) => formsOf(page).findIndex(({ action }) => action.endsWith(end));
const silent = (browser: Browser, of = application) =>
  browser.open(new Authorize(server, tenant, of, { prompt: 'none' }).url);
const takeBack = async (browser: Browser, of = application) => {
  const page = await browser.open(mine(of.appId));
  return browser.submit(page, { decision: 'accept' }, formTo(page, '/revoke'));
};

describe('my applications', () => {
  test('asks who is not signed in to sign in, and comes back', async () => {
    const alice = await aPerson(database, server, tenant);
    const browser = new Browser(server.origin);
    const page = await enterPassword(browser, await browser.open(mine()), alice);
    expect([headingOf(page), textOf(page)]).toEqual([
      'My applications',
      expect.stringContaining('No application may act for you.'),
    ]);
  });

  test('CON-26: shows what acts for the person and since when, and says exactly what was taken back', async () => {
    const alice = await aPerson(database, server, tenant);
    const { browser, tokens } = await signIn(server, tenant, application, alice);
    expect(textOf(await browser.open(mine()))).toMatch(/HR.*Since \d+ \w{3} \d{4} ?, .*for you alone/);
    expect(textOf(await browser.open(mine(application.appId)))).toMatch(/HR.*Your organization.*User\.Read/);
    const done = await takeBack(browser);
    expect([done.status, headingOf(done)]).toEqual([200, 'Access is taken back']);
    expect(textOf(done)).toMatch(/openid profile offline_access User\.Read.*1 sign-in ended/);
    expect((await silent(browser)).location?.searchParams.get('error')).toBe('consent_required');
    const refreshed = await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token ?? '',
        client_id: application.appId,
        client_secret: application.secret,
      }),
    });
    expect(((await refreshed.json()) as { error: string }).error).toBe('invalid_grant');
    expect(textOf(await browser.open(mine()))).toContain('No application may act for you.');
    expect((await browser.open(mine(application.appId))).status).toBe(404);
  });

  test('CON-05: takes nothing of another person', async () => {
    const bob = await aPerson(database, server, tenant, { name: 'Bob' });
    const theirs = await signIn(server, tenant, application, bob);
    const { browser } = await signIn(server, tenant, application, await aPerson(database, server, tenant));
    const page = await browser.open(mine(application.appId));
    await browser.submit(page, { decision: 'accept' }, formTo(page, '/revoke'));
    // Once more, from a window that was open: it says where things are now.
    expect(headingOf(await browser.submit(page, { decision: 'accept' }, formTo(page, '/revoke')))).toBe(
      'My applications',
    );
    expect((await silent(theirs.browser)).location?.searchParams.get('code')).toBeTruthy();
  });

  test('says what the organization still allows', async () => {
    const shared = await aWebApplication(database, tenant, { name: 'Mail' });
    const admin = await aPerson(database, server, tenant, { name: 'Ada', roles: ['Global Administrator'] });
    await signIn(server, tenant, shared, admin, { scope: 'openid User.Read', forOrganization: true });
    const { browser } = await signIn(server, tenant, shared, await aPerson(database, server, tenant), {
      scope: 'openid User.Read profile',
    });
    const page = await browser.open(mine(shared.appId));
    expect(textOf(page)).toMatch(/For everybody.*For you/);
    const done = await takeBack(browser, shared);
    expect(textOf(done)).toMatch(/profile.*Still allowed by your organization/);
  });

  test('SES-02: takes nothing back without the token of this very session', async () => {
    const alice = await aPerson(database, server, tenant);
    const { browser } = await signIn(server, tenant, application, alice);
    const page = await browser.open(mine(application.appId));
    expect((await browser.submit(page, { csrf: 'forged' }, formTo(page, '/revoke'))).status).toBe(400);
    browser.formHeaders = { Origin: 'https://evil.example' };
    expect((await browser.submit(page, {}, formTo(page, '/revoke'))).status).toBe(403);
    expect((await silent(browser)).location?.searchParams.get('code')).toBeTruthy();
  });

  test('RED-17: shows names that others chose as text', async () => {
    const hostile = await aWebApplication(database, tenant, { name: '<script>alert(1)</script>\u202E' });
    const { browser } = await signIn(server, tenant, hostile, await aPerson(database, server, tenant));
    for (const path of [mine(), mine(hostile.appId)]) {
      const { text } = await browser.open(path);
      expect(text).not.toMatch(/<script|\u202E/);
      expect(text).toContain('&lt;script&gt;');
    }
  });

  test('knows nothing of other organizations', async () => {
    const other = await aTenant(database, 'Fabrikam');
    const foreign = await aWebApplication(database, other, { name: 'Theirs' });
    const { browser } = await signIn(server, tenant, application, await aPerson(database, server, tenant));
    const page = await browser.open(mine(foreign.appId));
    expect([page.status, headingOf(page)]).toEqual([404, 'There is nothing here']);
    expect((await asSuperuser(database, 'select from users where tenant_id = $1', [other.id])).length).toBe(0);
  });
});
