import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CATALOGUE } from '../../src/authorization/catalogue/index.ts';
import { APPLICATION_PERMISSIONS, DELEGATED_PERMISSIONS } from '../../src/vocabulary/permissions.ts';
import { requestOf } from '../isolation/cases.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, codeOf, type TestDirectoryServer } from '../support/directory-server.ts';
import { checksums, furnish, newObjects, type Objects } from '../support/furnished-tenant.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let tenant: TestTenant;

beforeAll(async () => {
  database = await aDatabase({ hashNewPassword: async () => '$argon2id$test', checkPassword: async () => {} });
  server = await aDirectoryServer(database);
  tenant = await aTenant(database);
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

const isReading = (permission: string) => !/Write|AccessAsUser|RevokeSessions/.test(permission);
const withRoute = CATALOGUE.filter(({ route }) => route);
const writes = withRoute
  .filter(({ access }) => access === 'write')
  .map((operation) => [operation.name, operation] as const);
const reads = withRoute
  .filter(({ access }) => access === 'read')
  .map((operation) => [operation.name, operation] as const);

async function furnished(): Promise<Objects> {
  const objects = newObjects();
  await furnish(database, tenant, objects, 'Object');
  return objects;
}

async function anAdministrator(scopes: readonly string[]): Promise<TestPrincipal> {
  const administrator = await aUser(database, tenant, { scopes, roles: ['Global Administrator'] });
  await asSuperuser(database, "insert into user_passwords (tenant_id, user_id, password_hash) values ($1, $2, 'x')", [
    tenant.id,
    administrator.id,
  ]);
  return administrator;
}

async function objectRows(): Promise<string> {
  const { directory_audits: _, ...rows } = await checksums(database, tenant);
  return JSON.stringify(rows);
}

interface AuditRow {
  readonly result: string;
  readonly activity: string;
  readonly category: string;
  readonly type: string;
  readonly by: { readonly user: { id: string; ipAddress: string } | null; readonly app: { appId: string } | null };
  readonly targets: readonly { readonly id: string }[];
}

function auditsOf(correlationId: string): Promise<AuditRow[]> {
  return asSuperuser<AuditRow>(
    database,
    `select result, activity_display_name as activity, category, operation_type as type, initiated_by as by,
       target_resources as targets from directory_audits where tenant_id = $1 and correlation_id = $2`,
    [tenant.id, correlationId],
  );
}

describe('AUD-01: a change leaves exactly one record, whether it is done or refused', () => {
  test.each(writes)('%s', async (_name, operation) => {
    if (operation.access !== 'write') throw new Error('a write');
    const administrator = await anAdministrator(DELEGATED_PERMISSIONS);
    const plain = await aUser(database, tenant, { scopes: ['User.Read'] });
    const { method, path, body } = requestOf(operation, await furnished(), tenant);
    const [done, refused] = [randomUUID(), randomUUID()];
    const no = await server.call(await plain.token(), method, path, body, { 'client-request-id': refused });
    expect(no.status).toBe(403);
    const yes = await server.call(await administrator.token(), method, path, body, { 'client-request-id': done });
    expect(yes.status).toBe(operation.route?.status);
    const { activity, category, type } = operation.audit;
    expect(await auditsOf(done)).toEqual([
      {
        result: 'success',
        activity,
        category,
        type,
        by: { user: { id: administrator.id, ipAddress: expect.any(String) }, app: { appId: administrator.appId } },
        targets: expect.arrayContaining([
          expect.objectContaining({ id: expect.stringMatching(/^([0-9a-f-]{36}|\w+Policy)$/) }),
        ]),
      },
    ]);
    expect(await auditsOf(refused)).toMatchObject([{ result: 'failure', activity, by: { user: { id: plain.id } } }]);
  });
});

describe('CON-20: with permissions to read alone', () => {
  let reader: TestPrincipal;
  let application: TestPrincipal;
  beforeAll(async () => {
    reader = await anAdministrator(DELEGATED_PERMISSIONS.filter(isReading));
    application = await anApplication(database, tenant, APPLICATION_PERMISSIONS.filter(isReading));
  });

  test.each(writes)('%s is refused, by a Global Administrator and by an application', async (_name, operation) => {
    const { method, path, body } = requestOf(operation, await furnished(), tenant);
    const before = await objectRows();
    const delegated = await server.call(await reader.token(), method, path, body);
    const code = operation.name === 'registerClient' ? 'access_denied' : 'Authorization_RequestDenied';
    expect([delegated.status, codeOf(delegated)]).toEqual([403, code]);
    expect(delegated.headers.get('www-authenticate')).toContain('insufficient_scope');
    const appOnly = await server.call(await application.token(), method, path, body);
    expect([appOnly.status, codeOf(appOnly)]).toEqual([403, code]);
    expect(await objectRows()).toBe(before);
  });

  test.each(reads)('%s is answered', async (_name, operation) => {
    const { method, path, body } = requestOf(operation, await furnished(), tenant);
    const delegated = await server.call(await reader.token(), method, path, body);
    expect(delegated.status).toBe(200);
    const appOnly = await server.call(await application.token(), method, path, body);
    expect(appOnly.status).toBe(/^\/v1\.0\/me|filterByCurrentUser/.test(path) ? 400 : 200);
  });
});

describe('without any token', () => {
  test.each([...writes, ...reads])('%s is refused and told to the security log', async (_name, operation) => {
    server.refusals.length = 0;
    const { method, path, body } = requestOf(operation, newObjects(), tenant);
    const answer = await server.call(undefined, method, path, body);
    const code = operation.name === 'registerClient' ? 'invalid_token' : 'InvalidAuthenticationToken';
    expect([answer.status, codeOf(answer)]).toEqual([401, code]);
    expect(server.refusals).toHaveLength(1);
  });
});

test('CON-21: HEAD answers like GET without a body, and reads alone', async () => {
  const reader = await anAdministrator(DELEGATED_PERMISSIONS.filter(isReading));
  const objects = await furnished();
  // A question that is asked by POST is none for HEAD.
  for (const [, operation] of reads.filter(([, { route }]) => route?.method === 'GET')) {
    const { path } = requestOf(operation, objects, tenant);
    const answer = await server.call(await reader.token(), 'HEAD', path);
    expect([path, answer.status, answer.text]).toEqual([path, 200, '']);
  }
});

/** A method that the operation's path has not. */
function otherMethod({ route }: (typeof CATALOGUE)[number]): string {
  const taken = withRoute.filter((known) => known.route?.path === route?.path).map((known) => known.route?.method);
  return ['PUT', 'PATCH', 'DELETE', 'POST'].find((method) => !taken.some((known) => known === method)) ?? '';
}

test('API-12, CON-21: every other method on every path is 405 with the methods that there are, and changes nothing', async () => {
  const administrator = await anAdministrator(DELEGATED_PERMISSIONS);
  const token = await administrator.token();
  const objects = await furnished();
  const before = await objectRows();
  for (const [, operation] of [...writes, ...reads]) {
    const { path } = requestOf(operation, objects, tenant);
    const method = otherMethod(operation);
    const answer = await server.call(token, method, path, {});
    expect([path, answer.status]).toEqual([path, 405]);
    expect(answer.headers.get('allow')).toContain(operation.route?.method);
    const overridden = await server.call(
      token,
      method,
      path,
      {},
      { 'x-http-method-override': operation.route?.method ?? '' },
    );
    expect(overridden.status).toBe(405);
  }
  expect(await objectRows()).toBe(before);
});
