import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { manifestJsonSchema } from '../../src/cli/manifest/schema.ts';
import { aCommandLine, type TestCommandLine } from '../support/command-line.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser } from '../support/tenants.ts';

const DEMO = 'config/demo.yaml';
const CONTOSO = '61b0ebf9-4bbc-40f6-92cf-acd9e9a4e5b7';

let database: TestDatabase;
let cli: TestCommandLine;

beforeAll(async () => {
  database = await aDatabase();
  cli = aCommandLine(database);
});

afterAll(() => database.drop());

const TABLES = ['tenants', 'verified_domains', 'users', 'groups', 'group_members', 'applications', 'role_assignments'];
const MORE = [
  'password_credentials',
  'service_principals',
  'oauth2_permission_grants',
  'signing_keys',
  'directory_audits',
];

async function checksum(): Promise<unknown> {
  const sums = [...TABLES, ...MORE].map(
    (table) => `(select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from ${table} t) as ${table}`,
  );
  return asSuperuser(database, `select ${sums.join(', ')}`);
}

async function changesOf(text: string): Promise<{ change: string; type: string; name: string }[]> {
  const { code, stdout, stderr } = await cli.run('apply', '--json', '-f', cli.file('m.yaml', text));
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout).tenants.flatMap(({ changes }: { changes: unknown[] }) => changes);
}

describe('apply', () => {
  test('the published JSON Schema is the one that apply uses', () => {
    const published = JSON.parse(readFileSync('config/manifest.schema.json', 'utf8'));
    // `npm run schema` writes it.
    expect(published).toEqual(JSON.parse(JSON.stringify(manifestJsonSchema())));
  });

  test('makes what the manifest says with its fixed ids, in words and in JSON, and audits it in the tenant', async () => {
    const first = await cli.run('apply', '-f', DEMO);
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toContain(`Contoso (${CONTOSO})`);
    const [row] = await asSuperuser<{ people: number; members: number; roles: number; scope: string[] }>(
      database,
      `select (select count(*)::integer from users where tenant_id = $1) as people,
        (select count(*)::integer from group_members where tenant_id = $1) as members,
        (select count(*)::integer from role_assignments where tenant_id = $1) as roles,
        (select scope from oauth2_permission_grants where tenant_id <> $1) as scope`,
      [CONTOSO],
    );
    expect(row).toMatchObject({ people: 4, members: 5, roles: 2 });
    expect(row?.scope).toContain('GroupMember.Read.All');
    const audits = await asSuperuser<{ name: string; by: string }>(
      database,
      `select activity_display_name as name, initiated_by -> 'app' ->> 'displayName' as by from directory_audits where tenant_id = $1`,
      [CONTOSO],
    );
    expect(new Set(audits.map(({ by }) => by))).toEqual(new Set(['bailiwick operator']));
    expect(audits.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Create organization', 'Add user', 'Add group', 'Add application', 'Add member to role']),
    );
  });

  test('a second time changes nothing, not even the audit, and says so', async () => {
    const before = await checksum();
    const again = await cli.run('apply', '--json', '-f', DEMO);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout).tenants.map(({ changes }: { changes: unknown[] }) => changes)).toEqual([[], []]);
    expect(await checksum()).toEqual(before);
    expect((await cli.run('apply', '-f', DEMO)).stdout).toContain('nothing to change');
  });

  test('changes what differs, and nothing else', async () => {
    const edited = readFileSync(DEMO, 'utf8')
      .replace('jobTitle: Field engineer', 'jobTitle: Astronaut')
      .replace('description: All people of Contoso', 'description: All of Contoso')
      .replace('- http://127.0.0.1/callback', '- http://127.0.0.1/other');
    const changes = await changesOf(edited);
    expect(changes).toEqual([
      expect.objectContaining({ change: 'updated', type: 'User', name: 'bob@contoso.example' }),
      expect.objectContaining({ change: 'updated', type: 'Group', name: 'Everyone at Contoso' }),
      expect.objectContaining({ change: 'updated', type: 'Application', name: 'Contoso Field App' }),
    ]);
    expect(await changesOf(edited)).toEqual([]);
    await cli.run('apply', '-f', DEMO);
  });

  test('a password and a secret that are left out are made, shown once, and the password must be changed', async () => {
    const text = `tenants:
  - displayName: Wingtip
    domains: [wingtip.example]
    users: [{ userPrincipalName: wendy@wingtip.example, displayName: Wendy }]
    applications: [{ displayName: Daemon, passwordCredentials: [{ displayName: first }] }]
`;
    const changes: { type: string; password?: string; secretText?: string }[] = await changesOf(text);
    expect(changes.find(({ type }) => type === 'User')?.password).toMatch(/^[\w-]{24}$/);
    expect(changes.find(({ secretText }) => secretText)?.secretText).toMatch(/^[\w-]{43}$/);
    expect(await changesOf(text)).toEqual([]);
    const [row] = await asSuperuser<{ force: boolean }>(
      database,
      `select p.force_change_next_sign_in as force from user_passwords p join users u on u.id = p.user_id and u.tenant_id = p.tenant_id
        where u.user_principal_name = 'wendy@wingtip.example'`,
    );
    expect(row?.force).toBe(true);
  });

  test('an application’s publisher, owners and the rest of its properties, and a service principal’s notes', async () => {
    const text = `tenants:
  - displayName: Tailwind
    domains: [tailwind.example]
    users: [{ userPrincipalName: tom@tailwind.example, displayName: Tom }]
    applications:
      - displayName: Branded
        appId: 5b1f5f4e-6a0f-4b39-9d0a-1e6f6c1d2a77
        signInAudience: AzureADMultipleOrgs
        isDisabled: true
        tags: [finance]
        notes: Ask Tom.
        info: { termsOfServiceUrl: https://app.example/terms }
        web: { homePageUrl: https://app.example/ }
        api: { accessTokenLifetime: PT30M }
        optionalClaims: { idToken: [{ name: acct }] }
        groupMembershipClaims: SecurityGroup
        verifiedPublisher: Tailwind.example
        owners: [Tom@tailwind.example]
    servicePrincipals: [{ appId: 5b1f5f4e-6a0f-4b39-9d0a-1e6f6c1d2a77, tags: [own], notes: Ours. }]
`;
    expect((await changesOf(text)).map(({ type }) => type)).toEqual(expect.arrayContaining(['Application', 'User']));
    expect(await changesOf(text)).toEqual([]);
    expect((await changesOf(text.replace('PT30M', 'PT45M'))).map(({ name }) => name)).toEqual(['Branded']);
    const exported = parse((await cli.run('export', '--tenant', 'tailwind.example')).stdout).tenants[0];
    expect(exported.applications[0]).toMatchObject({
      isDisabled: true,
      api: { accessTokenLifetime: 'PT45M' },
      verifiedPublisher: 'tailwind.example',
      owners: ['tom@tailwind.example'],
    });
    expect(exported.servicePrincipals).toMatchObject([{ tags: ['own'], notes: 'Ours.' }]);
    expect(await changesOf(JSON.stringify({ tenants: [exported] }))).toEqual([]);
    const wrong = text.replace('verifiedPublisher: Tailwind', 'verifiedPublisher: contoso').replace('[Tom@', '[Tim@');
    const { code, stderr } = await cli.run('apply', '-f', cli.file('wrong.yaml', wrong));
    expect(code).not.toBe(0);
    expect(stderr).toContain('contoso.example is not a domain of this tenant.');
    expect(stderr).toContain('Tim@tailwind.example is not a user of this tenant.');
  });

  test('scopes and roles that an application publishes keep the ids that were made for them', async () => {
    const text = `tenants:
  - displayName: Proseware
    domains: [proseware.example]
    applications:
      - displayName: API
        identifierUris: ['api://proseware']
        api: { oauth2PermissionScopes: [{ value: Files.Read, adminConsentDisplayName: Read, adminConsentDescription: Reads }] }
        appRoles: [{ value: Files.Read.All, displayName: Read, description: Reads, allowedMemberTypes: [Application] }]
`;
    await changesOf(text);
    expect(await changesOf(text)).toEqual([]);
  });

  test('every mistake is told with its place, and nothing is changed', async () => {
    const before = await checksum();
    const file = cli.file(
      'wrong.yaml',
      `tenants:
  - displayName: Litware
    domains: [litware.example]
    users:
      - userPrincipalName: lena@other.example
        displayName: Lena
        password: short
        directoryRoles: [Emperor]
      - userPrincipalName: max@litware.example
        displayName: Max
        password: max-litware-max-litware
        nickname: Maxi
    groups: [{ displayName: All, mailNickname: all, members: [nobody@litware.example] }]
  - displayName: Twin
    domains: [litware.example]
`,
    );
    const form = await cli.run('apply', '-f', file);
    expect(form.code).toBe(2);
    expect(form.stderr).toContain('nothing was changed');
    expect(form.stderr).toMatch(
      /line 8, column \d+: tenants\.0\.users\.0\.directoryRoles\.0: There is no directory role/,
    );
    expect(form.stderr).toMatch(/line 12, column \d+: tenants\.0\.users\.1\.nickname: There is no such property/);
    const mended = readFileSync(file, 'utf8')
      .replace('[Emperor]', '[]')
      .replace(/\n +nickname: Maxi/, '');
    const { code, stderr } = await cli.run('apply', '-f', cli.file('less-wrong.yaml', mended));
    expect(code).toBe(2);
    for (const words of [
      'users.0.userPrincipalName: other.example is not a domain of this tenant',
      'users.0.password: Use at least 15 characters',
      'users.1.password: Choose something else',
      'groups.0.members.0: nobody@litware.example is not a user of this tenant',
      'tenants.1.domains.0: litware.example is used before',
    ])
      expect(stderr).toContain(words);
    expect(stderr).not.toContain('max-litware');
    expect(await checksum()).toEqual(before);
  });

  test.each([
    ['no YAML', 'tenants: [', 'm.yaml'],
    ['another thing', '42', 'the file'],
    [
      'a bomb of aliases',
      `a: &a [x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ntenants: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n`,
      '',
    ],
    ['a prototype', 'tenants: [{ displayName: T, domains: [t.example], __proto__: { id: x } }]', 'tenants.0.__proto__'],
    ['a constructor', 'tenants: [{ displayName: T, domains: [t.example], constructor: {} }]', 'tenants.0.constructor'],
    ['one property twice', 'tenants: [{ displayName: T, displayName: U, domains: [t.example] }]', 'must be unique'],
    ['two documents', 'tenants: []\n---\ntenants: []\n', 'multiple documents'],
    ['a file that is deeper than any stack', `tenants: ${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'm.yaml'],
    ['words for a terminal', 'tenants: [{ displayName: "a\\e[31mb", domains: [t.example] }]', 'Control characters'],
    ['a file of 17 MB', `# ${'x'.repeat(17 * 1_024 * 1_024)}`, 'larger than 16 MB'],
  ])('%s is refused with exit code 2', async (_name, text, words) => {
    const { code, stderr } = await cli.run('apply', '-f', cli.file('m.yaml', text));
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });

  test('a domain that another organization holds is refused', async () => {
    const text = `tenants: [{ id: 0b0f2a52-8e0e-4a19-a4fb-8d33ae7b18fe, displayName: Thief, domains: [contoso.example] }]`;
    const { code, stderr } = await cli.run('apply', '-f', cli.file('m.yaml', text));
    expect(code).toBe(1);
    expect(stderr).toContain('belongs to another organization');
  });
});

describe('export', () => {
  test('applied to a fresh deployment makes the same tenant, and nothing in it is secret', async () => {
    const { code, stdout } = await cli.run('export', '--tenant', 'contoso.example');
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/secretText|password:|lantern|demo-only/);
    const fresh = await aDatabase();
    try {
      const other = aCommandLine(fresh);
      expect((await other.run('apply', '-f', other.file('contoso.yaml', stdout))).code).toBe(0);
      const copy = await other.run('export', '--tenant', CONTOSO);
      const withoutDates = (text: string) => text.replace(/endDateTime: .*/g, '');
      expect(parse(withoutDates(copy.stdout))).toEqual(parse(withoutDates(stdout)));
    } finally {
      await fresh.drop();
    }
  });

  test('its own export changes nothing', async () => {
    const { stdout } = await cli.run('export', '--json', '--tenant', 'contoso.example');
    expect(await changesOf(stdout)).toEqual([]);
  });
});
