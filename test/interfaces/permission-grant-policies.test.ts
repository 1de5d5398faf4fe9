import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Answer } from '../support/answer.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let admin: TestPrincipal;
let appAdmin: TestPrincipal;
let daemon: TestPrincipal;

const PATH = '/v1.0/policies/permissionGrantPolicies';
const AUTHORIZATION = '/v1.0/policies/authorizationPolicy';
const SCOPES = ['Policy.ReadWrite.PermissionGrant', 'Policy.ReadWrite.Authorization', 'Directory.Read.All'];
const ROLES = ['Policy.ReadWrite.PermissionGrant', 'Policy.ReadWrite.Authorization'];

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  tenant = await aTenant(database);
  admin = await aUser(database, tenant, { scopes: SCOPES, roles: ['Global Administrator'] });
  appAdmin = await aUser(database, tenant, { scopes: SCOPES, roles: ['Application Administrator'] });
  daemon = await anApplication(database, tenant, ROLES);
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

async function call(method: string, path: string, body?: object, by: TestPrincipal = admin): Promise<Answer> {
  return server.call(await by.token(), method, path, body);
}

async function aPolicy(includes: readonly object[] = []): Promise<string> {
  const id = `test-${randomUUID()}`;
  expect((await call('POST', PATH, { id, displayName: 'Test' })).status).toBe(201);
  for (const set of includes) expect((await call('POST', `${PATH}/${id}/includes`, set)).status).toBe(201);
  return id;
}

const assign = (ids: readonly string[], by = admin) =>
  call(
    'PATCH',
    AUTHORIZATION,
    {
      defaultUserRolePermissions: {
        permissionGrantPoliciesAssigned: ids.map((id) => `managePermissionGrantsForSelf.${id}`),
      },
    },
    by,
  );
const assigned = async () =>
  (await call('GET', AUTHORIZATION)).body.defaultUserRolePermissions.permissionGrantPoliciesAssigned;
const DEFAULT = 'bailiwick-user-default';

/** What a refusal must leave as it was. */
const policyRows = () =>
  asSuperuser(
    database,
    `select (select jsonb_agg(p order by p.id) from permission_grant_policies p) as policies,
      (select jsonb_agg(s order by s.id) from permission_grant_condition_sets s) as sets,
      (select jsonb_agg(t.settings order by t.id) from tenant_policies t where t.settings <> '{}') as settings`,
  );

async function unchanged(act: () => Promise<Answer>, status: number): Promise<Answer> {
  const before = await policyRows();
  const answer = await act();
  expect(answer.status).toBe(status);
  expect(await policyRows()).toEqual(before);
  return answer;
}

describe('built-in policies', () => {
  test('are listed with the organization’s own, and read one by one', async () => {
    const own = await aPolicy();
    const ids = (await call('GET', PATH)).body.value.map((policy: { id: string }) => policy.id);
    expect(ids).toEqual(
      expect.arrayContaining([DEFAULT, 'microsoft-user-default-low', 'microsoft-user-default-legacy', own]),
    );
    const { body } = await call('GET', `${PATH}/microsoft-user-default-low`);
    expect(body.includes).toHaveLength(2);
    expect(body.includes[0]).toMatchObject({ permissionClassification: 'low', permissions: ['all'] });
    const sets = await call('GET', `${PATH}/microsoft-user-default-low/includes`);
    expect(sets.body.value).toEqual(body.includes);
    expect(
      (await call('GET', `${PATH}/microsoft-user-default-low/includes/${body.includes[1].id}`)).body,
    ).toMatchObject(body.includes[1]);
  });

  test('can not be changed, and no policy can be called like one', async () => {
    const set = '5f5a51ad-5c5e-4a5b-8a01-0d5f1e4c1a03';
    const low = `${PATH}/microsoft-user-default-low`;
    await unchanged(() => call('PATCH', low, { displayName: 'Mine' }), 403);
    await unchanged(() => call('DELETE', low), 403);
    await unchanged(() => call('POST', `${low}/includes`, { permissionType: 'delegated' }), 403);
    await unchanged(() => call('PATCH', `${low}/includes/${set}`, { permissionClassification: 'high' }), 403);
    await unchanged(() => call('DELETE', `${low}/includes/${set}`), 403);
    for (const id of [DEFAULT, 'microsoft-mine', 'bailiwick-mine', 'Upper', 'a b', '', 'x'.repeat(65), "'; drop"])
      await unchanged(() => call('POST', PATH, { id, displayName: 'Mine' }), 400);
  });
});

describe('a policy of the organization', () => {
  test('is made, described, given sets, read page by page, and deleted', async () => {
    const id = await aPolicy([{ permissionType: 'delegated', resourceApplication: DIRECTORY_APP_ID.toUpperCase() }]);
    expect((await call('PATCH', `${PATH}/${id}`, { displayName: 'Renamed', description: 'Why' })).status).toBe(204);
    const exclude = { permissionType: 'delegated', clientApplicationPublisherIds: ['Evil.Example'] };
    const { body: added } = await call('POST', `${PATH}/${id}/excludes`, exclude);
    expect(added).toMatchObject({ clientApplicationPublisherIds: ['evil.example'], permissions: ['all'] });
    const { body } = await call('GET', `${PATH}/${id}`);
    expect(body).toMatchObject({
      displayName: 'Renamed',
      description: 'Why',
      excludes: [expect.objectContaining({ id: added.id })],
    });
    expect(body.includes[0].resourceApplication).toBe(DIRECTORY_APP_ID);
    // Of the other kind there is no such set.
    await unchanged(() => call('DELETE', `${PATH}/${id}/includes/${added.id}`), 404);
    const change = { permissionClassification: 'low', permissions: [DIRECTORY_API.oauth2PermissionScopes[0]?.id] };
    expect((await call('PATCH', `${PATH}/${id}/excludes/${added.id}`, change)).status).toBe(204);
    expect((await call('GET', `${PATH}/${id}/excludes/${added.id}`)).body).toMatchObject({
      ...change,
      clientApplicationPublisherIds: ['evil.example'],
    });
    const first = await call('GET', `${PATH}?$top=2&$select=id`);
    const second = await server.call(
      await admin.token(),
      'GET',
      new URL(first.body['@odata.nextLink']).pathname + new URL(first.body['@odata.nextLink']).search,
    );
    const pages = [...first.body.value, ...second.body.value].map((policy: { id: string }) => policy.id);
    expect(pages).toEqual([...new Set(pages)].sort());
    expect((await call('DELETE', `${PATH}/${id}/excludes/${added.id}`)).status).toBe(204);
    expect((await call('DELETE', `${PATH}/${id}`)).status).toBe(204);
    expect((await call('GET', `${PATH}/${id}`)).status).toBe(404);
    await expect(
      asSuperuser(database, 'select from permission_grant_condition_sets where policy_id = $1', [id]),
    ).resolves.toEqual([]);
  });

  test('is there once', async () => {
    const id = await aPolicy();
    await unchanged(() => call('POST', PATH, { id, displayName: 'Again' }), 409);
  });

  test('has at most 100 sets of a kind', async () => {
    const id = await aPolicy();
    await asSuperuser(
      database,
      `insert into permission_grant_condition_sets (tenant_id, id, policy_id, kind, permission_type)
        select $1, gen_random_uuid(), $2, 'includes', 'delegated' from generate_series(1, 100)`,
      [tenant.id, id],
    );
    await unchanged(() => call('POST', `${PATH}/${id}/includes`, { permissionType: 'delegated' }), 400);
    expect((await call('POST', `${PATH}/${id}/excludes`, { permissionType: 'delegated' })).status).toBe(201);
  });

  test.each([
    ['no type', {}],
    ['an unknown type', { permissionType: 'everything' }],
    ['an unknown property', { permissionType: 'delegated', id: randomUUID() }],
    ['a permission by its name', { permissionType: 'delegated', permissions: ['User.Read'] }],
    ['all beside others', { permissionType: 'delegated', permissions: ['all', randomUUID()] }],
    ['an empty list', { permissionType: 'delegated', permissions: [] }],
    [
      'too long a list',
      { permissionType: 'delegated', clientApplicationIds: Array.from({ length: 101 }, () => randomUUID()) },
    ],
    ['a resource by its name', { permissionType: 'delegated', resourceApplication: 'https://graph.microsoft.com' }],
    ['own as a client', { permissionType: 'delegated', clientApplicationIds: ['own'] }],
    ['a publisher that is no domain', { permissionType: 'delegated', clientApplicationPublisherIds: ['no domain'] }],
    ['text for a boolean', { permissionType: 'delegated', clientApplicationsFromVerifiedPublisherOnly: 'true' }],
    ['an unknown classification', { permissionType: 'delegated', permissionClassification: 'none' }],
  ])('a set with %s is refused, and nothing changes', async (_name, set) => {
    const id = await aPolicy();
    const { body } = await unchanged(() => call('POST', `${PATH}/${id}/includes`, set), 400);
    expect(body.error.code).toBe('Request_BadRequest');
  });

  test('is an Application Administrator’s to write and a Global Administrator’s to put in force', async () => {
    const id = `test-${randomUUID()}`;
    expect((await call('POST', PATH, { id, displayName: 'Theirs' }, appAdmin)).status).toBe(201);
    await unchanged(() => assign([id], appAdmin), 403);
    expect((await assign([id])).status).toBe(204);
    expect((await assign([DEFAULT])).status).toBe(204);
  });
});

describe('the authorization policy', () => {
  test('is the default one until it is changed, and says what it was in the record', async () => {
    const fresh = await aTenant(database, 'Fresh');
    const theirs = await aUser(database, fresh, { scopes: SCOPES, roles: ['Global Administrator'] });
    const { body } = await call('GET', AUTHORIZATION, undefined, theirs);
    expect(body).toMatchObject({
      id: 'authorizationPolicy',
      defaultUserRolePermissions: { permissionGrantPoliciesAssigned: [`managePermissionGrantsForSelf.${DEFAULT}`] },
      allowDynamicClientRegistration: false,
      allowDeviceCodeFlow: true,
    });
    expect((await call('PATCH', AUTHORIZATION, { allowDynamicClientRegistration: true }, theirs)).status).toBe(204);
    const changed = await call('GET', AUTHORIZATION, undefined, theirs);
    expect(changed.body).toMatchObject({
      ...body,
      allowDynamicClientRegistration: true,
      '@odata.context': body['@odata.context'],
    });
    const [record] = await asSuperuser<{ targets: unknown }>(
      database,
      `select target_resources as targets from directory_audits
        where tenant_id = $1 and activity_display_name = 'Update authorization policy' and result = 'success'`,
      [fresh.id],
    );
    expect(record?.targets).toMatchObject([
      {
        id: 'authorizationPolicy',
        modifiedProperties: [{ displayName: 'allowDynamicClientRegistration', oldValue: 'false', newValue: 'true' }],
      },
    ]);
  });

  test('may name no policy at all: then nobody consents for himself', async () => {
    expect((await assign([])).status).toBe(204);
    expect(await assigned()).toEqual([]);
    expect((await assign([DEFAULT])).status).toBe(204);
  });

  test.each([
    ['a policy that is not there', { permissionGrantPoliciesAssigned: ['managePermissionGrantsForSelf.nobodys'] }],
    ['something else than a policy', { permissionGrantPoliciesAssigned: ['bailiwick-user-default'] }],
    [
      'a policy twice',
      {
        permissionGrantPoliciesAssigned: [
          `managePermissionGrantsForSelf.${DEFAULT}`,
          `managePermissionGrantsForSelf.${DEFAULT}`,
        ],
      },
    ],
    [
      'eleven',
      { permissionGrantPoliciesAssigned: Array.from({ length: 11 }, (_, i) => `managePermissionGrantsForSelf.p${i}`) },
    ],
    ['no list', {}],
    ['an unknown property', { permissionGrantPoliciesAssigned: [], allowedToCreateApps: true }],
  ])('does not name %s', async (_name, defaultUserRolePermissions) => {
    await unchanged(() => call('PATCH', AUTHORIZATION, { defaultUserRolePermissions }), 400);
  });

  test('of another organization’s policy it knows nothing', async () => {
    const other = await aTenant(database, 'Other');
    const theirs = await aUser(database, other, { scopes: SCOPES, roles: ['Global Administrator'] });
    const id = await aPolicy();
    const foreign = await unchanged(() => assign([id], theirs), 400);
    const never = await unchanged(() => assign(['never-there'], theirs), 400);
    expect(foreign.body.error.message.replace(id, '')).toBe(never.body.error.message.replace('never-there', ''));
  });

  test('CON-16: no application changes it by a token of its own, nor a policy that is in use', async () => {
    await unchanged(() => call('PATCH', AUTHORIZATION, { allowDynamicClientRegistration: true }, daemon), 403);
    await unchanged(() => assign([], daemon), 403);
    const id = await aPolicy([{ permissionType: 'delegated' }]);
    expect((await call('PATCH', `${PATH}/${id}`, { description: 'not in use' }, daemon)).status).toBe(204);
    expect((await assign([DEFAULT, id])).status).toBe(204);
    const [{ id: set }] = (await call('GET', `${PATH}/${id}`)).body.includes;
    await unchanged(() => call('PATCH', `${PATH}/${id}`, { description: 'in use' }, daemon), 403);
    await unchanged(() => call('POST', `${PATH}/${id}/includes`, { permissionType: 'delegated' }, daemon), 403);
    await unchanged(() => call('DELETE', `${PATH}/${id}/includes/${set}`, undefined, daemon), 403);
    await unchanged(() => call('DELETE', `${PATH}/${id}`, undefined, daemon), 403);
    // A person changes it; to delete it he first takes it out of use.
    await unchanged(() => call('DELETE', `${PATH}/${id}`), 400);
    expect((await call('DELETE', `${PATH}/${id}/includes/${set}`)).status).toBe(204);
    expect((await assign([DEFAULT])).status).toBe(204);
    expect((await call('DELETE', `${PATH}/${id}`)).status).toBe(204);
  });

  test('never names a policy that is deleted at the same moment', async () => {
    for (let round = 0; round < 10; round++) {
      const id = await aPolicy();
      const [named, deleted] = await Promise.all([assign([id]), call('DELETE', `${PATH}/${id}`)]);
      expect([
        [204, 400],
        [400, 204],
      ]).toContainEqual([named.status, deleted.status]);
      const isThere = (await call('GET', `${PATH}/${id}`)).status === 200;
      expect((await assigned()).includes(`managePermissionGrantsForSelf.${id}`)).toBe(isThere);
    }
    expect((await assign([DEFAULT])).status).toBe(204);
  });
});

describe('classifications', () => {
  const scope = (value: string) =>
    DIRECTORY_API.oauth2PermissionScopes.find((known) => known.value === value)?.id ?? '';
  const directoryPath = async () => {
    const [row] = await asSuperuser<{ id: string }>(
      database,
      'select id from service_principals where tenant_id = $1 and app_id = $2',
      [tenant.id, DIRECTORY_APP_ID],
    );
    return `/v1.0/servicePrincipals/${row?.id}/delegatedPermissionClassifications`;
  };

  test('are of scopes that the API publishes, each once', async () => {
    const path = await directoryPath();
    const low = { permissionId: scope('User.Read'), permissionName: 'User.Read', classification: 'low' };
    const { status, body } = await call('POST', path, low);
    expect([status, body]).toEqual([201, expect.objectContaining(low)]);
    expect((await call('POST', path, { ...low, classification: 'high' })).status).toBe(409);
    expect((await call('POST', path, { permissionId: scope('User.Read.All'), classification: 'high' })).status).toBe(
      201,
    );
    expect((await call('POST', path, { permissionId: randomUUID(), classification: 'low' })).status).toBe(400);
    expect((await call('POST', path, { ...low, permissionId: scope('User.ReadWrite') })).status).toBe(400);
    expect((await call('POST', path, { permissionId: scope('email'), classification: 'none' })).status).toBe(400);
    const listed = (await call('GET', path)).body.value.map((row: { permissionName: string }) => row.permissionName);
    expect(listed.sort()).toEqual(['User.Read', 'User.Read.All']);
    expect((await call('DELETE', `${path}/${body.id}`)).status).toBe(204);
    expect((await call('DELETE', `${path}/${body.id}`)).status).toBe(404);
  });

  test('go with the service principal', async () => {
    const { servicePrincipalId } = await anApplication(database, tenant, []);
    await asSuperuser(
      database,
      `insert into delegated_permission_classifications (tenant_id, id, service_principal_id, permission_id, permission_name, classification)
        values ($1, gen_random_uuid(), $2, gen_random_uuid(), 'Read', 'low')`,
      [tenant.id, servicePrincipalId],
    );
    await asSuperuser(database, 'delete from service_principals where tenant_id = $1 and id = $2', [
      tenant.id,
      servicePrincipalId,
    ]);
    const left = await asSuperuser(
      database,
      'select from delegated_permission_classifications where service_principal_id = $1',
      [servicePrincipalId],
    );
    expect(left).toEqual([]);
  });
});

describe('the report of what was granted', () => {
  const REPORT = '/v1.0/reports/consentUsage';

  /** A grant to a client of another organization unless it says otherwise, and what the report finds in it. */
  async function findingsOf(change: {
    scope?: string;
    granted?: string;
    used?: string | null;
    isOwn?: boolean;
    isVerified?: boolean;
    isEnabled?: boolean;
    isOwned?: boolean;
  }): Promise<string[]> {
    const { scope = 'User.Read', granted = '1 day', used = '1 hour', isOwn = false } = change;
    const home = isOwn ? tenant : await aTenant(database, 'Home');
    const [appId, client, grant] = [randomUUID(), randomUUID(), randomUUID()];
    const publisher = change.isVerified === false ? null : home.domain;
    await asSuperuser(
      database,
      `insert into applications (tenant_id, id, app_id, display_name, sign_in_audience, verified_publisher_domain)
        values ($1, gen_random_uuid(), $2, 'Reported', $3, $4)`,
      [home.id, appId, isOwn ? 'AzureADMyOrg' : 'AzureADMultipleOrgs', publisher],
    );
    if (!isOwn)
      await asSuperuser(
        database,
        `insert into published_applications (app_id, home_tenant_id, display_name, verified_publisher_domain) values ($1, $2, 'Reported', $3)`,
        [appId, home.id, publisher],
      );
    await asSuperuser(
      database,
      'insert into service_principals (tenant_id, id, app_id, account_enabled) values ($1, $2, $3, $4)',
      [tenant.id, client, appId, change.isEnabled ?? true],
    );
    if (change.isOwned !== false)
      await asSuperuser(
        database,
        'insert into service_principal_owners (tenant_id, id, owned_id, user_id) values ($1, gen_random_uuid(), $2, $3)',
        [tenant.id, client, admin.id],
      );
    await asSuperuser(
      database,
      `insert into oauth2_permission_grants
          (tenant_id, id, client_id, resource_id, consent_type, scope, created_at, last_used_at)
        select $1, $2, $3, id, 'AllPrincipals', $4, now() - $5::interval, now() - $6::interval
        from service_principals where tenant_id = $1 and app_id = $7`,
      [tenant.id, grant, client, [scope], granted, used, DIRECTORY_APP_ID],
    );
    const { body } = await call('GET', `${REPORT}?$filter=id eq ${grant}`);
    expect(body.value).toMatchObject([{ id: grant, type: 'delegated', clientAppId: appId, permissions: [scope] }]);
    return body.value[0].findings;
  }

  test.each([
    [{}, []],
    [{ used: '91 days', granted: '200 days' }, ['unused']],
    [{ used: null, granted: '89 days' }, []],
    [{ used: null, granted: '91 days' }, ['unused']],
    [{ used: null, scope: 'User.Read.All' }, ['overBroad']],
    [{ scope: 'User.Read.All' }, []],
    [{ isVerified: false }, ['unverifiedPublisher']],
    [{ isVerified: false, isOwn: true }, []],
    [{ isEnabled: false }, ['disabled']],
    [{ isOwned: false }, ['ownerless']],
    [{ isOwned: false, isEnabled: false, isVerified: false }, ['unverifiedPublisher', 'disabled', 'ownerless']],
  ])('finds of %j: %j', async (change, findings) => {
    expect(await findingsOf(change)).toEqual(findings);
  });

  test('is filtered by finding and by last use, and shows what applications may do on their own', async () => {
    const { servicePrincipalId } = await anApplication(database, tenant, ['User.Read.All']);
    const own = await call('GET', `${REPORT}?$filter=clientId eq ${servicePrincipalId}`);
    expect(own.body.value).toMatchObject([{ type: 'application', permissions: ['User.Read.All'], principalId: null }]);
    const unused = await call('GET', `${REPORT}?$filter=findings/any(f:f eq 'unused')`);
    expect(unused.body.value.length).toBeGreaterThan(1);
    for (const { findings } of unused.body.value) expect(findings).toContain('unused');
    const before = new Date(Date.now() - 30 * 86_400_000).toISOString();
    const old = await call('GET', `${REPORT}?$filter=lastUsedDateTime le ${before}&$orderby=lastUsedDateTime`);
    expect(old.body.value.length).toBeGreaterThan(0);
    for (const { lastUsedDateTime } of old.body.value) expect(lastUsedDateTime <= before).toBe(true);
  });

  test('is for administrators and readers', async () => {
    const plain = await aUser(database, tenant, { scopes: SCOPES });
    expect((await call('GET', REPORT, undefined, plain)).status).toBe(403);
    const reader = await aUser(database, tenant, { scopes: SCOPES, roles: ['Security Reader'] });
    expect((await call('GET', REPORT, undefined, reader)).status).toBe(200);
  });
});
