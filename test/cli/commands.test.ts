import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { consentForSelf } from '../../src/authorization/catalogue/page-consents.ts';
import { type ObjectId, parseObjectId, parseTenantId, type TenantId } from '../../src/vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aCommandLine, type TestCommandLine } from '../support/command-line.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser } from '../support/tenants.ts';

const DAEMON = '3de049bd-bd37-4665-951e-1e0172a02fd4';
const HR = '32904e18-d0a5-4482-83f9-243ed3d8c2f4';
const ANALYTICS = 'fa5c2978-aab0-4337-99d6-9c7fca70bb47';
const CONTOSO = ['--tenant', 'contoso.example'];

let database: TestDatabase;
let cli: TestCommandLine;

beforeAll(async () => {
  database = await aDatabase();
  cli = aCommandLine(database, {
    DATABASE_URL: database.urls.owner,
    AUTHENTICATION_DATABASE_URL: database.urls.authentication,
    DIRECTORY_DATABASE_URL: database.urls.directory,
    OPERATOR_DATABASE_URL: database.urls.operator,
  });
  await cli.run('apply', '-f', 'config/demo.yaml');
});

afterAll(() => database.drop());

async function json(...words: string[]) {
  const { code, stdout, stderr } = await cli.run(...words, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

const auditNames = async () => {
  const rows = await asSuperuser<{ name: string }>(
    database,
    'select activity_display_name as name from directory_audits',
  );
  return rows.map(({ name }) => name);
};

describe('the command line', () => {
  test('every command explains itself', async () => {
    const { stdout } = await cli.run('--help');
    for (const command of [
      'serve',
      'migrate',
      'apply',
      'export',
      'tenant',
      'application',
      'env',
      'consent',
      'keys',
      'doctor',
    ]) {
      expect(stdout).toContain(command);
      const help = await cli.run(command, '--help');
      expect(help.code).toBe(0);
      expect(help.stdout).toContain('Usage: bailiwick');
    }
  });

  test.each([
    [['nonsense'], 'unknown command'],
    [['apply'], '--file'],
    [['serve', '--processes', '0'], 'from 1 to'],
    [['serve', '--only', 'portal'], 'Allowed choices'],
    [['consent', 'grant', ...CONTOSO, '--client', DAEMON], '--scope or --app-role'],
    [
      ['consent', 'grant', ...CONTOSO, '--client', DAEMON, '--app-role', 'User.Read.All', '--user', 'a@b.example'],
      '--scope',
    ],
    [['consent', 'remove', ...CONTOSO, '--client', '00000003-0000-0000-c000-000000000000'], 'can not be removed'],
    [['tenant', 'create', '--display-name', 'X', '--domain', 'no domain'], 'domain'],
    [['tenant', 'create', '--display-name', 'X', '--domain', 'x.example', '--admin', 'a@y.example'], '--admin'],
  ])('a mistake in the words is exit code 2: %j', async (words, message) => {
    const { code, stderr, stdout } = await cli.run(...words);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});

describe('consent', () => {
  test('an application permission is granted, listed and revoked, each once, and audited', async () => {
    const permission = [...CONTOSO, '--client', DAEMON, '--app-role', 'User.Read.All'];
    expect((await json('consent', 'grant', ...permission)).outcome).toBe('created');
    expect((await json('consent', 'grant', ...permission)).outcome).toBe('unchanged');
    const { consents } = await json('consent', 'list', ...CONTOSO, '--client', DAEMON);
    expect(consents).toEqual([
      expect.objectContaining({ client: 'Contoso Nightly Report', type: 'application', permission: 'User.Read.All' }),
    ]);
    expect((await json('consent', 'revoke', ...permission)).outcome).toBe('removed');
    expect((await json('consent', 'revoke', ...permission)).outcome).toBe('unchanged');
    expect((await json('consent', 'list', ...CONTOSO, '--client', DAEMON)).consents).toEqual([]);
    const names = (await auditNames()).filter((name) => name.includes('app role assignment'));
    expect(names.sort()).toEqual([
      'Add app role assignment to service principal',
      'Remove app role assignment from service principal',
    ]);
  });

  test('delegated permissions are granted for everybody and for one, and revoked one by one', async () => {
    const client = [...CONTOSO, '--client', ANALYTICS];
    const forAlice = ['--user', 'Alice@contoso.example'];
    expect((await json('consent', 'grant', ...client, '--scope', 'openid User.Read', ...forAlice)).outcome).toBe(
      'created',
    );
    expect((await json('consent', 'grant', ...client, '--scope', 'User.Read.All')).outcome).toBe('created');
    expect((await json('consent', 'grant', ...client, '--scope', 'User.Read.All openid')).outcome).toBe('updated');
    const { consents } = await json('consent', 'list', ...client);
    expect(consents.map((row: { for: string; permission: string }) => `${row.for}: ${row.permission}`).sort()).toEqual([
      'alice@contoso.example: openid User.Read',
      'everybody: User.Read.All openid',
    ]);
    expect((await json('consent', 'revoke', ...client, '--scope', 'openid')).outcome).toBe('updated');
    expect((await json('consent', 'revoke', ...client, '--scope', 'openid User.Read', ...forAlice)).outcome).toBe(
      'removed',
    );
    const left = (await json('consent', 'list', ...client)).consents;
    expect(left).toEqual([expect.objectContaining({ for: 'everybody', permission: 'User.Read.All' })]);
  });

  test('the list says who granted what to which application, and when', async () => {
    const began = Date.now();
    const userId = parseObjectId('d2ee37f9-a34c-4c76-bbcd-d00500d28a41') as ObjectId; // Alice
    const tenantId = parseTenantId('61b0ebf9-4bbc-40f6-92cf-acd9e9a4e5b7') as TenantId; // Contoso
    const [api] = await asSuperuser<{ id: string }>(
      database,
      'select id from service_principals where tenant_id = $1 and app_id = $2',
      [tenantId, DIRECTORY_APP_ID],
    );
    await database
      .authorization('authentication')
      .perform(
        { kind: 'session', tenantId, userId, authenticatedAt: Date.now() / 1_000 },
        consentForSelf,
        { appId: HR, scopes: [{ resourceId: api?.id, values: ['User.Read'] }] },
        { correlationId: 'c-1' },
      );
    await json('consent', 'grant', ...CONTOSO, '--client', DAEMON, '--app-role', 'User.Read.All');
    const { consents } = await json('consent', 'list', ...CONTOSO);
    const by = (name: string) => consents.find(({ client }: { client: string }) => client === name);
    expect(by('Contoso HR')).toMatchObject({ for: 'alice@contoso.example', grantedBy: 'alice@contoso.example' });
    expect(by('Contoso Nightly Report')).toMatchObject({ for: 'itself', grantedBy: 'bailiwick operator' });
    for (const { grantedDateTime } of consents) {
      expect(Math.abs(Date.parse(grantedDateTime) - began)).toBeLessThan(600_000);
    }
    const { stdout } = await cli.run('consent', 'list', ...CONTOSO);
    expect(stdout).toMatch(/^APPLICATION +API +FOR +PERMISSION +GRANTED BY +WHEN\n/);
    expect(stdout).toMatch(/Contoso HR .*User\.Read +alice@contoso\.example +\d{4}-\d\d-\d\d \d\d:\d\d/);
    const own = (await json('consent', 'list', ...CONTOSO, '--user', 'Alice@contoso.example')).consents;
    expect(own).toEqual([by('Contoso HR')]);
    expect((await cli.run('consent', 'list', ...CONTOSO, '--user', 'x@contoso.example')).code).toBe(1);
    await json('consent', 'revoke', ...CONTOSO, '--client', DAEMON, '--app-role', 'User.Read.All');
    await json(
      'consent',
      'revoke',
      ...CONTOSO,
      '--client',
      HR,
      '--scope',
      'User.Read',
      '--user',
      'alice@contoso.example',
    );
  });

  test('an application is removed from the organization with all that it was granted', async () => {
    await json('consent', 'grant', ...CONTOSO, '--client', ANALYTICS, '--scope', 'User.Read');
    expect((await json('consent', 'remove', ...CONTOSO, '--client', ANALYTICS)).outcome).toBe('removed');
    expect((await cli.run('consent', 'list', ...CONTOSO, '--client', ANALYTICS)).code).toBe(1);
    expect((await json('consent', 'list', ...CONTOSO)).consents).toEqual([]);
    expect((await json('consent', 'list', '--tenant', 'fabrikam.example')).consents).toHaveLength(1);
  });

  test.each([
    [['--tenant', 'nobody.example', '--client', DAEMON, '--scope', 'openid'], 'no organization'],
    [
      ['--tenant', 'contoso.example', '--client', DAEMON, '--app-role', 'Everything'],
      'publishes no application permission',
    ],
    [['--tenant', 'contoso.example', '--client', DAEMON, '--scope', 'Everything'], 'publishes no scope'],
    [
      ['--tenant', 'contoso.example', '--client', DAEMON, '--scope', 'openid', '--user', 'carol@fabrikam.example'],
      'no user',
    ],
    [
      ['--tenant', 'contoso.example', '--client', '0d1f2d6e-54a5-4b8f-a5a9-000000000000', '--scope', 'openid'],
      'no application',
    ],
  ])('what is not there can not be granted: %j', async (words, message) => {
    const { code, stderr } = await cli.run('consent', 'grant', ...words);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});

describe('tenant create', () => {
  test('makes a tenant with keys, the directory API and one Global Administrator, who must change the password', async () => {
    const { tenants } = await json(
      'tenant',
      'create',
      '--display-name',
      'Tailspin Toys',
      '--domain',
      'tailspin.example',
    );
    const [{ id, changes }] = tenants;
    expect(changes.find(({ type }: { type: string }) => type === 'User').password).toMatch(/^[\w-]{24}$/);
    const [row] = await asSuperuser<object>(
      database,
      `select (select count(*)::integer from signing_keys where tenant_id = $1) as keys,
        (select count(*)::integer from service_principals where tenant_id = $1) as services,
        (select bool_and(force_change_next_sign_in) from user_passwords where tenant_id = $1) as forced,
        (select count(*)::integer from role_assignments where tenant_id = $1) as roles,
        (select count(*)::integer from directory_audits where tenant_id = $1) as audits`,
      [id],
    );
    expect(row).toEqual({ keys: 2, services: 1, forced: true, roles: 1, audits: 3 });
    const again = await cli.run('tenant', 'create', '--display-name', 'Tailspin Toys', '--domain', 'tailspin.example');
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('belongs to an organization already')]);
  });

  test('an administration client gets its consent only when that is asked for, and it can be revoked', async () => {
    const words = ['--display-name', 'Lucerne', '--domain', 'lucerne.example', '--consent-admin-client', ANALYTICS];
    await json('tenant', 'create', ...words);
    const tenant = ['--tenant', 'lucerne.example'];
    const { consents } = await json('consent', 'list', ...tenant);
    expect(consents).toEqual([expect.objectContaining({ for: 'everybody', client: 'Fabrikam Analytics' })]);
    await json('consent', 'remove', ...tenant, '--client', ANALYTICS);
    expect((await json('consent', 'list', ...tenant)).consents).toEqual([]);
  });
});

describe('keys', () => {
  const slots = async () => (await json('keys', 'list', ...CONTOSO)).keys as { slot: string; kid: string }[];
  const inSlot = async (slot: string) => (await slots()).filter((key) => key.slot === slot).map(({ kid }) => kid);

  test('KEY-01: the next key signs only after it was published for a day', async () => {
    const { code, stderr } = await cli.run('keys', 'rotate', ...CONTOSO);
    expect([code, stderr]).toEqual([1, expect.stringContaining('younger than a day')]);
    await asSuperuser(database, `update signing_keys set created_at = now() - interval '25 hours' where slot = 'next'`);
    const [next] = await inSlot('next');
    const [current] = await inSlot('current');
    expect((await json('keys', 'rotate', ...CONTOSO)).rotated).toEqual([
      expect.objectContaining({ algorithm: 'ES256', current: next, retiring: current }),
    ]);
    expect(await inSlot('current')).toEqual([next]);
    expect(await inSlot('retiring')).toEqual([current]);
    expect(await inSlot('next')).not.toContain(next);
    expect(await auditNames()).toContain('Rotate signing key');
  });

  test('--now is for a key in wrong hands; what retired more than 30 days ago is dropped', async () => {
    const [retiring] = await inSlot('retiring');
    await asSuperuser(
      database,
      `update signing_keys set retired_at = now() - interval '31 days' where slot = 'retiring'`,
    );
    await json('keys', 'rotate', ...CONTOSO, '--now');
    expect(await inSlot('retiring')).toHaveLength(1);
    expect(await inSlot('retiring')).not.toContain(retiring);
  });

  test('an algorithm without keys is told', async () => {
    const { code, stderr } = await cli.run('keys', 'rotate', ...CONTOSO, '--algorithm', 'RS256');
    expect([code, stderr]).toEqual([1, expect.stringContaining('no RS256 keys')]);
  });
});

describe('migrate and doctor', () => {
  const keyFile = () => join(cli.directory, 'key-encryption-key');

  test('without the key file both say how to make one', async () => {
    for (const command of ['migrate', 'doctor']) {
      const { code, stdout, stderr } = await cli.run(command);
      expect(code).toBe(1);
      expect(stdout + stderr).toContain('There is no key-encryption key');
    }
  });

  test('migrate on a database of this version changes nothing and says so', async () => {
    writeFileSync(keyFile(), Buffer.alloc(32, 7).toString('base64url'), { mode: 0o600 });
    const { code, stdout } = await cli.run('migrate');
    expect([code, stdout]).toEqual([0, 'The database is up to date.\n']);
  });

  test('doctor finds what is wrong and says how to mend it', async () => {
    chmodSync(keyFile(), 0o644);
    await asSuperuser(database, 'alter table groups no force row level security');
    const { code, stdout } = await cli.run('doctor');
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ key-encryption key: .* can be read by everybody\n {2}→ chmod 600/);
    expect(stdout).toContain('Table groups lacks forced row level security');
    // The template database of the tests was sealed with another key.
    expect(stdout).toContain('The key-encryption key does not open what this database holds');
    expect(stdout).toMatch(/✓ database login operator: clock/);
    const { findings } = JSON.parse((await cli.run('doctor', '--json')).stdout);
    expect(findings.filter(({ isWell }: { isWell: boolean }) => !isWell)).toHaveLength(7);
  });

  test('doctor warns of secrets and certificates that end within thirty days, whosever they are, and fails for none', async () => {
    const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    const key = (displayName: string, days: number) =>
      JSON.stringify([{ keyId: 'k', displayName, type: 'AsymmetricX509Cert', publicJwk: {}, endDateTime: at(days) }]);
    const credentials = 'update password_credentials c set end_at = $2 from applications a';
    const of = 'a.tenant_id = c.tenant_id and a.id = c.application_id and a.app_id = $1';
    await asSuperuser(database, `${credentials} where ${of}`, [DAEMON, at(29)]);
    await asSuperuser(database, 'update applications set key_credentials = $2 where app_id = $1', [
      ANALYTICS,
      key('old', -1),
    ]);
    await asSuperuser(database, 'update applications set key_credentials = $2 where app_id = $1', [HR, key('new', 31)]);
    const { findings } = JSON.parse((await cli.run('doctor', '--json')).stdout);
    const warned = findings.filter(({ isWarning = false }: { isWarning?: boolean }) => isWarning);
    expect(warned.map(({ isWell }: { isWell: boolean }) => isWell)).toEqual([true, true]);
    const { stdout } = await cli.run('doctor');
    expect(stdout).toMatch(/! secret "demo" of .* \(.*\): ends 20/);
    expect(stdout).toMatch(/! certificate "old" of .*: ended 20/);
    expect(stdout).not.toContain('"new"');
  });

  test('doctor says that mail is off, and which notices wait for long or were given up, without a word of them', async () => {
    expect((await cli.run('doctor')).stdout).toContain('✓ mail: off');
    const mailing = aCommandLine(database, {
      SMTP_URL: 'smtps://canary-user:canary-password@mail.example:2525',
      MAIL_FROM: 'a@b.example',
    });
    const { stdout: on } = await mailing.run('doctor');
    expect(on).toContain('✓ mail: by mail.example:2525\n');
    expect(on).not.toContain('canary');
    await asSuperuser(
      database,
      `insert into outbox_messages (tenant_id, id, kind, channel, recipient, subject_id, parameters, created_at, settled_at, outcome, last_error)
        select id, gen_random_uuid(), 'consentRequestCreated', c, 'canary-recipient', 'canary-' || a, '{"application":"canary-name"}',
          now() - a, d, case when d is not null then 'dead' end, e from tenants, (values
            ('mail', interval '2 hours', null::timestamptz, null), ('webhook', interval '1 minute', null, null),
            ('webhook', interval '3 days', now(), 'Webhook: the receiver answered 410.')) as w (c, a, d, e)
        where display_name = 'Contoso'`,
    );
    const { code, stdout } = await cli.run('doctor');
    expect(code).toBe(1);
    expect(stdout).toMatch(/! notices by mail \(.*\): 1 waiting since 20.*\n {2}→ Set SMTP_URL and MAIL_FROM/);
    expect(stdout).toMatch(
      /! notices by webhook \(.*\): 1 given up since 20.*; Webhook: the receiver answered 410\.\n {2}→ The log/,
    );
    expect(stdout.match(/! notices by/g)).toHaveLength(2);
    expect(stdout).not.toContain('canary');
    await asSuperuser(database, 'delete from outbox_messages');
  });

  test('the secret of webhooks is shown once, and audited', async () => {
    const first = await json('tenant', 'webhook-secret', ...CONTOSO);
    expect(first).toMatchObject({ secretText: expect.stringMatching(/^whsec_/), overlapEndDateTime: null });
    const { code, stdout } = await cli.run('tenant', 'webhook-secret', ...CONTOSO);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^whsec_\S{44}\nIt is shown this once\.\nThe one before signs too until 20\S+Z\.\n$/),
    ]);
    expect(stdout).not.toContain(first.secretText);
    expect(await auditNames()).toContain('Add webhook secret');
    expect((await cli.run('tenant', 'webhook-secret', '--tenant', 'nowhere.example')).code).toBe(1);
  });

  test('the publisher of an application is set and unset, and audited', async () => {
    const set = ['application', 'publisher', 'set', ...CONTOSO, '--app', HR];
    expect(await json(...set, '--domain', 'Contoso.example')).toMatchObject({ verifiedPublisher: 'contoso.example' });
    const named = () =>
      asSuperuser(database, 'select verified_publisher_domain as domain from applications where app_id = $1', [HR]);
    expect(await named()).toEqual([{ domain: 'contoso.example' }]);
    for (const wrong of [
      [...set, '--domain', 'fabrikam.example'],
      [...set.slice(0, -1), DAEMON.replace('3', '4'), '--domain', 'contoso.example'],
    ])
      expect((await cli.run(...wrong)).code).toBe(1);
    expect((await cli.run(...set)).code).toBe(2);
    await json('application', 'publisher', 'unset', ...CONTOSO, '--app', HR);
    expect(await named()).toEqual([{ domain: null }]);
    expect(await auditNames()).toEqual(expect.arrayContaining(['Set verified publisher', 'Unset verified publisher']));
  });

  test('doctor names every mistake of the configuration, and a login that does not get in', async () => {
    const wrong = aCommandLine(database, { AUTHENTICATION_ORIGIN: 'http://login.example.com', LOG_LEVEL: 'loud' });
    const { code, stdout } = await wrong.run('doctor');
    expect(code).toBe(1);
    expect(stdout).toContain('AUTHENTICATION_ORIGIN');
    expect(stdout).toContain('LOG_LEVEL');
    const url = database.urls.operator.replace(/:[^:@]+@/, ':canary-9c2e@');
    const refused = aCommandLine(database, { OPERATOR_DATABASE_URL: url });
    writeFileSync(join(refused.directory, 'key-encryption-key'), Buffer.alloc(32).toString('base64url'), {
      mode: 0o600,
    });
    const answer = await refused.run('doctor');
    expect(answer.stdout).toContain('✗ database login operator');
    expect(answer.stdout).not.toContain('canary-9c2e');
  });
});
