import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Browser, formsOf, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { boxOf, formTo, takeRequests } from '../support/request-pages.ts';
import {
  Authorize,
  aPerson,
  aWebApplication,
  enterPassword,
  type Person,
  redeem,
  type WebApplication,
} from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

const SCOPE = 'openid User.Read.All Group.Read.All';

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;
/** Has no directory role. */
let rita: Person;
let theirReviewer: Person;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  [tenant, other] = [await aTenant(database, 'Contoso'), await aTenant(database, 'Fabrikam')];
  rita = await aPerson(database, server, tenant, { name: 'Rita' });
  theirReviewer = await aPerson(database, server, other, { name: 'Otto' });
});

beforeEach(async () => {
  await takeRequests(database, tenant, [rita]);
  await takeRequests(database, other, [theirReviewer]);
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const at = (below: string, of = tenant) => `/${of.id}${below}`;
const plain = ({ status, text }: Page) => [status, text.replace(/[0-9a-f-]{36}|\d{4}-\d\d-\d\d[T ][\d:.]+/g, '')];

async function signedIn(person: Person, of = tenant): Promise<Browser> {
  const browser = new Browser(server.origin);
  await enterPassword(browser, await browser.open(at('/account', of)), person);
  return browser;
}

interface Refused {
  readonly app: WebApplication;
  readonly person: Person;
  readonly browser: Browser;
  readonly asked: Authorize;
  readonly page: Page;
}

/** A person who wants to use an application, and may not allow it himself. */
async function refused(
  name: string,
  {
    of = tenant,
    scope = SCOPE,
    app,
    ...parameters
  }: { of?: TestTenant; scope?: string; app?: WebApplication; prompt?: string } = {},
): Promise<Refused> {
  const used = app ?? (await aWebApplication(database, of, { name }));
  const person = await aPerson(database, server, of, { name: 'Alice' });
  const browser = new Browser(server.origin);
  const asked = new Authorize(server, of, used, { scope, ...parameters });
  const page = await enterPassword(browser, await browser.open(asked.url), person);
  return { app: used, person, browser, asked, page };
}

const send = ({ browser, page }: Pick<Refused, 'browser' | 'page'>, fields: Record<string, string> = {}) =>
  browser.submit(page, { reason: 'For the report.', decision: 'accept', ...fields }, formTo(page, '/request'));

/** The same, who has asked. */
async function waiting(name: string, options: Parameters<typeof refused>[1] = {}) {
  const one = await refused(name, options);
  const sent = await send(one);
  expect(headingOf(sent)).toBe('Your request is sent');
  const [row] = await asSuperuser<{ id: string }>(database, 'select id from app_consent_requests where app_id = $1', [
    one.app.appId,
  ]);
  return { ...one, sent, path: `/admin/requests/${row?.id}` };
}

async function review(path: string, fill: (page: Page) => Record<string, string>, by = rita): Promise<Page> {
  const browser = await signedIn(by);
  const page = await browser.open(at(path));
  return browser.submit(
    page,
    { consentType: 'Principal', decision: 'approve', ...fill(page) },
    formTo(page, '/decide'),
  );
}
const only =
  (...values: string[]) =>
  (page: Page) =>
    Object.fromEntries(values.map((value) => [boxOf(page, value), 'true']));

const grants = ({ appId }: WebApplication) =>
  asSuperuser<{ scope: string[]; who: string | null }>(
    database,
    `select g.scope, g.principal_id as who from oauth2_permission_grants g
      join service_principals c on c.tenant_id = g.tenant_id and c.id = g.client_id where c.app_id = $1 order by 2`,
    [appId],
  );
const requestsFor = ({ appId }: WebApplication) =>
  asSuperuser<{ scopes: { resourceAppId: string; values: string[] }[]; reason: string }>(
    database,
    `select u.scopes, u.reason from user_consent_requests u join app_consent_requests r on r.id = u.app_consent_request_id
      where r.app_id = $1 order by u.created_at`,
    [appId],
  );

describe('who may not allow an application himself', () => {
  test('CON-06: asks with a reason, for what the application asked for and nothing else', async () => {
    const one = await waiting('Asked');
    expect(await requestsFor(one.app)).toEqual([
      { reason: 'For the report.', scopes: [{ resourceAppId: expect.anything(), values: expect.anything() }] },
    ]);
    const [{ scopes: [asked] = [] } = {}] = await requestsFor(one.app);
    expect(asked?.values.toSorted()).toEqual(['Group.Read.All', 'User.Read.All', 'openid']);
    expect(textOf(one.sent)).toMatch(/The reviewers of Contoso.*decide about Asked/);
    expect(await grants(one.app)).toEqual([]);
    const mail = 'select recipient from outbox_messages where tenant_id = $1 and recipient = $2';
    expect((await asSuperuser(database, mail, [tenant.id, rita.id])).length).toBeGreaterThan(0);
  });

  test('is offered no form where the organization takes no requests, or nobody reviews', async () => {
    await takeRequests(database, tenant, []);
    const { page } = await refused('Closed');
    expect(formTo(page, '/request')).toBe(-1);
    expect(textOf(page)).toContain('Who can approve');
  });

  test('CON-04: fields that he adds change nothing of what is asked for, and a form of another page counts for nothing', async () => {
    const one = await refused('Tampered');
    const more = { scope: 'RoleManagement.ReadWrite.Directory', scopes: 'x', appId: rita.id, forOrganization: 'true' };
    await send(one, more);
    const [{ scopes: [asked] = [] } = {}] = await requestsFor(one.app);
    expect(asked?.values).not.toContain('RoleManagement.ReadWrite.Directory');
    const second = await refused('Tampered too');
    expect(headingOf(await send(second, { shown: 'forged' }))).toBe('An administrator has to approve this');
    expect(await requestsFor(second.app)).toEqual([]);
  });

  test('SES-02: nobody asks in his name by a forged form', async () => {
    const one = await refused('Forged');
    const [first, second] = [await refused('Forged'), await send(one, { csrf: 'forged' })];
    expect(second.status).toBe(400);
    const foreign = formsOf(first.page)[formTo(first.page, '/request')]?.fields.csrf ?? '';
    expect((await send(one, { csrf: foreign })).status).toBe(400);
    one.browser.formHeaders = { 'Sec-Fetch-Site': 'cross-site' };
    expect((await send(one)).status).toBe(403);
    expect(await requestsFor(one.app)).toEqual([]);
  });

  test.each([
    ['nothing', '  \r\n ', 'Say why you need it'],
    ['too much', 'x'.repeat(501), 'Use at most 500 characters'],
    ['control characters', 'For\u0007 me', 'Control characters are not allowed'],
  ])('says what is wrong with a reason of %s, and keeps it', async (_what, reason, said) => {
    const one = await refused('Reason');
    const page = await send(one, { reason });
    expect([page.status, textOf(page)]).toEqual([400, expect.stringContaining(said)]);
    expect(page.text).toContain('<title>Error: ');
    expect(await requestsFor(one.app)).toEqual([]);
    if (reason.trim()) expect(page.text).toContain(`>${reason.trim().replace('\u0007', '').slice(0, 400)}`);
  });

  test('sees that a reviewer has not decided yet; and goes on from the open page once he has', async () => {
    const one = await waiting('Waiting');
    const again = /<a href="([^"]*\/interaction\/[^"]*)"/.exec(one.sent.text)?.[1] ?? '';
    const still = await one.browser.open(again);
    expect([textOf(still), formTo(still, '/request')]).toEqual([
      expect.stringContaining('A reviewer has not decided yet'),
      -1,
    ]);
    await review(one.path, only('User.Read.All', 'Group.Read.All', 'openid'));
    const arrived = await one.browser.open(again);
    const code = arrived.location?.searchParams.get('code') ?? '';
    const { scope } = await redeem(server, tenant, one.app, { code, code_verifier: one.asked.verifier });
    expect(scope?.split(' ').toSorted()).toEqual(['Group.Read.All', 'User.Read.All', 'openid']);
  });

  test('goes on with the part that was approved, and is told that it is a part', async () => {
    const one = await waiting('Part');
    await review(one.path, (page) => ({ ...only('User.Read.All', 'openid')(page), justification: 'Only people.' }));
    const page = await one.browser.open(one.asked.url);
    expect(textOf(page)).toMatch(/A reviewer approved only a part.*The reviewer says: Only people\./);
    const arrived = await one.browser.submit(page, { decision: 'granted' }, formTo(page, '/consent'));
    const code = arrived.location?.searchParams.get('code') ?? '';
    const { scope } = await redeem(server, tenant, one.app, { code, code_verifier: one.asked.verifier });
    expect(scope?.split(' ').toSorted()).toEqual(['User.Read.All', 'openid']);
  });

  test('is told why it was denied, and can ask again', async () => {
    const one = await waiting('Denied');
    await review(one.path, () => ({ decision: 'deny', justification: 'Use the other one.' }));
    const page = await one.browser.open(one.asked.url);
    expect(textOf(page)).toMatch(/A reviewer denied what you asked for.*The reviewer says: Use the other one\./);
    expect(headingOf(await send({ browser: one.browser, page }))).toBe('Your request is sent');
  });

  test('is still asked where the application wants the question, whatever was granted meanwhile', async () => {
    const one = await waiting('Wanted', { prompt: 'consent' });
    await review(one.path, only('User.Read.All', 'Group.Read.All', 'openid'));
    const again = /<a href="([^"]*\/interaction\/[^"]*)"/.exec(one.sent.text)?.[1] ?? '';
    expect(headingOf(await one.browser.open(again))).toMatch(/^Allow/);
  });

  test('CON-27: the name of the application stands on every page as text', async () => {
    const one = await waiting('Rep\u202Eorts<b>');
    const list = await (await signedIn(rita)).open(at('/admin/requests'));
    const detail = await (await signedIn(rita)).open(at(one.path));
    const mine = await one.browser.open(at('/my-applications'));
    for (const page of [one.page, one.sent, list, detail, mine]) {
      expect(page.text).toContain('Reports&lt;b&gt;');
      expect(page.text).not.toContain('\u202E');
    }
  });
});

describe('a reviewer without any directory role', () => {
  test('finds the requests, and nothing else of the administrators’ pages', async () => {
    const one = await waiting('Found');
    const browser = await signedIn(rita);
    expect(textOf(await browser.open(at('/account')))).toContain('Administration');
    const list = await browser.open(at('/admin'));
    expect([headingOf(list), textOf(list)]).toEqual(['Requests', expect.stringMatching(/Requests \d+ waiting.*Found/)]);
    expect(list.text).not.toContain('/admin/applications"');
    const page = await browser.open(at(one.path));
    expect(textOf(page)).toMatch(/Alice alice-\w+@.*For the report\..*User\.Read\.All/);
    for (const area of ['/applications', '/policies', '/explain', '/report'])
      expect([area, (await browser.open(at(`/admin${area}`))).status]).toEqual([area, 403]);
  });

  test('approves a part for those who asked; each gets what he asked for and no more', async () => {
    const one = await waiting('Shared');
    const bob = await waiting('Shared', { app: one.app, scope: 'openid User.Read.All' });
    const done = await review(one.path, only('User.Read.All', 'Group.Read.All'));
    expect(textOf(done)).toMatch(/Approved by Rita on .*for those who asked/);
    expect(textOf(done)).toMatch(/Approved User\.Read\.All/);
    expect(textOf(done)).toMatch(/Left out openid/);
    const given = new Map((await grants(one.app)).map(({ who, scope }) => [who, scope.toSorted()]));
    expect(given.get(one.person.id)).toEqual(['Group.Read.All', 'User.Read.All']);
    expect(given.get(bob.person.id)).toEqual(['User.Read.All']);
    expect(given.size).toBe(2);
  });

  test('approves for everybody', async () => {
    const one = await waiting('All');
    const done = await review(one.path, (page) => ({ ...only('User.Read.All')(page), consentType: 'AllPrincipals' }));
    expect(textOf(done)).toMatch(/Approved by Rita on .*for everybody/);
    expect(await grants(one.app)).toEqual([{ who: null, scope: ['User.Read.All'] }]);
  });

  test('CON-04: can not approve by a forged box what takes an administrator', async () => {
    const one = await waiting('Privileged', { scope: 'openid User.Read.All RoleManagement.ReadWrite.Directory' });
    const page = await (await signedIn(rita)).open(at(one.path));
    expect(textOf(page)).toContain('Needs an administrator');
    const failed = await review(one.path, only('RoleManagement.ReadWrite.Directory'));
    expect([failed.status, textOf(failed)]).toEqual([400, expect.stringContaining('Choose at least one permission')]);
    await review(one.path, only('RoleManagement.ReadWrite.Directory', 'User.Read.All'));
    expect(await grants(one.app)).toEqual([{ who: one.person.id, scope: ['User.Read.All'] }]);
  });

  test('does not decide what he has not seen: who asks meanwhile is shown first', async () => {
    const one = await waiting('Joined');
    const browser = await signedIn(rita);
    const page = await browser.open(at(one.path));
    await waiting('Joined', { app: one.app, scope: 'openid User.Read.All' });
    const fields = { ...only('User.Read.All')(page), consentType: 'Principal', decision: 'approve' };
    const shown = await browser.submit(page, fields, formTo(page, '/decide'));
    expect([shown.status, textOf(shown)]).toEqual([409, expect.stringContaining('Look at it again')]);
    expect(await grants(one.app)).toEqual([]);
    const again = await browser.submit(shown, { ...fields, ...only('User.Read.All')(shown) }, formTo(shown, '/decide'));
    expect(headingOf(again)).toBe('Joined');
    expect((await grants(one.app)).length).toBe(2);
  });

  test('is told when another one was faster', async () => {
    const one = await waiting('Raced');
    const browser = await signedIn(rita);
    const page = await browser.open(at(one.path));
    await review(one.path, () => ({ decision: 'deny' }));
    const late = await browser.submit(
      page,
      { decision: 'approve', ...only('User.Read.All')(page) },
      formTo(page, '/decide'),
    );
    expect([late.status, textOf(late)]).toEqual([409, expect.stringMatching(/not open any more.*Denied by Rita/)]);
    expect(await grants(one.app)).toEqual([]);
  });

  test('who is one no more finds nothing, from the next request on', async () => {
    const one = await waiting('Gone');
    const browser = await signedIn(rita);
    const page = await browser.open(at(one.path));
    await takeRequests(database, tenant, [one.person]);
    const fields = { decision: 'approve', consentType: 'Principal', ...only('User.Read.All')(page) };
    expect((await browser.submit(page, fields, formTo(page, '/decide'))).status).toBe(404);
    expect((await browser.open(at(one.path))).status).toBe(404);
    expect(await grants(one.app)).toEqual([]);
  });

  test('SES-02: decides nothing by a form that is not of his session', async () => {
    const one = await waiting('Safe');
    const browser = await signedIn(rita);
    const page = await browser.open(at(one.path));
    const fields = { decision: 'deny', consentType: 'Principal' };
    expect((await browser.submit(page, { ...fields, csrf: 'forged' }, formTo(page, '/decide'))).status).toBe(400);
    browser.formHeaders = { 'Sec-Fetch-Site': 'cross-site' };
    expect((await browser.submit(page, fields, formTo(page, '/decide'))).status).toBe(403);
    const [row] = await asSuperuser(database, 'select status from app_consent_requests where app_id = $1', [
      one.app.appId,
    ]);
    expect(row).toEqual({ status: 'InProgress' });
  });
});

describe('requests are not there', () => {
  test('for who neither reviews nor administers, his own included', async () => {
    const one = await waiting('Private');
    for (const path of ['/admin/requests', one.path]) {
      const page = await one.browser.open(at(path));
      expect([page.status, textOf(page)]).toEqual([404, expect.not.stringContaining('Private')]);
    }
    expect((await one.browser.open(at('/admin'))).status).toBe(403);
  });

  test('TEN-01: for another organization’s reviewer, byte for byte as if they never were', async () => {
    const foreign = await waiting('Foreign', { of: other });
    const browser = await signedIn(rita);
    const [theirs, none] = [
      await browser.open(at(foreign.path)),
      await browser.open(at('/admin/requests/7d9f3c52-0000-4000-8000-000000000001')),
    ];
    expect([theirs.status, plain(theirs)]).toEqual([404, plain(none)]);
    expect(textOf(await browser.open(at('/admin/requests')))).not.toContain('Foreign');
    const form = formsOf(await browser.open(at((await waiting('Own')).path)))[0];
    const body = new URLSearchParams({ ...form?.fields, decision: 'deny' });
    const headers = browser.formHeaders;
    const denied = await browser.open(at(`${foreign.path}/decide`), { method: 'POST', body, headers });
    expect(denied.status).toBe(404);
  });

  test('to be decided for who may only read: no form, and a forged one is refused', async () => {
    const one = await waiting('Read');
    const reader = await aPerson(database, server, tenant, { name: 'Rolf', roles: ['Global Reader'] });
    const [reading, reviewing] = [await signedIn(reader), await signedIn(rita)];
    const page = await reading.open(at(one.path));
    expect([headingOf(page), formsOf(page).length]).toEqual(['Read', 0]);
    const csrf = formsOf(await reading.open(at('/account')))[0]?.fields.csrf ?? '';
    const form = await reviewing.open(at(one.path));
    const forged = await reading.submit(form, { csrf, decision: 'deny' }, formTo(form, '/decide'));
    expect(forged.status).toBe(403);
    expect(textOf(await reviewing.open(at(one.path)))).toContain('Decide what this application may do');
  });
});

describe('the list of requests', () => {
  test('keeps what waits and what is closed apart, page by page', async () => {
    const fresh = await aTenant(database, 'Long list');
    const [reviewer, asker] = [await aPerson(database, server, fresh), await aPerson(database, server, fresh)];
    await takeRequests(database, fresh, [reviewer]);
    await asSuperuser(
      database,
      `with r as (insert into app_consent_requests (tenant_id, id, app_id, app_display_name, expires_at, created_at)
          select $1, gen_random_uuid(), gen_random_uuid(), 'App ' || n, now() + interval '9 days', now() - n * interval '1 second'
          from generate_series(1, 51) n returning id)
        insert into user_consent_requests (tenant_id, id, app_consent_request_id, user_id, reason, scopes)
          select $1, gen_random_uuid(), id, $2, 'Because', '[]' from r`,
      [fresh.id, asker.id],
    );
    const browser = await signedIn(reviewer, fresh);
    const first = await browser.open(at('/admin/requests', fresh));
    expect([textOf(first), first.text.match(/class="row"/g)?.length]).toEqual([
      expect.stringMatching(/51 waiting/),
      50,
    ]);
    const next = (/<a href="([^"]*)">Older requests/.exec(first.text)?.[1] ?? '').replaceAll('&amp;', '&');
    const second = await browser.open(next);
    expect(textOf(second)).toMatch(/App 51 /);
    expect(second.text.match(/class="row"/g)?.length).toBe(1);
    // What is not signed by us is no place in the list, but its beginning.
    const forged = await browser.open(next.replace(/after=[^&]*/, 'after=%5B%22x%22%5D'));
    expect(forged.text.match(/class="row"/g)?.length).toBe(50);
    expect(textOf(await browser.open(at('/admin/requests?state=closed', fresh)))).toContain('Nothing was decided yet.');
  });
});

describe('what a person asked for', () => {
  test('stands among his applications with the answer, and leads on', async () => {
    const one = await waiting('Answered');
    expect(textOf(await one.browser.open(at('/my-applications')))).toMatch(
      /What you asked for.*Answered.*Waiting for a decision/,
    );
    const open = await one.browser.open(at(`/my-applications/${one.app.appId}`));
    expect(textOf(open)).toMatch(/A reviewer has not decided yet.*You asked on/);
    await review(one.path, (page) => ({ ...only('User.Read.All')(page), justification: 'People only.' }));
    const list = await one.browser.open(at('/my-applications'));
    expect(textOf(list)).toMatch(/Answered.*Approved in part.*The reviewer says: People only\./);
    const page = await one.browser.open(at(`/my-applications/${one.app.appId}`));
    expect(textOf(page)).toMatch(
      /A part of what you asked for is approved.*Open Answered.*It may do this in your name/,
    );
    expect(page.text).toContain(`href="${new URL(one.app.redirectUri).origin}"`);
  });

  test('is denied to him where only what others asked for was approved', async () => {
    const one = await waiting('Others', { scope: 'openid Group.Read.All' });
    await waiting('Others', { app: one.app, scope: 'User.Read.All' });
    await review(one.path, only('User.Read.All'));
    expect(textOf(await one.browser.open(at('/my-applications')))).toMatch(/Others.*Denied/);
  });

  test('is nobody else’s', async () => {
    const one = await waiting('Mine');
    const bob = await signedIn(await aPerson(database, server, tenant, { name: 'Bob' }));
    expect(textOf(await bob.open(at('/my-applications')))).not.toContain('Mine');
    expect((await bob.open(at(`/my-applications/${one.app.appId}`))).status).toBe(404);
  });
});

describe('the policy of requests', () => {
  const HELPDESK = '729827e3-9c14-49f7-bb1b-9608f156bbb8';
  const settings = async () => {
    const [row] = await asSuperuser<{ settings: Record<string, unknown> & { reviewers: { query: string }[] } }>(
      database,
      `select settings from tenant_policies where tenant_id = $1 and id = 'adminConsentRequestPolicy'`,
      [tenant.id],
    );
    return row?.settings;
  };
  const admin = async () =>
    signedIn(await aPerson(database, server, tenant, { name: 'Ada', roles: ['Global Administrator'] }));
  const save = (browser: Browser, page: Page, fields: Record<string, string>) =>
    browser.submit(page, { isEnabled: 'true', decision: 'accept', ...fields }, formTo(page, '/policies/requests'));

  test('is set at its page: who reviews is named and taken away, what is on no form stays', async () => {
    const browser = await admin();
    const page = await browser.open(at('/admin/policies'));
    expect(textOf(page)).toMatch(/Reviewers .*Rita Person/);
    const sam = await aPerson(database, server, tenant, { name: 'Sam' });
    const saved = await save(browser, page, { reviewer: sam.username, durationInDays: '7' });
    expect(textOf(saved)).toContain('Saved. It counts from now on.');
    expect(await settings()).toMatchObject({
      ...{ isEnabled: true, notifyReviewers: false, requestDurationInDays: 7 },
      reviewers: [{ query: `/users/${rita.id}` }, { query: `/users/${sam.id}` }],
    });
    // From the page on which Sam did not stand yet.
    const [rita_] = [...page.text.matchAll(/name="(remove-[^"]+)"/g)].map(([, name = '']) => name);
    await save(browser, page, { [rita_ ?? '']: 'true' });
    expect((await settings())?.reviewers).toEqual([{ query: `/users/${sam.id}`, queryType: 'MicrosoftGraph' }]);
  });

  test('is given groups and directory roles as reviewers, by name and by choice', async () => {
    const browser = await admin();
    const reviewers = { reviewerGroup: `Reviewers-${tenant.id}`, reviewerRole: HELPDESK };
    const [group] = await asSuperuser<{ id: string }>(
      database,
      `insert into groups (tenant_id, id, display_name, mail_nickname)
        values ($1, gen_random_uuid(), 'People who review', $2) returning id`,
      [tenant.id, `reviewers-${tenant.id}`],
    );
    const named = (await settings())?.reviewers ?? [];
    for (let n = 0; n < 2; n += 1) {
      const saved = textOf(await save(browser, await browser.open(at('/admin/policies')), reviewers));
      expect(saved).toMatch(/People who review {1,2}All members of the group/);
      expect(saved).toMatch(/Helpdesk Administrator {1,2}All who hold the directory role/);
      expect((await settings())?.reviewers.slice(named.length).map(({ query }) => query)).toEqual([
        `/groups/${group?.id}/transitiveMembers/microsoft.graph.user`,
        expect.stringContaining(`roleDefinitionId eq '${HELPDESK}'`),
      ]);
    }
    const holder = await signedIn(
      await aPerson(database, server, tenant, { name: 'Helen', roles: ['Helpdesk Administrator'] }),
    );
    await waiting('Reviewed by a role');
    expect(textOf(await holder.open(at('/admin/requests')))).toContain('Reviewed by a role');
  });

  beforeAll(() =>
    asSuperuser(
      database,
      `insert into groups (tenant_id, id, display_name, mail_nickname)
        values ($1, gen_random_uuid(), 'Theirs', 'their-group')`,
      [other.id],
    ),
  );

  test.each([
    ['an unknown group', { reviewerGroup: 'nobody' }, 'No group of this organization has that mail nickname'],
    ['what is no name of a group', { reviewerGroup: 'a b' }, 'No group of this organization has that mail nickname'],
    ['another organization’s group', { reviewerGroup: 'their-group' }, 'No group of this organization has that mail'],
    ['an unknown role', { reviewerRole: '00000000-0000-4000-8000-000000000001' }, 'There is no such directory role'],
    ['what is no role', { reviewerRole: "' or true" }, 'Must be /users/{id}'],
    ['an unknown reviewer', { reviewer: 'nobody@nowhere.example' }, 'Nobody in this organization has that user name'],
    ['what is no user name', { reviewer: '<b>' }, 'Nobody in this organization has that user name'],
    ['days out of bounds', { durationInDays: '61' }, 'A request expires after 1 to 60 days'],
    ['no days', { durationInDays: '' }, 'A request expires after 1 to 60 days'],
  ])('refuses %s and changes nothing', async (_what, fields, said) => {
    const browser = await admin();
    const before = await settings();
    const page = await save(browser, await browser.open(at('/admin/policies')), fields);
    expect([page.status, textOf(page)]).toEqual([400, expect.stringContaining(said)]);
    expect(await settings()).toEqual(before);
  });

  test('says when the deployment sends no mail, and nothing of it when it does', async () => {
    const browser = await admin();
    expect(textOf(await browser.open(at('/admin/policies')))).toContain('No mail is sent');
    const mailing = await anAuthenticationServer(database, { sendsMail: true });
    const person = await aPerson(database, mailing, tenant, { name: 'Ada', roles: ['Global Administrator'] });
    const other = new Browser(mailing.origin);
    const page = textOf(await enterPassword(other, await other.open(at('/admin/policies')), person));
    expect([page.includes('Requests for more'), page.includes('No mail is sent')]).toEqual([true, false]);
    await mailing.close();
  });

  test('TEN-01: another organization’s person is nobody here', async () => {
    const browser = await admin();
    const page = await save(browser, await browser.open(at('/admin/policies')), { reviewer: theirReviewer.username });
    expect(textOf(page)).toContain('Nobody in this organization has that user name');
  });

  test('CON-04: is only read by who may only read, and a forged form is refused', async () => {
    const reader = await aPerson(database, server, tenant, { name: 'Rolf', roles: ['Global Reader'] });
    const [reading, full] = [await signedIn(reader), await admin()];
    expect(formsOf(await reading.open(at('/admin/policies')))).toEqual([]);
    const page = await full.open(at('/admin/policies'));
    const csrf = formsOf(await reading.open(at('/account')))[0]?.fields.csrf ?? '';
    const before = await settings();
    expect((await save(reading, page, { csrf, reviewer: reader.username })).status).toBe(403);
    expect((await save(full, page, { csrf: 'forged' })).status).toBe(400);
    expect(await settings()).toEqual(before);
  });
});

test('every page of requests is kept nowhere, and runs nothing', async () => {
  const one = await waiting('Headers');
  const browser = await signedIn(rita);
  const pages = [
    ...[one.page, one.sent, await one.browser.open(at('/my-applications'))],
    ...[await browser.open(at('/admin/requests')), await browser.open(at(one.path))],
  ];
  for (const { headers, url } of pages) {
    expect([url, headers.get('cache-control')]).toEqual([url, 'no-store']);
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'/,
    );
    expect(headers.get('x-frame-options')).toBe('DENY');
  }
});
