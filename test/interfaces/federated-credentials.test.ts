import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { snapshot } from '../support/snapshot.ts';
import { aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  tenant = await aTenant(database, 'Contoso');
  const scopes = ['Application.ReadWrite.All', 'AuditLog.Read.All'];
  token = await (await aUser(database, tenant, { scopes, roles: ['Global Administrator'] })).token();
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

async function anApplicationsPlace(): Promise<string> {
  const { body } = await server.call(token, 'POST', '/v1.0/applications', { displayName: 'Workload' });
  return `/v1.0/applications/${body.id}/federatedIdentityCredentials`;
}

const credential = (properties: object = {}) => ({
  name: `c-${randomUUID()}`,
  issuer: 'https://token.actions.example.com',
  subject: `repo:${randomUUID()}`,
  audiences: ['api://AzureADTokenExchange'],
  ...properties,
});

test('A federated identity credential is made, read, listed, changed and deleted, and all of it is audited', async () => {
  const place = await anApplicationsPlace();
  const made = await server.call(token, 'POST', place, credential({ name: 'main', subject: 'repo:a' }));
  expect([made.status, made.body]).toEqual([
    201,
    expect.objectContaining({
      ...{ name: 'main', issuer: 'https://token.actions.example.com', subject: 'repo:a' },
      ...{ audiences: ['api://AzureADTokenExchange'], description: null },
    }),
  ]);
  const one = `${place}/${made.body.id}`;
  expect((await server.call(token, 'GET', one)).body.subject).toBe('repo:a');
  const changed = await server.call(token, 'PATCH', one, { subject: 'repo:b', description: 'Branch b' });
  expect(changed.status).toBe(204);
  expect((await server.call(token, 'GET', place)).body.value).toMatchObject([
    { name: 'main', subject: 'repo:b', description: 'Branch b' },
  ]);
  expect((await server.call(token, 'GET', `${place}?$filter=subject eq 'repo:a'`)).body.value).toEqual([]);
  expect((await server.call(token, 'DELETE', one)).status).toBe(204);
  expect((await server.call(token, 'GET', one)).status).toBe(404);
  const audits = await server.call(token, 'GET', '/v1.0/auditLogs/directoryAudits?$top=4');
  const names = audits.body.value
    .filter(({ result }: { result: string }) => result === 'success')
    .map((entry: { activityDisplayName: string }) => entry.activityDisplayName);
  expect(names.sort()).toEqual([
    'Add federated identity credential',
    'Delete federated identity credential',
    'Update federated identity credential',
  ]);
});

describe('SRF-01, SRF-05: an issuer that the server could not ask for its keys', () => {
  test.each([
    ...[
      'http://token.example.com',
      'https://127.0.0.1/idp',
      'https://[::1]/',
      'https://2130706433/',
      'https://0x7f.1/',
    ],
    ...['https://169.254.169.254/', 'https://10.0.0.1', 'https://localhost:8400/x', 'https://idp.internal/'],
    ...[
      'file:///etc/passwd',
      'https://user@idp.example.com/',
      'https://idp.example.com/#x',
      'https://idp.example.com/?x',
    ],
    ...['https://idp.example.com:22/', 'https://idp.example.com/\r\nx', 'idp.example.com', '', 7, null],
  ])('is refused: %j', async (issuer) => {
    const place = await anApplicationsPlace();
    const made = await server.call(token, 'POST', place, credential());
    const before = await snapshot(database);
    for (const [method, at, body] of [
      ['POST', place, credential({ issuer })],
      ['PATCH', `${place}/${made.body.id}`, { issuer }],
    ] as const) {
      const answer = await server.call(token, method, at, body);
      expect([method, answer.status, answer.body.error.code]).toEqual([method, 400, 'Request_BadRequest']);
    }
    expect(await snapshot(database)).toEqual(before);
  });
});

test.each([
  ['two audiences', { audiences: ['a', 'b'] }],
  ['no audience', { audiences: [] }],
  ['an audience that is no text', { audiences: [7] }],
  ['no subject', { subject: '' }],
  ['a subject with a line break', { subject: 'a\nb' }],
  ['a name with a slash', { name: 'a/b' }],
  ['an id of the caller’s choice', { id: randomUUID() }],
  ['something unknown', { claimsMatchingExpression: {} }],
])('One with %s is refused', async (_what, properties) => {
  const place = await anApplicationsPlace();
  const answer = await server.call(token, 'POST', place, credential(properties));
  expect([answer.status, answer.body.error.code]).toEqual([400, 'Request_BadRequest']);
});

test('Two of one name, or of one issuer and subject, are a conflict', async () => {
  const place = await anApplicationsPlace();
  const first = credential();
  await server.call(token, 'POST', place, first);
  for (const same of [credential({ name: first.name }), { ...first, name: 'other' }])
    expect((await server.call(token, 'POST', place, same)).status).toBe(409);
});

test('An application has twenty at most, also when they come at once', async () => {
  const place = await anApplicationsPlace();
  const made = await Promise.all(Array.from({ length: 24 }, () => server.call(token, 'POST', place, credential())));
  const statuses = made.map(({ status }) => status).sort();
  expect(statuses).toEqual([...Array.from({ length: 20 }, () => 201), ...Array.from({ length: 4 }, () => 400)]);
  expect((await server.call(token, 'POST', place, credential())).body.error.message).toContain('20');
});

test('CON-16: who may not give an application a secret may not give it a credential of an issuer of his either', async () => {
  const administrator = await aUser(database, tenant, {
    scopes: ['Application.ReadWrite.All'],
    roles: ['Application Administrator'],
  });
  const reader = await aUser(database, tenant, {
    scopes: ['Application.Read.All'],
    roles: ['Application Administrator'],
  });
  const nobody = await aUser(database, tenant, { scopes: ['Application.ReadWrite.All'] });
  const place = await anApplicationsPlace();
  expect((await server.call(await administrator.token(), 'POST', place, credential())).status).toBe(201);
  for (const person of [reader, nobody])
    expect((await server.call(await person.token(), 'POST', place, credential())).status).toBe(403);
  await privileged(place);
  const refused = await server.call(await administrator.token(), 'POST', place, credential());
  expect([refused.status, refused.body.error.code]).toEqual([403, 'Authorization_RequestDenied']);
});

/** The application gets a role of the directory API by which it could make itself anything. */
async function privileged(place: string): Promise<void> {
  const id = place.split('/')[3];
  const { body } = await server.call(token, 'GET', `/v1.0/applications/${id}`);
  const found = await server.call(token, 'GET', `/v1.0/servicePrincipals?$filter=appId eq '${body.appId}'`);
  const directory = await server.call(
    token,
    'GET',
    "/v1.0/servicePrincipals?$filter=appId eq '00000003-0000-0000-c000-000000000000'",
  );
  const [client, resource] = [found.body.value[0], directory.body.value[0]];
  const appRole = resource.appRoles.find(
    ({ value }: { value: string }) => value === 'RoleManagement.ReadWrite.Directory',
  );
  const assignment = { principalId: client.id, resourceId: resource.id, appRoleId: appRole.id };
  const admin = await aUser(database, tenant, {
    scopes: ['AppRoleAssignment.ReadWrite.All'],
    roles: ['Global Administrator'],
  });
  const path = `/v1.0/servicePrincipals/${client.id}/appRoleAssignments`;
  expect((await server.call(await admin.token(), 'POST', path, assignment)).status).toBe(201);
}
