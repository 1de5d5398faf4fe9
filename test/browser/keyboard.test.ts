import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aCallbackServer } from '../support/callback-server.ts';
import { aChromium } from '../support/chromium.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { Authorize, aPerson, aWebApplication, type Person, type WebApplication } from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';
import { aVisitor, heading, KeyboardAlone } from '../support/visitor.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let callback: Awaited<ReturnType<typeof aCallbackServer>>;
let browser: Browser;
let tenant: TestTenant;
let hr: WebApplication;
let ada: Person;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  callback = await aCallbackServer();
  browser = await aChromium();
  tenant = await aTenant(database, 'Contoso');
  hr = await aWebApplication(database, tenant, { name: 'HR', redirectUri: callback.redirectUri });
  ada = await aPerson(database, server, tenant, { name: 'Ada', roles: ['Global Administrator'] });
}, 120_000);

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await browser.close();
  await callback.close();
  await server.close();
  await database.drop();
});

const at = (path: string) => `${server.origin}/${tenant.id}${path}`;

/** The user name's field has the focus when the page opens. */
async function signIn(page: Page, keys: KeyboardAlone, { username, password }: Person): Promise<void> {
  await page.locator('#username:focus').waitFor();
  await page.keyboard.type(username);
  await keys.type('Password', password);
  await keys.enter();
}

async function assigned(): Promise<unknown> {
  const [row] = await asSuperuser<{ settings: object }>(
    database,
    `select settings from tenant_policies where tenant_id = $1 and id = 'authorizationPolicy'`,
    [tenant.id],
  );
  return row?.settings;
}

describe('with a keyboard alone', () => {
  test('a person consents, sees what he allowed, and takes it back', async () => {
    const { context, page, complaints } = await aVisitor(browser);
    const keys = new KeyboardAlone(page);
    await page.goto(new Authorize(server, tenant, hr).url);
    await signIn(page, keys, await aPerson(database, server, tenant, { name: 'Alice' }));
    expect(await heading(page)).toBe('Allow access?');
    await keys.press('Accept');
    expect(await heading(page)).toBe('done');
    await page.goto(at('/account'));
    await keys.press('My applications');
    await keys.press('HR');
    await keys.press('Take back');
    expect([await heading(page), complaints]).toEqual(['Access is taken back', []]);
    await context.close();
  });

  test('an administrator changes a policy, and asks why an application gets what it gets', async () => {
    const { context, page, complaints } = await aVisitor(browser);
    const keys = new KeyboardAlone(page);
    await page.goto(at('/admin'));
    await signIn(page, keys, ada);
    await keys.press('Policies');
    const box = page.locator('#policy-bailiwick-user-default');
    const name = (await page.locator('label[for=policy-bailiwick-user-default]').textContent()) ?? '';
    expect(await box.isChecked()).toBe(true);
    await keys.choose(name);
    await keys.press('Save');
    expect(await page.getByRole('status').textContent()).toContain('Saved.');
    expect([await box.isChecked(), await assigned()]).toEqual([
      false,
      expect.objectContaining({ defaultUserRolePermissions: { permissionGrantPoliciesAssigned: [] } }),
    ]);
    await keys.press('Explain');
    await keys.type('Application ID', hr.appId);
    await keys.type('Permissions', 'User.Read');
    await keys.enter();
    expect(await page.locator('#answer').textContent()).toContain('HR gets no token');
    expect(complaints).toEqual([]);
    await context.close();
  });
});
