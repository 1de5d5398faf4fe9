import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aClientApplication, assignRole, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { post } from '../support/authorize.ts';
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

const aDaemon = () => aClientApplication(database, tenant, { name: 'Daemon', web: [] });

const ask = ({ appId, secret }: Pick<TestApplication, 'appId' | 'secret'>, parameters: Record<string, string> = {}) =>
  post(server.origin, tenant, 'token', {
    grant_type: 'client_credentials',
    client_id: appId,
    client_secret: secret,
    ...parameters,
  });

const assign = (servicePrincipalId: string, value: string) => assignRole(database, tenant, servicePrincipalId, value);

describe('client credentials', () => {
  test('no consent, no token: an application to which nothing is assigned is refused in words', async () => {
    const daemon = await aDaemon();
    const { status, body } = await ask(daemon);
    expect([status, body.error]).toEqual([400, 'invalid_scope']);
    expect(body.error_description).toContain('administrator must assign');
    expect(body.correlation_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('no RSA key is made for them: that would take a thousand times as long as a token', async () => {
    const daemon = await aDaemon();
    await assign(daemon.servicePrincipalId, 'User.Read.All');
    expect((await ask(daemon)).status).toBe(200);
    expect(
      await asSuperuser(database, `select kid from signing_keys where tenant_id = $1 and algorithm <> 'ES256'`, [
        tenant.id,
      ]),
    ).toEqual([]);
  });

  test('what is assigned is in the token, signed by the key of the tenant, and recorded', async () => {
    const daemon = await aDaemon();
    await assign(daemon.servicePrincipalId, 'User.Read.All');
    const { status, body } = await ask(daemon, { scope: 'https://graph.microsoft.com/.default' });
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
      const { status, body } = await ask(daemon, parameters);
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

  test('an API without an identifier URI is named by its app id, with the slash that some clients add', async () => {
    const appRole = { id: randomUUID(), value: 'Batch', allowedMemberTypes: ['Application'] };
    const api = await aClientApplication(database, tenant, { web: [], appRoles: [appRole] });
    const daemon = await aDaemon();
    await asSuperuser(
      database,
      `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
        values ($1, gen_random_uuid(), 'ServicePrincipal', $2, $3, $4)`,
      [tenant.id, daemon.servicePrincipalId, api.servicePrincipalId, appRole.id],
    );
    for (const prefix of [`api://${api.appId}`, `api://${api.appId}/`, api.appId]) {
      const { body } = await ask(daemon, { scope: `${prefix}/.default` });
      expect([prefix, body.access_token && decodeJwt(body.access_token).roles]).toEqual([prefix, ['Batch']]);
    }
    // A slash may end a URI, and an app id is none.
    const { body } = await ask(daemon, { scope: `${api.appId}//.default` });
    expect(body.error).toBe('invalid_target');
  });

  test('a wrong secret, an unknown application and an unknown tenant are told apart for who must mend them', async () => {
    const daemon = await aDaemon();
    const wrong = await ask(daemon, { client_secret: 'wrong' });
    expect([wrong.status, wrong.body.error, wrong.body.error_codes]).toEqual([401, 'invalid_client', [7000215]]);
    const unknown = await ask({ ...daemon, appId: randomUUID() });
    expect([unknown.status, unknown.body.error]).toEqual([401, 'invalid_client']);
    const nowhere = await fetch(`${server.origin}/${randomUUID()}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: daemon.appId,
        client_secret: daemon.secret,
      }),
    });
    expect(nowhere.status).toBe(400);
    expect(await nowhere.json()).toMatchObject({ error: 'invalid_request', error_codes: [90002] });
  });
});
