import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { Browser, formsOf, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import {
  Authorize,
  aPerson,
  aWebApplication,
  enterPassword,
  type Person,
  redeem,
  signIn,
  type WebApplication,
} from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;
let alice: Person;
let bob: Person;
let admin: Person;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  alice = await aPerson(database, server, tenant);
  bob = await aPerson(database, server, tenant, { name: 'Bob' });
  admin = await aPerson(database, server, tenant, { name: 'Ada', roles: ['Cloud Application Administrator'] });
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

interface Grant {
  readonly for: string | null;
  readonly resource: string;
  readonly scope: string[];
}

const grantsOf = (application: WebApplication) =>
  asSuperuser<Grant>(
    database,
    `select g.principal_id as "for", r.app_id as resource, array(select unnest(g.scope) order by 1) as scope
      from oauth2_permission_grants g
      join service_principals c on c.tenant_id = g.tenant_id and c.id = g.client_id
      join service_principals r on r.tenant_id = g.tenant_id and r.id = g.resource_id
      where c.app_id = $1 and g.tenant_id = $2 order by g.principal_id nulls first, r.app_id`,
    [application.appId, tenant.id],
  );
const auditsOf = (person: Person) =>
  asSuperuser<{ activity: string; result: string; targets: { type: string }[] }>(
    database,
    `select activity_display_name as activity, result, target_resources as targets from directory_audits
      where initiated_by -> 'user' ->> 'id' = $1 order by sequence`,
    [person.id],
  );
const answerOf = ({ location }: Page) => Object.fromEntries(location?.searchParams ?? []);

/** Signs a person in up to what comes after the password. */
async function arrive(person: Person, application: WebApplication, parameters: Record<string, string> = {}) {
  const browser = new Browser(server.origin);
  const asked = new Authorize(server, tenant, application, parameters);
  const page = await enterPassword(browser, await browser.open(asked.url), person);
  return { browser, page, asked };
}

/** An API of an organization, with one scope for users and one for administrators. */
async function anApi(home: TestTenant) {
  const appId = randomUUID();
  const scope = (value: string, type: string) => ({
    ...{ id: randomUUID(), value, type, isEnabled: true },
    ...{ adminConsentDisplayName: `${value} for all`, adminConsentDescription: `Admin: ${value}.` },
    ...{ userConsentDisplayName: `${value} for you`, userConsentDescription: `User: ${value}.` },
  });
  const scopes = JSON.stringify([scope('Orders.Read', 'User'), scope('Orders.Purge', 'Admin')]);
  await asSuperuser(
    database,
    `insert into applications (tenant_id, id, app_id, display_name, identifier_uris, oauth2_permission_scopes)
      values ($1, gen_random_uuid(), $2, 'Orders', $3, $4)`,
    [home.id, appId, [`https://orders-${appId}.example`], scopes],
  );
  await asSuperuser(
    database,
    'insert into service_principals (tenant_id, id, app_id, app_owner_organization_id) values ($1, gen_random_uuid(), $2, $1)',
    [home.id, appId],
  );
  return { appId, uri: `https://orders-${appId}.example` };
}

describe('the consent page', () => {
  test('says who asks, for what and for whom, and gives what was accepted to this person alone', async () => {
    const application = await aWebApplication(database, tenant, { name: 'HR' });
    const { browser, page } = await arrive(alice, application);
    expect(headingOf(page)).toBe('Allow access?');
    const text = textOf(page);
    for (const words of [
      'HR',
      'Your organization',
      application.appId,
      'app.example',
      'User.Read',
      'you only',
      alice.username,
    ]) {
      expect(text).toContain(words);
    }
    expect(text).not.toContain('Consent on behalf of');
    const done = await browser.submit(page, { decision: 'accept' });
    expect(answerOf(done).code).toBeTruthy();
    const scope = ['User.Read', 'offline_access', 'openid', 'profile'];
    expect(await grantsOf(application)).toEqual([{ for: alice.id, resource: DIRECTORY_APP_ID, scope }]);
  });

  test('leaves an audit record of who consented to what, the new service principal included', async () => {
    const carol = await aPerson(database, server, tenant, { name: 'Carol' });
    await signIn(server, tenant, await aWebApplication(database, tenant), carol);
    expect(await auditsOf(carol)).toEqual([
      {
        activity: 'Consent to application',
        result: 'success',
        targets: [
          expect.objectContaining({ type: 'ServicePrincipal' }),
          expect.objectContaining({ type: 'OAuth2PermissionGrant' }),
        ],
      },
    ]);
  });

  test('marks what is new, and adds to what was granted without taking any away', async () => {
    const application = await aWebApplication(database, tenant);
    await signIn(server, tenant, application, alice, { scope: 'openid profile' });
    const { browser, page } = await arrive(alice, application, { scope: 'openid User.Read' });
    expect(headingOf(page)).toBe('Allow further access?');
    expect(textOf(page)).toMatch(/Already granted to you.*New|New.*Already granted to you/);
    await browser.submit(page, { decision: 'accept' });
    const [grant] = await grantsOf(application);
    expect(grant?.scope).toEqual(['User.Read', 'openid', 'profile']);
  });

  test('is left by cancelling: the application is told, and nothing is granted', async () => {
    const application = await aWebApplication(database, tenant);
    const { browser, page, asked } = await arrive(alice, application);
    const done = await browser.submit(page, { decision: 'cancel' });
    expect(answerOf(done)).toMatchObject({
      error: 'access_denied',
      error_description: expect.stringContaining('65004'),
      state: asked.state,
    });
    expect(await grantsOf(application)).toEqual([]);
  });

  test('asks again for prompt=consent, and changes nothing when nothing is new', async () => {
    const application = await aWebApplication(database, tenant);
    await signIn(server, tenant, application, alice);
    const before = await grantsOf(application);
    const { browser, page } = await arrive(alice, application, { prompt: 'consent' });
    expect(headingOf(page)).toMatch(/^Allow/);
    expect(answerOf(await browser.submit(page, { decision: 'accept' })).code).toBeTruthy();
    expect(await grantsOf(application)).toEqual(before);
  });

  test('asks for several APIs at once; a token is for one of them', async () => {
    const api = await anApi(tenant);
    const application = await aWebApplication(database, tenant);
    const scope = `openid offline_access User.Read ${api.uri}/Orders.Read`;
    const { browser, page, asked } = await arrive(alice, application, { scope });
    expect(textOf(page)).toContain('Orders.Read for you');
    const done = await browser.submit(page, { decision: 'accept' });
    const grants = await grantsOf(application);
    expect(grants.map(({ resource }) => resource).sort()).toEqual([DIRECTORY_APP_ID, api.appId].sort());
    const tokens = await redeem(server, tenant, application, {
      code: answerOf(done).code ?? '',
      code_verifier: asked.verifier,
      resource: api.uri,
    });
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: api.appId, scp: 'Orders.Read' });
  });

  test('takes .default for all that the application requires', async () => {
    const application = await aWebApplication(database, tenant, {
      requires: { scopes: ['openid', 'profile', 'User.Read'] },
    });
    const scope = 'https://graph.microsoft.com/.default';
    const { browser, page } = await arrive(alice, application, { scope });
    await browser.submit(page, { decision: 'accept' });
    const [grant] = await grantsOf(application);
    expect(grant?.scope).toEqual(['User.Read', 'openid', 'profile']);
    const again = await browser.open(new Authorize(server, tenant, application, { scope }).url);
    expect(answerOf(again).code).toBeTruthy();
  });

  test('does not ask in a circle when .default stands for nothing', async () => {
    const application = await aWebApplication(database, tenant);
    const { page } = await arrive(alice, application, { scope: 'https://graph.microsoft.com/.default' });
    expect(answerOf(page)).toMatchObject({
      error: 'access_denied',
      error_description: expect.stringContaining('asks for nothing'),
    });
  });

  test('CON-05: counts for nobody else', async () => {
    const application = await aWebApplication(database, tenant);
    await signIn(server, tenant, application, alice);
    const { browser, page } = await arrive(bob, application);
    expect(headingOf(page)).toBe('Allow access?');
    const silent = await browser.open(new Authorize(server, tenant, application, { prompt: 'none' }).url);
    expect(answerOf(silent).error).toBe('consent_required');
  });
});

describe('what a person may not consent to', () => {
  const asked = { scope: 'openid User.Read.All' };

  test('CON-04: shows who can approve, and is refused whatever is posted', async () => {
    const application = await aWebApplication(database, tenant);
    const mallory = await aPerson(database, server, tenant, { name: 'Mallory' });
    const { browser, page } = await arrive(mallory, application, asked);
    expect(headingOf(page)).toBe('An administrator has to approve this');
    expect(textOf(page)).toMatch(/Global Administrator.*adminconsent\?client_id=/);
    const done = await browser.submit(page, { decision: 'accept', forOrganization: 'true', scope: 'openid' });
    expect(answerOf(done)).toMatchObject({
      error: 'access_denied',
      error_description: expect.stringContaining('90094'),
    });
    expect(await grantsOf(application)).toEqual([]);
    expect(await auditsOf(mallory)).toEqual([{ activity: 'Consent to application', result: 'failure', targets: [] }]);
  });

  test('CON-04: a form can not widen what the stored request asks for', async () => {
    const application = await aWebApplication(database, tenant);
    const { browser, page } = await arrive(alice, application, { scope: 'openid' });
    await browser.submit(page, { decision: 'accept', scope: 'openid User.Read.All', resource: 'x', client_id: 'y' });
    expect((await grantsOf(application)).map(({ scope }) => scope)).toEqual([['openid']]);
  });

  test('CON-04: going on without the page leads back to the page', async () => {
    const application = await aWebApplication(database, tenant);
    const { browser, page } = await arrive(alice, application, asked);
    const uid = /interaction\/([^/?]+)/.exec(page.url)?.[1];
    const resumed = await browser.open(`/${tenant.id}/oauth2/v2.0/authorize/${uid}`);
    expect(headingOf(resumed)).toBe('An administrator has to approve this');
    const form = formsOf(page)[0];
    const forged = await browser.ask(form?.action.replace(/consent$/, 'select-account') ?? '', {
      method: 'POST',
      body: new URLSearchParams({ ...form?.fields, decision: 'accept' }),
      headers: browser.formHeaders,
    });
    expect(forged.status).toBe(400);
    expect(await grantsOf(application)).toEqual([]);
  });

  test('CON-04: for everybody, without being an administrator', async () => {
    const application = await aWebApplication(database, tenant);
    const { browser, page } = await arrive(alice, application);
    const done = await browser.submit(page, { decision: 'accept', forOrganization: 'true' });
    expect(answerOf(done).error).toBe('access_denied');
    expect(await grantsOf(application)).toEqual([]);
  });

  test('CON-04: an administrator who is one no longer', async () => {
    const application = await aWebApplication(database, tenant);
    const former = await aPerson(database, server, tenant, { name: 'Former', roles: ['Application Administrator'] });
    const { browser, page } = await arrive(former, application, asked);
    expect(textOf(page)).toContain('Consent on behalf of Contoso');
    await asSuperuser(database, 'delete from role_assignments where user_id = $1', [former.id]);
    const done = await browser.submit(page, { decision: 'accept', forOrganization: 'true' });
    expect(answerOf(done).error).toBe('access_denied');
    expect(await grantsOf(application)).toEqual([]);
  });

  test('CON-06: scopes of another organization’s API, and those of type Admin of his own', async () => {
    const application = await aWebApplication(database, tenant);
    const api = await anApi(tenant);
    const { page } = await arrive(alice, application, { scope: `${api.uri}/Orders.Purge` });
    expect(headingOf(page)).toBe('An administrator has to approve this');
    const { page: mixed } = await arrive(alice, application, { scope: `openid ${api.uri}/Orders.Read` });
    expect(headingOf(mixed)).toBe('Allow access?');
  });

  test('CON-06: an unverified application of another organization gets no more than the basic scopes', async () => {
    const foreign = await aWebApplication(database, other, { name: 'Analytics', published: true });
    const { page } = await arrive(alice, foreign, asked);
    expect(headingOf(page)).toBe('An administrator has to approve this');
    expect(textOf(page)).toContain('Unverified publisher');
    const { tokens } = await signIn(server, tenant, foreign, alice);
    expect(tokens.scope?.split(' ').sort()).toEqual(['User.Read', 'offline_access', 'openid', 'profile']);
  });
});

describe('an administrator', () => {
  test('decides for everybody, who then is not asked', async () => {
    const application = await aWebApplication(database, tenant);
    const { browser, page } = await arrive(admin, application, { scope: 'openid User.Read.All' });
    expect(textOf(page)).toContain('Consent on behalf of Contoso');
    await browser.submit(page, { decision: 'accept', forOrganization: 'true' });
    const scope = ['User.Read.All', 'openid'];
    expect(await grantsOf(application)).toEqual([{ for: null, resource: DIRECTORY_APP_ID, scope }]);
    const { page: theirs } = await arrive(bob, application, { scope: 'openid User.Read.All' });
    expect(answerOf(theirs).code).toBeTruthy();
  });

  test('decides for himself alone when he does not tick', async () => {
    const application = await aWebApplication(database, tenant);
    const { browser, page } = await arrive(admin, application, { scope: 'User.Read.All' });
    await browser.submit(page, { decision: 'accept' });
    expect((await grantsOf(application)).map((grant) => grant.for)).toEqual([admin.id]);
  });
});

describe('how an application presents itself', () => {
  test('CON-27: can not hide who it is', async () => {
    const imitation = await aWebApplication(database, other, {
      name: 'Cont\u043Eso \u202EHR\u200B\u0007 Portal',
      published: true,
    });
    const { page } = await arrive(alice, imitation);
    const text = textOf(page);
    expect(text).toContain('Look closely at the name');
    expect(text).toContain('Unverified publisher');
    expect(text).toContain(other.domain);
    expect(text).toContain(imitation.appId);
    expect(page.text).not.toMatch(/[\u202E\u200B]|\p{Cc}(?<!\n)/u);
    expect(page.text).not.toMatch(/<img[^>]*src="(?!http:\/\/localhost)/);
  });

  test('an application that is disabled here is not asked about', async () => {
    const application = await aWebApplication(database, tenant);
    await signIn(server, tenant, application, alice, { scope: 'openid' });
    await asSuperuser(database, 'update service_principals set account_enabled = false where app_id = $1', [
      application.appId,
    ]);
    const page = await new Browser(server.origin).open(new Authorize(server, tenant, application).url);
    expect(answerOf(page)).toMatchObject({
      error: 'access_denied',
      error_description: expect.stringContaining('7000112'),
    });
  });
});
