import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database);
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

const secret = 'a-secret-of-enough-length-for-a-test';

async function aDaemon() {
  const [appId, id, servicePrincipalId] = [randomUUID(), randomUUID(), randomUUID()];
  const hmac = createHmac('sha256', database.sealer.derive('bailiwick/client-secrets/1')).update(secret).digest();
  await asSuperuser(
    database,
    'insert into applications (tenant_id, id, app_id, display_name) values ($1, $2, $3, $4)',
    [tenant.id, id, appId, 'Daemon'],
  );
  await asSuperuser(
    database,
    `insert into password_credentials (tenant_id, key_id, application_id, hint, secret_hmac, end_at) values ($1, gen_random_uuid(), $2, 'a-s', $3, now() + interval '1 day')`,
    [tenant.id, id, hmac],
  );
  await asSuperuser(
    database,
    'insert into service_principals (tenant_id, id, app_id, app_owner_organization_id) values ($1, $2, $3, $1)',
    [tenant.id, servicePrincipalId, appId],
  );
  return { appId, servicePrincipalId };
}

async function assign(servicePrincipalId: string, value: string) {
  await asSuperuser(
    database,
    `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
     select $1, gen_random_uuid(), 'ServicePrincipal', $2, id, $3 from service_principals where tenant_id = $1 and app_id = $4`,
    [tenant.id, servicePrincipalId, DIRECTORY_API.appRoles.find((role) => role.value === value)?.id, DIRECTORY_APP_ID],
  );
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of the answer, which the assertions check
  readonly body: any;
}

async function ask(appId: string, parameters: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: appId,
      client_secret: secret,
      ...parameters,
    }),
  });
  return { status: response.status, body: await response.json() };
}

describe('client credentials', () => {
  test('no consent, no token: an application to which nothing is assigned is refused in words', async () => {
    const daemon = await aDaemon();
    const { status, body } = await ask(daemon.appId);
    expect([status, body.error]).toEqual([400, 'invalid_scope']);
    expect(body.error_description).toContain('administrator must assign');
    expect(body.correlation_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('what is assigned is in the token, signed by the key of the tenant, and recorded', async () => {
    const daemon = await aDaemon();
    await assign(daemon.servicePrincipalId, 'User.Read.All');
    const { status, body } = await ask(daemon.appId, { scope: 'https://graph.microsoft.com/.default' });
    expect(status).toBe(200);
    expect(body.scope).toBeUndefined();
    const keys = createRemoteJWKSet(new URL(`${server.origin}/${tenant.id}/discovery/v2.0/keys`));
    const { payload, protectedHeader } = await jwtVerify(body.access_token, keys, {
      issuer: `${server.origin}/${tenant.id}/v2.0`,
      typ: 'at+jwt',
    });
    expect(protectedHeader.kid).toBe(tenant.kid);
    expect(payload).toMatchObject({
      aud: DIRECTORY_APP_ID,
      sub: daemon.servicePrincipalId,
      oid: daemon.servicePrincipalId,
      client_id: daemon.appId,
      azp: daemon.appId,
      azpacr: '1',
      tid: tenant.id,
      roles: ['User.Read.All'],
      idtyp: 'app',
      ver: '2.0',
    });
    expect(payload).not.toHaveProperty('scp');
    expect(payload).not.toHaveProperty('scope');
    const rows = await asSuperuser(database, 'select from sign_ins where tenant_id = $1 and token_id = $2', [
      tenant.id,
      payload.jti,
    ]);
    expect(rows).toHaveLength(1);
  });

  test('CON-02: named roles narrow what is assigned; one that is not assigned is refused, alone or among others', async () => {
    const daemon = await aDaemon();
    await assign(daemon.servicePrincipalId, 'User.Read.All');
    await assign(daemon.servicePrincipalId, 'Group.Read.All');
    const rolesFor = async (parameters: Record<string, string>) => {
      const { status, body } = await ask(daemon.appId, parameters);
      return status === 200 ? (decodeJwt(body.access_token).roles as string[]).sort() : [status, body.error];
    };
    const graph = 'https://graph.microsoft.com';
    const all = ['Group.Read.All', 'User.Read.All'];
    expect(await rolesFor({})).toEqual(all);
    expect(await rolesFor({ scope: `${graph}/.default` })).toEqual(all);
    expect(await rolesFor({ scope: `${graph}/User.Read.All` })).toEqual(['User.Read.All']);
    expect(await rolesFor({ scope: 'User.Read.All User.Read.All', resource: graph })).toEqual(['User.Read.All']);
    const refused = [400, 'invalid_scope'];
    for (const scope of [
      `${graph}/RoleManagement.ReadWrite.Directory`,
      `${graph}/User.Read.All ${graph}/RoleManagement.ReadWrite.Directory`,
      `${graph}/User.Read.All ${graph}/.default`,
      `${graph}/User.Nonsense`,
    ]) {
      expect([scope, await rolesFor({ scope })]).toEqual([scope, refused]);
    }
    expect(await rolesFor({ scope: 'RoleManagement.ReadWrite.Directory', resource: graph })).toEqual(refused);
    expect(await rolesFor({ resource: 'https://nowhere.example' })).toEqual([400, 'invalid_target']);
  });

  test('a wrong secret, an unknown application and an unknown tenant are told apart for who must mend them', async () => {
    const daemon = await aDaemon();
    const wrong = await ask(daemon.appId, { client_secret: 'wrong' });
    expect([wrong.status, wrong.body.error, wrong.body.error_codes]).toEqual([401, 'invalid_client', [7000215]]);
    const unknown = await ask(randomUUID());
    expect([unknown.status, unknown.body.error]).toEqual([401, 'invalid_client']);
    const nowhere = await fetch(`${server.origin}/${randomUUID()}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: daemon.appId, client_secret: secret }),
    });
    expect(nowhere.status).toBe(400);
    expect(await nowhere.json()).toMatchObject({ error: 'invalid_request', error_codes: [90002] });
  });
});
