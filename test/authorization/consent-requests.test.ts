import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  getConsentRequest,
  getMyConsentRequestStanding,
  getMyConsentRequests,
} from '../../src/authorization/catalogue/consent-requests.ts';
import { aClientApplication, addToTenant, consentTo, type TestApplication } from '../support/applications.ts';
import { ALSO_WANTED, ofDirectory, PRIVILEGED, RequestDesk, WANTED } from '../support/consent-requests.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let other: TestTenant;
let desk: RequestDesk;
let alice: string;
let bob: string;
let reviewer: string;
let application: TestApplication;

const denied = { code: 'Authorization_RequestDenied' };
const malformed = { code: 'Request_BadRequest' };
const decided = { status: 409 };

beforeAll(async () => {
  database = await aDatabase();
  desk = new RequestDesk(database, await aTenant(database, 'Contoso'));
  other = await aTenant(database, 'Fabrikam');
  [alice, bob, reviewer] = [await desk.person('alice'), await desk.person('bob'), await desk.person('rita')];
});

beforeEach(async () => {
  application = await desk.application();
  await desk.review([{ kind: 'user', id: reviewer }]);
});

afterAll(() => database.drop());

describe('asking for consent', () => {
  test('CON-06: records who asks, for what and why, once for each application', async () => {
    const asked = await desk.ask(alice, application, [WANTED], { reason: 'Line one\r\nline two' });
    expect(asked).toEqual({ id: expect.any(String), outcome: 'created' });
    expect(await desk.ask(bob, application, [ALSO_WANTED])).toEqual({ id: asked.id, outcome: 'joined' });
    const details = await desk.perform(reviewer, getConsentRequest, { id: asked.id });
    expect(details).toMatchObject({
      ...{ appId: application.appId, appDisplayName: 'Planner', status: 'InProgress', userConsentRequestCount: 2 },
      userConsentRequests: [
        { reason: 'Line one\nline two', createdBy: { user: { id: alice } }, scopes: [ofDirectory(WANTED)] },
        { reason: 'For my work.', createdBy: { user: { id: bob } }, scopes: [ofDirectory(ALSO_WANTED)] },
      ],
    });
    expect(details.pendingScopes.map(({ displayName }) => displayName).sort()).toEqual([WANTED, ALSO_WANTED].sort());
    expect(await desk.granted(application)).toEqual({});
  });

  test('by the same person again widens what he asked for', async () => {
    const { id } = await desk.ask(alice, application, [WANTED]);
    expect(await desk.ask(alice, application, [WANTED, ALSO_WANTED], { reason: 'More.' })).toEqual({
      ...{ id, outcome: 'widened' },
    });
    const [mine] = await desk.perform(alice, getMyConsentRequests, {});
    expect(mine).toMatchObject({ id, status: 'InProgress', scopes: [ofDirectory(WANTED, ALSO_WANTED)] });
    expect((await desk.perform(reviewer, getConsentRequest, { id })).userConsentRequests).toMatchObject([
      { reason: 'More.' },
    ]);
  });

  test('is for a member who may not consent himself, while somebody reviews', async () => {
    const standing = async (who: string) => desk.perform(who, getMyConsentRequestStanding, {});
    expect(await standing(alice)).toEqual({ mayAsk: true, isReviewer: false });
    expect(await standing(reviewer)).toEqual({ mayAsk: true, isReviewer: true });
    const admin = await desk.person('ada', ['Cloud Application Administrator']);
    expect(await standing(admin)).toEqual({ mayAsk: false, isReviewer: true });
    await expect(desk.ask(admin, application)).rejects.toMatchObject(malformed);
    await expect(desk.ask(alice, application, ['openid', 'User.Read'])).rejects.toMatchObject(malformed);
    const guest = await desk.person('greta');
    await asSuperuser(database, `update users set user_type = 'Guest' where id = $1`, [guest]);
    expect(await standing(guest)).toEqual({ mayAsk: false, isReviewer: false });
    await expect(desk.ask(guest, application)).rejects.toMatchObject(denied);
  });

  test.each([
    ['it is switched off', { isEnabled: false }],
    ['the policy names nobody', { reviewers: [] }],
    ['who is named is gone', { reviewers: [{ query: `/users/${randomUUID()}`, queryType: 'MicrosoftGraph' }] }],
  ])('is refused while %s', async (_what, settings) => {
    await desk.review([{ kind: 'user', id: reviewer }], settings);
    await expect(desk.ask(alice, application)).rejects.toMatchObject(denied);
    expect(await desk.perform(alice, getMyConsentRequestStanding, {})).toMatchObject({ mayAsk: false });
  });

  test.each([
    ['a scope that the API does not publish', ['Made.Up'], 'reason'],
    ['no scope', [], 'reason'],
    ['no reason', [WANTED], ' \n '],
    ['a reason with a control character', [WANTED], 'a\u0007b'],
    ['a reason that is too long', [WANTED], 'x'.repeat(501)],
  ])('is refused with %s', async (_what, values, reason) => {
    await expect(desk.ask(alice, application, values, { reason })).rejects.toMatchObject(malformed);
  });

  test('is refused for an application that is disabled, withdrawn or not there', async () => {
    await expect(desk.ask(alice, { appId: randomUUID() })).rejects.toMatchObject(malformed);
    await asSuperuser(database, 'update applications set is_disabled = true where app_id = $1', [application.appId]);
    await expect(desk.ask(alice, application)).rejects.toMatchObject(malformed);
    const foreign = await aClientApplication(database, other, { isPublished: true });
    expect(await desk.ask(alice, foreign)).toMatchObject({ outcome: 'created' });
    await withdraw(foreign);
    await expect(desk.ask(bob, foreign)).rejects.toMatchObject(malformed);
    const own = await aClientApplication(database, other, { name: 'Of its own organization alone' });
    await expect(desk.ask(alice, own)).rejects.toMatchObject(malformed);
  });

  test('has a bound for each person: 20 that wait, however many ask at once', async () => {
    const person = await desk.person('eager');
    const applications = await Promise.all([...Array(23)].map(() => desk.application()));
    for (const one of applications.slice(0, 18)) await desk.ask(person, one);
    const asked = await Promise.allSettled(applications.slice(18).map((one) => desk.ask(person, one)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(asked.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'TooManyRequests' } });
    const [first] = await desk.perform(person, getMyConsentRequests, {});
    await desk.deny(reviewer, first?.id ?? '');
    expect(await desk.ask(person, application)).toMatchObject({ outcome: 'created' });
  });

  test('by many at the same moment is one request, with all of them', async () => {
    const people = await Promise.all([...Array(8)].map(() => desk.person()));
    const asked = await Promise.all(people.map((person) => desk.ask(person, application)));
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
    expect(asked.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
    const details = await desk.perform(reviewer, getConsentRequest, { id: asked[0]?.id });
    expect(details.userConsentRequestCount).toBe(8);
  });
});

describe('a decision', () => {
  test('grants each who asked what he asked for and what is approved, in one act with its record', async () => {
    const { id } = await desk.ask(alice, application, [WANTED, ALSO_WANTED, PRIVILEGED]);
    await desk.ask(bob, application, [ALSO_WANTED]);
    const approved = [ofDirectory(WANTED, ALSO_WANTED)];
    const answer = await desk.approve(reviewer, id, approved, 'Principal', 'Fine with me.');
    expect(answer).toMatchObject({ id, status: 'Completed', reviewResult: 'Approve' });
    expect(await desk.granted(application)).toEqual({ [alice]: [WANTED, ALSO_WANTED], [bob]: [ALSO_WANTED] });
    const [mine] = await desk.perform(alice, getMyConsentRequests, {});
    expect(mine).toMatchObject({
      ...{ status: 'Completed', reviewResult: 'Approve', justification: 'Fine with me.' },
      approvedScopes: approved,
    });
    const origins = await asSuperuser<{ origins: object[] }>(
      database,
      'select origins from oauth2_permission_grants where principal_id = $1 and client_id = $2',
      [alice, application.servicePrincipalId],
    );
    expect(origins[0]?.origins).toMatchObject([{ by: reviewer, requestId: id, scopes: [WANTED, ALSO_WANTED] }]);
    const records = await asSuperuser<{ activity: string; by: string; targets: { id: string; type: string }[] }>(
      database,
      `select activity_display_name as activity, initiated_by -> 'user' ->> 'id' as by, target_resources as targets
        from directory_audits where target_resources -> 0 ->> 'id' = $1 order by activity_at`,
      [id],
    );
    expect(records.map(({ activity, by }) => [activity, by])).toEqual([
      ['Create consent request', alice],
      ['Create consent request', bob],
      ['Approve consent request', reviewer],
    ]);
    expect(records[2]?.targets.map(({ type }) => type)).toEqual([
      'AppConsentRequest',
      'OAuth2PermissionGrant',
      'OAuth2PermissionGrant',
    ]);
  });

  test('for everybody adds an application to the tenant that was not in it', async () => {
    const foreign = await aClientApplication(database, other, { isPublished: true, name: 'Analytics' });
    const { id } = await desk.ask(alice, foreign);
    await desk.approve(reviewer, id, [ofDirectory(WANTED)], 'AllPrincipals');
    expect(await desk.granted(foreign)).toEqual({ everybody: [WANTED] });
  });

  test('to deny grants nothing, and people may ask again', async () => {
    const { id } = await desk.ask(alice, application);
    expect(await desk.deny(reviewer, id, 'Not this one.')).toMatchObject({ reviewResult: 'Deny' });
    expect(await desk.granted(application)).toEqual({});
    const [mine] = await desk.perform(alice, getMyConsentRequests, {});
    expect(mine).toMatchObject({ reviewResult: 'Deny', justification: 'Not this one.', approvedScopes: [] });
    const again = await desk.ask(alice, application);
    expect(again).toMatchObject({ outcome: 'created' });
    expect(again.id).not.toBe(id);
  });

  test('is final', async () => {
    const { id } = await desk.ask(alice, application);
    await desk.deny(reviewer, id);
    await expect(desk.approve(reviewer, id, [ofDirectory(WANTED)])).rejects.toMatchObject(decided);
    await expect(desk.deny(reviewer, id)).rejects.toMatchObject(decided);
    expect(await desk.granted(application)).toEqual({});
  });

  test('of two reviewers at the same moment is that of one', async () => {
    const second = await desk.person('rolf', ['Application Administrator']);
    for (let round = 0; round < 5; round += 1) {
      const one = await desk.application();
      const { id } = await desk.ask(alice, one);
      const both = await Promise.allSettled([
        desk.approve(reviewer, id, [ofDirectory(WANTED)]),
        desk.deny(second, id),
        desk.deny(reviewer, id),
        desk.approve(second, id, [ofDirectory(WANTED)], 'AllPrincipals'),
      ]);
      expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const each of both) if (each.status === 'rejected') expect(each.reason).toMatchObject(decided);
      const decisions = await asSuperuser<{ result: string; type: string | null }>(
        database,
        'select review_result as result, consent_type as type from consent_request_decisions where app_consent_request_id = $1',
        [id],
      );
      expect(decisions).toHaveLength(1);
      const whose = { Principal: { [alice]: [WANTED] }, AllPrincipals: { everybody: [WANTED] }, none: {} };
      expect(await desk.granted(one)).toEqual(whose[(decisions[0]?.type ?? 'none') as keyof typeof whose]); // of the table
    }
  });

  test('is not taken on a request that expired, which can be asked again', async () => {
    const { id } = await desk.ask(alice, application);
    await desk.expire(id);
    expect(await desk.perform(reviewer, getConsentRequest, { id })).toMatchObject({
      ...{ status: 'Expired', mayReview: false },
      scopes: [{ mayApprove: false }],
    });
    await expect(desk.approve(reviewer, id, [ofDirectory(WANTED)])).rejects.toMatchObject(decided);
    await expect(desk.deny(reviewer, id)).rejects.toMatchObject(decided);
    expect((await desk.perform(alice, getMyConsentRequests, {}))[0]).toMatchObject({ id, status: 'Expired' });
    const again = await desk.ask(alice, application);
    expect(again).toMatchObject({ outcome: 'created' });
    // Whoever finds it closes it: it is told, and in the record of his deed.
    expect(await desk.notices(id)).toContainEqual(
      expect.objectContaining({ kind: 'consentRequestExpired', recipient: alice }),
    );
    const records = await asSuperuser<{ activity: string }>(
      database,
      `select activity_display_name as activity from directory_audits
        where target_resources @> jsonb_build_array(jsonb_build_object('id', $1::text)) and target_resources -> 0 ->> 'id' = $2`,
      [id, again.id],
    );
    expect(records).toEqual([{ activity: 'Create consent request' }]);
    await desk.approve(reviewer, again.id, [ofDirectory(WANTED)]);
    expect(await desk.granted(application)).toEqual({ [alice]: [WANTED] });
  });

  test('leaves out who was deleted meanwhile; a request of nobody has expired', async () => {
    const leaver = await desk.person('lea');
    const { id } = await desk.ask(leaver, application, [PRIVILEGED, WANTED]);
    await desk.ask(alice, application, [WANTED]);
    await asSuperuser(database, 'delete from users where id = $1', [leaver]);
    await expect(desk.approve(reviewer, id, [ofDirectory(PRIVILEGED)])).rejects.toMatchObject({ status: 403 });
    await desk.approve(reviewer, id, [ofDirectory(WANTED)]);
    expect(await desk.granted(application)).toEqual({ [alice]: [WANTED] });

    const lonely = await desk.application();
    const second = await desk.person('leo');
    const alone = await desk.ask(second, lonely);
    await asSuperuser(database, 'delete from users where id = $1', [second]);
    expect(await desk.perform(reviewer, getConsentRequest, { id: alone.id })).toMatchObject({ status: 'Expired' });
    await expect(desk.approve(reviewer, alone.id, [ofDirectory(WANTED)], 'AllPrincipals')).rejects.toMatchObject(
      decided,
    );
    expect(await desk.ask(bob, lonely)).toMatchObject({ outcome: 'created' });
  });

  test.each([
    [
      'deactivated by its home',
      (appId: string) => ['update applications set is_disabled = true where app_id = $1', appId],
    ],
    ['deleted', (appId: string) => ['delete from applications where app_id = $1', appId]],
    [
      'disabled here',
      (appId: string) => ['update service_principals set account_enabled = false where app_id = $1', appId],
    ],
  ] as const)('grants nothing to an application that was %s meanwhile', async (_what, statement) => {
    const { id } = await desk.ask(alice, application);
    const [text = '', appId] = statement(application.appId);
    await asSuperuser(database, text, [appId]);
    const details = await desk.perform(reviewer, getConsentRequest, { id });
    expect(details).toMatchObject({ application: { isAvailable: false }, scopes: [{ mayApprove: false }] });
    await expect(desk.approve(reviewer, id, [ofDirectory(WANTED)])).rejects.toMatchObject(malformed);
    expect(await desk.granted(application)).toEqual({});
    expect(await desk.deny(reviewer, id)).toMatchObject({ reviewResult: 'Deny' });
  });

  test('grants nothing to an application that its publisher withdrew meanwhile, present or not', async () => {
    for (const isPresent of [false, true]) {
      const foreign = await aClientApplication(database, other, { isPublished: true });
      if (isPresent) await addToTenant(database, desk.tenant, foreign.appId, other.id);
      const { id } = await desk.ask(alice, foreign);
      await withdraw(foreign);
      await expect(desk.approve(reviewer, id, [ofDirectory(WANTED)])).rejects.toMatchObject(malformed);
      expect(await desk.granted(foreign)).toEqual({});
    }
  });

  test('grants no scope that its API does not publish any more; the rest can be approved', async () => {
    const api = await aClientApplication(database, desk.tenant, { name: 'Files', scopes: ['Read', 'Write'] });
    await asSuperuser(
      database,
      `update applications set oauth2_permission_scopes =
      (select jsonb_agg(e || '{"type":"Admin"}') from jsonb_array_elements(oauth2_permission_scopes) e) where id = $1`,
      [api.id],
    );
    const resourceId = api.servicePrincipalId;
    const { id } = await desk.ask(alice, application, ['Read', 'Write'], { resourceId });
    await asSuperuser(
      database,
      `update applications set oauth2_permission_scopes =
      jsonb_set(oauth2_permission_scopes, '{1,isEnabled}', 'false') where id = $1`,
      [api.id],
    );
    const { scopes } = await desk.perform(reviewer, getConsentRequest, { id });
    expect(scopes.map(({ value, isPublished, mayApprove }) => [value, isPublished, mayApprove])).toEqual([
      ['Read', true, true],
      ['Write', false, false],
    ]);
    const of = (...values: string[]) => [{ resourceAppId: api.appId, values }];
    await expect(desk.approve(reviewer, id, of('Read', 'Write'))).rejects.toMatchObject(malformed);
    expect(await desk.granted(application)).toEqual({});
    await desk.approve(reviewer, id, of('Read'));
    expect(await desk.granted(application)).toEqual({ [alice]: ['Read'] });
  });

  test('never takes away what was granted before', async () => {
    const given = { clientId: application.servicePrincipalId, scopes: ['User.Read', 'openid'] };
    await consentTo(database, desk.tenant, { ...given, principalId: alice });
    await consentTo(database, desk.tenant, { ...given, scopes: ['profile'] });
    const { id } = await desk.ask(alice, application, [WANTED, ALSO_WANTED]);
    await desk.approve(reviewer, id, [ofDirectory(WANTED)]);
    expect(await desk.granted(application)).toEqual({
      ...{ everybody: ['profile'], [alice]: [WANTED, 'User.Read', 'openid'] },
    });
  });
});

async function withdraw({ appId }: TestApplication): Promise<void> {
  await asSuperuser(
    database,
    'insert into published_withdrawals (app_id, tenant_id, home_tenant_id) values ($1, $2, $3)',
    [appId, desk.tenant.id, other.id],
  );
}
