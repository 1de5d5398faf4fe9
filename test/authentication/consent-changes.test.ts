import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
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

/** While a person reads what he is asked, everything that he is asked can change behind the page. */
let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let publisher: TestTenant;
let admin: Person;
let application: WebApplication;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  publisher = await aTenant(database, 'Fabrikam');
  admin = await aPerson(database, server, tenant, { name: 'Grace', roles: ['Global Administrator'] });
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const requires = (scope: string, role: string) =>
  JSON.stringify([
    {
      resourceAppId: DIRECTORY_APP_ID,
      resourceAccess: [
        { id: DIRECTORY_API.oauth2PermissionScopes.find(({ value }) => value === scope)?.id, type: 'Scope' },
        { id: DIRECTORY_API.appRoles.find(({ value }) => value === role)?.id, type: 'Role' },
      ],
    },
  ]);

/** As its owner, in another tenant, changes and publishes it. */
const change = async (column: string, value: string) => {
  await asSuperuser(database, `update applications set ${column} = $2 where app_id = $1`, [application.appId, value]);
  await asSuperuser(database, `update published_applications set ${column} = $2 where app_id = $1`, [
    application.appId,
    value,
  ]);
  await asSuperuser(database, 'update published_application_versions set version = version + 1 where app_id = $1', [
    application.appId,
  ]);
};
const granted = () =>
  asSuperuser<{ what: string }>(
    database,
    `select unnest(g.scope) as what from oauth2_permission_grants g join service_principals c on c.id = g.client_id
        where c.app_id = $1
      union all select r.app_role_id::text from app_role_assignments r
        join service_principals c on c.id = r.service_principal_id where c.app_id = $1 order by 1`,
    [application.appId],
  ).then((rows) => rows.map(({ what }) => what));

const DIRECTORY = 'https://graph.microsoft.com';

async function arrive(address: () => string) {
  application = await aWebApplication(database, publisher, { name: 'Analytics', published: true });
  await change('required_resource_access', requires('User.Read', 'User.Read.All'));
  const browser = new Browser(server.origin);
  const page = await enterPassword(browser, await browser.open(address()), admin);
  return { browser, page };
}

describe.each(['consent', 'admin consent'])('what stood on the page of %s is what is granted', (kind) => {
  const address = () =>
    kind === 'consent'
      ? new Authorize(server, tenant, application, { scope: `${DIRECTORY}/.default openid` }).url
      : `/${tenant.id}/v2.0/adminconsent?client_id=${application.appId}`;
  const accept = (browser: Browser, page: Page) =>
    browser.submit(page, { decision: 'accept', ...(kind === 'consent' ? { forOrganization: 'true' } : {}) });

  test('CON-03: not what the application has come to require meanwhile', async () => {
    const { browser, page } = await arrive(address);
    expect(textOf(page)).not.toContain('RoleManagement.ReadWrite.Directory');
    await change(
      'required_resource_access',
      requires('RoleManagement.ReadWrite.Directory', 'RoleManagement.ReadWrite.Directory'),
    );
    const again = await accept(browser, page);
    expect(await granted()).toEqual([]);
    expect(headingOf(again)).toBe(headingOf(page));
    expect(textOf(again)).toContain('RoleManagement.ReadWrite.Directory');
    await accept(browser, again);
    expect(await granted()).toContain('RoleManagement.ReadWrite.Directory');
  });

  test('CON-27: not to somebody who calls himself otherwise since', async () => {
    const { browser, page } = await arrive(address);
    await change('display_name', 'Contoso Payroll');
    const again = await accept(browser, page);
    expect(await granted()).toEqual([]);
    expect(textOf(again)).toContain('Contoso Payroll');
  });

  test('control: what did not change', async () => {
    const { browser, page } = await arrive(address);
    await accept(browser, page);
    expect(await granted()).toContain('User.Read');
  });
});

test('SES-04: who signs in meanwhile in the same browser is asked himself', async () => {
  const { browser, page } = await arrive(() => `/${tenant.id}/v2.0/adminconsent?client_id=${application.appId}`);
  const second = await aPerson(database, server, tenant, { name: 'Ada', roles: ['Global Administrator'] });
  await browser.submit(await browser.open(`/${tenant.id}/account`), {}, 0);
  const account = await enterPassword(browser, await browser.open(`/${tenant.id}/account`), second);
  expect(textOf(account)).toContain(second.username);
  const again = await browser.submit(page, { decision: 'accept' });
  expect(await granted()).toEqual([]);
  expect(textOf(again)).toContain(second.username);
});
