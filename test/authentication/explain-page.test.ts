import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aPerson, aWebApplication, enterPassword, type Person, signIn } from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;
let browser: Browser;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  [tenant, other] = [await aTenant(database, 'Contoso'), await aTenant(database, 'Fabrikam')];
  browser = await signedIn(await aPerson(database, server, tenant, { name: 'Rita', roles: ['Global Reader'] }));
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

async function signedIn(person: Person): Promise<Browser> {
  const fresh = new Browser(server.origin);
  await enterPassword(fresh, await fresh.open(`/${tenant.id}/account`), person);
  return fresh;
}

const explain = (question: Record<string, string>, by = browser) =>
  by.open(`/${tenant.id}/admin/explain?${new URLSearchParams(question)}`);

/** An application of that tenant, with a person who consented to it. */
async function used(name: string, of = tenant) {
  const app = await aWebApplication(database, of, { name });
  const person = await aPerson(database, server, of, { name: 'Alice' });
  await signIn(server, of, app, person);
  return { app, person };
}

describe('the page that explains', () => {
  test('says what a token would carry, and by whose act', async () => {
    const { app, person } = await used('Told');
    const page = textOf(await explain({ client: app.appId, user: person.username, scope: 'User.Read User.Read.All' }));
    expect(page).toContain(`Told gets a token for ${person.username}`);
    expect(page).toMatch(/In Bailiwick Directory it carries User\.Read How that was decided/);
    expect(page).toMatch(/Permission User\.Read Passed It was granted\. For this person, by Alice, on \d+ \w{3} \d{4}/);
    expect(page).toMatch(/Permission User\.Read\.All Left out Neither the user nor an administrator has consented/);
  });

  test('names an application that consented, and says who is gone', async () => {
    const { app, person } = await used('Provisioned');
    const { app: other } = await used('Provisioning');
    const by = (text: string, values: unknown[]) =>
      asSuperuser(
        database,
        `update oauth2_permission_grants set origins = jsonb_set(origins, '{0,by}', to_jsonb((${text})::text))
          where client_id = (select id from service_principals where app_id = $1)`,
        [app.appId, ...values],
      );
    const told = async () => textOf(await explain({ client: app.appId, user: person.username, scope: 'User.Read' }));
    await by('select id from service_principals where app_id = $2', [other.appId]);
    expect(await told()).toContain('For this person, by Provisioning, on');
    await by('select gen_random_uuid()', []);
    expect(await told()).toContain('For this person, by somebody who is gone, on');
  });

  test('says why there is none, with the number that the application is told', async () => {
    const { app, person } = await used('Stopped');
    await asSuperuser(database, 'update service_principals set account_enabled = false where app_id = $1', [app.appId]);
    const page = textOf(await explain({ client: app.appId, user: person.username }));
    expect(page).toMatch(/Stopped gets no token for .* AADSTS7000112: The application is disabled/);
    expect(textOf(await explain({ client: app.appId }))).toContain('Stopped gets no token on its own');
  });

  test('is reached from an application’s own page', async () => {
    const { app } = await used('Linked');
    const list = await browser.open(`/${tenant.id}/admin/applications?search=Linked`);
    const [, href = ''] = /class="row" href="([^"]+)"/.exec(list.text) ?? [];
    expect((await browser.open(href)).text).toContain(`/admin/explain?client=${app.appId}"`);
    expect(textOf(list)).toMatch(/Applications Requests Policies Explain Report/);
  });

  test('comes back with the question when the person has to sign in first', async () => {
    const { app, person } = await used('After');
    const admin = await aPerson(database, server, tenant, { name: 'Ada', roles: ['Global Administrator'] });
    const fresh = new Browser(server.origin);
    const page = await explain({ client: app.appId, user: person.username }, fresh);
    expect(headingOf(page)).toBe('Sign in');
    expect(textOf(await enterPassword(fresh, page, admin))).toContain('After gets a token');
  });

  const tooMuch = { scope: 'https://graph.microsoft.com/User.Read api://elsewhere/Read' };
  test.each([
    ['no application ID', { client: 'Told' }, 'An application ID looks like'],
    ['an unknown person', { user: 'nobody@nowhere.example' }, 'Nobody in this organization has that user name'],
    ['several resources', tooMuch, 'A token is for one resource'],
    ['control characters', { scope: 'User.Read\n' + 'x\u0007' }, 'Control characters are not allowed'],
  ])('answers %s with what is wrong', async (_what, question, said) => {
    const { app } = await used('Asked');
    const page = await explain({ client: app.appId, ...question });
    expect([page.status, textOf(page)]).toEqual([400, expect.stringContaining(said)]);
  });

  test('TEN-01: another organization’s application and people are not there, byte for byte like none', async () => {
    const { app } = await used('Mine');
    const foreign = await used('Foreign', other);
    const plain = ({ status, text }: Page) => [status, text.replace(/ value="[^"]*"/g, '')]; // what was asked
    const [theirs, none] = [
      await explain({ client: foreign.app.appId }),
      await explain({ client: '7d9f3c52-0000-4000-8000-000000000001' }),
    ];
    expect(plain(theirs)).toEqual(plain(none));
    expect(textOf(theirs)).toContain('It gets no token on its own AADSTS700016');
    const [person, nobody] = [
      await explain({ client: app.appId, user: foreign.person.username }),
      await explain({ client: app.appId, user: 'nobody@nowhere.example' }),
    ];
    expect(plain(person)).toEqual(plain(nobody));
  });

  test('SES-02: is not shown to whom it is not for', async () => {
    const { app, person } = await used('Secret');
    const page = await explain({ client: app.appId }, await signedIn(person));
    expect([page.status, textOf(page)]).toEqual([403, expect.not.stringContaining('Secret')]);
  });

  test('RED-17: what was asked stands on the page as text, and the page is kept nowhere', async () => {
    const attack = '"><script>alert(1)</script>';
    const page = await explain({ client: attack, user: attack, resource: attack, scope: attack });
    expect(page.text).not.toContain('<script');
    expect(page.text).toContain('&quot;&gt;&lt;script&gt;');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self'");
    expect(page.headers.get('cache-control')).toBe('no-store');
  });

  test('CON-27: an application’s name can neither reorder nor break the answer', async () => {
    const { app, person } = await used('Safe\u202Etxt.exe\u200B');
    const page = await explain({ client: app.appId, user: person.username });
    expect(page.text).toContain('<bdi>Safetxt.exe</bdi> gets a token');
  });
});
