import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Browser, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { consentForSelf } from '../../src/authorization/catalogue/page-consents.ts';
import { parseAppId, parseObjectId } from '../../src/vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import {
  Authorize,
  aPerson,
  aWebApplication,
  enterPassword,
  type Person,
  redeem,
  signIn,
  type WebApplication,
} from '../support/sign-in.ts';
import { asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
/** Two processes, as far as anything is remembered. */
let servers: readonly [TestAuthenticationServer, TestAuthenticationServer];
let directory: TestDirectoryServer;
let tenant: TestTenant;
let other: TestTenant;
let admin: TestPrincipal;
let alice: Person;

const DEFAULT = 'bailiwick-user-default';
const LOW = 'microsoft-user-default-low';
const SCOPES = ['Policy.ReadWrite.PermissionGrant', 'Policy.ReadWrite.Authorization'];
const APPROVAL = 'An administrator has to approve this';

beforeAll(async () => {
  database = await aDatabase();
  servers = [await anAuthenticationServer(database), await anAuthenticationServer(database)];
  directory = await aDirectoryServer(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  admin = await aUser(database, tenant, { scopes: SCOPES, roles: ['Global Administrator'] });
  alice = await aPerson(database, servers[0], tenant);
});

beforeEach(() => assign([DEFAULT]));

afterAll(async () => {
  for (const server of [...servers, directory]) {
    expect(server.errors).toEqual([]);
    await server.close();
  }
  await database.drop();
});

const call = async (method: string, path: string, body: object) =>
  directory.call(await admin.token(), method, `/v1.0${path}`, body);

async function assign(ids: readonly string[]): Promise<void> {
  const permissionGrantPoliciesAssigned = ids.map((id) => `managePermissionGrantsForSelf.${id}`);
  const answer = await call('PATCH', '/policies/authorizationPolicy', {
    defaultUserRolePermissions: { permissionGrantPoliciesAssigned },
  });
  expect(answer.status).toBe(204);
}

async function aPolicy(includes: readonly object[], excludes: readonly object[] = []): Promise<string> {
  const id = `test-${randomUUID()}`;
  const path = '/policies/permissionGrantPolicies';
  expect((await call('POST', path, { id, displayName: 'Test' })).status).toBe(201);
  for (const set of includes) expect((await call('POST', `${path}/${id}/includes`, set)).status).toBe(201);
  for (const set of excludes) expect((await call('POST', `${path}/${id}/excludes`, set)).status).toBe(201);
  return id;
}

async function arrive(application: WebApplication, parameters: Record<string, string> = {}, server = servers[0]) {
  const browser = new Browser(server.origin);
  const asked = new Authorize(server, tenant, application, parameters);
  const page = await enterPassword(browser, await browser.open(asked.url), alice);
  return { browser, page };
}

const answerOf = ({ location }: Page) => Object.fromEntries(location?.searchParams ?? []);
const grantsOf = ({ appId }: WebApplication) =>
  asSuperuser<{ scope: string[]; origins: { scopes: string[]; by: string; policy: string; at: string }[] }>(
    database,
    `select array(select unnest(g.scope) order by 1) as scope, g.origins from oauth2_permission_grants g
      join service_principals c on c.tenant_id = g.tenant_id and c.id = g.client_id where c.app_id = $1 and g.tenant_id = $2`,
    [appId, tenant.id],
  );

/** An application of another organization, whose publisher is verified or not. */
async function foreignApplication(isVerified: boolean): Promise<WebApplication> {
  const application = await aWebApplication(database, other, { name: 'Analytics', published: true });
  if (isVerified)
    for (const table of ['applications', 'published_applications'])
      await asSuperuser(database, `update ${table} set verified_publisher_domain = $2 where app_id = $1`, [
        application.appId,
        other.domain,
      ]);
  return application;
}

async function classify(value: string, classification: string): Promise<void> {
  await asSuperuser(
    database,
    `insert into delegated_permission_classifications (tenant_id, id, service_principal_id, permission_id, permission_name, classification)
      select $1, gen_random_uuid(), s.id, (e ->> 'id')::uuid, $3, $4 from service_principals s
      join published_applications p on p.app_id = s.app_id cross join jsonb_array_elements(p.oauth2_permission_scopes) e
      where s.tenant_id = $1 and s.app_id = $2 and e ->> 'value' = $3
      on conflict (tenant_id, service_principal_id, permission_id) do update set classification = excluded.classification`,
    [tenant.id, DIRECTORY_APP_ID, value, classification],
  );
}

describe('CON-06: verified publishers and low impact alone', () => {
  beforeAll(async () => {
    await classify('openid', 'low');
    await classify('User.Read', 'low');
    await classify('User.ReadBasic.All', 'medium');
  });
  beforeEach(() => assign([LOW]));

  test('an unverified application is refused on the page and in the deed, and nothing is granted', async () => {
    const application = await foreignApplication(false);
    const { browser, page } = await arrive(application, { scope: 'openid User.Read' });
    expect(headingOf(page)).toBe(APPROVAL);
    const done = await browser.submit(page, { decision: 'accept' });
    expect(answerOf(done).error).toBe('access_denied');
    expect(await grantsOf(application)).toEqual([]);
  });

  test('a verified one gets what is classified low, and no more', async () => {
    const application = await foreignApplication(true);
    const { page: more } = await arrive(application, { scope: 'openid User.ReadBasic.All' });
    expect(headingOf(more)).toBe(APPROVAL);
    const { page: unclassified } = await arrive(application, { scope: 'openid User.ReadWrite' });
    expect(headingOf(unclassified)).toBe(APPROVAL);
    const { browser, page } = await arrive(application, { scope: 'openid User.Read' });
    expect(headingOf(page)).toBe('Allow access?');
    expect(answerOf(await browser.submit(page, { decision: 'accept' })).code).toBeTruthy();
    expect(await grantsOf(application)).toMatchObject([
      {
        scope: ['User.Read', 'openid'],
        origins: [{ scopes: ['openid', 'User.Read'], by: alice.id, policy: LOW, requestId: null }],
      },
    ]);
  });

  test('the organization’s own need no verified publisher', async () => {
    const { page } = await arrive(await aWebApplication(database, tenant), { scope: 'openid User.Read' });
    expect(headingOf(page)).toBe('Allow access?');
  });

  test('a verified domain that its organization loses verifies nothing any more', async () => {
    const application = await foreignApplication(true);
    const lost = `lost-${randomUUID()}.example`;
    await asSuperuser(database, 'insert into verified_domains (name, tenant_id) values ($1, $2)', [lost, other.id]);
    for (const table of ['applications', 'published_applications'])
      await asSuperuser(database, `update ${table} set verified_publisher_domain = $2 where app_id = $1`, [
        application.appId,
        lost,
      ]);
    expect(headingOf((await arrive(application, { scope: 'openid' })).page)).toBe('Allow access?');
    await asSuperuser(database, 'delete from verified_domains where name = $1', [lost]);
    expect(headingOf((await arrive(application, { scope: 'openid' })).page)).toBe(APPROVAL);
  });
});

describe('a change of policy', () => {
  test('counts in the next request at every process, both ways', async () => {
    const application = await foreignApplication(false);
    for (const [ids, heading] of [
      [[], APPROVAL],
      [[DEFAULT], 'Allow access?'],
      [[LOW], APPROVAL],
      [[LOW, DEFAULT], 'Allow access?'],
    ] as const) {
      await assign(ids);
      for (const server of servers) {
        const { page } = await arrive(application, { scope: 'openid User.Read' }, server);
        expect(headingOf(page)).toBe(heading);
      }
    }
  });

  test('while the page is being read is shown, and not passed by', async () => {
    const application = await aWebApplication(database, tenant);
    const { browser, page } = await arrive(application, { scope: 'openid User.Read' });
    expect(headingOf(page)).toBe('Allow access?');
    await assign([]);
    const again = await browser.submit(page, { decision: 'accept' });
    expect(headingOf(again)).toBe(APPROVAL);
    expect(await grantsOf(application)).toEqual([]);
    // And back: he is asked, since it is another question than the one that he just saw.
    await assign([DEFAULT]);
    const asked = await browser.submit(again, { decision: 'accept' });
    expect(headingOf(asked)).toBe('Allow access?');
    expect(await grantsOf(application)).toEqual([]);
  });

  test('takes no consent back that was given before', async () => {
    const application = await aWebApplication(database, tenant);
    const { tokens } = await signIn(servers[0], tenant, application, alice);
    const before = await grantsOf(application);
    await assign([]);
    for (const server of servers) {
      const { page } = await arrive(application, {}, server);
      expect(answerOf(page).code).toBeTruthy();
    }
    const { refresh_token: value = '' } = tokens;
    const fresh = await redeem(servers[1], tenant, application, { grant_type: 'refresh_token', refresh_token: value });
    expect(fresh.access_token).toBeTruthy();
    expect(await grantsOf(application)).toEqual(before);
  });
});

describe('the organization’s own policy', () => {
  const readWrite = 'b4e74841-8e56-480b-be8b-910348b18b4c';
  const accessAsUser = '0e263e50-5827-48a4-b97c-d940288653c7';

  test('opens what it names to whom it names, and its excludes close that again', async () => {
    const [application, rival] = [await foreignApplication(false), await foreignApplication(false)];
    const include = { permissionType: 'delegated', permissions: [readWrite] };
    const parameters = { scope: 'User.ReadWrite' };
    await assign([await aPolicy([{ ...include, clientApplicationIds: [application.appId] }])]);
    expect(headingOf((await arrive(application, parameters)).page)).toBe('Allow access?');
    expect(headingOf((await arrive(rival, parameters)).page)).toBe(APPROVAL);
    await assign([await aPolicy([include], [{ permissionType: 'delegated', clientApplicationTenantIds: [other.id] }])]);
    expect(headingOf((await arrive(application, parameters)).page)).toBe(APPROVAL);
    const { page } = await arrive(await aWebApplication(database, tenant), parameters);
    expect(textOf(page)).toContain('Allow access?');
  });

  test('never lends an administrator’s powers, whatever it names', async () => {
    await assign([await aPolicy([{ permissionType: 'delegated', permissions: [accessAsUser] }])]);
    const application = await aWebApplication(database, tenant);
    const { browser, page } = await arrive(application, { scope: 'Directory.AccessAsUser.All' });
    expect(headingOf(page)).toBe(APPROVAL);
    expect(answerOf(await browser.submit(page, { decision: 'accept' })).error).toBe('access_denied');
    expect(await grantsOf(application)).toEqual([]);
  });

  test('an application that registered itself waits for an administrator under any policy', async () => {
    const application = await aWebApplication(database, tenant);
    await asSuperuser(database, `update applications set registration = 'dynamic' where app_id = $1`, [
      application.appId,
    ]);
    const { browser, page } = await arrive(application, { scope: 'openid' });
    expect(headingOf(page)).toBe(APPROVAL);
    expect(answerOf(await browser.submit(page, { decision: 'accept' })).error).toBe('access_denied');
    await asSuperuser(
      database,
      'insert into service_principals (tenant_id, id, app_id) values ($1, gen_random_uuid(), $2)',
      [tenant.id, application.appId],
    );
    expect(headingOf((await arrive(application, { scope: 'openid' })).page)).toBe('Allow access?');
  });
});

test('the deed decides for itself: without any page, it grants no more than the policies of that moment', async () => {
  const authorization = database.authorization('authentication');
  const [directoryApi] = await asSuperuser<{ id: string }>(
    database,
    'select id from service_principals where tenant_id = $1 and app_id = $2',
    [tenant.id, DIRECTORY_APP_ID],
  );
  const application = await aWebApplication(database, tenant);
  const userId = parseObjectId(alice.id);
  const resourceId = parseObjectId(directoryApi?.id ?? '');
  const appId = parseAppId(application.appId);
  if (!userId || !resourceId || !appId) throw new Error('ids of rows');
  const principal = { kind: 'session', tenantId: tenant.id, userId, authenticatedAt: Date.now() / 1_000 } as const;
  const consent = (values: string[]) =>
    authorization.perform(
      principal,
      consentForSelf,
      { appId, scopes: [{ resourceId, values }] },
      { correlationId: 'c' },
    );
  const refused = { code: 'Authorization_RequestDenied' };
  await expect(consent(['openid', 'User.ReadWrite'])).rejects.toMatchObject(refused);
  await assign([]);
  await expect(consent(['openid'])).rejects.toMatchObject(refused);
  expect(await grantsOf(application)).toEqual([]);
  await assign([DEFAULT]);
  await consent(['openid']);
  expect((await grantsOf(application)).map(({ scope }) => scope)).toEqual([['openid']]);
});
