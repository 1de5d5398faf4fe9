import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, DIRECTORY_ORIGIN, type TestDirectoryServer } from '../support/directory-server.ts';
import { snapshot } from '../support/snapshot.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let other: TestTenant;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  [tenant, other] = [await aTenant(database, 'Contoso'), await aTenant(database, 'Fabrikam')];
  token = await (await aPerson(['Global Administrator'])).token();
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const SCOPES = ['Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', 'AuditLog.Read.All'];
const aPerson = (roles: readonly string[] = [], of = tenant) => aUser(database, of, { scopes: SCOPES, roles });
const link = (collection: string, id: string) => ({ '@odata.id': `${DIRECTORY_ORIGIN}/v1.0/${collection}/${id}` });

async function created(properties: object = {}, by = token) {
  const body = { displayName: 'Application', ...properties };
  const answer = await server.call(by, 'POST', '/v1.0/applications', body);
  expect(answer.status).toBe(201);
  const { id, appId } = answer.body;
  const [presence] = await asSuperuser<{ id: string }>(
    database,
    'select id from service_principals where app_id = $1 and tenant_id = app_owner_organization_id',
    [appId],
  );
  return { id, appId, path: `/v1.0/applications/${id}`, presence: presence?.id ?? '' };
}

async function refused(by: string, method: string, path: string, body?: object, status = 403): Promise<void> {
  const before = await snapshot(database);
  const answer = await server.call(by, method, path, body);
  expect([method, path, answer.status]).toEqual([method, path, status]);
  expect(await snapshot(database)).toEqual(before);
}

async function published(appId: string, column: string): Promise<unknown> {
  const [row] = await asSuperuser<{ value: unknown }>(
    database,
    `select ${column} as value from published_applications where app_id = $1`,
    [appId],
  );
  return row?.value;
}

describe('an application says of itself', () => {
  const words = {
    isDisabled: true,
    tags: ['finance', 'internal'],
    notes: 'Ask Ann.',
    info: {
      termsOfServiceUrl: 'https://app.example/terms',
      privacyStatementUrl: 'https://app.example/privacy',
      supportUrl: 'https://app.example/support',
    },
    optionalClaims: { idToken: [{ name: 'acct', essential: true }], accessToken: [{ name: 'upn', essential: false }] },
    groupMembershipClaims: 'ApplicationGroup',
  };

  test('where it lives, its terms, notes, claims; what others must know of that is published, notes and tags are not', async () => {
    const client = randomUUID();
    const scope = randomUUID();
    const api = {
      accessTokenLifetime: 'PT1H30M',
      preAuthorizedApplications: [{ appId: client, delegatedPermissionIds: [scope] }],
    };
    const { path, appId } = await created({ signInAudience: 'AzureADMultipleOrgs' });
    const web = { homePageUrl: 'https://app.example/' };
    expect((await server.call(token, 'PATCH', path, { ...words, web, api })).status).toBe(204);
    const { body } = await server.call(token, 'GET', path);
    expect(body).toMatchObject({ ...words, web, api });
    expect(body.info.logoUrl).toBeNull();
    expect(body.verifiedPublisher).toEqual({ displayName: null, verifiedPublisherId: null, addedDateTime: null });
    expect(await published(appId, 'is_disabled')).toBe(true);
    expect(await published(appId, 'access_token_seconds')).toBe(5_400);
    expect(await published(appId, 'privacy_statement_url')).toBe('https://app.example/privacy');
    const list = await server.call(
      token,
      'GET',
      `/v1.0/applications?$filter=isDisabled eq true and appId eq '${appId}'`,
    );
    expect(list.body.value).toMatchObject([words]);
  });

  test.each([
    { api: { accessTokenLifetime: 'PT4M59S' } },
    { api: { accessTokenLifetime: 'PT24H1S' } },
    { api: { accessTokenLifetime: 'PT90M' } },
    { api: { accessTokenLifetime: 'P1D' } },
    { api: { accessTokenLifetime: 'PT' } },
    { api: { accessTokenLifetime: 3_600 } },
    { api: { preAuthorizedApplications: [{ appId: 'x', delegatedPermissionIds: [] }] } },
    { info: { logoUrl: 'https://mallory.example/logo.png' } },
    { info: { termsOfServiceUrl: 'javascript:alert(1)' } },
    { info: { privacyStatementUrl: 'http://app.example/' } },
    { web: { homePageUrl: 'https://user:secret@app.example/' } },
    { optionalClaims: { idToken: [{ name: 'tid' }] } },
    { optionalClaims: { accessToken: [{ name: 'scp' }] } },
    { groupMembershipClaims: 'Everything' },
    { tags: Array.from({ length: 51 }, String) },
    { notes: 'a\u0000b' },
    { isDisabled: 'yes' },
    { verifiedPublisher: { verifiedPublisherId: 'contoso.com' } },
    { verifiedPublisherDomain: 'contoso.com' },
    { registration: 'dynamic' },
    { logo: 'AAAA' },
  ])('API-09: %j is refused and changes nothing', async (body) => {
    const { path } = await created();
    await refused(token, 'PATCH', path, body, 400);
  });
});

describe('a verified publisher', () => {
  test('is a verified domain of the home tenant, published with the application, set and unset, and audited', async () => {
    const { path, appId } = await created({ signInAudience: 'AzureADMultipleOrgs' });
    const set = { verifiedPublisherId: tenant.domain.toUpperCase() };
    expect((await server.call(token, 'POST', `${path}/setVerifiedPublisher`, set)).status).toBe(204);
    const { body } = await server.call(token, 'GET', path);
    expect(body.verifiedPublisher).toMatchObject({ displayName: tenant.domain, verifiedPublisherId: tenant.domain });
    expect(Date.parse(body.verifiedPublisher.addedDateTime)).not.toBeNaN();
    expect(await published(appId, 'verified_publisher_domain')).toBe(tenant.domain);
    expect((await server.call(token, 'POST', `${path}/unsetVerifiedPublisher`)).status).toBe(204);
    expect((await server.call(token, 'GET', path)).body.verifiedPublisher.verifiedPublisherId).toBeNull();
    expect(await published(appId, 'verified_publisher_domain')).toBeNull();
    const audits = await asSuperuser<{ name: string }>(
      database,
      `select activity_display_name as name from directory_audits where target_resources -> 0 ->> 'id' = $1 and result = 'success'`,
      [body.id],
    );
    expect(audits.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Set verified publisher', 'Unset verified publisher']),
    );
  });

  test('is no other tenant’s domain, and no unknown one; the answers are the same', async () => {
    const { path } = await created();
    for (const verifiedPublisherId of [other.domain, 'unknown.example'])
      await refused(token, 'POST', `${path}/setVerifiedPublisher`, { verifiedPublisherId }, 400);
  });

  test('is named by people alone, and not by an owner', async () => {
    const { id, path } = await created();
    const owner = await aPerson();
    await server.call(token, 'POST', `${path}/owners/$ref`, link('users', owner.id));
    const application = await anApplication(database, tenant, ['Application.ReadWrite.All']);
    const body = { verifiedPublisherId: tenant.domain };
    await refused(await application.token(), 'POST', `/v1.0/applications/${id}/setVerifiedPublisher`, body);
    await refused(await owner.token(), 'POST', `/v1.0/applications/${id}/setVerifiedPublisher`, body);
  });

  test('ends with the domain', async () => {
    const { path, appId } = await created({ signInAudience: 'AzureADMultipleOrgs' });
    const domain = `${randomUUID()}.example`;
    await asSuperuser(database, 'insert into verified_domains (tenant_id, name) values ($1, $2)', [tenant.id, domain]);
    await server.call(token, 'POST', `${path}/setVerifiedPublisher`, { verifiedPublisherId: domain });
    expect(await published(appId, 'verified_publisher_domain')).toBe(domain);
    await asSuperuser(database, 'delete from verified_domains where name = $1', [domain]);
    expect(await published(appId, 'verified_publisher_domain')).toBeNull();
    expect((await server.call(token, 'GET', path)).body.verifiedPublisher.addedDateTime).toBeNull();
  });
});

describe('owners', () => {
  test('are users and service principals of the tenant, each once, at most a hundred', async () => {
    const { id, path, presence } = await created();
    const [ann, daemon] = [await aPerson(), await anApplication(database, tenant, ['Application.Read.All'])];
    const stranger = await aPerson([], other);
    const owners = `${path}/owners`;
    expect((await server.call(token, 'POST', `${owners}/$ref`, link('users', ann.id))).status).toBe(204);
    const byAny = link('directoryObjects', daemon.servicePrincipalId);
    expect((await server.call(token, 'POST', `${owners}/$ref`, byAny)).status).toBe(204);
    await refused(token, 'POST', `${owners}/$ref`, link('users', ann.id), 409);
    await refused(token, 'POST', `${owners}/$ref`, link('servicePrincipals', ann.id), 404);
    await refused(token, 'POST', `${owners}/$ref`, link('users', stranger.id), 404);
    await refused(token, 'POST', `${owners}/$ref`, { '@odata.id': `https://mallory.example/users/${ann.id}` }, 400);
    const { body } = await server.call(token, 'GET', owners);
    expect(body.value).toHaveLength(2);
    expect(body.value).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ '@odata.type': '#microsoft.graph.user', id: ann.id }),
        expect.objectContaining({ '@odata.type': '#microsoft.graph.servicePrincipal', appId: daemon.appId }),
      ]),
    );
    expect((await server.call(token, 'DELETE', `${owners}/${ann.id}/$ref`)).status).toBe(204);
    await refused(token, 'DELETE', `${owners}/${ann.id}/$ref`, undefined, 404);
    expect((await server.call(token, 'GET', owners)).body.value).toHaveLength(1);
    await asSuperuser(
      database,
      `with made as (insert into users (tenant_id, id, user_principal_name, display_name)
          select $1, gen_random_uuid(), 'owner' || n || '@' || $3::text, 'Owner' from generate_series(1, 99) n returning id)
        insert into application_owners (tenant_id, id, application_id, user_id) select $1, gen_random_uuid(), $2, id from made`,
      [tenant.id, id, tenant.domain],
    );
    await refused(token, 'POST', `${owners}/$ref`, link('users', ann.id), 400);
    expect((await server.call(token, 'GET', `/v1.0/servicePrincipals/${presence}/owners`)).body.value).toEqual([]);
  });

  test('an owner without any role changes and deletes what is his, and nothing else', async () => {
    const [mine, notMine] = [await created(), await created()];
    const ann = await aPerson();
    const by = await ann.token();
    await refused(by, 'PATCH', mine.path, { notes: 'Mine.' });
    await server.call(token, 'POST', `${mine.path}/owners/$ref`, link('users', ann.id));
    expect((await server.call(by, 'PATCH', mine.path, { notes: 'Mine.', isDisabled: true })).status).toBe(204);
    expect((await server.call(by, 'POST', `${mine.path}/addPassword`, {})).status).toBe(200);
    const bob = await aPerson();
    expect((await server.call(by, 'POST', `${mine.path}/owners/$ref`, link('users', bob.id))).status).toBe(204);
    await refused(by, 'PATCH', notMine.path, { notes: 'Mine.' });
    await refused(by, 'POST', `${notMine.path}/addPassword`, {});
    await refused(by, 'DELETE', notMine.path);
    await refused(by, 'POST', '/v1.0/applications', { displayName: 'Another' });
    // An owner of the definition is none of its presence, and names nobody whose consent is not asked.
    await refused(by, 'PATCH', `/v1.0/servicePrincipals/${mine.presence}`, { accountEnabled: false });
    const client = { appId: notMine.appId, delegatedPermissionIds: [randomUUID()] };
    await refused(by, 'PATCH', mine.path, { api: { preAuthorizedApplications: [client] } });
    await refused(by, 'POST', `${mine.path}/withdraw`, { tenantId: other.id });
    expect((await server.call(by, 'DELETE', mine.path)).status).toBe(204);
  });

  test('CON-16: an owner without a role does not touch what a privileged application signs in with', async () => {
    const ann = await aPerson();
    const by = await ann.token();
    for (const privilege of ['role', 'appRole', 'scope'] as const) {
      const { path, presence } = await created();
      await server.call(token, 'POST', `${path}/owners/$ref`, link('users', ann.id));
      await privileged(presence, privilege);
      await refused(by, 'POST', `${path}/addPassword`, {});
      await refused(by, 'PATCH', path, { web: { redirectUris: ['https://mallory.example/'] } });
      await refused(by, 'POST', `${path}/owners/$ref`, link('users', (await aPerson()).id));
    }
    const [row] = await asSuperuser<{ count: string }>(
      database,
      `select count(*) from directory_audits where tenant_id = $1 and result = 'failure' and initiated_by -> 'user' ->> 'id' = $2`,
      [tenant.id, ann.id],
    );
    expect(Number(row?.count)).toBe(9);
  });
});

async function privileged(presence: string, privilege: 'role' | 'appRole' | 'scope'): Promise<void> {
  const directory = `(select id from service_principals d where d.tenant_id = $1 and d.app_id = '00000003-0000-0000-c000-000000000000')`;
  const statements = {
    role: `insert into role_assignments (tenant_id, id, role_definition_id, service_principal_id)
      values ($1, gen_random_uuid(), '62e90394-69f5-4237-9190-012177145e10', $2)`,
    appRole: `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
      values ($1, gen_random_uuid(), 'ServicePrincipal', $2, ${directory}, '9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8')`,
    scope: `insert into oauth2_permission_grants (tenant_id, id, client_id, resource_id, consent_type, scope)
      values ($1, gen_random_uuid(), $2, ${directory}, 'AllPrincipals', '{RoleManagement.ReadWrite.Directory}')`,
  };
  await asSuperuser(database, statements[privilege], [tenant.id, presence]);
}

describe('CON-18: an application with Application.ReadWrite.OwnedBy', () => {
  let daemon: TestPrincipal;
  let by: string;
  beforeAll(async () => {
    daemon = await anApplication(database, tenant, ['Application.ReadWrite.OwnedBy']);
    by = await daemon.token();
  });

  test('makes an application, owns it, and does all with it', async () => {
    const { path } = await created({ displayName: 'Child' }, by);
    const { body } = await server.call(by, 'GET', `${path}/owners`);
    expect(body.value).toMatchObject([{ appId: daemon.appId }]);
    expect((await server.call(by, 'GET', path)).body.displayName).toBe('Child');
    expect((await server.call(by, 'PATCH', path, { notes: 'Ours.' })).status).toBe(204);
    const { body: secret } = await server.call(by, 'POST', `${path}/addPassword`, {});
    expect((await server.call(by, 'POST', `${path}/removePassword`, { keyId: secret.keyId })).status).toBe(204);
    expect((await server.call(by, 'DELETE', path)).status).toBe(204);
  });

  test('does nothing with another application, also one that a person owns, and hands none on', async () => {
    const { path } = await created();
    const ann = await aPerson();
    await server.call(token, 'POST', `${path}/owners/$ref`, link('users', ann.id));
    await refused(by, 'PATCH', path, { notes: 'Ours.' });
    await refused(by, 'POST', `${path}/addPassword`, {});
    await refused(by, 'DELETE', path);
    expect((await server.call(by, 'GET', path)).status).toBe(403);
    expect((await server.call(by, 'GET', '/v1.0/applications')).status).toBe(403);
    const own = await created({}, by);
    await refused(by, 'POST', `${own.path}/owners/$ref`, link('users', ann.id));
    await refused(by, 'POST', `${path}/owners/$ref`, link('servicePrincipals', daemon.servicePrincipalId));
    await refused(by, 'DELETE', `${own.path}/owners/${daemon.servicePrincipalId}/$ref`);
    await refused(by, 'POST', `${own.path}/setVerifiedPublisher`, { verifiedPublisherId: tenant.domain });
    const client = { appId: randomUUID(), delegatedPermissionIds: [randomUUID()] };
    await refused(by, 'PATCH', own.path, { api: { preAuthorizedApplications: [client] } });
    await refused(by, 'POST', '/v1.0/applications', {
      displayName: 'Api',
      api: { preAuthorizedApplications: [client] },
    });
  });

  test('touches no more what it made when that was given privileges', async () => {
    const { path, presence } = await created({}, by);
    await privileged(presence, 'role');
    await refused(by, 'POST', `${path}/addPassword`, {});
  });
});

describe('withdrawal by the publisher', () => {
  test('is answered the same whether there is such a tenant, is repeatable, and is not for the own tenant', async () => {
    const { path } = await created({ signInAudience: 'AzureADMultipleOrgs' });
    const answers = [];
    for (const tenantId of [other.id, randomUUID(), other.id])
      answers.push(await server.call(token, 'POST', `${path}/withdraw`, { tenantId }));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(Array(3).fill([204, answers[0]?.body]));
    await refused(token, 'POST', `${path}/withdraw`, { tenantId: tenant.id }, 400);
    await refused(token, 'POST', `${path}/withdraw`, { tenantId: tenant.domain }, 400);
  });

  test('keeps the application out of the tenant until access is restored', async () => {
    const { path, appId } = await created({ signInAudience: 'AzureADMultipleOrgs' });
    const there = await (await aPerson(['Global Administrator'], other)).token();
    await server.call(token, 'POST', `${path}/withdraw`, { tenantId: other.id });
    await refused(there, 'POST', '/v1.0/servicePrincipals', { appId }, 400);
    const absent = await server.call(there, 'POST', '/v1.0/servicePrincipals', { appId: randomUUID() });
    const withdrawn = await server.call(there, 'POST', '/v1.0/servicePrincipals', { appId });
    expect(withdrawn.body.error.message).toBe(absent.body.error.message);
    expect((await server.call(token, 'POST', `${path}/restoreAccess`, { tenantId: other.id })).status).toBe(204);
    expect((await server.call(there, 'POST', '/v1.0/servicePrincipals', { appId })).status).toBe(201);
  });
});

describe('appRoleAssignedTo', () => {
  const role = {
    value: 'Use',
    displayName: 'Use',
    description: 'Use it.',
    allowedMemberTypes: ['Application', 'User'],
  };

  test('gives and takes a role from the resource’s side, to whichever kind of principal it is', async () => {
    const appRoleId = randomUUID();
    const api = await created({ appRoles: [{ id: appRoleId, ...role }] });
    const path = `/v1.0/servicePrincipals/${api.presence}/appRoleAssignedTo`;
    const [ann, daemon] = [await aPerson(), await created()];
    for (const [principalId, principalType] of [
      [ann.id, 'User'],
      [daemon.presence, 'ServicePrincipal'],
    ]) {
      const answer = await server.call(token, 'POST', path, { principalId, resourceId: api.presence, appRoleId });
      expect([answer.status, answer.body.principalType]).toEqual([201, principalType]);
    }
    const { body } = await server.call(token, 'GET', path);
    expect(body.value).toHaveLength(2);
    for (const { id } of body.value) expect((await server.call(token, 'DELETE', `${path}/${id}`)).status).toBe(204);
    await refused(token, 'POST', path, { principalId: ann.id, resourceId: daemon.presence, appRoleId }, 400);
    const nobody = { principalId: randomUUID(), resourceId: api.presence, appRoleId };
    await refused(token, 'POST', path, nobody, 404);
  });

  test('CON-15: no application gives itself a role of the directory API this way either', async () => {
    const daemon = await anApplication(database, tenant, ['AppRoleAssignment.ReadWrite.All']);
    const [directory] = await asSuperuser<{ id: string }>(
      database,
      `select id from service_principals where tenant_id = $1 and app_id = '00000003-0000-0000-c000-000000000000'`,
      [tenant.id],
    );
    const body = {
      principalId: daemon.servicePrincipalId,
      resourceId: directory?.id,
      appRoleId: '9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8',
    };
    await refused(await daemon.token(), 'POST', `/v1.0/servicePrincipals/${directory?.id}/appRoleAssignedTo`, body);
  });
});
