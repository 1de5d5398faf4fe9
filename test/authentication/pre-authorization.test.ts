import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { aClientApplication, addToTenant, aPerson, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, post, redeemForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let directory: TestDirectoryServer;
let tenant: TestTenant;
let other: TestTenant;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  directory = await aDirectoryServer(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
});

afterAll(async () => {
  expect([...server.errors, ...directory.errors]).toEqual([]);
  await Promise.all([server.close(), directory.close()]);
  await database.drop();
});

const sql = <Row>(text: string, values: unknown[]) => asSuperuser<Row>(database, text, values);
const scopesOf = async ({ appId }: TestApplication) =>
  (
    await sql<{ scopes: { id: string; value: string }[] }>(
      'select oauth2_permission_scopes as scopes from applications where app_id = $1',
      [appId],
    )
  )[0]?.scopes ?? [];

/** An API with the scopes Read, Write and (for administrators) Erase. */
async function anApi(home = tenant, isPublished = false): Promise<TestApplication> {
  const api = await aClientApplication(database, home, { web: [], scopes: ['Read', 'Write', 'Erase'], isPublished });
  for (const table of ['applications', 'published_applications'])
    await sql(
      `update ${table} set oauth2_permission_scopes = jsonb_set(oauth2_permission_scopes, '{2,type}', '"Admin"') where app_id = $1`,
      [api.appId],
    );
  return api;
}

async function preAuthorize(api: TestApplication, client: TestApplication, values: readonly string[]): Promise<void> {
  const ids = (await scopesOf(api)).filter(({ value }) => values.includes(value)).map(({ id }) => id);
  const entries = JSON.stringify([{ appId: client.appId, delegatedPermissionIds: ids }]);
  for (const table of ['applications', 'published_applications'])
    await sql(`update ${table} set pre_authorized_applications = $2 where app_id = $1`, [api.appId, entries]);
}

const grantsOf = ({ appId }: TestApplication, at = tenant) =>
  sql<{ id: string; principal: string | null; scope: string[]; origins: { policy: string; by: string }[] }>(
    `select g.id, g.principal_id as principal, g.scope, g.origins from oauth2_permission_grants g
      join service_principals s on s.tenant_id = g.tenant_id and s.id = g.client_id
      where g.tenant_id = $1 and s.app_id = $2 and g.resource_id <> (select id from service_principals d
        where d.tenant_id = $1 and d.app_id = '00000003-0000-0000-c000-000000000000')`,
    [at.id, appId],
  );

/** Without a page: the scopes of the token, or the error. */
async function ask(client: TestApplication, person: string, scope: string, at = tenant): Promise<string> {
  const browser = await aSignedInBrowser(database, at, person);
  const authorized = await authorize(server.origin, at, client, browser, { scope, nonce: '', prompt: 'none' });
  if (!authorized.parameters.has('code')) return authorized.parameters.get('error') ?? String(authorized.answer.status);
  const { body } = await post(server.origin, at, 'token', redeemForm(client, authorized));
  return body.access_token ? String(decodeJwt(body.access_token).scp) : body.error;
}

describe('an API that pre-authorizes a client', () => {
  test('its own people are not asked: what is asked for is granted to each, says why, and is audited', async () => {
    const [api, client, alice] = [
      await anApi(),
      await aClientApplication(database, tenant),
      await aPerson(database, tenant),
    ];
    const scope = `api://${api.appId}/Read`;
    expect(await ask(client, alice, scope)).toBe('consent_required');
    await preAuthorize(api, client, ['Read', 'Write']);
    expect(await ask(client, alice, scope)).toBe('Read');
    const [grant, ...more] = await grantsOf(client);
    expect(more).toEqual([]);
    expect(grant).toMatchObject({ principal: alice, scope: ['Read'] });
    expect(grant?.origins).toMatchObject([{ policy: 'preAuthorizedApplications', by: api.servicePrincipalId }]);
    const audits = await sql<{ name: string; by: object }>(
      `select activity_display_name as name, initiated_by as by from directory_audits
        where tenant_id = $1 and target_resources @> $2`,
      [tenant.id, JSON.stringify([{ id: grant?.id }])],
    );
    expect(audits).toEqual([
      {
        name: 'Consent to application by pre-authorization',
        by: { user: null, app: { appId: null, displayName: 'bailiwick tokenService' } },
      },
    ]);
    const reader = await aUser(database, tenant, { scopes: ['Application.Read.All'], roles: ['Global Reader'] });
    const question = { clientAppId: client.appId, userId: alice, scope };
    const { body } = await directory.call(await reader.token(), 'POST', '/v1.0/reports/explainToken', question);
    const step = body.trace.find(({ subject }: { subject?: string }) => subject === 'Read');
    expect(step.by).toMatchObject({ grant: grant?.id, policy: 'preAuthorizedApplications', consentType: 'Principal' });
    // The next scope is added to the same grant; nothing is written where nothing is missing.
    expect(await ask(client, alice, scope)).toBe('Read');
    expect(await ask(client, alice, `api://${api.appId}/Read api://${api.appId}/Write`)).toBe('Read Write');
    expect((await grantsOf(client)).map(({ scope: all }) => all)).toEqual([['Read', 'Write']]);
  });

  test('CON-28: has no effect in another organization, though both applications are there', async () => {
    const api = await anApi(other, true);
    const client = await aClientApplication(database, other, { isPublished: true });
    await preAuthorize(api, client, ['Read']);
    await addToTenant(database, tenant, api.appId, other.id);
    const presence = await addToTenant(database, tenant, client.appId, other.id);
    const [alice, bob] = [await aPerson(database, tenant), await aPerson(database, other)];
    const scope = `api://${api.appId}/Read`;
    expect(await ask(client, alice, scope)).toBe('consent_required');
    expect(await grantsOf(client)).toEqual([]);
    expect(await ask(client, bob, scope, other)).toBe('Read');
    await consentTo(database, tenant, {
      clientId: presence,
      scopes: ['Read'],
      resourceAppId: api.appId,
      principalId: alice,
    });
    expect(await ask(client, alice, scope)).toBe('Read');
  });

  test('CON-28: an application of another organization that names an API of this one authorizes itself to nothing', async () => {
    const api = await anApi();
    const client = await aClientApplication(database, other, { isPublished: true, scopes: ['Do'] });
    await addToTenant(database, tenant, client.appId, other.id);
    // Its own list, which is of its own scopes, names itself, and the ids of the other's.
    const ids = (await scopesOf(api)).map(({ id }) => id);
    for (const table of ['applications', 'published_applications'])
      await sql(`update ${table} set pre_authorized_applications = $2 where app_id = $1`, [
        client.appId,
        JSON.stringify([{ appId: client.appId, delegatedPermissionIds: ids }]),
      ]);
    const alice = await aPerson(database, tenant);
    expect(await ask(client, alice, `api://${api.appId}/Read`)).toBe('consent_required');
    expect(await grantsOf(client)).toEqual([]);
  });

  test('CON-28: what is for administrators is asked for all the same, and beside it nothing slips in', async () => {
    const [api, client, alice] = [
      await anApi(),
      await aClientApplication(database, tenant),
      await aPerson(database, tenant),
    ];
    await preAuthorize(api, client, ['Read', 'Erase']);
    expect(await ask(client, alice, `api://${api.appId}/Erase`)).toBe('consent_required');
    expect(await grantsOf(client)).toEqual([]);
    expect(await ask(client, alice, `api://${api.appId}/.default`)).toBe('Read');
  });

  test('what a person took away is not given again by itself', async () => {
    const [api, client, alice] = [
      await anApi(),
      await aClientApplication(database, tenant),
      await aPerson(database, tenant),
    ];
    await preAuthorize(api, client, ['Read']);
    const scope = `api://${api.appId}/Read`;
    expect(await ask(client, alice, scope)).toBe('Read');
    const admin = await aUser(database, tenant, {
      ...{ scopes: ['DelegatedPermissionGrant.ReadWrite.All'], roles: ['Global Administrator'] },
    });
    const [grant] = await grantsOf(client);
    const path = `/v1.0/oauth2PermissionGrants/${grant?.id}`;
    expect((await directory.call(await admin.token(), 'DELETE', path)).status).toBe(204);
    expect(await ask(client, alice, scope)).toBe('consent_required');
    expect(await grantsOf(client)).toEqual([]);
    expect(await ask(client, await aPerson(database, tenant, 'bob'), scope)).toBe('Read');
  });

  test.each<[string, string]>([
    ['a guest', `update users set user_type = 'Guest' where id = $1`],
    ['a client that is not there', 'delete from service_principals where id = $2'],
    [
      'a scope that is published no more',
      `update applications set oauth2_permission_scopes =
      jsonb_set(oauth2_permission_scopes, '{0,isEnabled}', 'false') where app_id = $3`,
    ],
    ['a client that is named no more', `update applications set pre_authorized_applications = '[]' where app_id = $3`],
  ])('counts for nothing with %s', async (_who, change) => {
    const [api, client, alice] = [
      await anApi(),
      await aClientApplication(database, tenant),
      await aPerson(database, tenant),
    ];
    await preAuthorize(api, client, ['Read']);
    const values = [alice, client.servicePrincipalId, api.appId];
    const last = Math.max(...[...change.matchAll(/\$(\d)/g)].map(([, place]) => Number(place)));
    await sql(change.replace(`$${last}`, '$1'), [values[last - 1]]);
    expect(await ask(client, alice, `api://${api.appId}/Read`)).toMatch(/^(consent_required|invalid_scope)$/);
    expect(await grantsOf(client)).toEqual([]);
  });
});

describe('who assigned an app role', () => {
  test('is kept, by both ways of the HTTP API, and told by explain', async () => {
    const admin = await aUser(database, tenant, {
      ...{ scopes: ['AppRoleAssignment.ReadWrite.All', 'Application.Read.All'], roles: ['Global Administrator'] },
    });
    const role = { id: '4d1b3a2e-0000-4000-8000-000000000001', value: 'Batch', allowedMemberTypes: ['Application'] };
    const api = await aClientApplication(database, tenant, { web: [], appRoles: [role] });
    const daemon = await aClientApplication(database, tenant, { web: [] });
    const body = { principalId: daemon.servicePrincipalId, resourceId: api.servicePrincipalId, appRoleId: role.id };
    const path = `/v1.0/servicePrincipals/${daemon.servicePrincipalId}/appRoleAssignments`;
    const made = await directory.call(await admin.token(), 'POST', path, body);
    expect(made.status).toBe(201);
    const question = { clientAppId: daemon.appId, scope: `api://${api.appId}/.default` };
    const explained = await directory.call(await admin.token(), 'POST', '/v1.0/reports/explainToken', question);
    const step = explained.body.trace.find(({ subject }: { subject?: string }) => subject === 'Batch');
    expect(step.by).toMatchObject({ assignment: made.body.id, consentedBy: admin.id });
    expect(Date.now() - Date.parse(step.by.consentedDateTime)).toBeLessThan(60_000);
    const other = await aClientApplication(database, tenant, { web: [] });
    const seen = `/v1.0/servicePrincipals/${api.servicePrincipalId}/appRoleAssignedTo`;
    const same = await directory.call(await admin.token(), 'POST', seen, {
      ...body,
      principalId: other.servicePrincipalId,
    });
    const rows = await sql<{ by: string }>('select granted_by as by from app_role_assignments where id = $1', [
      same.body.id,
    ]);
    expect(rows).toEqual([{ by: admin.id }]);
  });
});
