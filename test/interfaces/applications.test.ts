import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CATALOGUE } from '../../src/authorization/catalogue/index.ts';
import { getResource } from '../../src/authorization/internal/clients.ts';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let other: TestTenant;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  [tenant, other] = [await aTenant(database, 'Contoso'), await aTenant(database, 'Fabrikam')];
  token = await anAdministrator(tenant);
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const SCOPES = [
  ...['Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All'],
  ...['AuditLog.Read.All', 'Directory.Read.All'],
];

async function anAdministrator(of: TestTenant, role = 'Global Administrator'): Promise<string> {
  return (await aUser(database, of, { scopes: SCOPES, roles: [role] })).token();
}

async function created(properties: object = {}, by = token) {
  const answer = await server.call(by, 'POST', '/v1.0/applications', { displayName: 'Application', ...properties });
  expect(answer.status).toBe(201);
  const path = `/v1.0/servicePrincipals?$filter=${encodeURIComponent(`appId eq '${answer.body.appId}'`)}`;
  const presence = (await server.call(by, 'GET', path)).body.value[0];
  return { path: `/v1.0/applications/${answer.body.id}`, appId: answer.body.appId, presence };
}

async function directoryOf(of: TestTenant): Promise<string> {
  const [row] = await asSuperuser<{ id: string }>(
    database,
    'select id from service_principals where tenant_id = $1 and app_id = $2',
    [of.id, DIRECTORY_APP_ID],
  );
  return row?.id ?? '';
}

const roleId = (value: string) => DIRECTORY_API.appRoles.find((role) => role.value === value)?.id;

describe('an application', () => {
  test('keeps what was written and takes changes property by property', async () => {
    const { path } = await created({ web: { redirectUris: ['https://app.example/callback'], logoutUrl: null } });
    const patch = { web: { logoutUrl: 'https://app.example/out' }, description: 'Ours' };
    expect((await server.call(token, 'PATCH', path, patch)).status).toBe(204);
    const { body } = await server.call(token, 'GET', path);
    expect(body.web).toEqual({
      redirectUris: ['https://app.example/callback'],
      logoutUrl: 'https://app.example/out',
      homePageUrl: null,
    });
    expect(body.description).toBe('Ours');
    for (const empty of [{}, { web: {} }, { api: {} }])
      expect((await server.call(token, 'PATCH', path, empty)).status).toBe(400);
  });

  test.each([
    'appId',
    'id',
    'tenantId',
    'owners',
    'publisherVerified',
    'publisherDomain',
    'secretHash',
    'passwordCredentials',
  ])('API-09: %s is not for a client to write', async (property) => {
    const body = { displayName: 'Mallory', [property]: randomUUID() };
    expect((await server.call(token, 'POST', '/v1.0/applications', body)).status).toBe(400);
    const { path } = await created();
    expect((await server.call(token, 'PATCH', path, body)).status).toBe(400);
    expect((await server.call(token, 'GET', path)).body.displayName).toBe('Application');
  });

  test('RAC-18: of twenty that claim one identifier URI, one is created; the directory’s own is nobody else’s', async () => {
    const uri = `api://claims-${randomUUID()}`;
    const body = { displayName: 'Claims', identifierUris: [uri] };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => server.call(token, 'POST', '/v1.0/applications', body)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    const { path } = await created();
    expect((await server.call(token, 'PATCH', path, { identifierUris: [uri] })).status).toBe(409);
    for (const own of ['https://graph.microsoft.com', 'http://localhost:8401'])
      expect([400, 409]).toContain((await server.call(token, 'PATCH', path, { identifierUris: [own] })).status);
  });

  test('a foreign one does not come in where its identifier URI is taken', async () => {
    const uri = `https://api.${other.domain}`;
    await created({ identifierUris: [uri] });
    const theirs = await anAdministrator(other);
    const published = await created({ identifierUris: [uri], signInAudience: 'AzureADMultipleOrgs' }, theirs);
    const body = { appId: published.appId };
    expect((await server.call(token, 'POST', '/v1.0/servicePrincipals', body)).status).toBe(409);
  });

  test('has no name of another organization, nor of another application', async () => {
    const theirs = await anAdministrator(other);
    const victim = await created();
    const published = await created({ signInAudience: 'AzureADMultipleOrgs' }, theirs);
    const uris = [
      `https://api.${tenant.domain}`,
      `https://${other.domain}.${tenant.domain}`,
      `https://evil-${other.domain}`,
      'https://api.example',
      'api://orders',
      `api://${tenant.id}/orders`,
      `api://${victim.appId}`,
    ];
    for (const uri of uris) {
      const patched = await server.call(theirs, 'PATCH', published.path, { identifierUris: [uri] });
      expect([uri, patched.status]).toEqual([uri, 400]);
      const body = { displayName: 'X', signInAudience: 'AzureADMultipleOrgs', identifierUris: [uri] };
      expect([uri, (await server.call(theirs, 'POST', '/v1.0/applications', body)).status]).toEqual([uri, 400]);
    }
    const own = [
      `https://${other.domain}`,
      `https://api.${other.domain}:8443/v1`,
      `api://${other.id}/orders`,
      `api://${published.appId}`,
    ];
    expect((await server.call(theirs, 'PATCH', published.path, { identifierUris: own })).status).toBe(204);
    // For one organization alone any name will do, but not when it is published, and not what another is called by anyway.
    const { path } = await created({ identifierUris: ['api://orders', 'https://orders.internal'] });
    for (const hostless of ['https://1.2.3.4.5', 'api://orders.example:99999'])
      expect((await server.call(token, 'PATCH', path, { identifierUris: [hostless] })).status).toBe(400);
    expect((await server.call(token, 'PATCH', path, { signInAudience: 'AzureADMultipleOrgs' })).status).toBe(400);
    expect((await server.call(token, 'PATCH', path, { identifierUris: [`api://${victim.appId}`] })).status).toBe(400);
  });

  test('whose home renames it after it was let in is not asked for in place of its host’s own', async () => {
    const uri = `https://api.${tenant.domain}`;
    const theirs = await anAdministrator(other);
    const guest = await created({ signInAudience: 'AzureADMultipleOrgs' }, theirs);
    expect((await server.call(token, 'POST', '/v1.0/servicePrincipals', { appId: guest.appId })).status).toBe(201);
    expect((await server.call(theirs, 'PATCH', guest.path, { identifierUris: [uri] })).status).toBe(400);
    const { appId } = await created({ identifierUris: [uri] });
    // The second lock, past the first.
    await asSuperuser(database, 'update published_applications set identifier_uris = $2 where app_id = $1', [
      guest.appId,
      [uri, `api://${appId}`],
    ]);
    const service = { kind: 'internal', name: 'tokenService', tenantId: tenant.id } as const;
    const authorization = database.authorization('authentication');
    for (const name of [{ identifierUri: uri }, { appId, identifierUri: `api://${appId}` }])
      expect(await authorization.performInternal(service, getResource, name)).toMatchObject({ appId, isOwn: true });
  });

  test('RAC-18: of twenty presences of one application, one is created', async () => {
    const theirs = await anAdministrator(other);
    const { appId } = await created({ signInAudience: 'AzureADMultipleOrgs' }, theirs);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => server.call(token, 'POST', '/v1.0/servicePrincipals', { appId })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
  });

  test('CON-28: nothing in it grants anything in another tenant', async () => {
    for (const property of ['knownClientApplications', 'preAuthorizedApplications'])
      expect(
        (await server.call(token, 'POST', '/v1.0/applications', { displayName: 'X', [property]: [] })).status,
      ).toBe(400);
    const { presence } = await created({
      requiredResourceAccess: [{ resourceAppId: DIRECTORY_APP_ID, resourceAccess: [] }],
    });
    const grants = await server.call(token, 'GET', `/v1.0/servicePrincipals/${presence.id}/oauth2PermissionGrants`);
    expect(grants.body.value).toEqual([]);
  });

  test('the presence of the directory API is neither disabled nor removed: nobody could undo it', async () => {
    const path = `/v1.0/servicePrincipals/${await directoryOf(tenant)}`;
    expect((await server.call(token, 'PATCH', path, { accountEnabled: false })).status).toBe(403);
    expect((await server.call(token, 'DELETE', path)).status).toBe(403);
    expect((await server.call(token, 'GET', path)).body.accountEnabled).toBe(true);
  });
});

describe('compatibility settings', () => {
  test('are off, are set and taken back by name, and each change is audited with old and new values', async () => {
    const { path } = await created();
    expect((await server.call(token, 'GET', path)).body.compatibility).toEqual({});
    const on = { pkceOptional: true, assertionReuse: true, idTokenSignedResponseAlg: 'ES256' };
    expect((await server.call(token, 'PATCH', path, { compatibility: on })).status).toBe(204);
    expect((await server.call(token, 'GET', path)).body.compatibility).toEqual(on);
    expect((await server.call(token, 'PATCH', path, { compatibility: {} })).status).toBe(204);
    expect((await server.call(token, 'GET', path)).body.compatibility).toEqual({});
    const records = await asSuperuser<{ changed: { oldValue: string; newValue: string }[] }>(
      database,
      `select jsonb_path_query_array(target_resources, '$[0].modifiedProperties[*] ? (@.displayName == "compatibility")') as changed
       from directory_audits where target_resources -> 0 ->> 'id' = $1 and activity_display_name = 'Update application' order by sequence`,
      [path.split('/').at(-1)],
    );
    expect(
      records.map(({ changed }) =>
        [changed[0]?.oldValue, changed[0]?.newValue].map((value) => JSON.parse(value ?? '')),
      ),
    ).toEqual([
      [{}, on],
      [on, {}],
    ]);
  });

  test.each([
    { pkceOptional: 'yes' },
    { idTokenSignedResponseAlg: 'none' },
    { idTokenSignedResponseAlg: 'HS256' },
    { consentOptional: true },
    null,
  ])('%j is none', async (compatibility) => {
    const { path } = await created();
    expect((await server.call(token, 'PATCH', path, { compatibility })).status).toBe(400);
    expect((await server.call(token, 'GET', path)).body.compatibility).toEqual({});
  });
});

describe('client secrets', () => {
  test('CLI-10: each is shown once, several live side by side, and one is removed', async () => {
    const { path } = await created();
    const add = () => server.call(token, 'POST', `${path}/addPassword`, { passwordCredential: { displayName: 'Key' } });
    const [first, second] = [await add(), await add()];
    expect(first.body.secretText).toMatch(/^[A-Za-z0-9._~-]{43}$/);
    expect(second.body.secretText).not.toBe(first.body.secretText);
    const both = await server.call(token, 'GET', path);
    expect(both.body.passwordCredentials.map(({ keyId }: { keyId: string }) => keyId)).toEqual([
      first.body.keyId,
      second.body.keyId,
    ]);
    expect(both.text).not.toContain(first.body.secretText);
    const { keyId } = first.body;
    expect((await server.call(token, 'POST', `${path}/removePassword`, { keyId })).status).toBe(204);
    expect((await server.call(token, 'POST', `${path}/removePassword`, { keyId })).status).toBe(404);
    expect((await server.call(token, 'GET', path)).body.passwordCredentials).toHaveLength(1);
  });

  test('RAC-19: of a hundred at once, no more than the limit are made', async () => {
    const { path } = await created();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => server.call(token, 'POST', `${path}/addPassword`, {})),
    );
    const made = answers.filter(({ status }) => status === 200).length;
    // The rest meets the limit, or the pool's own: what counts is that the limit held.
    expect(answers.every(({ status }) => [200, 400, 503].includes(status))).toBe(true);
    expect(made).toBeLessThanOrEqual(20);
    expect((await server.call(token, 'GET', path)).body.passwordCredentials).toHaveLength(made);
    server.errors.length = 0;
  });

  test('one that has ended already, or ends beyond all time, is refused', async () => {
    const { path } = await created();
    for (const endDateTime of ['2020-01-01T00:00:00Z', '9999-99-99T00:00:00Z', 'soon'])
      expect(
        (await server.call(token, 'POST', `${path}/addPassword`, { passwordCredential: { endDateTime } })).status,
      ).toBe(400);
  });

  test('SEC-05: no answer and no record holds a secret or a hash', async () => {
    const { path, appId } = await created();
    const { secretText } = (await server.call(token, 'POST', `${path}/addPassword`, {})).body;
    await asSuperuser(
      database,
      "insert into user_passwords (tenant_id, user_id, password_hash) select tenant_id, id, '$argon2id$canary' from users",
    );
    const texts: string[] = [];
    for (const at of [
      ...[
        path,
        '/v1.0/applications',
        `/v1.0/servicePrincipals?$filter=appId%20eq%20'${appId}'`,
        '/v1.0/users',
        '/v1.0/me',
      ],
      ...['/v1.0/auditLogs/directoryAudits?$top=999', '/v1.0/auditLogs/signIns', '/v1.0/organization'],
    ])
      texts.push((await server.call(token, 'GET', at)).text);
    const rows = await asSuperuser<{ text: string }>(database, 'select d::text as text from directory_audits d');
    const all = [...texts, ...rows.map(({ text }) => text)].join('\n');
    expect(all).not.toContain(secretText);
    expect(all).not.toMatch(/canary|secretHmac|secret_hmac|passwordHash|"d":|BEGIN (RSA |EC )?PRIVATE/);
  });
});

describe('CON-16: what an application signs in with', () => {
  test('is for an Application Administrator to change, until the application is privileged', async () => {
    const { path, presence } = await created();
    const administrator = await anAdministrator(tenant, 'Application Administrator');
    expect((await server.call(administrator, 'POST', `${path}/addPassword`, {})).status).toBe(200);
    const assigned = await server.call(token, 'POST', `/v1.0/servicePrincipals/${presence.id}/appRoleAssignments`, {
      principalId: presence.id,
      resourceId: await directoryOf(tenant),
      appRoleId: roleId('RoleManagement.ReadWrite.Directory'),
    });
    expect(assigned.status).toBe(201);
    for (const [method, at, body] of [
      ['POST', `${path}/addPassword`, {}],
      ['PATCH', path, { web: { redirectUris: ['https://mallory.example/'] } }],
      ['PATCH', path, { keyCredentials: [] }],
    ] as const)
      expect([at, (await server.call(administrator, method, at, body)).status]).toEqual([at, 403]);
    expect((await server.call(token, 'POST', `${path}/addPassword`, {})).status).toBe(200);
    const application = await anApplication(database, tenant, ['Application.ReadWrite.All']);
    expect((await server.call(await application.token(), 'POST', `${path}/addPassword`, {})).status).toBe(403);
  });
});

describe('CON-15: app roles of the directory API', () => {
  test('are never assigned by an application, to itself or to others', async () => {
    const application = await anApplication(database, tenant, ['AppRoleAssignment.ReadWrite.All']);
    const path = `/v1.0/servicePrincipals/${application.servicePrincipalId}/appRoleAssignments`;
    const body = {
      principalId: application.servicePrincipalId,
      resourceId: await directoryOf(tenant),
      appRoleId: roleId('RoleManagement.ReadWrite.Directory'),
    };
    expect((await server.call(await application.token(), 'POST', path, body)).status).toBe(403);
    for (const role of ['Application Administrator', 'Cloud Application Administrator'])
      expect((await server.call(await anAdministrator(tenant, role), 'POST', path, body)).status).toBe(403);
    const privileged = await anAdministrator(tenant, 'Privileged Role Administrator');
    expect((await server.call(privileged, 'POST', path, { ...body, principalId: randomUUID() })).status).toBe(400);
    expect((await server.call(privileged, 'POST', path, body)).status).toBe(201);
    expect((await server.call(privileged, 'POST', path, body)).status).toBe(409);
  });

  test('CON-18: the permission over what an application owns is taken by these operations', () => {
    const takes = CATALOGUE.filter(({ permissions }) =>
      permissions.application.some((value) => value === 'Application.ReadWrite.OwnedBy'),
    );
    expect(takes.map(({ name }) => name).sort()).toEqual([
      ...['addPassword', 'createApplication', 'createFederatedIdentityCredential', 'deleteApplication'],
      ...[
        'deleteApplicationLogo',
        'deleteFederatedIdentityCredential',
        'getApplication',
        'getFederatedIdentityCredential',
      ],
      ...[
        'listApplicationOwners',
        'listFederatedIdentityCredentials',
        'putApplicationLogo',
        'registerClient',
        'removePassword',
      ],
      ...['updateApplication', 'updateFederatedIdentityCredential'],
    ]);
    // Each looks at who owns its object: without that, everything would be its own.
    expect(takes.filter(({ target }) => target === undefined)).toEqual([]);
  });
});

describe('consent', () => {
  const grantOf = async (clientId: string, scope: string, principalId?: string) => ({
    clientId,
    resourceId: await directoryOf(tenant),
    consentType: principalId ? 'Principal' : 'AllPrincipals',
    ...(principalId ? { principalId } : {}),
    scope,
  });

  test('CON-08, CON-26: is seen, changed and withdrawn, and the same token is refused at once', async () => {
    const alice = await aUser(database, tenant, { scopes: ['User.Read', 'User.ReadBasic.All'] });
    const hers = await alice.token();
    expect((await server.call(hers, 'GET', '/v1.0/users?$top=1')).status).toBe(200);
    const list = `/v1.0/servicePrincipals/${alice.servicePrincipalId}/oauth2PermissionGrants`;
    const [grant] = (await server.call(token, 'GET', list)).body.value;
    expect(grant).toMatchObject({ consentType: 'AllPrincipals', scope: 'User.Read User.ReadBasic.All' });
    const path = `/v1.0/oauth2PermissionGrants/${grant.id}`;
    expect((await server.call(token, 'PATCH', path, { scope: 'User.Read' })).status).toBe(204);
    expect((await server.call(hers, 'GET', '/v1.0/users?$top=1')).status).toBe(403);
    expect((await server.call(hers, 'GET', '/v1.0/me')).status).toBe(200);
    expect((await server.call(token, 'DELETE', path)).status).toBe(204);
    expect((await server.call(hers, 'GET', '/v1.0/me')).status).toBe(401);
    // Granted again, it does not come back to who held it.
    const again = await grantOf(alice.servicePrincipalId, 'User.Read');
    expect((await server.call(token, 'POST', '/v1.0/oauth2PermissionGrants', again)).status).toBe(201);
    expect((await server.call(hers, 'GET', '/v1.0/me')).status).toBe(401);
    const records = await asSuperuser<{ activity: string; targets: string }>(
      database,
      `select activity_display_name as activity, target_resources::text as targets from directory_audits
       where tenant_id = $1 and target_resources::text like '%' || $2 || '%' order by sequence`,
      [tenant.id, grant.id],
    );
    expect(records.map(({ activity }) => activity)).toEqual([
      'Update delegated permission grant',
      'Remove delegated permission grant',
    ]);
    expect(records[0]?.targets).toContain('User.Read User.ReadBasic.All');
  });

  test('CON-26: a person sees and withdraws his own, and learns nothing of another’s', async () => {
    const scopes = ['DelegatedPermissionGrant.ReadWrite.All'];
    const [alice, bob] = [await aUser(database, tenant, { scopes }), await aUser(database, tenant)];
    const grant = async (principalId: string) =>
      (
        await server.call(
          token,
          'POST',
          '/v1.0/oauth2PermissionGrants',
          await grantOf(bob.servicePrincipalId, 'User.Read', principalId),
        )
      ).body.id;
    const [own, others] = [await grant(alice.id), await grant(bob.id)];
    const hers = await alice.token();
    const mine = await server.call(hers, 'GET', '/v1.0/me/oauth2PermissionGrants');
    expect(mine.body.value.map(({ id }: { id: string }) => id)).toEqual([own]);
    const comparable = (text: string) => text.replace(/"innerError":\{[^}]*\}/, '');
    for (const method of ['GET', 'DELETE']) {
      const theirs = await server.call(hers, method, `/v1.0/oauth2PermissionGrants/${others}`);
      const nobodys = await server.call(hers, method, `/v1.0/oauth2PermissionGrants/${randomUUID()}`);
      expect([theirs.status, comparable(theirs.text)]).toEqual([403, comparable(nobodys.text)]);
    }
    for (const path of ['/v1.0/oauth2PermissionGrants', `/v1.0/users/${bob.id}/oauth2PermissionGrants`])
      expect((await server.call(hers, 'GET', path)).status).toBe(403);
    expect(
      (
        await server.call(
          hers,
          'POST',
          '/v1.0/oauth2PermissionGrants',
          await grantOf(bob.servicePrincipalId, 'User.Read', alice.id),
        )
      ).status,
    ).toBe(403);
    expect((await server.call(hers, 'DELETE', `/v1.0/oauth2PermissionGrants/${own}`)).status).toBe(204);
  });

  test('is for scopes that the API publishes, and once', async () => {
    const { presence } = await created();
    const grant = (scope: string) =>
      grantOf(presence.id, scope).then((body) => server.call(token, 'POST', '/v1.0/oauth2PermissionGrants', body));
    expect((await grant('User.Read Nonsense')).status).toBe(400);
    expect((await grant('User.Read')).status).toBe(201);
    expect((await grant('User.Read')).status).toBe(409);
  });

  test('an application permission ends on the next call after it was taken back', async () => {
    const daemon = await anApplication(database, tenant, ['User.Read.All']);
    const its = await daemon.token();
    expect((await server.call(its, 'GET', '/v1.0/users?$top=1')).status).toBe(200);
    const path = `/v1.0/servicePrincipals/${daemon.servicePrincipalId}/appRoleAssignments`;
    const [assignment] = (await server.call(token, 'GET', path)).body.value;
    expect((await server.call(token, 'DELETE', `${path}/${assignment.id}`)).status).toBe(204);
    expect((await server.call(its, 'GET', '/v1.0/users?$top=1')).status).toBe(401);
  });
});

describe('roles of people in an application', () => {
  const role = { value: 'Approver', displayName: 'Approver', description: 'Approves', allowedMemberTypes: ['User'] };

  test('are given to a user and to a group, and not to an application', async () => {
    const { presence, path } = await created({ appRoles: [role] });
    const [{ id: appRoleId }] = (await server.call(token, 'GET', path)).body.appRoles;
    const alice = await aUser(database, tenant);
    const give = (collection: string, principalId: string, roleId: string) =>
      server.call(token, 'POST', `/v1.0/${collection}/${principalId}/appRoleAssignments`, {
        principalId,
        resourceId: presence.id,
        appRoleId: roleId,
      });
    const given = await give('users', alice.id, appRoleId);
    expect([given.status, given.body.principalType]).toEqual([201, 'User']);
    expect((await give('users', alice.id, appRoleId)).status).toBe(409);
    expect((await give('users', alice.id, '00000000-0000-0000-0000-000000000000')).status).toBe(201);
    expect((await give('servicePrincipals', presence.id, appRoleId)).status).toBe(400);
    expect((await give('users', alice.id, randomUUID())).status).toBe(400);
    const assigned = await server.call(token, 'GET', `/v1.0/servicePrincipals/${presence.id}/appRoleAssignedTo`);
    expect(assigned.body.value).toHaveLength(2);
    const own = `/v1.0/users/${alice.id}/appRoleAssignments`;
    expect((await server.call(token, 'DELETE', `${own}/${given.body.id}`)).status).toBe(204);
    expect((await server.call(token, 'GET', own)).body.value).toHaveLength(1);
  });
});
