import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { aCommandLine, type TestCommandLine } from '../support/command-line.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser } from '../support/tenants.ts';

const DIRECTORY = '00000003-0000-0000-c000-000000000000';
const IN = ['--tenant', 'woodgrove.example'];

const POLICY = `id: low-impact
displayName: Low impact
includes:
  - { permissionType: delegatedUserConsentable, permissionClassification: low }
  - { permissionType: delegated, permissions: [e1fe6dd8-ba31-4d61-89e7-88639da4683d] }
excludes:
  - { permissionType: delegated, clientApplicationPublisherIds: [fabrikam.example] }
`;
const indented = POLICY.trimEnd().replaceAll('\n', '\n        ');
const MANIFEST = `tenants:
  - displayName: Woodgrove
    domains: [woodgrove.example]
    permissionGrantPolicies:
      - ${indented}
    authorizationPolicy:
      defaultUserRolePermissions:
        permissionGrantPoliciesAssigned: [managePermissionGrantsForSelf.low-impact]
      allowDeviceCodeFlow: false
    delegatedPermissionClassifications:
      - { resourceAppId: ${DIRECTORY}, permission: User.Read, classification: low }
`;

let database: TestDatabase;
let cli: TestCommandLine;

beforeAll(async () => {
  database = await aDatabase();
  cli = aCommandLine(database);
});

afterAll(() => database.drop());

async function apply(text: string): Promise<{ change: string; type: string; name: string }[]> {
  const { code, stdout, stderr } = await cli.run('apply', '--json', '-f', cli.file('m.yaml', text));
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout).tenants.flatMap(({ changes }: { changes: unknown[] }) => changes);
}

async function json(...words: string[]) {
  const { code, stdout, stderr } = await cli.run('consent', ...words, ...IN, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

const kinds = (changes: readonly { change: string; type: string }[]) =>
  changes.map(({ change, type }) => `${change} ${type}`).filter((words) => !words.includes('Organization'));

describe('policies of consent in a manifest', () => {
  test('are made, and a second run changes nothing', async () => {
    expect(kinds(await apply(MANIFEST))).toEqual([
      'created PermissionGrantPolicy',
      'created PermissionClassification',
      'updated Policy',
    ]);
    expect(await apply(MANIFEST)).toEqual([]);
    const { includes, excludes } = await json('policy', 'show', 'low-impact');
    expect(includes).toMatchObject([
      { permissionClassification: 'low' },
      { permissions: ['e1fe6dd8-ba31-4d61-89e7-88639da4683d'] },
    ]);
    expect(excludes).toMatchObject([{ clientApplicationPublisherIds: ['fabrikam.example'], permissions: ['all'] }]);
  });

  test('are changed where they differ: a set that is no longer written is gone', async () => {
    await apply(MANIFEST);
    const narrower = MANIFEST.replace(/\n *- \{ permissionType: delegated, permissions.*/, '').replace(
      'classification: low }\n',
      'classification: high }\n',
    );
    expect(kinds(await apply(narrower))).toEqual(['updated PermissionGrantPolicy', 'updated PermissionClassification']);
    expect((await json('policy', 'show', 'low-impact')).includes).toHaveLength(1);
    expect(await apply(narrower)).toEqual([]);
  });

  test('are exported so that the same tenant is made of it', async () => {
    await apply(MANIFEST);
    const { stdout } = await cli.run('export', ...IN);
    const [tenant] = parse(stdout).tenants;
    expect(tenant).toMatchObject({
      permissionGrantPolicies: [
        { id: 'low-impact', excludes: [{ clientApplicationPublisherIds: ['fabrikam.example'] }] },
      ],
      authorizationPolicy: { allowDeviceCodeFlow: false, allowDynamicClientRegistration: false },
      delegatedPermissionClassifications: [
        { resourceAppId: DIRECTORY, permission: 'User.Read', classification: 'low' },
      ],
    });
    expect(await apply(stdout)).toEqual([]);
  });

  test.each([
    ['a built-in id', MANIFEST.replaceAll('low-impact', 'microsoft-low'), 2],
    ['an unknown permission', MANIFEST.replace('User.Read,', 'User.Eat,'), 1],
    ['a policy that is not there', MANIFEST.replace('Self.low-impact', 'Self.nobodys'), 1],
    ['a set without a type', MANIFEST.replace('permissionType: delegatedUserConsentable, ', ''), 2],
  ])('with %s are refused', async (_name, text, code) => {
    expect((await cli.run('apply', '-f', cli.file('m.yaml', text))).code).toBe(code);
  });
});

describe('bailiwick consent policy', () => {
  test('lists what there is and which of it counts, and lets others count', async () => {
    await apply(MANIFEST);
    const counts = async () =>
      (await json('policy', 'list')).policies
        .filter(({ isAssigned }: { isAssigned: boolean }) => isAssigned)
        .map(({ id }: { id: string }) => id);
    expect(await counts()).toEqual(['low-impact']);
    await json('policy', 'assign', 'microsoft-user-default-low', 'low-impact');
    expect(await counts()).toEqual(['low-impact', 'microsoft-user-default-low']);
    expect((await cli.run('consent', 'policy', 'assign', 'nobodys', ...IN)).code).toBe(1);
    expect((await cli.run('consent', 'policy', 'assign', ...IN)).stdout).toBe('Nobody consents for himself.\n');
    expect(await counts()).toEqual([]);
    expect((await cli.run('consent', 'policy', 'list', ...IN)).stdout).toMatch(/no +low-impact +Low impact/);
  });

  test('sets a policy from a file, once, audited, and refuses a file that is none', async () => {
    await apply(MANIFEST);
    const other = cli.file('policy.yaml', POLICY.replace('low-impact', 'mine'));
    expect(await json('policy', 'set', '-f', other)).toEqual({ outcome: 'created', id: 'mine' });
    expect((await json('policy', 'set', '-f', other)).outcome).toBe('unchanged');
    const renamed = cli.file('policy.yaml', POLICY.replace('low-impact', 'mine').replace('Low impact', 'Mine'));
    expect((await json('policy', 'set', '-f', renamed)).outcome).toBe('updated');
    const wrong = await cli.run(
      'consent',
      'policy',
      'set',
      ...IN,
      '-f',
      cli.file('policy.yaml', 'id: Mine\nincludes: 1'),
    );
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/displayName.*includes/s)]);
    const records = await asSuperuser<{ activity: string }>(
      database,
      `select activity_display_name as activity from directory_audits where target_resources -> 0 ->> 'id' = 'mine' order by sequence`,
    );
    expect(records[0]?.activity).toBe('Add permission grant policy');
    expect(records.at(-1)?.activity).toBe('Update permission grant policy');
    expect((await cli.run('consent', 'policy', 'show', 'nobodys', ...IN)).code).toBe(1);
  });
});

test('bailiwick consent report tells what was granted, and what of it was not used', async () => {
  await cli.run('apply', '-f', 'config/demo.yaml');
  const inFabrikam = ['--tenant', 'fabrikam.example'];
  const all = await cli.run('consent', 'report', ...inFabrikam, '--json');
  const { usage } = JSON.parse(all.stdout);
  expect(usage.length).toBeGreaterThan(0);
  const [{ id }] = usage;
  await asSuperuser(
    database,
    `update oauth2_permission_grants set created_at = now() - interval '40 days' where id = $1`,
    [id],
  );
  const of = async (days: string) =>
    JSON.parse((await cli.run('consent', 'report', ...inFabrikam, '--unused-days', days, '--json')).stdout).usage;
  expect((await of('30')).map((row: { id: string }) => row.id)).toEqual([id]);
  expect(await of('50')).toEqual([]);
  expect((await cli.run('consent', 'report', ...inFabrikam)).stdout).toContain('never');
  expect((await cli.run('consent', 'report', ...inFabrikam, '--unused-days', 'x')).code).toBe(2);
});
