import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, formsOf, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
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

const appRoleId = (value: string) => DIRECTORY_API.appRoles.find((role) => role.value === value)?.id;

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;
let admin: Person;
let reader: Person;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  [tenant, other] = [await aTenant(database, 'Contoso'), await aTenant(database, 'Fabrikam')];
  admin = await aPerson(database, server, tenant, { name: 'Ada', roles: ['Global Administrator'] });
  reader = await aPerson(database, server, tenant, { name: 'Rita', roles: ['Global Reader'] });
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const at = (below = '', of = tenant) => `/${of.id}/admin${below}`;
const formTo = (page: Page, end: string) => formsOf(page).findIndex(({ action }) => action.endsWith(end));

async function administrator(person = admin) {
  const browser = new Browser(server.origin);
  await enterPassword(browser, await browser.open(at('', tenant)), person);
  return browser;
}

/** An application that a person uses, with the page on which it is administered. */
async function used(
  name: string,
  of = tenant,
): Promise<{ app: WebApplication; person: Person; browser: Browser; path: string }> {
  const app = await aWebApplication(database, of, { name });
  const person = await aPerson(database, server, of, { name: 'Alice' });
  const { browser } = await signIn(server, of, app, person);
  const [row] = await asSuperuser<{ id: string }>(
    database,
    'select id from service_principals where tenant_id = $1 and app_id = $2',
    [of.id, app.appId],
  );
  return { app, person, browser, path: `/applications/${row?.id}` };
}

const goesOn = async ({ browser, app }: { browser: Browser; app: WebApplication }) =>
  (await browser.open(new Authorize(server, tenant, app, { prompt: 'none' }).url)).location?.searchParams.has('code');

describe('the administrators’ pages', () => {
  test('are for those who may see them, and offer what each may do', async () => {
    const nobody = await aPerson(database, server, tenant, { name: 'Noah' });
    const browser = new Browser(server.origin);
    const refused = await enterPassword(browser, await browser.open(at()), nobody);
    expect([refused.status, headingOf(refused)]).toEqual([403, 'This is not for you']);
    const { path } = await used('Seen');
    const page = await (await administrator(reader)).open(at(path));
    expect([headingOf(page), formsOf(page).length]).toEqual(['Seen', 0]);
    const full = await (await administrator()).open(at(path));
    expect(formsOf(full).map(({ action }) => action.split('/').at(-1))).toEqual([
      'revoke',
      'enabled',
      'revoke',
      'remove',
    ]);
  });

  test.each(['/applications', '/policies', '/report'])(
    'SES-02: %s can not be shown to whom it is not for',
    async (area) => {
      const nobody = await aPerson(database, server, tenant, { name: 'Noah' });
      const browser = new Browser(server.origin);
      expect((await enterPassword(browser, await browser.open(at(area)), nobody)).status).toBe(403);
      expect((await browser.open(at(area))).status).toBe(403);
    },
  );

  test('list applications by name, and find them', async () => {
    const browser = await administrator();
    await used('Zebra Forms');
    expect(textOf(await browser.open(at('/applications')))).toContain('Zebra Forms');
    expect(textOf(await browser.open(at('/applications?search=zEbRa')))).toContain('Zebra Forms');
    expect(textOf(await browser.open(at('/applications?search=Zebra%25')))).toContain('No application has a name');
  });

  test('say what an application may do, for whom, since when, and who consented', async () => {
    const { path, person } = await used('Told');
    const page = textOf(await (await administrator()).open(at(path)));
    expect(page).toMatch(/For certain people alone Alice .*User\.Read.*Since \d+ \w{3} \d{4}/);
    expect(page).toMatch(/Told In this organization, {1,2}(last used|not used yet)/);
    expect(person.username).toBeTruthy();
  });

  test('name who gave an application its own permissions: a person, an application, the operator, or who is gone', async () => {
    const [{ path, person }, granter] = [await used('Given'), await used('Provisioning')];
    const roles = { 'User.Read.All': person.id, 'Group.Read.All': granter.path.split('/').at(-1) };
    const given = { ...roles, 'AuditLog.Read.All': null, 'Application.Read.All': crypto.randomUUID() };
    for (const [role, by] of Object.entries(given))
      await asSuperuser(
        database,
        `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id, granted_by)
          select $1, gen_random_uuid(), 'ServicePrincipal', $2, s.id, $4, $5 from service_principals s
          where s.tenant_id = $1 and s.app_id = $3`,
        [tenant.id, path.split('/').at(-1), DIRECTORY_APP_ID, appRoleId(role), by],
      );
    const page = textOf(await (await administrator()).open(at(path)));
    for (const [role, by] of Object.entries({
      ...{ 'User.Read.All': 'Alice', 'Group.Read.All': 'Provisioning' },
      ...{ 'AuditLog.Read.All': 'the operator', 'Application.Read.All': 'somebody who is gone' },
    }))
      expect(page).toMatch(new RegExp(`${role} in .{1,40} Since \\d+ \\w{3} \\d{4} , by ${by}`));
  });

  test('CON-27: another organization’s application is not found, byte for byte like none', async () => {
    const foreign = await used('Foreign', other);
    const browser = await administrator();
    const [theirs, none] = [
      await browser.open(at(foreign.path)),
      await browser.open(at('/applications/7d9f3c52-0000-4000-8000-000000000001')),
    ];
    const plain = ({ status, text }: Page) => [status, text.replace(/[0-9a-f-]{36}|\d{4}-\d\d-\d\d[T ][\d:.]+/g, '')];
    expect([theirs.status, plain(theirs)]).toEqual([404, plain(none)]);
  });
});

describe('an administrator', () => {
  test('disables an application, and enables it again', async () => {
    const one = await used('Paused');
    const browser = await administrator();
    const page = await browser.open(at(one.path));
    const disabled = await browser.submit(page, { decision: 'accept' }, formTo(page, '/enabled'));
    expect(textOf(disabled)).toContain('Disabled here');
    expect(await goesOn(one)).toBe(false);
    await browser.submit(disabled, { decision: 'accept' }, formTo(disabled, '/enabled'));
    expect(await goesOn(one)).toBe(true);
  });

  test('revokes for one person, and the page says what it was', async () => {
    const one = await used('For one');
    const bob = await aPerson(database, server, tenant, { name: 'Bob' });
    const bobs = await signIn(server, tenant, one.app, bob);
    const browser = await administrator();
    const page = await browser.open(at(one.path));
    const ofAlice = formsOf(page).findIndex(({ fields }) => fields.principal === one.person.id);
    const done = await browser.submit(page, { decision: 'accept' }, ofAlice);
    expect([headingOf(done), textOf(done)]).toEqual([
      'Access revoked',
      expect.stringMatching(/For one has lost its access for Alice.*User\.Read.*1 sign-in ended, of 1 person/),
    ]);
    expect([await goesOn(one), await goesOn({ ...one, browser: bobs.browser })]).toEqual([false, true]);
  });

  test('revokes for everybody, and removes only when sure', async () => {
    const one = await used('Removed');
    const browser = await administrator();
    const page = await browser.open(at(one.path));
    const forAll = formsOf(page).findIndex(({ action, fields }) => action.endsWith('/revoke') && !fields.principal);
    expect(textOf(await browser.submit(page, { decision: 'accept' }, forAll))).toContain(
      'lost its access for everybody',
    );
    expect(await goesOn(one)).toBe(false);
    const unsure = await browser.submit(page, { decision: 'accept' }, formTo(page, '/remove'));
    expect(headingOf(unsure)).toBe('Removed');
    const sure = await browser.submit(unsure, { decision: 'accept', sure: 'true' }, formTo(unsure, '/remove'));
    expect(headingOf(sure)).toBe('Application removed');
    expect((await browser.open(at(one.path))).status).toBe(404);
  });

  test('SES-02: does nothing by a form that is not of this session', async () => {
    const one = await used('Safe');
    const browser = await administrator();
    const page = await browser.open(at(one.path));
    for (const end of ['/enabled', '/revoke', '/remove']) {
      expect((await browser.submit(page, { csrf: 'forged', sure: 'true' }, formTo(page, end))).status).toBe(400);
    }
    browser.formHeaders = { 'Sec-Fetch-Site': 'cross-site' };
    expect((await browser.submit(page, {}, formTo(page, '/enabled'))).status).toBe(403);
    expect(await goesOn(one)).toBe(true);
  });

  test('CON-04: a reader who forges the form is refused, and it is recorded', async () => {
    const one = await used('Kept');
    const [full, mere] = [await administrator(), await administrator(reader)];
    const form = await full.open(at(one.path));
    const csrf = formsOf(await mere.open(`/${tenant.id}/account`))[0]?.fields.csrf ?? '';
    for (const end of ['/enabled', '/revoke', '/remove']) {
      const refused = await mere.submit(form, { csrf, sure: 'true', decision: 'accept' }, formTo(form, end));
      expect([end, refused.status]).toEqual([end, 403]);
    }
    expect(await goesOn(one)).toBe(true);
    const audits = await asSuperuser(
      database,
      `select activity_display_name from directory_audits where result = 'failure' and initiated_by -> 'user' ->> 'id' = $1`,
      [reader.id],
    );
    expect(audits.length).toBeGreaterThanOrEqual(3);
  });

  test('sets what people may allow themselves; it counts in the next request', async () => {
    const browser = await administrator();
    const app = await aWebApplication(database, tenant, { name: 'Asked' });
    const page = await browser.open(at('/policies'));
    expect(textOf(page)).toContain('bailiwick-user-default');
    const none = await browser.submit(page, { decision: 'accept', 'policy-bailiwick-user-default': '' }, 0);
    expect(textOf(none)).toContain('Saved. It counts from now on.');
    const stranger = new Browser(server.origin);
    const alice = await aPerson(database, server, tenant);
    const asked = await enterPassword(stranger, await stranger.open(new Authorize(server, tenant, app).url), alice);
    expect(headingOf(asked)).toBe('An administrator has to approve this');
    await browser.submit(none, { decision: 'accept', 'policy-bailiwick-user-default': 'true' }, 0);
    expect(headingOf(await stranger.open(new Authorize(server, tenant, app).url))).toBe('Allow access?');
  });

  test('sees in the report what nobody uses', async () => {
    await used('Idle');
    expect(textOf(await (await administrator()).open(at('/report')))).toMatch(/Idle.*Nobody owns it/);
  });
});
