import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { aBrowserWorld, type BrowserWorld } from '../support/browser-world.ts';
import { takeRequests } from '../support/request-pages.ts';
import { Authorize, aPerson, aWebApplication, type Person, type WebApplication } from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';
import { heading, KeyboardAlone } from '../support/visitor.ts';

let world: BrowserWorld;
let database: BrowserWorld['database'];
let server: BrowserWorld['server'];
let tenant: TestTenant;
let hr: WebApplication;
let ada: Person;

beforeAll(async () => {
  world = await aBrowserWorld();
  ({ database, server } = world);
  tenant = await aTenant(database, 'Contoso');
  hr = await aWebApplication(database, tenant, { name: 'HR', redirectUri: world.redirectUri });
  ada = await aPerson(database, server, tenant, { name: 'Ada', roles: ['Global Administrator'] });
}, 120_000);

afterAll(() => world.close());

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
  test('a person asks for approval, and a reviewer gives a part of it to everybody', async () => {
    const rita = await aPerson(database, server, tenant, { name: 'Rita' });
    await takeRequests(database, tenant, [rita]);
    const reports = await aWebApplication(database, tenant, { name: 'Reports', redirectUri: world.redirectUri });
    const [person, reviewer] = [await world.visitor(), await world.visitor()];
    const asking = new KeyboardAlone(person.page);
    await person.page.goto(new Authorize(server, tenant, reports, { scope: 'User.Read.All Group.Read.All' }).url);
    await signIn(person.page, asking, await aPerson(database, server, tenant, { name: 'Noor' }));
    await asking.type('Why do you need it?', 'To plan shifts.');
    await asking.press('Send the request');
    expect(await heading(person.page)).toBe('Your request is sent');

    const deciding = new KeyboardAlone(reviewer.page);
    await reviewer.page.goto(at('/admin'));
    await signIn(reviewer.page, deciding, rita);
    await deciding.press('Reports');
    expect(await reviewer.page.textContent('main')).toContain('To plan shifts.');
    await deciding.choose('Read all groups');
    await deciding.choose('For those who asked', 'ArrowDown');
    await deciding.type('What you tell those who asked', 'People only.');
    await deciding.press('Approve');
    expect(await reviewer.page.textContent('main')).toMatch(/Approved by Rita .*for everybody/);
    const granted = await asSuperuser(
      database,
      `select g.scope, g.consent_type as type from oauth2_permission_grants g
        join service_principals c on c.tenant_id = g.tenant_id and c.id = g.client_id where c.app_id = $1`,
      [reports.appId],
    );
    expect(granted).toEqual([{ scope: ['User.Read.All'], type: 'AllPrincipals' }]);

    await asking.press('go on from here');
    await asking.press('Continue with what is granted');
    expect(await heading(person.page)).toBe('done');
    await Promise.all([person.close(), reviewer.close()]);
  });

  test('a person consents, sees what he allowed, and takes it back', async () => {
    const { page, close } = await world.visitor();
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
    expect(await heading(page)).toBe('Access is taken back');
    await close();
  });

  test('an administrator changes a policy, and asks why an application gets what it gets', async () => {
    const { page, close } = await world.visitor();
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
    await close();
  });
});
