import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Browser, headingOf } from '../../scripts/demo-story/browser.ts';
import { getMyConsentRequestStanding } from '../../src/authorization/catalogue/consent-requests.ts';
import { type ConsentReviewer, reviewerQuery } from '../../src/vocabulary/consent-reviewers.ts';
import type { Answer } from '../support/answer.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { ALSO_WANTED, ofDirectory, RequestDesk, WANTED } from '../support/consent-requests.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
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
import { aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

/** Faults of Entra's consent that administrators know well, one by one. Each is shown from outside: by tokens and answers. */
let database: TestDatabase;
/** Two processes, as far as anything is remembered. */
let servers: readonly [TestAuthenticationServer, TestAuthenticationServer];
let directory: TestDirectoryServer;
let desk: RequestDesk;
let tenant: TestTenant;
let other: TestTenant;
let admin: TestPrincipal;
/** Holds no directory role at all. */
let reviewer: TestPrincipal;
let alice: Person;
let application: WebApplication;

const ADMIN_SCOPES = [
  'Policy.ReadWrite.ConsentRequest',
  'Policy.ReadWrite.Authorization',
  'ConsentRequest.ReadWrite.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'Application.ReadWrite.All',
  'GroupMember.ReadWrite.All',
  'Group.ReadWrite.All',
];
const REQUESTS = '/identityGovernance/appConsent/appConsentRequests';

beforeAll(async () => {
  database = await aDatabase();
  servers = [await anAuthenticationServer(database), await anAuthenticationServer(database)];
  directory = await aDirectoryServer(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  desk = new RequestDesk(database, tenant);
  admin = await aUser(database, tenant, { scopes: ADMIN_SCOPES, roles: ['Global Administrator'] });
  reviewer = await aUser(database, tenant, { scopes: ['ConsentRequest.ReadWrite.All'] });
  alice = await aPerson(database, servers[0], tenant);
});

beforeEach(async () => {
  application = await aWebApplication(database, other, { name: 'Analytics', published: true });
  await setReviewers([{ kind: 'user', id: reviewer.id }]);
});

afterAll(async () => {
  for (const server of [...servers, directory]) {
    expect(server.errors).toEqual([]);
    await server.close();
  }
  await database.drop();
});

async function call(who: TestPrincipal, method: string, path: string, body?: object): Promise<Answer> {
  return directory.call(await who.token(), method, `/v1.0${path}`, body);
}

async function setReviewers(reviewers: readonly ConsentReviewer[], isEnabled = true): Promise<void> {
  const policy = {
    ...{ isEnabled, notifyReviewers: true, remindersEnabled: true, requestDurationInDays: 30 },
    reviewers: reviewers.map((named) => ({ query: reviewerQuery(named), queryType: 'MicrosoftGraph' })),
  };
  expect((await call(admin, 'PUT', '/policies/adminConsentRequestPolicy', policy)).status).toBe(204);
}

const approve = (who: TestPrincipal, id: string, values: string[], consentType = 'Principal') =>
  call(who, 'POST', `${REQUESTS}/${id}/approve`, { consentType, scopes: [ofDirectory(...values)] });

async function waitingFor(who: TestPrincipal): Promise<string[]> {
  const { status, body } = await call(who, 'GET', `${REQUESTS}/filterByCurrentUser(on='reviewer')`);
  expect(status).toBe(200);
  return body.value.filter((request: { status: string }) => request.status === 'InProgress').map(idOf);
}
const idOf = ({ id }: { id: string }) => id;

/** Where a person comes out who signs in to the application: the scopes of his token, or the page that stops him. */
async function outcomeOf(person: Person, scope: string, server = servers[0]): Promise<string> {
  const browser = new Browser(server.origin);
  const asked = new Authorize(server, tenant, application, { scope });
  const page = await enterPassword(browser, await browser.open(asked.url), person);
  const code = page.location?.searchParams.get('code');
  if (!code) return page.location?.searchParams.get('error') ?? headingOf(page);
  const { scope: given = '' } = await redeem(server, tenant, application, { code, code_verifier: asked.verifier });
  return given.split(' ').sort().join(' ');
}
const REFUSED = 'An administrator has to approve this';

describe('Entra: a reviewer who is no administrator sees a request and can not approve it. Here', () => {
  test('he approves it, and the person who asked goes on', async () => {
    expect(await outcomeOf(alice, WANTED)).toBe(REFUSED);
    const { id } = await desk.ask(alice.id, application);
    const { status, body } = await approve(reviewer, id, [WANTED]);
    expect([status, body.status, body.reviewResult]).toEqual([200, 'Completed', 'Approve']);
    expect(await outcomeOf(alice, WANTED)).toBe(WANTED);
  });

  test('he approves a part, and the rest stays refused', async () => {
    const { id } = await desk.ask(alice.id, application, [WANTED, ALSO_WANTED]);
    expect((await approve(reviewer, id, [ALSO_WANTED])).status).toBe(200);
    expect(await outcomeOf(alice, ALSO_WANTED)).toBe(ALSO_WANTED);
    expect(await outcomeOf(alice, `${WANTED} ${ALSO_WANTED}`)).toBe(REFUSED);
  });
});

describe('Entra: only the first who asks is recorded. Here', () => {
  test('CON-05: everybody who asked is, with his reason, and is granted what he himself asked for', async () => {
    const [bob, carol] = [await aPerson(database, servers[0], tenant), await aPerson(database, servers[0], tenant)];
    const { id } = await desk.ask(alice.id, application, [WANTED], { reason: 'Of Alice' });
    await desk.ask(bob.id, application, [WANTED, ALSO_WANTED], { reason: 'Of Bob' });
    const { body } = await call(reviewer, 'GET', `${REQUESTS}/${id}/userConsentRequests`);
    expect(
      body.value.map((part: { createdBy: { user: { id: string } }; reason: string }) => [
        part.createdBy.user.id,
        part.reason,
      ]),
    ).toEqual([
      [alice.id, 'Of Alice'],
      [bob.id, 'Of Bob'],
    ]);
    await approve(reviewer, id, [WANTED, ALSO_WANTED]);
    expect(await outcomeOf(alice, WANTED)).toBe(WANTED);
    expect(await outcomeOf(alice, ALSO_WANTED)).toBe(REFUSED);
    expect(await outcomeOf(bob, `${WANTED} ${ALSO_WANTED}`)).toBe([WANTED, ALSO_WANTED].sort().join(' '));
    // Who did not ask has nothing of it.
    expect(await outcomeOf(carol, WANTED)).toBe(REFUSED);
  });
});

describe('Entra: who becomes a reviewer does not see what was asked before. Here', () => {
  test('the next request shows it to him, and no longer to who was taken away', async () => {
    const { id } = await desk.ask(alice.id, application);
    const fresh = await aUser(database, tenant, { scopes: ['ConsentRequest.ReadWrite.All'] });
    expect([(await waitingFor(reviewer)).includes(id), await waitingFor(fresh)]).toEqual([true, []]);
    expect((await call(fresh, 'GET', `${REQUESTS}/${id}`)).status).toBe(404);
    await setReviewers([{ kind: 'user', id: fresh.id }]);
    expect([await waitingFor(reviewer), (await waitingFor(fresh)).includes(id)]).toEqual([[], true]);
    expect((await approve(reviewer, id, [WANTED])).status).toBe(404);
    expect((await approve(fresh, id, [WANTED])).status).toBe(200);
    expect(await outcomeOf(alice, WANTED)).toBe(WANTED);
  });

  test('so does joining a group that reviews', async () => {
    const { id } = await desk.ask(alice.id, application);
    const fresh = await aUser(database, tenant, { scopes: ['ConsentRequest.ReadWrite.All'] });
    const group = await call(admin, 'POST', '/groups', { displayName: 'Reviewers', mailNickname: `r-${id}` });
    await setReviewers([{ kind: 'group', id: group.body.id }]);
    expect(await waitingFor(fresh)).toEqual([]);
    const link = { '@odata.id': `http://localhost:8401/v1.0/users/${fresh.id}` };
    expect((await call(admin, 'POST', `/groups/${group.body.id}/members/$ref`, link)).status).toBe(204);
    expect(await waitingFor(fresh)).toContain(id);
    expect((await approve(fresh, id, [WANTED])).status).toBe(200);
  });
});

describe('Entra: what removes an application leaves what it was granted. Here', () => {
  const ways = {
    'by its access': (id: string) => call(admin, 'POST', `/servicePrincipals/${id}/revokeAccess`, { remove: true }),
    'by its presence': (id: string) => call(admin, 'DELETE', `/servicePrincipals/${id}`),
    'one grant': async (id: string) => {
      const { body } = await call(admin, 'GET', `/servicePrincipals/${id}/oauth2PermissionGrants`);
      for (const grant of body.value) await call(admin, 'DELETE', `/oauth2PermissionGrants/${grant.id}`);
    },
  };

  test.each(Object.entries(ways))('CON-08: its grants and tokens go with it: removed %s', async (_how, remove) => {
    const { id } = await desk.ask(alice.id, application, [WANTED, 'openid', 'offline_access']);
    await approve(reviewer, id, [WANTED, 'openid', 'offline_access']);
    const scope = `openid offline_access ${WANTED}`;
    const { tokens } = await signIn(servers[0], tenant, application, alice, { scope });
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
    expect((await redeem(servers[1], tenant, application, refresh)).error).toBeUndefined();
    await remove(await desk.servicePrincipalOf(application.appId));
    expect(await desk.granted(application)).toEqual({});
    expect((await redeem(servers[1], tenant, application, refresh)).error).toBe('invalid_grant');
    // Adding it again finds nothing of before.
    const again = await desk.servicePrincipalOf(application.appId);
    if (!again)
      expect((await call(admin, 'POST', '/servicePrincipals', { appId: application.appId })).status).toBe(201);
    expect(await outcomeOf(alice, WANTED)).toBe(REFUSED);
    expect((await redeem(servers[1], tenant, application, refresh)).error).toBe('invalid_grant');
  });
});

describe('Entra: consent by an administrator takes away what was granted before. Here', () => {
  test('it adds, whether at the page of admin consent or by an approved request', async () => {
    const { id } = await desk.ask(alice.id, application, [WANTED, 'openid', 'offline_access']);
    await approve(reviewer, id, [WANTED, 'openid', 'offline_access']);
    const scope = `openid offline_access ${WANTED}`;
    const { tokens } = await signIn(servers[0], tenant, application, alice, { scope });
    const own = [WANTED, 'offline_access', 'openid'].sort();

    const ada = await aPerson(database, servers[0], tenant, { name: 'Ada', roles: ['Application Administrator'] });
    const browser = new Browser(servers[0].origin);
    const { appId, redirectUri } = application;
    const query = new URLSearchParams({ client_id: appId, redirect_uri: redirectUri, state: 's', scope: 'profile' });
    const page = await enterPassword(browser, await browser.open(`/${tenant.id}/v2.0/adminconsent?${query}`), ada);
    const answer = await browser.submit(page, { decision: 'accept' });
    expect(answer.location?.searchParams.get('admin_consent')).toBe('True');
    expect(await desk.granted(application)).toEqual({ everybody: ['profile'], [alice.id]: own });

    const second = await desk.ask(alice.id, application, [ALSO_WANTED]);
    await approve(reviewer, second.id, [ALSO_WANTED], 'AllPrincipals');
    expect(await desk.granted(application)).toEqual({ everybody: [ALSO_WANTED, 'profile'], [alice.id]: own });

    // What she has goes on as before, and the new with it.
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
    const refreshed = await redeem(servers[0], tenant, application, refresh);
    expect(refreshed.scope?.split(' ')).toEqual(expect.arrayContaining([WANTED]));
    expect(await outcomeOf(alice, `${WANTED} ${ALSO_WANTED} profile`)).toContain(ALSO_WANTED);
  });
});

describe('Entra: a change of policy counts after hours. Here', () => {
  test('it counts in the next request, in every process: what people may allow themselves', async () => {
    const assign = (...names: string[]) =>
      call(admin, 'PATCH', '/policies/authorizationPolicy', {
        defaultUserRolePermissions: {
          permissionGrantPoliciesAssigned: names.map((name) => `managePermissionGrantsForSelf.${name}`),
        },
      });
    for (const server of [...servers, ...servers]) {
      expect((await assign()).status).toBe(204);
      expect(await outcomeOf(alice, 'User.Read', server)).toBe(REFUSED);
      expect((await assign('bailiwick-user-default')).status).toBe(204);
      expect(await outcomeOf(alice, 'User.Read', server)).toBe('Allow access?');
    }
  });

  test('it counts in the next request: who may ask, and who decides', async () => {
    const standing = () => desk.perform(alice.id, getMyConsentRequestStanding, {});
    const { id } = await desk.ask(alice.id, application);
    for (const isEnabled of [false, true, false, true]) {
      await setReviewers([{ kind: 'user', id: reviewer.id }], isEnabled);
      expect((await standing()).mayAsk).toBe(isEnabled);
      expect((await waitingFor(reviewer)).includes(id)).toBe(isEnabled);
      expect((await call(reviewer, 'GET', `${REQUESTS}/${id}`)).status).toBe(isEnabled ? 200 : 404);
    }
    await setReviewers([{ kind: 'user', id: reviewer.id }], false);
    await expect(desk.ask(alice.id, application)).rejects.toMatchObject({ code: 'Authorization_RequestDenied' });
    expect((await approve(reviewer, id, [WANTED])).status).toBe(404);
  });
});
