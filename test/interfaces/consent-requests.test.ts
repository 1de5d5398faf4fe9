import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { TestApplication } from '../support/applications.ts';
import { ALSO_WANTED, ofDirectory, PRIVILEGED, RequestDesk, WANTED } from '../support/consent-requests.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, codeOf, type TestDirectoryServer } from '../support/directory-server.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestPrincipal } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let desk: RequestDesk;
let admin: TestPrincipal;
let owner: TestPrincipal;
let reviewer: TestPrincipal;
let alice: TestPrincipal;
let application: TestApplication;

const PATH = '/v1.0/identityGovernance/appConsent/appConsentRequests';
const POLICY = '/v1.0/policies/adminConsentRequestPolicy';
const scopes = ['ConsentRequest.ReadWrite.All'];

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  desk = new RequestDesk(database, await aTenant(database, 'Contoso'));
  const all = [...scopes, 'Policy.ReadWrite.ConsentRequest'];
  admin = await aUser(database, desk.tenant, { scopes: all, roles: ['Global Administrator'] });
  owner = await aUser(database, desk.tenant, {
    ...{
      scopes: ['DelegatedPermissionGrant.ReadWrite.All', 'Directory.ReadWrite.All'],
      roles: ['Global Administrator'],
    },
  });
  [reviewer, alice] = [await aUser(database, desk.tenant, { scopes }), await aUser(database, desk.tenant, { scopes })];
});

beforeEach(async () => {
  await desk.review([{ kind: 'user', id: reviewer.id }]);
  application = await desk.application();
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const call = async (who: TestPrincipal, method: string, path: string, body?: unknown) =>
  server.call(await who.token(), method, path, body);
const names = (list: { id: string }[]) => list.map(({ id }) => id);

describe('requests for consent, in Microsoft Graph’s shapes', () => {
  test('are listed, filtered, ordered and paged', async () => {
    const { id } = await desk.ask(alice.id, application);
    const { body } = await call(reviewer, 'GET', `${PATH}?$filter=appId eq '${application.appId}'&$count=true`);
    expect(body).toMatchObject({ '@odata.count': 1 });
    expect(body.value).toEqual([
      {
        ...{ id, appId: application.appId, appDisplayName: 'Planner', status: 'InProgress', reviewResult: null },
        pendingScopes: [{ displayName: WANTED, resourceAppId: DIRECTORY_APP_ID }],
        ...{ createdDateTime: expect.any(String), expiresDateTime: expect.any(String), completedDateTime: null },
      },
    ]);
    await desk.ask(alice.id, await desk.application());
    const first = await call(reviewer, 'GET', `${PATH}?$top=1`);
    const next = new URL(first.body['@odata.nextLink']);
    const second = await call(reviewer, 'GET', next.pathname + next.search);
    expect(names(second.body.value)).not.toEqual(names(first.body.value));
    await desk.expire(id);
    const expired = await call(reviewer, 'GET', `${PATH}?$filter=status eq 'Expired'`);
    expect(names(expired.body.value)).toContain(id);
    const open = await call(reviewer, 'GET', `${PATH}?$filter=status eq 'InProgress'&$top=999`);
    expect(names(open.body.value)).not.toContain(id);
  });

  test('are found by who reviews them while they wait, however the address is written', async () => {
    const { id } = await desk.ask(alice.id, application);
    const own = await aUser(database, desk.tenant, { scopes });
    for (const written of ["filterByCurrentUser(on='reviewer')", 'filterByCurrentUser(on=%27reviewer%27)']) {
      expect(names((await call(reviewer, 'GET', `${PATH}/${written}`)).body.value)).toContain(id);
      const parts = `${PATH}/${id}/userConsentRequests/${written}`;
      const filtered = `${parts}?$filter=status eq 'InProgress'`;
      expect((await call(reviewer, 'GET', filtered)).body.value).toMatchObject([{ reason: 'For my work.' }]);
      // Who asked is no reviewer, and who has nothing to do with it is told of nothing.
      for (const path of [`${PATH}/${written}`, parts]) expect((await call(alice, 'GET', path)).body.value).toEqual([]);
      expect((await call(own, 'GET', parts)).status).toBe(404);
    }
    const lone = await anApplication(database, desk.tenant, ['ConsentRequest.Read.All']);
    const mine = "filterByCurrentUser(on='reviewer')";
    expect((await call(lone, 'GET', `${PATH}/${mine}`)).status).toBe(400);
    expect((await call(lone, 'GET', `${PATH}/${id}/userConsentRequests/${mine}`)).status).toBe(400);
    await desk.deny(reviewer.id, id);
    expect(names((await call(reviewer, 'GET', `${PATH}/${mine}`)).body.value)).not.toContain(id);
    const decided = `${PATH}/${id}/userConsentRequests/${mine}?$filter=status eq 'Completed'`;
    expect((await call(reviewer, 'GET', decided)).body.value).toHaveLength(1);
  });

  test('show who asked, and the decision as an approval of one stage', async () => {
    const { id } = await desk.ask(alice.id, application, [WANTED, ALSO_WANTED]);
    const parts = `${PATH}/${id}/userConsentRequests`;
    const [part] = (await call(reviewer, 'GET', parts)).body.value;
    expect(part).toMatchObject({
      ...{ status: 'InProgress', reason: 'For my work.', scopes: [ofDirectory(WANTED, ALSO_WANTED)] },
      createdBy: { user: { id: alice.id, displayName: expect.any(String), userPrincipalName: expect.any(String) } },
    });
    const stage = async (who: TestPrincipal) => (await call(who, 'GET', `${parts}/${part.id}/approval`)).body.stages[0];
    expect(await stage(reviewer)).toMatchObject({
      ...{ assignedToMe: true, status: 'InProgress', reviewResult: 'NotReviewed', reviewedBy: null },
    });
    expect(await stage(alice)).toMatchObject({ assignedToMe: false });
    const body = { consentType: 'Principal', scopes: [ofDirectory(WANTED)], justification: 'Fine.' };
    expect((await call(reviewer, 'POST', `${PATH}/${id}/approve`, body)).body).toMatchObject({
      id,
      status: 'Completed',
    });
    const { value } = (await call(reviewer, 'GET', `${parts}/${part.id}/approval/stages`)).body;
    expect(value).toMatchObject([
      {
        ...{ assignedToMe: false, status: 'Completed', reviewResult: 'Approve', justification: 'Fine.' },
        reviewedBy: { id: reviewer.id },
      },
    ]);
    expect((await call(alice, 'GET', `${parts}/${part.id}`)).body).toMatchObject({ id: part.id, status: 'Completed' });
    expect((await call(reviewer, 'GET', `${PATH}/${id}`)).body).toMatchObject({
      decision: { reviewResult: 'Approve', approvedScopes: [ofDirectory(WANTED)], reviewedBy: { id: reviewer.id } },
    });
  });

  test('CON-26: what an approval granted names the request and the reviewer, and ends like every consent', async () => {
    const { id } = await desk.ask(alice.id, application);
    const approval = { consentType: 'Principal', scopes: [ofDirectory(WANTED)] };
    await call(reviewer, 'POST', `${PATH}/${id}/approve`, approval);
    const client = application.servicePrincipalId;
    const { body } = await call(owner, 'GET', `/v1.0/servicePrincipals/${client}/access`);
    expect(body.delegated).toMatchObject([
      {
        ...{ consentType: 'Principal', principalId: alice.id },
        scopes: [{ value: WANTED, consentRequestId: id, grantedBy: { id: reviewer.id } }],
      },
    ]);
    expect((await call(owner, 'POST', `/v1.0/servicePrincipals/${client}/revokeAccess`)).status).toBe(200);
    expect(await desk.granted(application)).toEqual({});
    // The decision is a record, and no way back to what was taken away.
    expect((await call(reviewer, 'POST', `${PATH}/${id}/approve`, approval)).status).toBe(409);
  });

  test('a part belongs to its request, and to who asked it', async () => {
    const [one, other] = [await desk.ask(alice.id, application), await desk.ask(alice.id, await desk.application())];
    const bob = await aUser(database, desk.tenant, { scopes });
    await desk.ask(bob.id, application);
    const parts = (await call(reviewer, 'GET', `${PATH}/${one.id}/userConsentRequests`)).body.value;
    const [first, second] = names(parts);
    expect((await call(reviewer, 'GET', `${PATH}/${other.id}/userConsentRequests/${first}`)).status).toBe(404);
    expect(names((await call(alice, 'GET', `${PATH}/${one.id}/userConsentRequests`)).body.value)).toEqual([first]);
    for (const below of ['', '/approval', '/approval/stages'])
      expect((await call(alice, 'GET', `${PATH}/${one.id}/userConsentRequests/${second}${below}`)).status).toBe(404);
  });

  test('a closed one answers 409', async () => {
    const { id } = await desk.ask(alice.id, application);
    expect((await call(reviewer, 'POST', `${PATH}/${id}/deny`)).body).toMatchObject({ reviewResult: 'Deny' });
    for (const [verb, body] of [
      ['deny'],
      ['approve', { consentType: 'Principal', scopes: [ofDirectory(WANTED)] }],
    ] as const) {
      const answer = await call(reviewer, 'POST', `${PATH}/${id}/${verb}`, body);
      expect([answer.status, codeOf(answer)]).toEqual([409, 'Request_MultipleObjectsWithSameKeyValue']);
    }
  });
});

describe('a decision through an application', () => {
  const approval = { consentType: 'Principal', scopes: [ofDirectory(WANTED)] };

  test('CON-15: is for people: no application decides on its own, whatever it holds', async () => {
    const { id } = await desk.ask(alice.id, application);
    const lone = await anApplication(database, desk.tenant, [
      'ConsentRequest.ReadWrite.All',
      'DelegatedPermissionGrant.ReadWrite.All',
    ]);
    expect((await call(lone, 'GET', `${PATH}/${id}`)).body).toMatchObject({ id, mayReview: false });
    for (const [verb, body] of [
      ['approve', approval],
      ['deny', {}],
    ] as const)
      expect((await call(lone, 'POST', `${PATH}/${id}/${verb}`, body)).status).toBe(403);
    expect(await desk.granted(application)).toEqual({});
  });

  test('CON-19: needs the scope to write, in a reviewer’s name', async () => {
    const { id } = await desk.ask(alice.id, application);
    const reading = await aUser(database, desk.tenant, { scopes: ['ConsentRequest.Read.All'] });
    await desk.review([{ kind: 'user', id: reading.id }]);
    expect((await call(reading, 'GET', `${PATH}/${id}`)).body).toMatchObject({ mayReview: true });
    const answer = await call(reading, 'POST', `${PATH}/${id}/approve`, approval);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      403,
      expect.stringContaining('insufficient_scope'),
    ]);
  });

  test('CON-04: that scope itself is for administrators to grant', async () => {
    const { id } = await desk.ask(alice.id, application, ['ConsentRequest.ReadWrite.All']);
    const body = { consentType: 'Principal', scopes: [ofDirectory('ConsentRequest.ReadWrite.All')] };
    expect((await call(reviewer, 'POST', `${PATH}/${id}/approve`, body)).status).toBe(403);
    expect(await desk.granted(application)).toEqual({});
  });

  test('CON-04: goes no further than the reviewer himself, and a refusal is recorded', async () => {
    const { id } = await desk.ask(alice.id, application, [PRIVILEGED]);
    const body = { consentType: 'Principal', scopes: [ofDirectory(PRIVILEGED)] };
    expect((await call(reviewer, 'POST', `${PATH}/${id}/approve`, body)).status).toBe(403);
    const records = await asSuperuser<{ reason: string }>(
      database,
      `select result_reason as reason from directory_audits where result = 'failure' and target_resources -> 0 ->> 'id' = $1`,
      [id],
    );
    expect(records).toEqual([{ reason: 'A more privileged administrator must grant this.' }]);
    expect((await call(admin, 'POST', `${PATH}/${id}/approve`, body)).status).toBe(200);
    expect(await desk.granted(application)).toEqual({ [alice.id]: [PRIVILEGED] });
  });
});

describe('the policy of requests', () => {
  const policy = { isEnabled: true, notifyReviewers: false, remindersEnabled: true, requestDurationInDays: 7 };
  const role = "/beta/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '";

  test('is off until it is set, and is set as a whole; the webhook stays until it is named', async () => {
    const fresh = await aTenant(database, 'Fresh');
    const owner = await aUser(database, fresh, {
      scopes: ['Policy.ReadWrite.ConsentRequest'],
      roles: ['Global Administrator'],
    });
    const read = async () => {
      const { '@odata.context': _, ...set } = (await call(owner, 'GET', POLICY)).body;
      return set;
    };
    const id = 'adminConsentRequestPolicy';
    expect(await read()).toMatchObject({ id, isEnabled: false, reviewers: [], requestDurationInDays: 30 });
    const query = `/users/${owner.id}`;
    const notificationWebhook = { url: 'https://hooks.example.com/consent' };
    const given = { ...policy, reviewers: [{ query, queryType: 'MicrosoftGraph' }], notificationWebhook };
    expect((await call(owner, 'PUT', POLICY, given)).status).toBe(204);
    expect(await read()).toEqual({ id, ...given });
    expect((await call(owner, 'PUT', POLICY, { ...policy, reviewers: [] })).status).toBe(204);
    expect(await read()).toEqual({ id, ...policy, reviewers: [], notificationWebhook });
    await call(owner, 'PUT', POLICY, { ...policy, reviewers: [], notificationWebhook: null });
    expect(await read()).toMatchObject({ notificationWebhook: null });
  });

  test.each([
    ['a number of days that is none', { requestDurationInDays: 0 }],
    ['more days than 60', { requestDurationInDays: 61 }],
    ['a reviewer of no form', { reviewers: [{ query: '/me/manager', queryType: 'MicrosoftGraph' }] }],
    ['a reviewer who is not there', { reviewers: [{ query: `/users/${randomUUID()}` }] }],
    ['a group that is not there', { reviewers: [{ query: `/groups/${randomUUID()}/transitiveMembers` }] }],
    ['a role that is none', { reviewers: [{ query: `${role}${randomUUID()}'` }] }],
    ['a reviewer with something behind his id', { reviewers: [{ query: `/users/${randomUUID()}/manager` }] }],
    ['SRF-01: a webhook on this machine', { notificationWebhook: { url: 'https://127.0.0.1/hook' } }],
    ['SRF-01: a webhook without TLS', { notificationWebhook: { url: 'http://hooks.example.com/hook' } }],
    ['something that is no property', { everybodyMayReview: true }],
  ])('is refused with %s', async (_what, wrong) => {
    const answer = await call(admin, 'PUT', POLICY, { ...policy, reviewers: [], ...wrong });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'Request_BadRequest']);
  });

  test('CON-15: is changed by those who may, and by no application on its own', async () => {
    const appAdmin = await aUser(database, desk.tenant, {
      ...{ scopes: ['Policy.ReadWrite.ConsentRequest'], roles: ['Application Administrator'] },
    });
    const lone = await anApplication(database, desk.tenant, ['Policy.ReadWrite.ConsentRequest']);
    const body = { ...policy, reviewers: [{ query: `/users/${alice.id}` }] };
    for (const who of [appAdmin, lone, reviewer]) expect((await call(who, 'PUT', POLICY, body)).status).toBe(403);
    expect((await call(appAdmin, 'GET', POLICY)).body.reviewers).toEqual([
      { query: `/users/${reviewer.id}`, queryType: 'MicrosoftGraph' },
    ]);
  });

  test('takes Graph’s ways to write a reviewer', async () => {
    const group = randomUUID();
    await asSuperuser(
      database,
      `insert into groups (tenant_id, id, display_name, mail_nickname) values ($1, $2::uuid, 'Reviewers', $2::text)`,
      [desk.tenant.id, group],
    );
    const reviewers = [
      `/v1.0/users/${reviewer.id}`,
      `/beta/users/${reviewer.id.toUpperCase()}`,
      `/groups/${group}/transitiveMembers/microsoft.graph.user`,
      `/v1.0/groups/${group}/members`,
      `${role}62e90394-69f5-4237-9190-012177145e10'`,
      "/roleManagement/directory/roleAssignments?$filter=roleDefinitionId%20eq%20'62e90394-69f5-4237-9190-012177145e10'",
    ].map((query) => ({ query, queryType: 'MicrosoftGraph', queryRoot: null }));
    expect((await call(admin, 'PUT', POLICY, { ...policy, reviewers })).status).toBe(204);
    const { id } = await desk.ask(alice.id, application);
    for (const who of [reviewer, admin])
      expect((await call(who, 'GET', `${PATH}/${id}`)).body).toMatchObject({ mayReview: true });
  });
});
