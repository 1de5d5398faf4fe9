import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { claimDue, countUndelivered, MAX_ATTEMPTS, settle } from '../../src/authorization/internal/outbox.ts';
import { claimMessages } from '../../src/directory/outbox-delivery.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aMailServer, MAIL_PASSWORD, MAIL_USER, type MailServer, refusal } from '../support/mail-server.ts';
import { aCourier, aRequestNotice, authorizationOf, later, outboxOf, put } from '../support/outbox.ts';
import { superuserOf } from '../support/superuser.ts';
import { asSuperuser, aTenant, aUser, operatorOf, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let ta: TestTenant;
let alice: TestPrincipal;
const opened: MailServer[] = [];

beforeAll(async () => {
  database = await aDatabase();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
  // One test's outbox is not the next one's.
  await asSuperuser(database, 'delete from outbox_messages');
});

afterAll(() => database.drop());

beforeAll(async () => {
  ta = await aTenant(database, 'Contoso');
  alice = await aUser(database, ta, { name: 'alice' });
});

async function serverThat(options: Partial<Parameters<typeof aMailServer>[0]> = {}): Promise<MailServer> {
  const server = await aMailServer({ tls: 'smtps', ...options });
  opened.push(server);
  return server;
}

const courierPrincipal = (tenant: TestTenant) => internalPrincipal('courier', tenant.id);
const upnOf = async ({ id }: TestPrincipal) =>
  (await asSuperuser<{ upn: string }>(database, 'select user_principal_name as upn from users where id = $1', [id]))[0]
    ?.upn;

describe('a notice by mail', () => {
  test('goes once to the person’s address of this moment, and its words do not stay', async () => {
    const server = await serverThat();
    await put(database, ta.id, aRequestNotice(alice.id));
    const { deliver, log } = aCourier(database, { mailer: server.mailer() });
    await deliver();
    await deliver();
    await aCourier(database, { mailer: server.mailer() }).deliver();
    expect(server.received.map(({ to }) => to)).toEqual([[await upnOf(alice)]]);
    const [row] = await outboxOf(database, ta.id);
    expect(row).toMatchObject({ outcome: 'sent', attempts: 1, last_error: null });
    expect(row?.parameters).toEqual({});
    await asSuperuser(database, `update users set mail = 'alice@home.example' where id = $1`, [alice.id]);
    await put(database, ta.id, aRequestNotice(alice.id));
    await deliver();
    await asSuperuser(database, 'update users set mail = null where id = $1', [alice.id]);
    expect(server.received.map(({ to }) => to).slice(1)).toEqual([['alice@home.example']]);
    expect(log()).toBe('');
  });

  test('says who asks for what, and leads to the sign-in of the organization', async () => {
    const server = await serverThat();
    const notice = aRequestNotice(alice.id, { application: 'Fabrikam Reports', requester: 'Bob' });
    await put(database, ta.id, notice);
    await aCourier(database, { mailer: server.mailer() }).deliver();
    const [mail] = server.received;
    expect(mail?.headers.get('subject')).toBe('Somebody asks for an application');
    expect(mail?.text).toContain('"Bob" asks that you allow an application.');
    expect(mail?.text).toContain('calls itself: "Fabrikam Reports"');
    expect(mail?.text).toContain(`http://localhost:8400/${ta.id}/admin/requests/${notice.subjectId}\r\n`);
  });

  test.each([
    ['with a header and a text behind it', 'Evil\r\nBcc: mallory@tb.example\r\n\r\nA text of my own'],
    ['with a bare line feed', 'Evil\nBcc: mallory@tb.example'],
    ['with other ends of lines', 'Evil\u2028Bcc: mallory@tb.example\u0085X: y\u0008'],
    ['like an end of data and a command', '.\r\nMAIL FROM:<mallory@tb.example>\r\n'],
    ['like places and people', 'At https://evil.example/login or www.evil.example or m@evil.example" <b>now</b>'],
    ['without an end', 'long '.repeat(2_000)],
    ['from right to left', 'abc\u202egnp.exe\u2066'],
  ])(
    'whatever application, person and organization are called (%s), no header, link or line is theirs',
    async (_what, name) => {
      const server = await serverThat();
      await asSuperuser(database, 'update tenants set display_name = $2 where id = $1', [ta.id, name]);
      await put(database, ta.id, aRequestNotice(alice.id, { application: name, requester: name }));
      await aCourier(database, { mailer: server.mailer() }).deliver();
      await asSuperuser(database, `update tenants set display_name = 'Contoso' where id = $1`, [ta.id]);
      const [mail] = server.received;
      expect(server.received).toHaveLength(1);
      expect(mail?.to).toEqual([await upnOf(alice)]);
      expect([...(mail?.headers.keys() ?? [])].sort()).toEqual([
        ...[
          'auto-submitted',
          'content-transfer-encoding',
          'content-type',
          'date',
          'from',
          'message-id',
          'mime-version',
        ],
        ...['subject', 'to'],
      ]);
      expect(mail?.headers.get('subject')).toBe('Somebody asks for an application');
      const text = mail?.text ?? '';
      const link = new RegExp(`http://localhost:8400/${ta.id}/\\S+`);
      expect(text).toMatch(link);
      // What a mail program makes a link of: a scheme, or letters on both sides of a dot or an at-sign.
      expect(text.replace(link, '')).not.toMatch(/https?:\/\/|www\.|[a-z]\.[a-z]{2,}|\w@\w/i);
      expect(text.replace(/\r\n/g, '')).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
      expect(text.split('\r\n').length).toBeLessThan(14);
      expect(text.length).toBeLessThan(1_200);
    },
  );

  test.each([
    ['is disabled', 'update users set account_enabled = false where id = $1'],
    ['is deleted', 'delete from users where id = $1'],
    ['has no address to send to', `update users set mail = 'nobody' where id = $1`],
  ])('is for nobody who %s before it is sent', async (_what, change) => {
    const server = await serverThat();
    const gone = await aUser(database, ta, { name: 'gone' });
    await put(database, ta.id, aRequestNotice(gone.id), aRequestNotice(alice.id));
    await asSuperuser(database, change, [gone.id]);
    await aCourier(database, { mailer: server.mailer() }).deliver();
    expect(server.received.map(({ to }) => to)).toEqual([[await upnOf(alice)]]);
    const rows = await outboxOf(database, ta.id);
    const row = rows.find(({ recipient }) => recipient === gone.id);
    expect([row?.outcome, row?.parameters]).toEqual(['dropped', {}]);
  });

  test('waits while its organization is closed', async () => {
    const server = await serverThat();
    await put(database, ta.id, aRequestNotice(alice.id));
    await asSuperuser(database, 'update tenants set is_enabled = false where id = $1', [ta.id]);
    const { deliver } = aCourier(database, { mailer: server.mailer() });
    await deliver();
    expect(server.received).toHaveLength(0);
    await asSuperuser(database, 'update tenants set is_enabled = true where id = $1', [ta.id]);
    await deliver();
    expect(server.received).toHaveLength(1);
  });

  test('waits while there is no mail server, and is given up when its time is over', async () => {
    await put(database, ta.id, aRequestNotice(alice.id));
    await aCourier(database).deliver();
    expect(await outboxOf(database, ta.id)).toMatchObject([{ outcome: null, attempts: 0 }]);
    await later(database, '8 days');
    const { deliver, log } = aCourier(database);
    await deliver();
    const [row] = await outboxOf(database, ta.id);
    expect([row?.outcome, row?.last_error, row?.parameters]).toEqual(['dead', 'It could not be sent in time.', {}]);
    expect(log()).toContain('A notice was given up.');
  });
});

describe('of one tenant', () => {
  test('nothing is sent to another one’s people, nor in another one’s name', async () => {
    const server = await serverThat();
    const tb = await aTenant(database, 'Fabrikam');
    const bob = await aUser(database, tb, { name: 'bob' });
    await put(database, ta.id, aRequestNotice(bob.id));
    await put(database, tb.id, aRequestNotice(bob.id));
    await aCourier(database, { mailer: server.mailer() }).deliver();
    expect(server.received.map(({ to }) => to)).toEqual([[await upnOf(bob)]]);
    expect(server.received[0]?.text).toContain(`/${tb.id}/admin`);
    expect(server.received[0]?.text).toContain('"Fabrikam"');
    expect(await outboxOf(database, ta.id)).toMatchObject([{ outcome: 'dropped' }]);
  });

  test('a courier that is in one tenant claims and settles nothing of another', async () => {
    const tb = await aTenant(database, 'Fabrikam');
    await put(database, ta.id, aRequestNotice(alice.id));
    const authorization = authorizationOf(database);
    const claim = { channels: ['mail'], limit: 10 } as const;
    expect(await authorization.performInternal(courierPrincipal(tb), claimDue, claim)).toEqual([]);
    const [mine] = await authorization.performInternal(courierPrincipal(ta), claimDue, claim);
    const settled = { id: mine?.id ?? '', attempt: 1, settlement: { outcome: 'sent' }, delaySeconds: 0 } as const;
    expect(await authorization.performInternal(courierPrincipal(tb), settle, settled)).toBe(false);
    expect(await authorization.performInternal(courierPrincipal(ta), settle, settled)).toBe(true);
  });
});

describe('a mail server that does not take it', () => {
  test('for now: it is tried again later and later under the same name', async () => {
    const names: unknown[] = [];
    let isFull = true;
    const server = await serverThat({
      onMessage: ({ headers }) => {
        names.push(headers.get('message-id'));
        if (isFull) throw refusal(451, '4.3.0 Try again');
      },
    });
    await put(database, ta.id, aRequestNotice(alice.id));
    const waits: number[] = [];
    for (let tries = 1; tries <= 3; tries += 1) {
      const { deliver, log } = aCourier(database, { mailer: server.mailer() });
      await deliver();
      await deliver();
      const [row] = await outboxOf(database, ta.id);
      expect(row).toMatchObject({ attempts: tries, outcome: null, last_error: 'SMTP: EMESSAGE 451 4.3.0' });
      expect(log()).toContain('A notice could not be sent yet.');
      waits.push(row?.wait ?? 0);
      await later(database, `${row?.wait} seconds`);
    }
    expect(waits.map((wait) => Math.floor(wait / 60))).toEqual([1, 2, expect.any(Number)]);
    expect(waits[2]).toBeGreaterThan(200);
    isFull = false;
    await aCourier(database, { mailer: server.mailer() }).deliver();
    expect(server.received).toHaveLength(1);
    expect(new Set(names).size).toBe(1);
  });

  test('for good: it is a dead letter, logged once and seen by the operator, without a word of whom and what', async () => {
    const server = await serverThat({
      onRecipient: (address) => {
        throw refusal(550, `5.1.1 No such user ${address}`);
      },
    });
    await put(database, ta.id, aRequestNotice(alice.id, { application: 'Secret project' }));
    const { deliver, log } = aCourier(database, { mailer: server.mailer() });
    await deliver();
    await later(database, '1 day');
    await deliver();
    expect(server.connections).toBe(1);
    expect(log().match(/given up/g)).toHaveLength(1);
    expect(log()).not.toMatch(/Secret project|alice/);
    const undelivered = await database.operator.performInternal(operatorOf(ta.id), countUndelivered, undefined);
    expect(undelivered).toMatchObject([
      { channel: 'mail', isDead: true, count: 1, error: 'SMTP: EENVELOPE 550 5.1.1' },
    ]);
    expect(JSON.stringify(undelivered)).not.toMatch(/Secret project|alice/);
  });

  test('the sign-in: nothing is lost, others are not tried in vain, and the password is nowhere', async () => {
    const server = await serverThat({ tls: 'starttls', password: 'another one' });
    await put(database, ta.id, ...Array.from({ length: 5 }, () => aRequestNotice(alice.id)));
    const { deliver, log } = aCourier(database, { mailer: server.mailer() });
    await deliver();
    await deliver();
    // Those that were under way at once; the others wait.
    expect(server.connections).toBeLessThanOrEqual(3);
    const rows = await outboxOf(database, ta.id);
    expect(rows.map(({ outcome }) => outcome)).toEqual([null, null, null, null, null]);
    expect(rows.filter(({ attempts }) => attempts === 0)).toHaveLength(2);
    expect(log()).toContain('EAUTH 535');
    for (const secret of [
      MAIL_PASSWORD,
      encodeURIComponent(MAIL_PASSWORD),
      Buffer.from(MAIL_PASSWORD).toString('base64'),
    ])
      expect(log() + JSON.stringify(rows)).not.toContain(secret);
    expect(log()).not.toContain(MAIL_USER);
  });

  test(`ever again: after ${MAX_ATTEMPTS} tries it is given up`, async () => {
    const server = await serverThat({
      onRecipient: () => {
        throw refusal(450, '4.2.0 Not now');
      },
    });
    await put(database, ta.id, aRequestNotice(alice.id));
    const { deliver } = aCourier(database, { mailer: server.mailer() });
    for (let tries = 0; tries < MAX_ATTEMPTS; tries += 1) {
      await deliver();
      await asSuperuser(database, 'update outbox_messages set next_attempt_at = now()');
    }
    expect(server.connections).toBe(MAX_ATTEMPTS);
    await aCourier(database, { mailer: server.mailer() }).deliver();
    expect(server.connections).toBe(MAX_ATTEMPTS);
    expect(await outboxOf(database, ta.id)).toMatchObject([
      { outcome: 'dead', last_error: 'SMTP: EENVELOPE 450 4.2.0' },
    ]);
  }, 30_000);
});

describe('several couriers at once', () => {
  test('send each message once', async () => {
    const server = await serverThat();
    const notices = Array.from({ length: 40 }, () => aRequestNotice(alice.id));
    await put(database, ta.id, ...notices);
    const couriers = [1, 2, 3].map(() =>
      aCourier(database, { mailer: server.mailer(), authorization: database.authorization('authentication') }),
    );
    for (let rounds = 0; rounds < 5; rounds += 1) await Promise.all(couriers.map(({ deliver }) => deliver()));
    const ids = server.received.map(({ headers }) => headers.get('message-id'));
    expect(ids).toHaveLength(40);
    expect(new Set(ids).size).toBe(40);
    const rows = await outboxOf(database, ta.id);
    expect(new Set(rows.map(({ outcome, attempts }) => `${outcome} ${attempts}`))).toEqual(new Set(['sent 1']));
  }, 30_000);

  test('pass by what another one is claiming at this moment, without waiting for it', async () => {
    const server = await serverThat();
    await put(database, ta.id, aRequestNotice(alice.id));
    const store = database.openStore('authentication');
    const binding = { action: 'notifications/outbox/update', tenantId: ta.id, access: 'write' } as const;
    const claimed = await store.transaction(binding, async (permit) => {
      const messages = await claimMessages(permit, { channels: ['mail'], limit: 10 });
      await put(database, ta.id, aRequestNotice(alice.id));
      await aCourier(database, { mailer: server.mailer() }).deliver();
      return messages;
    });
    expect([claimed.length, server.received.length]).toEqual([1, 1]);
    expect(server.received[0]?.headers.get('message-id')).not.toContain(claimed[0]?.id);
  });

  test('whoever died with a message in his hand leaves it to the next after a while, and comes too late himself', async () => {
    const server = await serverThat();
    await put(database, ta.id, aRequestNotice(alice.id));
    const authorization = authorizationOf(database);
    const claim = { channels: ['mail'], limit: 10 } as const;
    const [held] = await authorization.performInternal(courierPrincipal(ta), claimDue, claim);
    expect(held).toMatchObject({ attempt: 1, kind: 'consentRequestCreated' });
    await aCourier(database, { mailer: server.mailer() }).deliver();
    expect(server.received).toHaveLength(0);
    await later(database, '4 minutes');
    await aCourier(database, { mailer: server.mailer() }).deliver();
    expect(server.received).toHaveLength(0);
    await later(database, '1 minute');
    await aCourier(database, { mailer: server.mailer() }).deliver();
    expect(server.received).toHaveLength(1);
    const late = {
      id: held?.id ?? '',
      attempt: 1,
      settlement: { outcome: 'dead', error: 'x' },
      delaySeconds: 0,
    } as const;
    expect(await authorization.performInternal(courierPrincipal(ta), settle, late)).toBe(false);
    expect(await outboxOf(database, ta.id)).toMatchObject([{ outcome: 'sent', attempts: 2 }]);
  });

  test('one that is stopped lets go of the mail server, and what it held is sent later', async () => {
    let isReached = () => {};
    const reached = new Promise<void>((resolve) => {
      isReached = resolve;
    });
    let isBusy = true;
    const server = await serverThat({
      onRecipient: async () => {
        isReached();
        if (isBusy) await new Promise(() => undefined);
      },
    });
    await put(database, ta.id, aRequestNotice(alice.id));
    const { courier, deliver } = aCourier(database, { mailer: server.mailer() });
    const delivering = deliver();
    await reached;
    await courier.stop();
    await delivering;
    expect(await outboxOf(database, ta.id)).toMatchObject([{ outcome: null, last_error: 'SMTP: EABORT' }]);
    isBusy = false;
    await later(database, '2 minutes');
    await aCourier(database, { mailer: server.mailer() }).deliver();
    expect(server.received).toHaveLength(1);
  });
});

describe('a tenant is entered again', () => {
  /** As `asSuperuser`, and the tenants' versions stay as they are. */
  const quietly = (text: string) => superuserOf(database.superuserUrl).query(text);
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('when it changed, and not before', async () => {
    const server = await serverThat();
    const { deliver } = aCourier(database, { mailer: server.mailer() });
    await deliver();
    await put(database, ta.id, aRequestNotice(alice.id));
    await deliver();
    expect(server.received).toHaveLength(0);
    await asSuperuser(database, 'update tenants set display_name = display_name');
    await deliver();
    expect(server.received).toHaveLength(1);
  });

  test('when something is due, and not before', async () => {
    let isFull = true;
    const server = await serverThat({
      onMessage: () => {
        if (isFull) throw refusal(451, '4.3.0 Try again');
      },
    });
    await put(database, ta.id, aRequestNotice(alice.id));
    const { deliver } = aCourier(database, { mailer: server.mailer() });
    await deliver();
    isFull = false;
    await quietly('update outbox_messages set next_attempt_at = now()');
    await deliver();
    expect(server.connections).toBe(1);
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + 80_000);
    await deliver();
    expect(server.received).toHaveLength(1);
  });
});
