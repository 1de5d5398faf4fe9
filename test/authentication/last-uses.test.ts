import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aClientApplication, aPerson, assignRole, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, post, redeemForm, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { failingWrite } from '../support/faults.ts';
import { superuserOf } from '../support/superuser.ts';
import { asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let directory: TestDirectoryServer;
let tenant: TestTenant;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  directory = await aDirectoryServer(database);
  tenant = await aTenant(database);
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await Promise.all([server.close(), directory.close()]);
  await database.drop();
});

const GRAPH = 'https://graph.microsoft.com';
const TABLES = ['service_principals', 'oauth2_permission_grants', 'app_role_assignments'] as const;
type Table = (typeof TABLES)[number];
interface Use {
  /** The row's version: another one where it was written again. */
  readonly xmin: string;
  /** Seconds. */
  readonly age: number | null;
}

/** Rows by what tells them apart: an API's app id for grants, a role's id for assignments. */
async function usesOf(table: Table, { servicePrincipalId }: Pick<TestApplication, 'servicePrincipalId'>) {
  const [owner, name] = {
    service_principals: ['id', `'itself'`],
    oauth2_permission_grants: ['client_id', '(select app_id from service_principals s where s.id = x.resource_id)'],
    app_role_assignments: ['service_principal_id', 'created_at'],
  }[table];
  const rows = await asSuperuser<Use & { name: string }>(
    database,
    `select xmin::text, ${name}::text as name, extract(epoch from now() - last_used_at)::float8 as age from ${table} x
      where tenant_id = $1 and ${owner} = $2 order by 2`,
    [tenant.id, servicePrincipalId],
  );
  return new Map(rows.map((row) => [row.name, row]));
}

const agesOf = async (table: Table, of: Pick<TestApplication, 'servicePrincipalId'>) =>
  [...(await usesOf(table, of)).values()].map(({ age }) => age);

/** Nobody waits for a note, so the test does. */
async function eventually<Value>(read: () => Promise<Value>, isThere: (value: Value) => boolean): Promise<Value> {
  for (let tries = 0; ; tries += 1) {
    const value = await read();
    if (isThere(value) || tries === 200) return value;
    await pause(20);
  }
}

const isRecent = (age: number | null | undefined) => typeof age === 'number' && age < 60;
const ask = ({ appId, secret }: TestApplication, parameters: Record<string, string> = {}, of = server) =>
  post(of.origin, tenant, 'token', {
    ...{ grant_type: 'client_credentials', client_id: appId, client_secret: secret },
    ...parameters,
  });

async function aDaemon(...roles: readonly string[]): Promise<TestApplication> {
  const daemon = await aClientApplication(database, tenant, { web: [] });
  for (const role of roles) await assignRole(database, tenant, daemon.servicePrincipalId, role);
  return daemon;
}

/** Makes all uses of an application as old as is said, past the product. */
async function age({ servicePrincipalId }: TestApplication, interval: string): Promise<void> {
  for (const [table, owner] of [
    ['service_principals', 'id'],
    ['app_role_assignments', 'service_principal_id'],
  ])
    await asSuperuser(
      database,
      `update ${table} set last_used_at = now() - $3::interval where tenant_id = $1 and ${owner} = $2`,
      [tenant.id, servicePrincipalId, interval],
    );
}

describe('when something granted was last used', () => {
  test('is noted with the next token where the note could not be written, though nothing is decided anew for that', async () => {
    const daemon = await aDaemon('User.Read.All');
    const own = await anAuthenticationServer(database);
    const repair = await failingWrite(database, 'app_role_assignments', 'update');
    try {
      expect((await ask(daemon, {}, own)).status).toBe(200);
      await eventually(
        async () => own.errors,
        ({ length }) => length > 0,
      );
    } finally {
      await repair();
    }
    expect(own.errors).toHaveLength(1);
    expect((await ask(daemon, {}, own)).status).toBe(200);
    const [used] = await eventually(
      () => agesOf('app_role_assignments', daemon),
      ([found]) => isRecent(found),
    );
    expect(isRecent(used)).toBe(true);
    await own.close();
  });

  test('is noted of what an app-only token rests on, and of nothing else', async () => {
    const daemon = await aDaemon('User.Read.All', 'Group.Read.All');
    const idle = await aDaemon('User.Read.All');
    expect((await ask(daemon, { scope: `${GRAPH}/User.Read.All` })).status).toBe(200);
    const [itself] = await eventually(
      () => agesOf('service_principals', daemon),
      ([found]) => isRecent(found),
    );
    expect(isRecent(itself)).toBe(true);
    const [first, second] = await agesOf('app_role_assignments', daemon);
    expect([isRecent(first), second]).toEqual([true, null]);
    expect([...(await agesOf('service_principals', idle)), ...(await agesOf('app_role_assignments', idle))]).toEqual([
      null,
      null,
    ]);
  });

  test('a refusal is no use', async () => {
    const daemon = await aDaemon('User.Read.All');
    const used = await aDaemon('User.Read.All');
    const wrong = await ask({ ...daemon, secret: 'wrong' });
    const tooMuch = await ask(daemon, { scope: `${GRAPH}/Group.Read.All` });
    expect([wrong.status, tooMuch.status]).toEqual([401, 400]);
    await ask(used);
    await eventually(
      () => agesOf('service_principals', used),
      ([found]) => isRecent(found),
    );
    expect([
      ...(await agesOf('service_principals', daemon)),
      ...(await agesOf('app_role_assignments', daemon)),
    ]).toEqual([null, null]);
  });

  test('is written once, whatever number of tokens and processes, again when it is old, and raises no version', async () => {
    const daemon = await aDaemon('User.Read.All');
    const settled = await aDaemon('User.Read.All');
    await ask(daemon);
    const noted = await eventually(
      () => usesOf('app_role_assignments', daemon),
      (uses) => [...uses.values()].every(({ age }) => isRecent(age)),
    );
    const versions = () =>
      asSuperuser(database, 'select version from tenant_versions where tenant_id = $1', [tenant.id]);
    const before = await versions();
    const other = await anAuthenticationServer(database);
    try {
      for (const process of [server, other]) {
        for (let count = 0; count < 5; count += 1) expect((await ask(daemon, {}, process)).status).toBe(200);
      }
      // One that comes after: by then the others' notes would be there too.
      await ask(settled, {}, other);
      await eventually(
        () => agesOf('service_principals', settled),
        ([found]) => isRecent(found),
      );
      const after = await usesOf('app_role_assignments', daemon);
      expect([...after.values()].map(({ xmin }) => xmin)).toEqual([...noted.values()].map(({ xmin }) => xmin));
      expect(await versions()).toEqual(before);
    } finally {
      await other.close();
    }
    await age(daemon, '2 hours');
    const later = await anAuthenticationServer(database);
    await ask(daemon, {}, later);
    const [again] = await eventually(
      () => agesOf('app_role_assignments', daemon),
      ([found]) => isRecent(found),
    );
    expect(isRecent(again)).toBe(true);
    await later.close();
  });

  test('is not waited for: a row that somebody holds is noted another time, and the token is there at once', async () => {
    const daemon = await aDaemon('User.Read.All');
    const holder = await superuserOf(database.superuserUrl).connect();
    const other = await anAuthenticationServer(database);
    await holder.query('begin');
    try {
      await holder.query('select from app_role_assignments where service_principal_id = $1 for update', [
        daemon.servicePrincipalId,
      ]);
      expect((await ask(daemon)).status).toBe(200);
      const { rows } = await eventually(
        () => holder.query('select last_used_at from service_principals where id = $1', [daemon.servicePrincipalId]),
        (found) => found.rows[0].last_used_at !== null,
      );
      expect(rows[0].last_used_at).not.toBeNull();
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    expect(await agesOf('app_role_assignments', daemon)).toEqual([null]);
    await ask(daemon, {}, other);
    const [later] = await eventually(
      () => agesOf('app_role_assignments', daemon),
      ([found]) => isRecent(found),
    );
    expect(isRecent(later)).toBe(true);
    await other.close();
  });

  test('of a person’s tokens: the consents to scopes, to the sign-in and to going on without him, each when it counts', async () => {
    const api = await aClientApplication(database, tenant, {
      ...{ name: 'Orders', scopes: ['Orders.Read'], identifierUris: [`https://orders.${tenant.domain}`] },
    });
    const client = await aClientApplication(database, tenant);
    const userId = await aPerson(database, tenant);
    const clientId = client.servicePrincipalId;
    await consentTo(database, tenant, { clientId, scopes: ['openid', 'offline_access'] });
    await consentTo(database, tenant, { clientId, scopes: ['User.Read'], principalId: userId });
    await consentTo(database, tenant, { clientId, scopes: ['Orders.Read'], resourceAppId: api.appId });
    const grants = async () => {
      const rows = await asSuperuser<{ name: string; used: boolean }>(
        database,
        `select s.app_id || ' ' || g.consent_type as name, g.last_used_at is not null as used from oauth2_permission_grants g
          join service_principals s on s.id = g.resource_id where g.client_id = $1 order by g.last_used_at is null, 1`,
        [clientId],
      );
      return rows.filter(({ used }) => used).map(({ name }) => name);
    };
    const browser = await aSignedInBrowser(database, tenant, userId);
    const orders = `https://orders.${tenant.domain}/Orders.Read`;
    const code = await authorize(server.origin, tenant, client, browser, {
      nonce: '',
      scope: `${orders} offline_access`,
    });
    expect(await grants()).toEqual([]);
    const { body } = await post(server.origin, tenant, 'token', redeemForm(client, code));
    expect(body.error).toBeUndefined();
    expect(await eventually(grants, ({ length }) => length > 0)).toEqual([`${api.appId} AllPrincipals`]);
    // A refresh rests on the consent to that, too; the first token did not.
    await post(server.origin, tenant, 'token', refreshForm(client, body.refresh_token));
    expect((await eventually(grants, ({ length }) => length > 1)).sort()).toEqual(
      [`${api.appId} AllPrincipals`, `${DIRECTORY_APP_ID} AllPrincipals`].sort(),
    );
    const more = { ...refreshForm(client, body.refresh_token), scope: `${GRAPH}/User.Read` };
    await post(server.origin, tenant, 'token', more);
    expect(await eventually(grants, ({ length }) => length > 2)).toContain(`${DIRECTORY_APP_ID} Principal`);
  });

  test('an ID token alone is a use of the consent to the sign-in', async () => {
    const api = await aClientApplication(database, tenant, { scopes: ['Read'] });
    const client = await aClientApplication(database, tenant);
    const userId = await aPerson(database, tenant);
    const clientId = client.servicePrincipalId;
    await consentTo(database, tenant, { clientId, scopes: ['openid'], principalId: userId });
    await consentTo(database, tenant, { clientId, scopes: ['Read'], resourceAppId: api.appId });
    const browser = await aSignedInBrowser(database, tenant, userId);
    const code = await authorize(server.origin, tenant, client, browser, { scope: `openid api://${api.appId}/Read` });
    expect((await post(server.origin, tenant, 'token', redeemForm(client, code))).status).toBe(200);
    const ages = await eventually(
      () => agesOf('oauth2_permission_grants', client),
      (found) => found.every(isRecent),
    );
    expect(ages.map(isRecent)).toEqual([true, true]);
  });

  test('is told by the report and by explain', async () => {
    const reader = await aUser(database, tenant, { scopes: ['Directory.Read.All'], roles: ['Global Reader'] });
    const client = await aClientApplication(database, tenant);
    const userId = await aPerson(database, tenant);
    await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes: ['openid', 'User.Read'] });
    const filter = `$filter=clientId eq '${client.servicePrincipalId}'`;
    const report = async () =>
      (await directory.call(await reader.token(), 'GET', `/v1.0/reports/consentUsage?${filter}`)).body.value[0];
    expect((await report()).lastUsedDateTime).toBeNull();
    const browser = await aSignedInBrowser(database, tenant, userId);
    const code = await authorize(server.origin, tenant, client, browser, { scope: 'openid User.Read' });
    expect((await post(server.origin, tenant, 'token', redeemForm(client, code))).status).toBe(200);
    const { lastUsedDateTime } = await eventually(report, (row) => row.lastUsedDateTime !== null);
    expect(Date.now() - Date.parse(lastUsedDateTime)).toBeLessThan(60_000);
    const question = { clientAppId: client.appId, userId, scope: 'User.Read' };
    const { body } = await directory.call(await reader.token(), 'POST', '/v1.0/reports/explainToken', question);
    const step = body.trace.find(({ subject }: { subject: string }) => subject === 'User.Read');
    expect(Date.parse(step.by.lastUsedDateTime)).toBe(Date.parse(lastUsedDateTime));
  });
});
