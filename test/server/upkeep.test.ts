import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aMailServer, type MailServer } from '../support/mail-server.ts';
import { aCourier, aRequestNotice, outboxOf, put } from '../support/outbox.ts';
import { asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: MailServer;
let ta: TestTenant;

beforeAll(async () => {
  database = await aDatabase();
  server = await aMailServer({ tls: 'none' });
});

beforeEach(async () => {
  ta = await aTenant(database, 'Contoso');
});

afterEach(() => asSuperuser(database, 'delete from tenants'));

afterAll(async () => {
  await server.close();
  await database.drop();
});

const insert = (text: string, ...values: unknown[]) => asSuperuser<{ id: string }>(database, text, [ta.id, ...values]);
const idsOf = (rows: { recipient: string }[]) => rows.map(({ recipient }) => recipient).sort();

test('where there are many tenants all are looked at, twenty in a round, and mail does not wait for that', async () => {
  const alice = await aUser(database, ta, { name: 'alice' });
  await insert(
    `with t as (insert into tenants (id, display_name) select gen_random_uuid(), $1::text from generate_series(1, 50) returning id),
        v as (insert into tenant_versions (tenant_id) select id from t)
      insert into outbox_messages (tenant_id, id, kind, channel, recipient, subject_id, deliver_until)
        select id, gen_random_uuid(), 'consentRequestExpired', 'mail', 'x', 'x', now() - interval '1 day' from t`,
  );
  await put(database, ta.id, aRequestNotice(alice.id));
  const before = server.received.length;
  const { deliver } = aCourier(database, { mailer: server.mailer() });
  const dead = () => asSuperuser(database, `select id from outbox_messages where outcome = 'dead'`);
  const counts: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    await deliver();
    counts.push((await dead()).length);
  }
  expect(server.received.length - before).toBe(1);
  expect(counts[0]).toBeGreaterThanOrEqual(19);
  expect(counts[0]).toBeLessThanOrEqual(20);
  expect(counts[2]).toBe(50);
});

describe('a request for consent', () => {
  async function aRequest(expires: string, status: string, ...requesters: TestPrincipal[]): Promise<string> {
    const [row] = await insert(
      `insert into app_consent_requests (tenant_id, id, app_id, app_display_name, status, expires_at)
        values ($1, gen_random_uuid(), gen_random_uuid(), 'Reports', $2, now() + $3::interval) returning id`,
      status,
      expires,
    );
    const id = row?.id ?? '';
    for (const requester of requesters)
      await insert(
        `insert into user_consent_requests (tenant_id, id, app_consent_request_id, user_id, reason, scopes)
          values ($1, gen_random_uuid(), $2, $3, 'please', '[]')`,
        id,
        requester.id,
      );
    return id;
  }
  const statusOf = async (id: string) =>
    (
      await asSuperuser<{ status: string; at: Date | null }>(
        database,
        'select status, completed_at as at from app_consent_requests where id = $1',
        [id],
      )
    )[0];

  test('that nobody decided ends in its time: everybody who asked is told once, and it is on record', async () => {
    const [alice, bob] = [await aUser(database, ta, { name: 'alice' }), await aUser(database, ta, { name: 'bob' })];
    const over = await aRequest('-1 second', 'InProgress', alice, bob);
    const running = await aRequest('1 minute', 'InProgress', alice);
    const abandoned = await aRequest('1 minute', 'InProgress');
    const decided = await aRequest('-1 day', 'Completed', alice);
    await Promise.all([aCourier(database).deliver(), aCourier(database).deliver()]);
    await aCourier(database).deliver();
    expect(await statusOf(over)).toMatchObject({ status: 'Expired', at: expect.any(Date) });
    expect(await statusOf(running)).toEqual({ status: 'InProgress', at: null });
    expect(await statusOf(abandoned)).toMatchObject({ status: 'Expired' });
    expect(await statusOf(decided)).toMatchObject({ status: 'Completed' });
    const rows = await outboxOf(database, ta.id);
    expect(idsOf(rows)).toEqual([alice.id, bob.id].sort());
    expect(rows[0]).toMatchObject({
      ...{ kind: 'consentRequestExpired', channel: 'mail', subject_id: over },
      parameters: { application: 'Reports', requestId: over },
    });
    const audits = await insert(
      `select t ->> 'id' as id, concat(initiated_by -> 'app' ->> 'displayName', ' ', result) as who
        from directory_audits, jsonb_array_elements(target_resources) t
        where tenant_id = $1 and activity_display_name = 'Expire consent request'`,
    );
    // One that nobody asks for any more ends too, and is told to nobody.
    const expected = [over, abandoned].map((id) => ({ id, who: 'bailiwick courier success' }));
    expect(audits).toHaveLength(2);
    expect(audits).toEqual(expect.arrayContaining(expected));
  });

  test('that ends is told to the webhook too, where there is one', async () => {
    const settings = JSON.stringify({ notificationWebhook: { url: 'https://hooks.example/' } });
    await insert(
      `insert into tenant_policies (tenant_id, id, settings) values ($1, 'adminConsentRequestPolicy', $2)`,
      settings,
    );
    const over = await aRequest('-1 second', 'InProgress');
    await aCourier(database).deliver();
    expect(await outboxOf(database, ta.id)).toMatchObject([
      { channel: 'webhook', recipient: 'webhook', subject_id: over },
    ]);
  });
});

describe('a request that is about to end', () => {
  const setPolicy = (policy: object) =>
    insert(
      `insert into tenant_policies (tenant_id, id, settings) values ($1, 'adminConsentRequestPolicy', $2)
        on conflict (tenant_id, id) do update set settings = excluded.settings`,
      JSON.stringify({ isEnabled: true, ...policy }),
    );
  const reviewedBy = (...people: TestPrincipal[]) => ({
    reviewers: people.map(({ id }) => ({ query: `/users/${id}`, queryType: 'MicrosoftGraph' })),
  });
  async function aRequest(ends: string, age: string): Promise<string> {
    const [row] = await insert(
      `with request as (insert into app_consent_requests (tenant_id, id, app_id, app_display_name, created_at, expires_at)
          values ($1, gen_random_uuid(), gen_random_uuid(), 'Reports', now() - $3::interval, now() + $2::interval) returning id)
        insert into user_consent_requests (tenant_id, id, app_consent_request_id, user_id, reason, scopes)
          select $1, gen_random_uuid(), r.id, $4, 'please', '[]' from request r returning app_consent_request_id as id`,
      ends,
      age,
      (await aUser(database, ta, { name: 'asker' })).id,
    );
    return row?.id ?? '';
  }
  const remindersOf = async () =>
    (await outboxOf(database, ta.id))
      .filter(({ kind }) => kind === 'consentRequestReminder')
      .map(({ recipient, subject_id }) => `${recipient} ${subject_id}`)
      .sort();

  test('is brought to mind once, of those who review at that moment', async () => {
    const [one, two] = [await aUser(database, ta, { name: 'one' }), await aUser(database, ta, { name: 'two' })];
    const soon = await aRequest('2 days', '28 days');
    await aRequest('4 days', '26 days');
    await aRequest('2 days', '1 hour');
    await setPolicy(reviewedBy(one));
    await aCourier(database, { mailer: server.mailer() }).deliver();
    await aCourier(database, { mailer: server.mailer() }).deliver();
    expect(await remindersOf()).toEqual([`${one.id} ${soon}`]);
    expect(server.received.at(-1)?.headers.get('subject')).toBe('A request for an application is about to expire');
    expect(server.received.at(-1)?.text).toContain(`/${ta.id}/admin/requests/${soon}`);
    await setPolicy(reviewedBy(two));
    await aCourier(database).deliver();
    expect(await remindersOf()).toEqual([`${one.id} ${soon}`, `${two.id} ${soon}`].sort());
  });

  test.each([
    ['reminders are off', { remindersEnabled: false }],
    ['reviewers want no mail', { notifyReviewers: false }],
    ['nobody may ask any more', { isEnabled: false }],
    ['nobody reviews', { reviewers: [] }],
  ])('is not while %s', async (_what, policy) => {
    const reviewer = await aUser(database, ta, { name: 'reviewer' });
    await aRequest('2 days', '28 days');
    await setPolicy({ ...reviewedBy(reviewer), ...policy });
    await aCourier(database).deliver();
    expect(await remindersOf()).toEqual([]);
    await setPolicy(reviewedBy(reviewer));
    await aCourier(database).deliver();
    expect(await remindersOf()).toHaveLength(1);
  });
});

describe('a credential that ends', () => {
  async function anApplication({ isDisabled = false, keys = [] as object[] } = {}): Promise<string> {
    const [row] = await insert(
      `insert into applications (tenant_id, id, app_id, display_name, is_disabled, key_credentials)
        values ($1, gen_random_uuid(), gen_random_uuid(), 'Daemon', $2, $3) returning id`,
      isDisabled,
      JSON.stringify(keys),
    );
    return row?.id ?? '';
  }
  async function aSecret(applicationId: string, ends: string, lasts = '2 years'): Promise<string> {
    const [row] = await insert(
      `insert into password_credentials (tenant_id, key_id, application_id, display_name, hint, secret_hmac, start_at, end_at)
        values ($1, gen_random_uuid(), $2, 'CI', 'abc', '\\x00', now() + $3::interval - $4::interval, now() + $3::interval)
        returning key_id as id`,
      applicationId,
      ends,
      lasts,
    );
    return row?.id ?? '';
  }
  const own = (applicationId: string, owner: TestPrincipal) =>
    insert(
      `insert into application_owners (tenant_id, id, application_id, user_id) values ($1, gen_random_uuid(), $2, $3)`,
      applicationId,
      owner.id,
    );
  const subjectsOf = async () => (await outboxOf(database, ta.id)).map(({ subject_id }) => subject_id);

  test('is told to its application’s owners 30, 7 and 1 days before, each once, and to nobody else', async () => {
    const owner = await aUser(database, ta, { name: 'owner' });
    const disabled = await aUser(database, ta, { name: 'disabled' });
    await asSuperuser(database, 'update users set account_enabled = false where id = $1', [disabled.id]);
    await aUser(database, ta, { name: 'admin', roles: ['Global Administrator'] });
    const application = await anApplication();
    await own(application, owner);
    await own(application, disabled);
    const secret = await aSecret(application, '31 days');
    const step = async (ends: string) => {
      await asSuperuser(database, `update password_credentials set end_at = now() + $2::interval where key_id = $1`, [
        secret,
        ends,
      ]);
      await aCourier(database, { mailer: server.mailer() }).deliver();
      await aCourier(database, { mailer: server.mailer() }).deliver();
      return (await subjectsOf()).map((subject) => subject.replace(`${secret}:`, '')).sort();
    };
    expect(await step('31 days')).toEqual([]);
    expect(await step('29 days')).toEqual(['30']);
    expect(await step('8 days')).toEqual(['30']);
    expect(await step('6 days')).toEqual(['30', '7']);
    expect(await step('23 hours')).toEqual(['1', '30', '7']);
    expect(await step('-1 hour')).toEqual(['1', '30', '7']);
    expect(new Set(idsOf(await outboxOf(database, ta.id)))).toEqual(new Set([owner.id]));
    const texts = server.received.slice(-3).map(({ text }) => text);
    expect(texts).toEqual(Array(3).fill(expect.stringContaining('The secret "CI" ends on')));
    expect(server.received.at(-1)?.headers.get('subject')).toMatch(
      /^A secret of an application ends on \d+ \w+ 20\d\d$/,
    );
  });

  test('of an application that nobody owns is told to who looks after applications, else to Global Administrators', async () => {
    const global = await aUser(database, ta, { name: 'global', roles: ['Global Administrator'] });
    await aUser(database, ta, { name: 'reader', roles: ['Global Reader'] });
    await aSecret(await anApplication(), '5 days');
    await aCourier(database).deliver();
    expect(idsOf(await outboxOf(database, ta.id))).toEqual([global.id]);
    const keepers = [
      await aUser(database, ta, { name: 'a', roles: ['Application Administrator'] }),
      await aUser(database, ta, { name: 'b', roles: ['Cloud Application Administrator', 'Application Administrator'] }),
    ];
    const another = await aSecret(await anApplication(), '5 days');
    await aCourier(database).deliver();
    const rows = (await outboxOf(database, ta.id)).filter(({ subject_id }) => subject_id === `${another}:7`);
    expect(idsOf(rows)).toEqual(keepers.map(({ id }) => id).sort());
  });

  test('may be a certificate; bare keys do not end', async () => {
    await aUser(database, ta, { roles: ['Global Administrator'] });
    const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    const key = { displayName: null, type: 'AsymmetricX509Cert', usage: 'Verify', publicJwk: {} };
    await anApplication({
      keys: [
        { ...key, keyId: 'ends', startDateTime: day(-300), endDateTime: day(3) },
        { ...key, keyId: 'goes on', startDateTime: day(-300), endDateTime: day(40) },
        { ...key, keyId: 'bare', type: 'JsonWebKey', startDateTime: null, endDateTime: null },
      ],
    });
    await aCourier(database).deliver();
    expect(await outboxOf(database, ta.id)).toMatchObject([
      { subject_id: 'ends:7', parameters: { credential: 'certificate', name: 'ends', application: 'Daemon' } },
    ]);
  });

  test('is not told of before the time for which it was made, nor of an application that is switched off', async () => {
    await aUser(database, ta, { roles: ['Global Administrator'] });
    await aSecret(await anApplication(), '6 days', '6 days');
    await aSecret(await anApplication(), '20 hours', '1 day');
    await aSecret(await anApplication({ isDisabled: true }), '5 days');
    const longer = await aSecret(await anApplication(), '6 days', '20 days');
    await aCourier(database).deliver();
    expect(await subjectsOf()).toEqual([`${longer}:7`]);
  });

  test('of one tenant is nothing to another one’s people', async () => {
    await aUser(database, await aTenant(database, 'Fabrikam'), { roles: ['Global Administrator'] });
    await aSecret(await anApplication(), '5 days');
    await aCourier(database).deliver();
    expect(await asSuperuser(database, 'select id from outbox_messages')).toEqual([]);
  });
});
