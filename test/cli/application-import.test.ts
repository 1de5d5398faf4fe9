import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { aCommandLine, type TestCommandLine } from '../support/command-line.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { EXPENSES, graphApplication, oldManifest } from '../support/entra-applications.ts';
import { asSuperuser } from '../support/tenants.ts';

const CONTOSO = ['--tenant', 'contoso.example'];

let database: TestDatabase;
let cli: TestCommandLine;

beforeAll(async () => {
  database = await aDatabase();
  cli = aCommandLine(database);
  await cli.run('apply', '-f', 'config/demo.yaml');
});

afterAll(() => database.drop());

interface Outcome {
  readonly result: string;
  readonly changed: readonly string[];
  readonly findings: readonly { kind: string; property: string; value?: string; reason: string }[];
}

const take = (application: object, ...words: string[]) =>
  cli.run('app', 'import', cli.file('application.json', JSON.stringify(application)), ...CONTOSO, ...words);

async function outcomeOf(application: object, ...words: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await take(application, '--json', ...words);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

/** What a tenant's export says of the application. */
async function exported(appId = EXPENSES) {
  const { stdout } = await cli.run('export', '--json', ...CONTOSO);
  const { tenants } = JSON.parse(stdout);
  return tenants[0].applications.find((one: { appId: string }) => one.appId === appId);
}

const countOf = async (table: 'applications' | 'directory_audits') => {
  const [row] = await asSuperuser<{ count: number }>(database, `select count(*)::integer from ${table}`);
  return row?.count;
};
const found = ({ findings }: Outcome, kind: string) =>
  findings.filter((one) => one.kind === kind).map(({ property, value }) => [property, value].filter(Boolean).join(' '));

describe('an application of Entra’s', () => {
  test('is looked at without being taken over', async () => {
    const before = [await countOf('applications'), await countOf('directory_audits')];
    const outcome = await outcomeOf(graphApplication, '--dry-run');
    expect(outcome).toMatchObject({ appId: EXPENSES, result: 'created', dryRun: true });
    expect([await countOf('applications'), await countOf('directory_audits')]).toEqual(before);
    expect((await take(graphApplication, '--dry-run')).stdout).toContain(`(${EXPENSES}): would be created`);
  });

  test('is taken over with its appId, and the operator is on record for it', async () => {
    expect((await outcomeOf(graphApplication)).result).toBe('created');
    expect(await exported()).toMatchObject({
      appId: EXPENSES,
      displayName: 'Contoso Expenses',
      description: 'What people spent.',
      signInAudience: 'AzureADMyOrg',
      identifierUris: [`api://${EXPENSES}`],
      tags: ['webApp', 'apiConsumer'],
      web: {
        homePageUrl: 'https://expenses.contoso.example/',
        redirectUris: ['https://expenses.contoso.example/callback', 'http://localhost:3000/callback'],
      },
      spa: { redirectUris: ['https://expenses.contoso.example/spa'] },
      publicClient: { redirectUris: ['http://localhost'] },
      info: { termsOfServiceUrl: 'https://contoso.example/terms', privacyStatementUrl: null },
      api: {
        oauth2PermissionScopes: [
          { ...graphApplication.api.oauth2PermissionScopes[0], userConsentDescription: null, type: 'User' },
        ],
        preAuthorizedApplications: [],
      },
      appRoles: [expect.objectContaining({ id: graphApplication.appRoles[0]?.id, value: 'Expenses.Approve' })],
      groupMembershipClaims: 'SecurityGroup',
      optionalClaims: { idToken: [{ name: 'email', essential: false }] },
      requiredResourceAccess: [
        {
          resourceAppId: '00000003-0000-0000-c000-000000000000',
          resourceAccess: [
            { id: 'e1fe6dd8-ba31-4d61-89e7-88639da4683d', type: 'Scope' },
            { id: 'df021288-bdef-4463-88db-98f22de89214', type: 'Role' },
          ],
        },
      ],
      keyCredentials: [],
      passwordCredentials: [],
    });
    const [audit] = await asSuperuser<{ activity: string; by: unknown }>(
      database,
      `select activity_display_name as activity, initiated_by as by from directory_audits
        where target_resources::text like '%Contoso Expenses%' order by sequence desc limit 1`,
    );
    expect(audit?.activity).toBe('Add application');
    expect(JSON.stringify(audit?.by)).toContain('bailiwick operator');
  });

  test('that comes again changes nothing, and after a change what differs', async () => {
    const audits = await countOf('directory_audits');
    expect(await outcomeOf(graphApplication)).toMatchObject({ result: 'unchanged', changed: [] });
    expect(await countOf('directory_audits')).toBe(audits);
    const moved = { ...graphApplication, spa: { redirectUris: ['https://new.contoso.example/spa'] } };
    const planned = await outcomeOf(moved, '--dry-run');
    expect(planned).toMatchObject({ result: 'updated', changed: ['spa'] });
    expect(await outcomeOf(moved)).toMatchObject({ result: 'updated', changed: planned.changed });
    expect((await exported()).spa.redirectUris).toEqual(['https://new.contoso.example/spa']);
  });

  test('is not asked for what is empty in the file', async () => {
    await outcomeOf({ appId: EXPENSES, displayName: 'Contoso Expenses', spa: { redirectUris: [] }, tags: null });
    expect(await exported()).toMatchObject({
      tags: ['webApp', 'apiConsumer'],
      spa: { redirectUris: ['https://new.contoso.example/spa'] },
    });
  });

  test('RED-03: leaves behind what is dangerous, and says so', async () => {
    const outcome = await outcomeOf(graphApplication, '--dry-run');
    expect(found(outcome, 'dangerous').sort()).toEqual([
      'api.acceptMappedClaims',
      'api.preAuthorizedApplications',
      'web.implicitGrantSettings.enableAccessTokenIssuance',
      'web.redirectUris http://intranet.contoso.example/callback',
      'web.redirectUris https://*.contoso.example/callback',
    ]);
    const { stdout } = await take(graphApplication, '--dry-run');
    expect(stdout).toContain('Not taken over, because it is dangerous:\n');
    expect(stdout).toContain('  web.redirectUris http://intranet.contoso.example/callback: Must be https;');
  });

  test('leaves behind what there is not here, each with its reason', async () => {
    const outcome = await outcomeOf(graphApplication, '--dry-run');
    expect(found(outcome, 'leftOut').sort()).toEqual([
      'appRoles '.concat(String(graphApplication.appRoles[1]?.id)),
      'identifierUris api://11111111-2222-4333-8444-555555555555',
      'info.logoUrl',
      'info.privacyStatementUrl http://contoso.example/privacy',
      'keyCredentials CN=expenses',
      'optionalClaims xms_pl',
      'passwordCredentials production',
      `publicClient.redirectUris msal${EXPENSES}://auth`,
      'requiredResourceAccess 570282fd-fa5c-430d-a7fd-fc8dc98a9dca',
      'requiredResourceAccess c5393580-f805-4401-95e8-94b7a6ef2fc2',
      'serviceManagementReference',
      'web.redirectUris https://…@contoso.example/callback#x',
    ]);
    expect(outcome.findings.filter(({ reason }) => reason.length < 10)).toEqual([]);
  });

  test('SEC-01: shows no secret that somebody left in the file, in words or in JSON', async () => {
    const pasted = { ...graphApplication, secretOfOurs: 'canary-unknown' };
    for (const words of [[], ['--json'], ['--dry-run']]) {
      const { stdout, stderr } = await take(pasted, ...words);
      expect(stdout).toContain('secretOfOurs');
      expect(stdout + stderr).not.toContain('canary');
    }
  });

  test('AUD-05: writes nothing to the terminal but words', async () => {
    const crafted = {
      ...graphApplication,
      'x\u001b[2Jy': 1,
      tags: ['\u001b]0;owned\u0007', 'a\nbailiwick: all is well'],
      web: { redirectUris: ['https://x.example/\u001b[2J*'] },
      optionalClaims: { '\u001b[2J': [{ name: '\u001b[2Jx' }] },
    };
    const { stdout } = await take(crafted, '--dry-run');
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
    expect(stdout).not.toContain('\nbailiwick: all is well');
  });
});

describe('the older form of the manifest', () => {
  test('says the same, in its own names', async () => {
    const old = { ...oldManifest, appId: '6f1c3b52-6f0e-4c8e-9d43-0a6f7c1b2e90', identifierUris: [] };
    const outcome = await outcomeOf(old);
    expect(outcome.result).toBe('created');
    expect(found(outcome, 'dangerous').sort()).toEqual([
      'acceptMappedClaims',
      'oauth2AllowIdTokenImplicitFlow',
      'oauth2AllowImplicitFlow',
      'replyUrlsWithType http://intranet.contoso.example/callback',
    ]);
    expect(found(outcome, 'changed').sort()).toEqual([
      'accessTokenAcceptedVersion 1',
      'signInAudience AzureADandPersonalMicrosoftAccount',
    ]);
    expect(found(outcome, 'leftOut')).toEqual(
      expect.arrayContaining([
        'informationalUrls.privacy http://contoso.example/privacy',
        'knownClientApplications',
        'oauth2AllowUrlPathMatching',
        'passwordCredentials production',
      ]),
    );
    expect(await exported(old.appId)).toMatchObject({
      displayName: 'Contoso Expenses',
      signInAudience: 'AzureADMultipleOrgs',
      isFallbackPublicClient: true,
      web: {
        homePageUrl: 'https://expenses.contoso.example/',
        logoutUrl: 'https://expenses.contoso.example/signed-out',
        redirectUris: ['https://expenses.contoso.example/callback'],
      },
      spa: { redirectUris: ['https://expenses.contoso.example/spa'] },
      publicClient: { redirectUris: ['http://localhost'] },
      api: { oauth2PermissionScopes: [expect.objectContaining({ value: 'Expenses.Read' })] },
      info: { termsOfServiceUrl: 'https://contoso.example/terms' },
    });
    expect(await outcomeOf(old)).toMatchObject({ result: 'unchanged', changed: [] });
  });

  test('of the years before names its addresses and its audience otherwise', async () => {
    const appId = '7f1c3b52-6f0e-4c8e-9d43-0a6f7c1b2e90';
    await outcomeOf({
      'odata.type': 'Microsoft.DirectoryServices.Application',
      ...{
        objectId: crypto.randomUUID(),
        appId,
        displayName: 'Older',
        availableToOtherTenants: false,
        publicClient: true,
      },
      ...{ homepage: 'https://older.contoso.example/', replyUrls: ['https://older.contoso.example/callback'] },
    });
    expect(await exported(appId)).toMatchObject({
      signInAudience: 'AzureADMyOrg',
      isFallbackPublicClient: true,
      web: { homePageUrl: 'https://older.contoso.example/', redirectUris: ['https://older.contoso.example/callback'] },
    });
  });
});

test.each([
  ['no JSON', 'name: x', 'is not JSON'],
  ['a list', '[]', 'one application'],
  ['no appId', '{"displayName":"X"}', 'appId'],
  ['no name', `{"appId":"${EXPENSES}"}`, 'displayName'],
  ['the directory API', '{"appId":"00000003-0000-0000-C000-000000000000","displayName":"X"}', 'directory API itself'],
  ['names of an object’s own', '{"constructor":{"x":1},"toString":1}', 'appId'],
])('a file with %s is a mistake', async (_name, text, words) => {
  const { code, stderr } = await cli.run('app', 'import', cli.file('wrong.json', text), ...CONTOSO);
  expect(code).toBe(2);
  expect(stderr).toContain(words);
});

test('an application of another organization, which is present here, is not taken from it', async () => {
  const analytics = { appId: 'fa5c2978-aab0-4337-99d6-9c7fca70bb47', displayName: 'Fabrikam Analytics' };
  await cli.run('consent', 'grant', ...CONTOSO, '--client', analytics.appId, '--scope', 'User.Read');
  for (const words of [[], ['--dry-run']]) {
    const { code, stderr } = await take(analytics, ...words);
    expect([code, stderr]).toEqual([1, expect.stringContaining('of another organization')]);
  }
  expect(await exported(analytics.appId)).toBeUndefined();
});
