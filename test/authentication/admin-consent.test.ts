import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aPerson, aWebApplication, enterPassword, type Person, type WebApplication } from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;
let alice: Person;
let admin: Person;
let globalAdmin: Person;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  alice = await aPerson(database, server, tenant);
  admin = await aPerson(database, server, tenant, { name: 'Ada', roles: ['Application Administrator'] });
  globalAdmin = await aPerson(database, server, tenant, { name: 'Grace', roles: ['Global Administrator'] });
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const addressFor = ({ appId, redirectUri }: WebApplication, parameters: Record<string, string | undefined> = {}) => {
  const all = { client_id: appId, redirect_uri: redirectUri, state: 's-1', ...parameters };
  const given = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, string]],
  );
  return `/${tenant.id}/v2.0/adminconsent?${new URLSearchParams(given)}`;
};
const answerOf = ({ location }: Page) => Object.fromEntries(location?.searchParams ?? []);
const granted = async ({ appId }: WebApplication) =>
  asSuperuser<{ what: string }>(
    database,
    `select 'scope ' || s as what from oauth2_permission_grants g join service_principals c on c.id = g.client_id
        cross join unnest(g.scope) s where c.app_id = $1 and g.principal_id is null
      union all select 'role' from app_role_assignments r join service_principals c on c.id = r.service_principal_id
        where c.app_id = $1 order by 1`,
    [appId],
  ).then((rows) => rows.map(({ what }) => what));

async function arrive(person: Person, address: string) {
  const browser = new Browser(server.origin);
  return { browser, page: await enterPassword(browser, await browser.open(address), person) };
}

const aForeign = (requires = {}) => aWebApplication(database, other, { name: 'Analytics', published: true, requires });

describe('admin consent', () => {
  test('asks for the whole organization, and answers the application', async () => {
    const application = await aForeign();
    const scope = 'openid User.Read.All';
    const { browser, page } = await arrive(admin, addressFor(application, { scope }));
    expect(headingOf(page)).toBe('Allow access for everybody?');
    const done = await browser.submit(page, { decision: 'accept' });
    expect(done.location?.origin).toBe('https://app.example');
    expect(answerOf(done)).toEqual({ admin_consent: 'True', tenant: tenant.id, scope, state: 's-1' });
    expect(await granted(application)).toEqual(['scope User.Read.All', 'scope openid']);
  });

  test('without scope or with .default asks for all that is required, app roles too', async () => {
    for (const scope of [undefined, 'https://graph.microsoft.com/.default']) {
      const application = await aForeign({ scopes: ['User.Read'], roles: ['User.Read.All', 'AuditLog.Read.All'] });
      const { browser, page } = await arrive(globalAdmin, addressFor(application, { scope }));
      expect(textOf(page)).toMatch(/On behalf of a signed-in user.*User.Read.*Without a signed-in user.*User.Read.All/);
      const done = await browser.submit(page, { decision: 'accept' });
      expect(answerOf(done).admin_consent).toBe('True');
      expect(await granted(application)).toEqual(['role', 'role', 'scope User.Read']);
    }
  });

  test('of app roles of the directory API needs more than an application administrator', async () => {
    const application = await aForeign({ roles: ['User.Read.All'] });
    const { browser, page } = await arrive(admin, addressFor(application));
    expect([page.status, headingOf(page)]).toEqual([403, 'An administrator has to approve this']);
    const done = await browser.submit(page, { decision: 'accept' });
    expect(answerOf(done)).toMatchObject({ error: 'access_denied', state: 's-1' });
    expect(await granted(application)).toEqual([]);
  });

  test('CON-24: is not for anybody', async () => {
    const application = await aForeign();
    const { browser, page } = await arrive(alice, addressFor(application, { scope: 'openid' }));
    expect([page.status, headingOf(page)]).toEqual([403, 'An administrator has to approve this']);
    const done = await browser.submit(page, { decision: 'accept' });
    expect(answerOf(done)).toEqual({
      error: 'access_denied',
      error_description: expect.stringContaining('90094'),
      state: 's-1',
    });
    expect(await granted(application)).toEqual([]);
  });

  test.each([
    ['an address that is not registered', { redirect_uri: 'https://evil.example/callback' }],
    ['an address that only begins like a registered one', { redirect_uri: 'https://app.example/callback/../evil' }],
    ['no state', { state: undefined }],
    ['no application', { client_id: undefined }],
    ['an unknown application', { client_id: '00000000-0000-4000-8000-000000000001' }],
    ['a scope without end', { scope: 'x'.repeat(5_000) }],
  ])('CON-24: with %s ends on a page of ours', async (_what, parameters) => {
    const page = await new Browser(server.origin).open(addressFor(await aForeign(), parameters));
    expect([page.status, page.location]).toEqual([400, undefined]);
    expect(page.text).toContain('What you can do');
  });

  test('CON-24: with a doubled parameter ends on a page of ours', async () => {
    const address = `${addressFor(await aForeign())}&redirect_uri=https%3A%2F%2Fevil.example`;
    expect((await new Browser(server.origin).open(address)).status).toBe(400);
  });

  test('CON-24: can not be given by a form of another site', async () => {
    const application = await aForeign();
    const { browser, page } = await arrive(admin, addressFor(application, { scope: 'openid' }));
    browser.formHeaders = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
    expect((await browser.submit(page, { decision: 'accept' })).status).toBe(403);
    browser.formHeaders = {};
    expect((await browser.submit(page, { decision: 'accept', csrf: 'x' })).status).toBe(400);
    expect(await granted(application)).toEqual([]);
  });

  test('an application of another organization that is not published is unknown', async () => {
    const application = await aWebApplication(database, other);
    const page = await new Browser(server.origin).open(addressFor(application));
    expect([page.status, headingOf(page)]).toEqual([400, 'We do not know this application']);
    expect(page.text).not.toContain('Web App');
  });

  test('is left by cancelling', async () => {
    const application = await aForeign();
    const { browser, page } = await arrive(admin, addressFor(application, { scope: 'openid' }));
    const done = await browser.submit(page, { decision: 'cancel' });
    expect(answerOf(done)).toEqual({
      error: 'access_denied',
      error_description: expect.stringContaining('65004'),
      state: 's-1',
    });
  });

  test('by the link of the approval page, ends on a page of ours', async () => {
    const application = await aForeign();
    const address = addressFor(application, { scope: 'openid', redirect_uri: undefined, state: undefined });
    const { browser, page } = await arrive(admin, address);
    const done = await browser.submit(page, { decision: 'accept' });
    expect([done.status, headingOf(done)]).toEqual([200, 'Access is allowed']);
    expect(await granted(application)).toEqual(['scope openid']);
  });

  test('can be given by somebody else than who is signed in', async () => {
    const application = await aForeign();
    const { browser, page } = await arrive(alice, addressFor(application, { scope: 'openid' }));
    const form = await browser.open(`${page.url}?account=other`);
    const again = await enterPassword(browser, form, admin);
    expect(headingOf(again)).toBe('Allow access for everybody?');
    expect(answerOf(await browser.submit(again, { decision: 'accept' })).admin_consent).toBe('True');
  });
});
