import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { TestApplication } from '../support/applications.ts';
import { aCommandLine, type TestCommandLine } from '../support/command-line.ts';
import { ALSO_WANTED, PRIVILEGED, RequestDesk, WANTED } from '../support/consent-requests.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant } from '../support/tenants.ts';

const MANIFEST = `tenants:
  - displayName: Woodgrove
    domains: [woodgrove.example]
    users:
      - { userPrincipalName: ada@woodgrove.example, displayName: Ada, password: correct horse battery staple }
    groups:
      - { displayName: Reviewers, mailNickname: reviewers, members: [ada@woodgrove.example] }
    adminConsentRequestPolicy:
      isEnabled: true
      requestDurationInDays: 7
      reviewers:
        - user: ada@woodgrove.example
        - group: reviewers
        - directoryRole: Global Administrator
      notificationWebhook: { url: 'https://hooks.example.com/consent' }
`;

let database: TestDatabase;
let cli: TestCommandLine;
let desk: RequestDesk;
let alice: string;
let application: TestApplication;

beforeAll(async () => {
  database = await aDatabase();
  cli = aCommandLine(database);
  desk = new RequestDesk(database, await aTenant(database, 'Contoso'));
  alice = await desk.person('alice');
  await desk.review([{ kind: 'user', id: await desk.person('rita') }]);
});

beforeEach(async () => {
  application = await desk.application();
});

afterAll(() => database.drop());

const request = (...words: string[]) => cli.run('consent', 'request', ...words, '--tenant', desk.tenant.domain);
async function apply(text: string): Promise<{ change: string; type: string }[]> {
  const { code, stdout, stderr } = await cli.run('apply', '--json', '-f', cli.file('m.yaml', text));
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout).tenants.flatMap(({ changes }: { changes: unknown[] }) => changes);
}

describe('the policy of requests in a manifest', () => {
  test('names reviewers as people know them, and a second run changes nothing', async () => {
    expect(await apply(MANIFEST)).toContainEqual(expect.objectContaining({ change: 'updated', type: 'Policy' }));
    expect(await apply(MANIFEST)).toEqual([]);
    const [row] = await asSuperuser<{ settings: { reviewers: { query: string }[] } }>(
      database,
      `select settings from tenant_policies p join verified_domains d on d.tenant_id = p.tenant_id
        where d.name = 'woodgrove.example' and id = 'adminConsentRequestPolicy'`,
    );
    expect(row?.settings).toMatchObject({ isEnabled: true, requestDurationInDays: 7, notifyReviewers: true });
    expect(row?.settings.reviewers.map(({ query }) => query)).toEqual([
      expect.stringMatching(/^\/users\/[0-9a-f-]{36}$/),
      expect.stringMatching(/^\/groups\/[0-9a-f-]{36}\/transitiveMembers/),
      expect.stringContaining("roleDefinitionId eq '62e90394-69f5-4237-9190-012177145e10'"),
    ]);
  });

  test('is exported so that the same tenant is made of it, and changed where it differs', async () => {
    await apply(MANIFEST);
    const { stdout } = await cli.run('export', '--tenant', 'woodgrove.example');
    expect(parse(stdout).tenants[0].adminConsentRequestPolicy).toMatchObject({
      ...{ isEnabled: true, requestDurationInDays: 7 },
      reviewers: [{ user: 'ada@woodgrove.example' }, { group: 'reviewers' }, { directoryRole: 'Global Administrator' }],
      notificationWebhook: { url: 'https://hooks.example.com/consent' },
    });
    expect(await apply(stdout)).toEqual([]);
    expect(await apply(MANIFEST.replace('        - group: reviewers\n', ''))).toEqual([
      expect.objectContaining({ change: 'updated', type: 'Policy', id: 'adminConsentRequestPolicy' }),
    ]);
  });

  test.each([
    ['a reviewer who is not there', MANIFEST.replace('- user: ada', '- user: nobody'), 1],
    ['a group that is not there', MANIFEST.replace('group: reviewers', 'group: nobodys'), 1],
    ['a role that is none', MANIFEST.replace('Global Administrator', 'Grand Vizier'), 2],
    ['a webhook in a private network', MANIFEST.replace('hooks.example.com', '10.0.0.1'), 2],
  ])('with %s is refused', async (_what, text, code) => {
    expect((await cli.run('apply', '-f', cli.file('m.yaml', text))).code).toBe(code);
  });
});

describe('bailiwick consent request', () => {
  test('lists what waits, shows who asked and why, and grants a part', async () => {
    expect((await request('list')).stdout).toBe('Nothing waits.\n');
    const { id } = await desk.ask(alice, application, [WANTED, ALSO_WANTED, PRIVILEGED], { reason: 'For\nmy work.' });
    expect((await request('list')).stdout).toMatch(new RegExp(`${id} +waiting +Planner`));
    const shown = await request('show', id);
    expect(shown.stdout).toContain(`${PRIVILEGED} of Bailiwick Directory (privileged)`);
    // One line, whatever is written in it.
    expect(shown.stdout).toMatch(/alice-\S+: "For\\nmy work\."/);
    expect(await request('approve', id, '--scope', `${WANTED} Made.Up`)).toMatchObject({
      ...{ code: 1, stderr: expect.stringContaining('Nobody asked for Made.Up.') },
    });
    expect(await request('approve', id, '--scope', WANTED)).toMatchObject({
      ...{ code: 0, stdout: `Planner now has ${WANTED}.\n` },
    });
    expect(await desk.granted(application)).toEqual({ [alice]: [WANTED] });
    expect((await request('list', '--all')).stdout).toMatch(new RegExp(`${id} +approved`));
    expect((await request('approve', id)).code).toBe(1);
    const [record] = await asSuperuser<{ by: { app: { displayName: string } } }>(
      database,
      `select initiated_by as by from directory_audits where activity_display_name = 'Approve consent request'
        and target_resources -> 0 ->> 'id' = $1`,
      [id],
    );
    expect(record?.by.app.displayName).toBe('bailiwick operator');
  });

  test('grants to everybody, and denies with a word to those who asked', async () => {
    const first = await desk.ask(alice, application, [ALSO_WANTED]);
    const answer = await request('approve', first.id, '--everybody', '--json');
    expect(JSON.parse(answer.stdout)).toMatchObject({ outcome: 'approved', id: first.id });
    expect((await desk.granted(application)).everybody).toEqual([ALSO_WANTED]);
    const second = await desk.ask(alice, application, [PRIVILEGED]);
    expect((await request('deny', second.id, '--justification', 'Not this.')).stdout).toBe('Planner gets nothing.\n');
    expect(JSON.parse((await request('show', second.id, '--json')).stdout)).toMatchObject({
      decision: { reviewResult: 'Deny', justification: 'Not this.', reviewedBy: null },
    });
  });

  test('knows no request that is not there', async () => {
    for (const verb of ['show', 'approve', 'deny']) expect((await request(verb, crypto.randomUUID())).code).toBe(1);
  });
});
