import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;
let other: TestTenant;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  [tenant, other] = [await aTenant(database, 'Contoso'), await aTenant(database, 'Fabrikam')];
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const LOGS = ['/v1.0/auditLogs/directoryAudits', '/v1.0/auditLogs/signIns'];

describe('AUD-06: the logs', () => {
  test('are their own tenant’s, for those whose role reads logs', async () => {
    const theirs = await anApplication(database, other, ['Group.ReadWrite.All', 'AuditLog.Read.All']);
    const group = { displayName: 'Their secret project', mailNickname: randomUUID() };
    expect((await server.call(await theirs.token(), 'POST', '/v1.0/groups', group)).status).toBe(201);
    expect((await server.call(await theirs.token(), 'GET', LOGS[0] ?? '')).text).toContain('Their secret project');
    const reader = await aUser(database, tenant, { scopes: ['AuditLog.Read.All'], roles: ['Security Reader'] });
    const plain = await aUser(database, tenant, { scopes: ['AuditLog.Read.All'] });
    for (const path of LOGS) {
      const answer = await server.call(await reader.token(), 'GET', path);
      expect([answer.status, answer.text.includes('Their secret project')]).toEqual([200, false]);
      expect((await server.call(await plain.token(), 'GET', path)).status).toBe(403);
    }
  });

  test('record that they were read', async () => {
    const reader = await anApplication(database, tenant, ['AuditLog.Read.All']);
    await asSuperuser(
      database,
      `insert into sign_ins (tenant_id, event_type, correlation_id) values ($1, 'servicePrincipal', 'read')`,
      [tenant.id],
    );
    for (const path of LOGS) {
      const { body } = await server.call(await reader.token(), 'GET', `${path}?$top=1`);
      for (const read of [`${path}?$top=1`, `${path}/${body.value[0].id}`]) {
        const id = randomUUID();
        const headers = { 'client-request-id': id };
        expect((await server.call(await reader.token(), 'GET', read, undefined, headers)).status).toBe(200);
        const rows = await asSuperuser<{ type: string; by: object }>(
          database,
          'select operation_type as type, initiated_by as by from directory_audits where tenant_id = $1 and correlation_id = $2',
          [tenant.id, id],
        );
        expect(rows).toMatchObject([{ type: 'Read', by: { app: { appId: reader.appId } } }]);
      }
    }
  });

  test('are found by who, what and when', async () => {
    const writer = await anApplication(database, tenant, ['Group.ReadWrite.All', 'AuditLog.Read.All']);
    const token = await writer.token();
    const { body: group } = await server.call(token, 'POST', '/v1.0/groups', {
      displayName: 'G',
      mailNickname: randomUUID(),
    });
    for (const filter of [
      `targetResources/any(t:t/id eq '${group.id}')`,
      `initiatedBy/app/appId eq '${writer.appId}' and activityDisplayName eq 'Add group'`,
      `category eq 'GroupManagement' and activityDateTime gt 2020-01-01T00:00:00Z and targetResources/any(t:t/id eq '${group.id}')`,
    ]) {
      const { body } = await server.call(token, 'GET', `${LOGS[0]}?$filter=${encodeURIComponent(filter)}`);
      expect(body.value).toHaveLength(1);
      expect(body.value[0]).toMatchObject({ result: 'success', operationType: 'Add', initiatedBy: { user: null } });
    }
  });
});

test('who granted a consent, and when, is found by the grant’s id', async () => {
  const administrator = await aUser(database, tenant, {
    scopes: ['DelegatedPermissionGrant.ReadWrite.All', 'AuditLog.Read.All'],
    roles: ['Global Administrator'],
  });
  const token = await administrator.token();
  const { servicePrincipalId } = await anApplication(database, tenant, []);
  const [resource] = await asSuperuser<{ id: string }>(
    database,
    'select id from service_principals where tenant_id = $1 and app_id = $2',
    [tenant.id, DIRECTORY_APP_ID],
  );
  const granted = await server.call(token, 'POST', '/v1.0/oauth2PermissionGrants', {
    ...{ clientId: servicePrincipalId, resourceId: resource?.id, consentType: 'AllPrincipals', scope: 'User.Read' },
  });
  const filter = encodeURIComponent(`targetResources/any(t:t/id eq '${granted.body.id}') and result eq 'success'`);
  const { body } = await server.call(token, 'GET', `${LOGS[0]}?$filter=${filter}`);
  expect(body.value).toMatchObject([
    {
      activityDisplayName: 'Add delegated permission grant',
      activityDateTime: expect.any(String),
      initiatedBy: { user: { id: administrator.id } },
      targetResources: [{ id: granted.body.id, type: 'OAuth2PermissionGrant' }],
    },
  ]);
});

describe('AUD-05: what a caller writes into the log', () => {
  test('is bounded and printable, whatever it sent', async () => {
    const writer = await anApplication(database, tenant, ['Group.ReadWrite.All']);
    const token = await writer.token();
    const userAgent = `\u001b[31m{"a":1}${'x'.repeat(8_000)}`.replace('\u001b', 'é');
    await new Promise<void>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'user-agent': userAgent, 'client-request-id': 'x\tinjected' };
      request(`${server.origin}/v1.0/groups/%00%0d%0a%1b`, { headers, method: 'DELETE' }, (answer) => {
        expect(answer.statusCode).toBe(404);
        answer.resume().on('end', () => resolve());
      })
        .on('error', reject)
        .end();
    });
    const [row, ...more] = await asSuperuser<{ row: string; correlation: string }>(
      database,
      `select d::text as row, correlation_id as correlation from directory_audits d
       where tenant_id = $1 and initiated_by -> 'app' ->> 'appId' = $2`,
      [tenant.id, writer.appId],
    );
    expect(more).toEqual([]);
    expect(row?.correlation).toMatch(/^[0-9a-f-]{36}$/);
    expect(row?.row.length).toBeLessThan(2_000);
    expect(row?.row).not.toMatch(/\p{Cc}|\\u0000|\\r|\\n/u);
    expect(row?.row).toContain('????');
  });

  test.each<[string, string]>([
    ['line breaks', 'a\r\nb'],
    ['escape sequences', 'a\u001b[2Jb'],
    ['a null character', 'a\u0000b'],
    ['half a character', 'a\ud800b'],
    ['a megabyte', 'x'.repeat(1_000_000)],
  ])('%s in a name are refused, and the refusal is recorded once', async (_case, displayName) => {
    const writer = await anApplication(database, tenant, ['Group.ReadWrite.All']);
    const answer = await server.call(await writer.token(), 'POST', '/v1.0/groups', {
      displayName,
      mailNickname: randomUUID(),
    });
    expect([400, 413]).toContain(answer.status);
    const rows = await asSuperuser<{ result: string }>(
      database,
      `select result from directory_audits where tenant_id = $1 and initiated_by -> 'app' ->> 'appId' = $2`,
      [tenant.id, writer.appId],
    );
    expect(rows).toEqual([{ result: 'failure' }]);
  });

  test('a property whose name is a null character, or a thousand of them, is refused and recorded', async () => {
    const writer = await anApplication(database, tenant, ['Group.ReadWrite.All']);
    const body = { displayName: 'G', mailNickname: 'g', ['\u0000'.repeat(1_000)]: 1 };
    const answer = await server.call(await writer.token(), 'POST', '/v1.0/groups', body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.message.length).toBeLessThanOrEqual(300);
    const rows = await asSuperuser<{ reason: string }>(
      database,
      `select result_reason as reason from directory_audits where tenant_id = $1 and initiated_by -> 'app' ->> 'appId' = $2`,
      [tenant.id, writer.appId],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.reason).toMatch(/^[^\p{Cc}]+$/u);
  });
});
