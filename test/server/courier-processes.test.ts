import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aDatabase } from '../support/database.ts';
import { aDeployment, type Deployment, type RunningServer } from '../support/deployment.ts';
import { aMailServer, type MailServer } from '../support/mail-server.ts';
import { asSuperuser } from '../support/tenants.ts';

const CONTOSO = '61b0ebf9-4bbc-40f6-92cf-acd9e9a4e5b7';
const MESSAGES = 25;

let deployment: Deployment;
let mail: MailServer;
let victim: RunningServer | undefined;

beforeAll(async () => {
  deployment = await aDeployment({ database: await aDatabase() });
  await deployment.bailiwick('apply', '-f', 'config/demo.yaml');
  mail = await aMailServer({
    tls: 'none',
    onRecipient: async () => {
      if (!victim) return;
      const { child, ended } = victim;
      victim = undefined;
      child.kill('SIGKILL');
      await ended;
    },
  });
}, 60_000);

afterAll(async () => {
  await deployment.end();
  await mail.close();
});

const environment = () => ({ SMTP_URL: mail.config.url, MAIL_FROM: 'Bailiwick <no-reply@login.example>' });

const put = (count: number) =>
  asSuperuser(
    deployment,
    `insert into outbox_messages (tenant_id, id, kind, channel, recipient, subject_id, parameters)
      select tenant_id, gen_random_uuid(), 'consentRequestExpired', 'mail', id::text, gen_random_uuid()::text,
        '{"application":"Reports","requestId":"x"}'
      from (select * from users where tenant_id = $1 order by id limit 1) u, generate_series(1, $2)`,
    [CONTOSO, count],
  );

const states = async () =>
  (
    await asSuperuser<{ state: string; count: number }>(
      deployment,
      `select coalesce(outcome, 'waiting') || ' ' || attempts as state, count(*)::int as count from outbox_messages group by 1 order by 1`,
    )
  ).map(({ state, count }) => `${count} ${state}`);

async function until(isTrue: () => Promise<boolean> | boolean): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 200) {
    if (await isTrue()) return;
    await sleep(200);
  }
  throw new Error(`It did not come to that: ${(await states()).join(', ')}`);
}

test('a process that is killed with a mail in its hand loses nothing: another sends it once the claim is over', async () => {
  await put(1);
  const first = await deployment.serve(['--only', 'authentication'], environment());
  victim = first;
  expect(await first.ended).toBe('SIGKILL');
  expect(await states()).toEqual(['1 waiting 1']);
  expect(mail.received).toHaveLength(0);
  const second = await deployment.serve(['--only', 'authentication'], environment());
  await asSuperuser(deployment, 'update outbox_messages set next_attempt_at = now()');
  await until(async () => (await states()).join() === '1 sent 2');
  expect(mail.received).toHaveLength(1);
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
}, 120_000);

test('several processes send each mail once', async () => {
  await asSuperuser(deployment, 'delete from outbox_messages');
  const before = mail.received.length;
  const server = await deployment.serve(['--only', 'authentication', '--processes', '3'], environment());
  await put(MESSAGES);
  await until(async () => (await states()).join() === `${MESSAGES} sent 1`);
  const names = mail.received.slice(before).map(({ headers }) => headers.get('message-id'));
  expect([names.length, new Set(names).size]).toEqual([MESSAGES, MESSAGES]);
  expect(server.output()).not.toContain('could not be');
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe(0);
}, 120_000);
