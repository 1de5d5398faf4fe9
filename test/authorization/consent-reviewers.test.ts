import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  approveConsentRequest,
  getConsentRequest,
  getConsentRequests,
} from '../../src/authorization/catalogue/consent-requests.ts';
import type { TestApplication } from '../support/applications.ts';
import { ALSO_WANTED, ofDirectory, PRIVILEGED, RequestDesk, WANTED } from '../support/consent-requests.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant } from '../support/tenants.ts';

let database: TestDatabase;
let desk: RequestDesk;
let alice: string;
let bob: string;
let reviewer: string;
let application: TestApplication;

const denied = { code: 'Authorization_RequestDenied' };
const malformed = { code: 'Request_BadRequest' };
const gone = { code: 'Request_ResourceNotFound' };
const page = { query: { top: 100 } };

beforeAll(async () => {
  database = await aDatabase();
  desk = new RequestDesk(database, await aTenant(database, 'Contoso'));
  [alice, bob, reviewer] = [await desk.person('alice'), await desk.person('bob'), await desk.person('rita')];
});

beforeEach(async () => {
  application = await desk.application();
  await desk.review([{ kind: 'user', id: reviewer }]);
});

afterAll(() => database.drop());

describe('a reviewer', () => {
  test('CON-04: approves no scope that lends an administrator’s powers; an administrator does', async () => {
    const { id } = await desk.ask(alice, application, [WANTED, PRIVILEGED]);
    await expect(desk.approve(reviewer, id, [ofDirectory(WANTED, PRIVILEGED)])).rejects.toMatchObject(denied);
    const { scopes } = await desk.perform(reviewer, getConsentRequest, { id });
    expect(scopes.map(({ value, mayApprove, needsAdministrator }) => [value, mayApprove, needsAdministrator])).toEqual(
      expect.arrayContaining([
        [WANTED, true, false],
        [PRIVILEGED, false, true],
      ]),
    );
    expect(await desk.granted(application)).toEqual({});
    const admin = await desk.person('ada', ['Application Administrator']);
    await desk.approve(admin, id, [ofDirectory(WANTED, PRIVILEGED)]);
    expect(await desk.granted(application)).toEqual({ [alice]: [PRIVILEGED, WANTED] });
  });

  test('CON-04: approves nothing that nobody asked for, nor names an API, a role or a person of his own choice', async () => {
    const { id } = await desk.ask(alice, application, [WANTED]);
    for (const scopes of [
      [ofDirectory(ALSO_WANTED)],
      [ofDirectory(WANTED, ALSO_WANTED)],
      [{ resourceAppId: randomUUID(), values: [WANTED] }],
    ])
      await expect(desk.approve(reviewer, id, scopes)).rejects.toMatchObject(malformed);
    await expect(desk.approve(reviewer, id, [])).rejects.toMatchObject(malformed);
    const body = { consentType: 'Principal', scopes: [ofDirectory(WANTED)] };
    for (const more of [{ appRoles: [] }, { principalId: reviewer }, { consentType: 'All' }])
      await expect(
        desk.perform(reviewer, approveConsentRequest, {
          id,
          body: { ...body, ...more },
        }),
      ).rejects.toMatchObject(malformed);
    expect(await desk.granted(application)).toEqual({});
  });

  test('CON-04: does not approve his own wish, in whosever company; he may deny it', async () => {
    const { id } = await desk.ask(alice, application);
    await desk.ask(reviewer, application);
    for (const type of ['Principal', 'AllPrincipals'] as const)
      await expect(desk.approve(reviewer, id, [ofDirectory(WANTED)], type)).rejects.toMatchObject(denied);
    expect((await desk.perform(reviewer, getConsentRequest, { id })).scopes).toMatchObject([{ mayApprove: false }]);
    expect(await desk.granted(application)).toEqual({});
    expect(await desk.deny(reviewer, id)).toMatchObject({ reviewResult: 'Deny' });
  });

  test('CON-04: lets no application in that registered itself; an administrator does', async () => {
    await asSuperuser(database, `update applications set registration = 'dynamic' where app_id = $1`, [
      application.appId,
    ]);
    await asSuperuser(database, 'delete from service_principals where app_id = $1', [application.appId]);
    const { id } = await desk.ask(alice, application, ['User.Read']);
    await expect(desk.approve(reviewer, id, [ofDirectory('User.Read')])).rejects.toMatchObject(denied);
    const admin = await desk.person('ada', ['Application Administrator']);
    await desk.approve(admin, id, [ofDirectory('User.Read')]);
    expect(await desk.granted(application)).toEqual({ [alice]: ['User.Read'] });
  });

  test('CON-04: is nobody else: no person, no reader, no guest in a group that reviews', async () => {
    const { id } = await desk.ask(alice, application);
    const [reader, guest] = [await desk.person('rea', ['Global Reader']), await desk.person('gus')];
    await asSuperuser(database, `update users set user_type = 'Guest' where id = $1`, [guest]);
    await desk.review([{ kind: 'group', id: await aGroup(guest, reviewer) }]);
    await expect(desk.approve(alice, id, [ofDirectory(WANTED)])).rejects.toMatchObject(denied);
    await expect(desk.deny(alice, id)).rejects.toMatchObject(denied);
    await expect(desk.approve(reader, id, [ofDirectory(WANTED)])).rejects.toMatchObject(denied);
    for (const stranger of [bob, guest]) {
      await expect(desk.approve(stranger, id, [ofDirectory(WANTED)])).rejects.toMatchObject(gone);
      await expect(desk.deny(stranger, id)).rejects.toMatchObject(gone);
    }
    expect(await desk.granted(application)).toEqual({});
    await desk.approve(reviewer, id, [ofDirectory(WANTED)]);
  });

  test('sees all; who asked sees his own part alone; for others it is not there', async () => {
    const { id } = await desk.ask(alice, application, [WANTED], { reason: 'Mine.' });
    await desk.ask(bob, application, [ALSO_WANTED], { reason: 'Bob’s.' });
    const own = await desk.perform(alice, getConsentRequest, { id });
    expect(own).toMatchObject({
      ...{ userConsentRequestCount: 1, mayReview: false, scopes: [{ value: WANTED, mayApprove: false }] },
      pendingScopes: [{ displayName: WANTED }],
      userConsentRequests: [{ reason: 'Mine.' }],
    });
    expect(JSON.stringify(own)).not.toContain('Bob’s.');
    const stranger = await desk.person('sam');
    await expect(desk.perform(stranger, getConsentRequest, { id })).rejects.toMatchObject(gone);
    await expect(desk.perform(stranger, getConsentRequests, page)).rejects.toMatchObject(denied);
    const reader = await desk.person('rea', ['Global Reader']);
    for (const seeing of [reviewer, reader]) {
      const { value } = await desk.perform(seeing, getConsentRequests, page);
      expect(value.map((request) => request.id)).toContain(id);
    }
  });

  test('is found anew at each request: through a person, a group or a role, with what is old and what is new', async () => {
    const { id } = await desk.ask(alice, application);
    const [fresh, member] = [await desk.person('fred'), await desk.person('mona')];
    const sees = async (who: string) =>
      desk.perform(who, getConsentRequest, { id }).then(
        ({ mayReview }) => mayReview,
        () => false,
      );
    const holder = await desk.person('hal', ['Security Reader']);
    expect([await sees(fresh), await sees(member), await sees(holder)]).toEqual([false, false, false]);
    const group = await aGroup(member);
    const role = '5d6b6bb7-de71-4623-b4af-96380a352509'; // Security Reader
    await desk.review([
      { kind: 'user', id: fresh },
      { kind: 'group', id: group },
      { kind: 'role', id: role },
    ]);
    expect([await sees(fresh), await sees(member), await sees(holder), await sees(reviewer)]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    await expect(desk.approve(reviewer, id, [ofDirectory(WANTED)])).rejects.toMatchObject(gone);
    await asSuperuser(database, 'delete from group_members where group_id = $1', [group]);
    await asSuperuser(database, 'delete from role_assignments where user_id = $1', [holder]);
    expect([await sees(member), await sees(holder)]).toEqual([false, false]);
    await asSuperuser(database, 'update users set account_enabled = false where id = $1', [fresh]);
    await expect(desk.perform(fresh, getConsentRequest, { id })).rejects.toMatchObject({ status: 401 });
    await desk.review([{ kind: 'user', id: reviewer }], { isEnabled: false });
    expect(await sees(reviewer)).toBe(false);
  });
});

describe('is told', () => {
  test('each reviewer by mail of a request, the webhook also of who joins, each who asked what came of his own', async () => {
    const second = await desk.person('rolf');
    await desk.review([{ kind: 'group', id: await aGroup(reviewer, second) }], {
      notificationWebhook: { url: 'https://hooks.example/consent' },
    });
    const { id } = await desk.ask(alice, application, [WANTED, ALSO_WANTED]);
    await desk.ask(bob, application, [ALSO_WANTED]);
    const parameters = { requestId: id, application: 'Planner', requester: expect.stringMatching(/^alice/) };
    expect(await desk.notices(id)).toEqual(
      expect.arrayContaining([
        { kind: 'consentRequestCreated', channel: 'mail', recipient: reviewer, parameters },
        { kind: 'consentRequestCreated', channel: 'mail', recipient: second, parameters },
        { kind: 'consentRequestCreated', channel: 'webhook', recipient: 'webhook', parameters },
      ]),
    );
    const joined = await asSuperuser<{ channel: string }>(
      database,
      `select channel from outbox_messages where kind = 'consentRequestJoined'`,
    );
    expect(joined).toEqual([{ channel: 'webhook' }]);
    await desk.approve(reviewer, id, [ofDirectory(WANTED)], 'Principal', 'For you alone.');
    const told = (await desk.notices(id)).filter(({ kind }) => kind === 'consentRequestDecided');
    expect(told.map(({ recipient, parameters: said }) => [recipient, said])).toEqual(
      expect.arrayContaining([
        [alice, { requestId: id, application: 'Planner', result: 'partlyApproved', hasJustification: 'true' }],
        [bob, { requestId: id, application: 'Planner', result: 'denied', hasJustification: 'true' }],
        ['webhook', expect.objectContaining({ result: 'partlyApproved' })],
      ]),
    );
    expect(told).toHaveLength(3);
    expect(JSON.stringify(told)).not.toContain('For you alone.');
  });

  test('nobody by mail where reviewers shall not be', async () => {
    await desk.review([{ kind: 'user', id: reviewer }], { notifyReviewers: false });
    const { id } = await desk.ask(alice, application);
    expect(await desk.notices(id)).toEqual([]);
  });
});

async function aGroup(...members: string[]): Promise<string> {
  const id = randomUUID();
  await asSuperuser(
    database,
    `insert into groups (tenant_id, id, display_name, mail_nickname) values ($1, $2::uuid, 'Reviewers', $2::text)`,
    [desk.tenant.id, id],
  );
  await asSuperuser(
    database,
    'insert into group_members (tenant_id, group_id, user_id) select $1, $2, unnest($3::uuid[])',
    [desk.tenant.id, id, members],
  );
  return id;
}
