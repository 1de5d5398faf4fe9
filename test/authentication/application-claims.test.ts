import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { groupClaims } from '../../src/authentication/tokens/group-claims.ts';
import { aClientApplication, aPerson, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, credentialsOf, post, redeemForm, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { DIRECTORY_ORIGIN } from '../support/directory-server.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

/** What tokens say beside the registered claims, and for how long, because the application wants it so. */
let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let person: string;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database);
  person = await aPerson(database, tenant);
  await asSuperuser(database, `update users set given_name = 'Alice', surname = null where id = $1`, [person]);
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

/** An API, and a client of it that everybody consented to. */
async function aPair() {
  const api = await aClientApplication(database, tenant, {
    name: 'API',
    identifierUris: [`api://api-${randomUUID()}`],
    scopes: ['Read'],
    appRoles: [{ id: ROLE, value: 'Use', allowedMemberTypes: ['User', 'Application'] }],
  });
  const client = await aClientApplication(database, tenant, { name: 'Client' });
  await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes: ['openid', 'profile', 'email'] });
  await consentTo(database, tenant, {
    clientId: client.servicePrincipalId,
    scopes: ['Read'],
    resourceAppId: api.appId,
  });
  return { api, client };
}
const ROLE = randomUUID();

const set = (application: TestApplication, columns: Record<string, unknown>) =>
  Promise.all(
    Object.entries(columns).map(([column, value]) =>
      asSuperuser(database, `update applications set ${column} = $2 where id = $1`, [application.id, value]),
    ),
  );

async function tokensOf({ api, client }: { api: TestApplication; client: TestApplication }, scopes = 'openid') {
  const [uri] = await asSuperuser<{ uri: string }>(
    database,
    'select identifier_uris[1] as uri from applications where id = $1',
    [api.id],
  );
  const browser = await aSignedInBrowser(database, tenant, person);
  const asked = await authorize(server.origin, tenant, client, browser, { scope: `${scopes} ${uri?.uri}/Read` });
  const { body } = await post(server.origin, tenant, 'token', redeemForm(client, asked));
  return { access: decodeJwt(body.access_token), id: decodeJwt(body.id_token), body };
}

async function inGroups(count: number, application?: TestApplication): Promise<string[]> {
  const rows = await asSuperuser<{ id: string }>(
    database,
    `with made as (insert into groups (tenant_id, id, display_name, mail_nickname, security_enabled)
        select $1, id, 'Group', id, true from (select gen_random_uuid() as id from generate_series(1, $3)) g returning id),
      members as (insert into group_members (tenant_id, group_id, user_id) select $1, id, $2 from made)
      select id from made order by id`,
    [tenant.id, person, count],
  );
  for (const { id } of application ? rows : [])
    await asSuperuser(
      database,
      `insert into app_role_assignments (tenant_id, id, principal_type, group_id, resource_id, app_role_id)
        values ($1, gen_random_uuid(), 'Group', $2, $3, $4)`,
      [tenant.id, id, application?.servicePrincipalId, ROLE],
    );
  return rows.map(({ id }) => id);
}

describe('optional claims', () => {
  test('are in the ID token of the client that wants them and the access token for the API that does', async () => {
    const pair = await aPair();
    await set(pair.client, {
      optional_claims: '{"idToken":[{"name":"acct"},{"name":"given_name"},{"name":"family_name"}]}',
    });
    await set(pair.api, { optional_claims: '{"accessToken":[{"name":"upn"},{"name":"idtyp"},{"name":"email"}]}' });
    const { access, id } = await tokensOf(pair);
    expect(id).toMatchObject({ acct: 0, given_name: 'Alice' });
    // Nothing is known of a surname; and what is not asked for is not told.
    for (const absent of ['family_name', 'email', 'upn', 'idtyp', 'groups', 'name'])
      expect(id).not.toHaveProperty(absent);
    expect(access).toMatchObject({ idtyp: 'user', email: 'alice@mail.example', upn: access.preferred_username });
    for (const absent of ['acct', 'given_name', 'groups']) expect(access).not.toHaveProperty(absent);
  });

  test('none is told unless the scope or the application asks for it, and a guest is one', async () => {
    const pair = await aPair();
    const { access, id } = await tokensOf(pair, 'openid profile email');
    expect(id).toMatchObject({ given_name: 'Alice', email: 'alice@mail.example' });
    expect(access).not.toHaveProperty('email');
    await set(pair.api, { optional_claims: '{"accessToken":[{"name":"acct"}]}' });
    await asSuperuser(database, `update users set user_type = 'Guest' where id = $1`, [person]);
    try {
      expect((await tokensOf(pair)).access.acct).toBe(1);
    } finally {
      await asSuperuser(database, `update users set user_type = 'Member' where id = $1`, [person]);
    }
  });

  test('a scope that nobody consented to brings no claim along', async () => {
    const pair = await aPair();
    await asSuperuser(
      database,
      `update oauth2_permission_grants set scope = '{openid}' where client_id = $1 and scope @> '{openid}'`,
      [pair.client.servicePrincipalId],
    );
    const { id } = await tokensOf(pair);
    expect(id).not.toHaveProperty('email');
    expect(id).not.toHaveProperty('name');
  });
});

describe('group claims', () => {
  test('name the groups of the person, those alone that are assigned to the application, or his roles', async () => {
    const pair = await aPair();
    const [some, assigned] = [await inGroups(2), await inGroups(1, pair.api)];
    expect((await tokensOf(pair)).access).not.toHaveProperty('groups');
    await set(pair.api, { group_membership_claims: 'ApplicationGroup' });
    expect((await tokensOf(pair)).access).toMatchObject({ groups: assigned, roles: ['Use'] });
    await set(pair.api, { group_membership_claims: 'SecurityGroup' });
    const { access, id } = await tokensOf(pair);
    expect(access.groups).toEqual(expect.arrayContaining([...some, ...assigned]));
    expect(id).not.toHaveProperty('groups');
    await asSuperuser(database, 'update groups set security_enabled = false where id = $1', [some[0]]);
    expect((await tokensOf(pair)).access.groups).not.toContain(some[0]);
    await set(pair.api, { group_membership_claims: 'All' });
    expect((await tokensOf(pair)).access.groups).toContain(some[0]);
    await set(pair.client, { group_membership_claims: 'DirectoryRole' });
    const again = await tokensOf(pair);
    expect(again.id.wids).toEqual([]);
    expect(again.id).not.toHaveProperty('groups');
  });

  test('two hundred are named; with one more, both tokens say where to ask', async () => {
    const pair = await aPair();
    await set(pair.api, { group_membership_claims: 'ApplicationGroup' });
    await set(pair.client, { group_membership_claims: 'SecurityGroup' });
    await inGroups(200, pair.api);
    const { access, id } = await tokensOf(pair);
    expect(access.groups).toHaveLength(200);
    // In other tests' groups besides.
    const reference = {
      _claim_names: { groups: 'src1' },
      _claim_sources: { src1: { endpoint: `${DIRECTORY_ORIGIN}/v1.0/users/${person}/getMemberObjects` } },
    };
    expect(id).toMatchObject(reference);
    expect(id).not.toHaveProperty('groups');
    await inGroups(1, pair.api);
    const over = (await tokensOf(pair)).access;
    expect(over).toMatchObject(reference);
    expect(over).not.toHaveProperty('groups');
  });

  test.each([
    [0, {}],
    [200, { groups: 200 }],
    [201, { _claim_names: 1, _claim_sources: 1 }],
  ])('of %i groups', (count, expected) => {
    const claims = groupClaims(Array.from({ length: count }, String), 'https://x.example');
    const sizes = Object.entries(claims).map(([name, value]) => [name, Object.keys(Object(value)).length]);
    expect(Object.fromEntries(sizes)).toEqual(expected);
  });
});

describe('the lifetime of an access token', () => {
  test('is its API’s: by code, by refresh and for an application on its own', async () => {
    const pair = await aPair();
    await set(pair.api, { access_token_seconds: 600 });
    await consentTo(database, tenant, {
      clientId: pair.client.servicePrincipalId,
      scopes: ['openid', 'offline_access'],
    });
    const { access, body } = await tokensOf(pair, 'openid offline_access');
    expect([Number(access.exp) - Number(access.iat), body.expires_in, body.ext_expires_in]).toEqual([600, 600, 600]);
    const refreshed = await post(server.origin, tenant, 'token', refreshForm(pair.client, body.refresh_token));
    const again = decodeJwt(refreshed.body.access_token);
    expect([again.aud, Number(again.exp) - Number(again.iat), refreshed.body.expires_in]).toEqual([
      pair.api.appId,
      600,
      600,
    ]);
    await asSuperuser(
      database,
      `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
        values ($1, gen_random_uuid(), 'ServicePrincipal', $2, $3, $4)`,
      [tenant.id, pair.client.servicePrincipalId, pair.api.servicePrincipalId, ROLE],
    );
    const form = {
      ...credentialsOf(pair.client),
      grant_type: 'client_credentials',
      scope: `api://${pair.api.appId}/.default`,
    };
    const alone = await post(server.origin, tenant, 'token', form);
    const token = decodeJwt(alone.body.access_token);
    expect([Number(token.exp) - Number(token.iat), alone.body.expires_in]).toEqual([600, 600]);
    await set(pair.api, { access_token_seconds: null });
    expect((await post(server.origin, tenant, 'token', form)).body.expires_in).toBe(3_600);
  });

  test('the database keeps the bounds', async () => {
    const { api } = await aPair();
    await expect(set(api, { access_token_seconds: 299 })).rejects.toMatchObject({ code: '23514' });
    await expect(set(api, { access_token_seconds: 86_401 })).rejects.toMatchObject({ code: '23514' });
  });
});
