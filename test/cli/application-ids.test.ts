import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aCommandLine, type CommandResult, type TestCommandLine } from '../support/command-line.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { anApplication, asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

/*
 * An appId names one application over the whole deployment. Who could take one that another organization has would issue
 * tokens that its API takes for its own, be shown under its name at /common, or come into the consents that it left.
 */

let database: TestDatabase;
let cli: TestCommandLine;
let server: TestDirectoryServer;
let home: TestTenant;
let taker: TestTenant;

beforeAll(async () => {
  database = await aDatabase();
  cli = aCommandLine(database);
  server = await aDirectoryServer(database);
  [home, taker] = [await aTenant(database, 'Fabrikam'), await aTenant(database, 'Contoso')];
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const SINGLE = 'AzureADMyOrg';
const MULTIPLE = 'AzureADMultipleOrgs';

function applied({ id, domain }: TestTenant, appId: string, signInAudience = SINGLE): Promise<CommandResult> {
  const application = { appId, displayName: 'Payroll', signInAudience };
  const tenant = { id, displayName: 'Any', domains: [domain], applications: [application] };
  return cli.run('apply', '-f', cli.file('tenant.json', JSON.stringify({ tenants: [tenant] })));
}

function imported({ id }: TestTenant, appId: string, signInAudience = SINGLE): Promise<CommandResult> {
  const file = cli.file('application.json', JSON.stringify({ appId, displayName: 'Payroll', signInAudience }));
  return cli.run('app', 'import', file, '--tenant', id);
}

async function holdersOf(appId: string): Promise<string[]> {
  const rows = await asSuperuser<{ id: string }>(
    database,
    `select tenant_id as id from applications where app_id = $1
      union select tenant_id from service_principals where app_id = $1
      union select home_tenant_id from published_applications where app_id = $1`,
    [appId],
  );
  return rows.map(({ id }) => id);
}

const refusal = (appId: string) => ({
  code: 1,
  stdout: '',
  stderr: `bailiwick: The appId ${appId} names another application. Without one, the application gets its own.\n`,
});

describe.each([
  ['apply', applied],
  ['app import', imported],
] as const)('TEN-15: by %s, an appId', (_command, made) => {
  test.each([
    ['published by another organization, as one’s own', MULTIPLE, SINGLE],
    ['published by another organization, to publish it too', MULTIPLE, MULTIPLE],
    ['of another organization’s own application', SINGLE, SINGLE],
    ['of another organization’s own application, to publish it', SINGLE, MULTIPLE],
  ])('%s, is refused, and whose it is is not told', async (_what, theirs, mine) => {
    const appId = randomUUID();
    expect(await made(home, appId, theirs)).toMatchObject({ code: 0 });
    expect(await made(taker, appId, mine)).toEqual(refusal(appId));
    expect(await holdersOf(appId)).toEqual([home.id]);
  });

  test('whose application is gone stays its organization’s: others still have consents to it', async () => {
    const appId = randomUUID();
    expect(await made(home, appId, MULTIPLE)).toMatchObject({ code: 0 });
    const administrator = await anApplication(database, home, ['Application.ReadWrite.All']);
    const token = await administrator.token();
    const filter = encodeURIComponent(`appId eq '${appId}'`);
    const { body } = await server.call(token, 'GET', `/v1.0/applications?$filter=${filter}`);
    expect((await server.call(token, 'DELETE', `/v1.0/applications/${body.value[0].id}`)).status).toBe(204);
    expect(await made(taker, appId, MULTIPLE)).toEqual(refusal(appId));
    expect(await holdersOf(appId)).toEqual([]);
    expect(await made(home, appId, MULTIPLE)).toMatchObject({ code: 0 });
    expect(await holdersOf(appId)).toEqual([home.id]);
  });
});

test('the directory API’s own is nobody’s', async () => {
  const gone = 'delete from service_principals where tenant_id = $1 and app_id = $2';
  const without = await aTenant(database);
  await asSuperuser(database, gone, [without.id, DIRECTORY_APP_ID]);
  expect(await applied(without, DIRECTORY_APP_ID)).toEqual(refusal(DIRECTORY_APP_ID));
});

test('TEN-15: of two organizations that take an appId at once one gets it', async () => {
  for (let round = 0; round < 5; round += 1) {
    const appId = randomUUID();
    const results = await Promise.all([imported(home, appId, MULTIPLE), imported(taker, appId)]);
    expect(results.map(({ code }) => code).sort()).toEqual([0, 1]);
    expect(results).toContainEqual(refusal(appId));
    expect(await holdersOf(appId)).toHaveLength(1);
  }
});

describe('by the API', () => {
  test('nobody chooses an appId: what it makes is kept for its organization too', async () => {
    const token = await (await anApplication(database, home, ['Application.ReadWrite.All'])).token();
    const chosen = await server.call(token, 'POST', '/v1.0/applications', {
      ...{ displayName: 'Payroll', appId: randomUUID() },
    });
    expect(chosen.status).toBe(400);
    const { body } = await server.call(token, 'POST', '/v1.0/applications', { displayName: 'Payroll' });
    expect(await imported(taker, body.appId)).toEqual(refusal(body.appId));
  });

  test('an application of an appId that is another’s, from before they were kept, is not published', async () => {
    const appId = randomUUID();
    expect(await imported(home, appId)).toMatchObject({ code: 0 });
    const id = randomUUID();
    await asSuperuser(
      database,
      "insert into applications (tenant_id, id, app_id, display_name) values ($1, $2, $3, 'Payroll')",
      [taker.id, id, appId],
    );
    const token = await (await anApplication(database, taker, ['Application.ReadWrite.All'])).token();
    const answer = await server.call(token, 'PATCH', `/v1.0/applications/${id}`, { signInAudience: MULTIPLE });
    expect([answer.status, answer.body.error.code]).toEqual([409, 'Request_MultipleObjectsWithSameKeyValue']);
    expect(`bailiwick: ${answer.body.error.message}\n`).toBe(refusal(appId).stderr);
  });
});
