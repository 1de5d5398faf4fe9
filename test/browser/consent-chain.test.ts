import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aCallbackServer } from '../support/callback-server.ts';
import { aChromium } from '../support/chromium.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { Authorize, aPerson, aWebApplication, type Person, redeem, type WebApplication } from '../support/sign-in.ts';
import { aTenant, type TestTenant } from '../support/tenants.ts';
import { aVisitor, fillSignIn, heading, press } from '../support/visitor.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let callback: Awaited<ReturnType<typeof aCallbackServer>>;
let browser: Browser;
let contoso: TestTenant;
let analytics: WebApplication;
let alice: Person;
let ada: Person;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  callback = await aCallbackServer();
  browser = await aChromium();
  contoso = await aTenant(database, 'Contoso');
  const fabrikam = await aTenant(database, 'Fabrikam');
  analytics = await aWebApplication(database, fabrikam, {
    ...{ name: 'Fabrikam Analytics', redirectUri: callback.redirectUri, published: true },
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

const at = (path: string) => `${server.origin}/${contoso.id}${path}`;

const visitor = (javaScriptEnabled: boolean) => aVisitor(browser, { javaScriptEnabled });

const refresh = (token: string | undefined) =>
  redeem(server, contoso, analytics, { grant_type: 'refresh_token', refresh_token: token ?? '' });

describe('the chain of consent in a browser', () => {
  test.each([
    ['with JavaScript', true],
    ['without JavaScript', false],
  ])('%s: refused, a part is granted, the person goes on with it, takes it back, and it is over', async (_what, js) => {
    const [person, administrator] = [await visitor(js), await visitor(js)];
    const scope = 'openid offline_access User.Read User.Read.All';
    const first = new Authorize(server, contoso, analytics, { scope });
    await person.page.goto(first.url);
    await fillSignIn(person.page, alice);
    expect(await heading(person.page)).toBe('An administrator has to approve this');

    const part = new URLSearchParams({ client_id: analytics.appId, scope: 'openid offline_access User.Read' });
    await administrator.page.goto(at(`/v2.0/adminconsent?${part}`));
    await fillSignIn(administrator.page, ada);
    await press(administrator.page, 'Accept for everybody');
    expect(await heading(administrator.page)).toBe('Access is allowed');

    const asked = new Authorize(server, contoso, analytics, { scope });
    await person.page.goto(asked.url);
    expect(await heading(person.page)).toBe('An administrator has to approve this');
    await press(person.page, 'Continue with what is granted');
    expect(await heading(person.page)).toBe('done');
    const code = new URL(person.page.url()).searchParams.get('code') ?? '';
    const tokens = await redeem(server, contoso, analytics, { code, code_verifier: asked.verifier });
    expect(tokens.scope?.split(' ').sort()).toEqual(['User.Read', 'offline_access', 'openid']);

    await person.page.goto(at('/my-applications'));
    await press(person.page, 'Fabrikam Analytics', 'link');
    await press(person.page, 'Take back');
    expect(await heading(person.page)).toBe('Access is taken back');
    expect(await person.page.textContent('main')).toContain('Still allowed by your organization');
    expect((await refresh(tokens.refresh_token)).error).toBe('invalid_grant');

    await administrator.page.goto(at('/admin/applications?search=Fabrikam'));
    await press(administrator.page, 'Fabrikam Analytics', 'link');
    await administrator.page.getByLabel('Yes, remove it').check();
    await press(administrator.page, 'Remove from this organization');
    expect(await heading(administrator.page)).toBe('Application removed');
    await person.page.goto(new Authorize(server, contoso, analytics, { scope: 'openid User.Read.All' }).url);
    expect(await heading(person.page)).toBe('An administrator has to approve this');
    expect([person.complaints, administrator.complaints]).toEqual([[], []]);
    await Promise.all([person.context.close(), administrator.context.close()]);
  });
});
