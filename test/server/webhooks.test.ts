import { webcrypto } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { addWebhookSecret } from '../../src/authorization/internal/outbox.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import { makeOutbound } from '../../src/outbound/fetch.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aCourier, aRequestNotice, later, outboxOf, put } from '../support/outbox.ts';
import { aSink, type Sink } from '../support/sink.ts';
import { asSuperuser, aTenant, operatorOf, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let operator: Authorization;
let ta: TestTenant;
const opened: Sink[] = [];

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

beforeAll(async () => {
  database = await aDatabase();
  operator = database.operator;
});

beforeEach(async () => {
  ta = await aTenant(database, 'Contoso');
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((sink) => sink.close()));
  await asSuperuser(database, 'delete from outbox_messages');
});

afterAll(() => database.drop());

/** A receiver of webhooks, https and all. */
async function aReceiver(status: () => number = () => 204, headers: Record<string, string> = {}) {
  const calls: Call[] = [];
  const sink = await aSink((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      calls.push({ headers: request.headers, body });
      response.writeHead(status(), headers).end();
    });
  });
  opened.push(sink);
  return { sink, calls };
}

async function setWebhook({ id }: TestTenant, url: string | null): Promise<void> {
  const settings = { notificationWebhook: url === null ? null : { url } };
  await asSuperuser(
    database,
    `insert into tenant_policies (tenant_id, id, settings) values ($1, 'adminConsentRequestPolicy', $2)
      on conflict (tenant_id, id) do update set settings = excluded.settings`,
    [id, JSON.stringify(settings)],
  );
}

const makeSecret = ({ id }: TestTenant) => operator.performInternal(operatorOf(id), addWebhookSecret, undefined);

/** The receiver's side of Standard Webhooks, written from its text: which of the signatures is of this secret. */
async function verifies({ headers, body }: Call, secretText: string): Promise<boolean> {
  const [id, timestamp, list] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    String(headers[name]),
  );
  if (!/^\d{10}$/.test(timestamp ?? '') || Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300) return false;
  const bytes = Buffer.from(secretText.slice('whsec_'.length), 'base64');
  const key = await webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  for (const signature of (list ?? '').split(' ')) {
    const [version, value = ''] = signature.split(',', 2);
    const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
    if (version === 'v1' && (await webcrypto.subtle.verify('HMAC', key, Buffer.from(value, 'base64'), content)))
      return true;
  }
  return false;
}

describe('a webhook', () => {
  test('is sent with what happened, and is known by its signature', async () => {
    const { sink, calls } = await aReceiver();
    await setWebhook(ta, `${sink.origin}/hook?a=b`);
    const { secretText } = await makeSecret(ta);
    expect(secretText).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const notice = aRequestNotice('webhook', { application: 'Reports "Ü"' });
    await put(database, ta.id, notice);
    await aCourier(database, { outbound: sink.outbound() }).deliver();
    expect(sink.requests).toEqual(['POST /hook?a=b']);
    const [call] = calls as [Call];
    expect(call.headers['content-type']).toBe('application/json');
    expect(JSON.parse(call.body)).toEqual({
      type: 'consentRequest.created',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      data: { tenantId: ta.id, id: notice.subjectId, ...notice.parameters },
    });
    expect(await verifies(call, secretText)).toBe(true);
    expect(await verifies({ ...call, body: call.body.replace('Reports', 'Reported') }, secretText)).toBe(false);
    expect(
      await verifies({ ...call, headers: { ...call.headers, 'webhook-id': crypto.randomUUID() } }, secretText),
    ).toBe(false);
    const { secretText: foreign } = await makeSecret(await aTenant(database, 'Fabrikam'));
    expect(await verifies(call, foreign)).toBe(false);
    const [row] = await outboxOf(database, ta.id);
    expect([row?.outcome, row?.parameters]).toEqual(['sent', {}]);
  });

  test('a new secret signs beside the old one for a day, and a third ends the first at once', async () => {
    const { sink, calls } = await aReceiver();
    await setWebhook(ta, sink.origin);
    const first = await makeSecret(ta);
    expect(first.overlapEndDateTime).toBeUndefined();
    const second = await makeSecret(ta);
    const hours = ((second.overlapEndDateTime?.getTime() ?? 0) - Date.now()) / 3_600_000;
    expect([hours > 23.9, hours < 24.1]).toEqual([true, true]);
    const known = async (...secrets: (typeof first)[]) => {
      await put(database, ta.id, aRequestNotice('webhook'));
      await aCourier(database, { outbound: sink.outbound() }).deliver();
      const call = calls.at(-1) as Call; // one was just received
      return Promise.all(secrets.map(({ secretText }) => verifies(call, secretText)));
    };
    expect(await known(first, second)).toEqual([true, true]);
    await asSuperuser(
      database,
      `update notification_secrets set ends_at = now() - interval '1 second' where ends_at is not null`,
    );
    expect(await known(first, second)).toEqual([false, true]);
    const third = await makeSecret(ta);
    const fourth = await makeSecret(ta);
    expect(await known(first, second, third, fourth)).toEqual([false, false, true, true]);
  });

  test('is tried again under the same name and signed anew, and each try may go elsewhere', async () => {
    let status = 500;
    const { sink, calls } = await aReceiver(() => status);
    await setWebhook(ta, `${sink.origin}/old`);
    const { secretText } = await makeSecret(ta);
    await put(database, ta.id, aRequestNotice('webhook'));
    const { deliver, log } = aCourier(database, { outbound: sink.outbound() });
    await deliver();
    const [row] = await outboxOf(database, ta.id);
    expect(row).toMatchObject({ outcome: null, attempts: 1, last_error: 'Webhook: the receiver answered 500.' });
    expect(row?.wait).toBeGreaterThan(55);
    await setWebhook(ta, `${sink.origin}/new`);
    status = 200;
    await later(database, '2 minutes');
    await deliver();
    expect(sink.requests).toEqual(['POST /old', 'POST /new']);
    expect(new Set(calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(await Promise.all(calls.map((call) => verifies(call, secretText)))).toEqual([true, true]);
    expect(log()).not.toContain(sink.host);
  });

  test('ends where the receiver says that it is gone', async () => {
    const { sink } = await aReceiver(() => 410);
    await setWebhook(ta, sink.origin);
    await makeSecret(ta);
    await put(database, ta.id, aRequestNotice('webhook'));
    await aCourier(database, { outbound: sink.outbound() }).deliver();
    expect(await outboxOf(database, ta.id)).toMatchObject([
      { outcome: 'dead', last_error: 'Webhook: the receiver answered 410.' },
    ]);
  });

  test('is never sent unsigned: without a secret it waits for one', async () => {
    const { sink, calls } = await aReceiver();
    await setWebhook(ta, sink.origin);
    await put(database, ta.id, aRequestNotice('webhook'));
    await aCourier(database, { outbound: sink.outbound() }).deliver();
    expect(sink.connections).toBe(0);
    expect(await outboxOf(database, ta.id)).toMatchObject([
      { outcome: null, last_error: 'Webhook: there is no secret to sign with.' },
    ]);
    const { secretText } = await makeSecret(ta);
    await later(database, '2 minutes');
    await aCourier(database, { outbound: sink.outbound() }).deliver();
    expect(await verifies(calls[0] as Call, secretText)).toBe(true);
  });

  test('goes nowhere when it is not wanted any more, and a tenant’s receiver hears of no other tenant', async () => {
    const { sink } = await aReceiver();
    const tb = await aTenant(database, 'Fabrikam');
    await setWebhook(tb, sink.origin);
    await makeSecret(tb);
    await makeSecret(ta);
    await put(database, ta.id, aRequestNotice('webhook'));
    await aCourier(database, { outbound: sink.outbound() }).deliver();
    expect(sink.connections).toBe(0);
    expect(await outboxOf(database, ta.id)).toMatchObject([{ outcome: 'dropped' }]);
  });
});

describe('where a webhook leads', () => {
  test.each([
    ...['https://127.0.0.1:PORT/', 'https://[::1]:PORT/', 'https://[::ffff:7f00:1]:PORT/', 'https://0.0.0.0:PORT/'],
    ...['https://2130706433:PORT/', 'https://localhost.:PORT/', 'https://169.254.169.254/', 'https://10.0.0.1/'],
    ...['http://sink.example:PORT/', 'https://a:b@sink.example:PORT/'],
  ])('SRF-01: to %s nothing is sent, even if it was written down', async (address) => {
    const { sink } = await aReceiver();
    await setWebhook(ta, address.replace('PORT', String(sink.port)));
    await makeSecret(ta);
    await put(database, ta.id, aRequestNotice('webhook'));
    await aCourier(database, { outbound: sink.outbound({ timeoutMs: 300 }) }).deliver();
    expect(sink.connections).toBe(0);
    expect(await outboxOf(database, ta.id)).toMatchObject([
      { outcome: null, last_error: 'Webhook: the address could not be reached.' },
    ]);
  });

  test('SRF-01: nor to a name that has a private address', async () => {
    const { sink } = await aReceiver();
    await setWebhook(ta, sink.origin);
    await makeSecret(ta);
    await put(database, ta.id, aRequestNotice('webhook'));
    const outbound = makeOutbound({ resolve: async () => ['127.0.0.1'], authority: sink.authority, timeoutMs: 300 });
    await aCourier(database, { outbound }).deliver();
    expect(sink.connections).toBe(0);
  });

  test.each([301, 302, 307, 308])('SRF-02: a redirect by %d is not followed, and is no delivery', async (status) => {
    const target = await aReceiver();
    const { sink } = await aReceiver(() => status, { location: target.sink.origin });
    await setWebhook(ta, sink.origin);
    await makeSecret(ta);
    await put(database, ta.id, aRequestNotice('webhook'));
    const outbound = makeOutbound({ allow: [sink.allow, target.sink.allow], authority: sink.authority });
    await aCourier(database, { outbound }).deliver();
    expect([sink.requests.length, target.sink.connections]).toEqual([1, 0]);
    expect(await outboxOf(database, ta.id)).toMatchObject([{ outcome: null }]);
  });

  test('SRF-07: what is written down does not tell a closed port from one that answers nonsense', async () => {
    const open = await aSink((request) => request.socket.destroy());
    opened.push(open);
    const closed = await aSink();
    await closed.close();
    const errors: unknown[] = [];
    for (const sink of [open, closed]) {
      await setWebhook(ta, sink.origin);
      if (errors.length === 0) await makeSecret(ta);
      await put(database, ta.id, aRequestNotice('webhook'));
      await aCourier(database, { outbound: sink.outbound({ timeoutMs: 300 }) }).deliver();
      errors.push((await outboxOf(database, ta.id)).at(-1)?.last_error);
      await asSuperuser(database, 'delete from outbox_messages');
    }
    expect(errors).toEqual(Array(2).fill('Webhook: the address could not be reached.'));
  });
});

test('the making of a secret is in the organization’s audit, and the secret is not', async () => {
  const { secretText } = await makeSecret(ta);
  const rows = await asSuperuser<{ record: string }>(
    database,
    `select row_to_json(d)::text as record from directory_audits d where tenant_id = $1 and activity_display_name = 'Add webhook secret'`,
    [ta.id],
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]?.record).toContain('bailiwick operator');
  const stored = await asSuperuser<{ all: string }>(
    database,
    `select string_agg(encode(sealed_secret, 'escape'), '') as all from notification_secrets`,
  );
  const bare = Buffer.from(secretText.slice(6), 'base64');
  for (const form of [secretText.slice(6), bare.toString('latin1')])
    expect(rows[0]?.record + String(stored[0]?.all)).not.toContain(form);
});
