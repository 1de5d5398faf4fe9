import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Answer } from '../support/answer.ts';
import { aClientApplication, addToTenant, assignRole, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { post } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { superuserOf } from '../support/superuser.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

let database: TestDatabase;
let server: TestAuthenticationServer;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

interface World {
  readonly tenant: TestTenant;
  readonly client: TestApplication;
}

interface Asked {
  readonly secret?: string;
  readonly role?: string;
}

/** What another process does: with the tenant's version, as every act of the product is. */
interface Change {
  readonly text: string;
  readonly values?: (world: World) => unknown[];
}

const idOf = ({ client }: World) => client.servicePrincipalId;
const RAISE = 'update tenant_versions set version = version + 1 where tenant_id = $1';

const ask = ({ tenant, client }: World, { secret = client.secret, role = '.default' }: Asked = {}) =>
  post(server.origin, tenant, 'token', {
    grant_type: 'client_credentials',
    client_id: client.appId,
    client_secret: secret,
    scope: `https://graph.microsoft.com/${role}`,
  });

/** A daemon with one role that the server has just served, so that it is remembered. */
async function aRememberedDaemon(redirectUris: Parameters<typeof aClientApplication>[2] = {}): Promise<World> {
  const tenant = await aTenant(database);
  const client = await aClientApplication(database, tenant, { web: [], ...redirectUris });
  await assignRole(database, tenant, client.servicePrincipalId, 'User.Read.All');
  const world = { tenant, client };
  expect([(await ask(world)).status, (await ask(world)).status]).toEqual([200, 200]);
  return world;
}

const valuesOf = (world: World, values: Change['values']) => [world.tenant.id, ...(values?.(world) ?? [])];

const happen = (world: World, { text, values }: Change) => asSuperuser(database, text, valuesOf(world, values));

const recordsOf = ({ tenant }: World) =>
  asSuperuser<{ token_id: string }>(database, 'select token_id from sign_ins where tenant_id = $1 and error_code = 0', [
    tenant.id,
  ]);

const SECRET_REMOVED: Change = {
  text: `delete from password_credentials where tenant_id = $1 and application_id = $2`,
  values: ({ client }) => [client.id],
};
const ROLE_REMOVED: Change = {
  text: 'delete from app_role_assignments where tenant_id = $1 and service_principal_id = $2',
  values: (world) => [idOf(world)],
};
const DISABLED: Change = {
  text: 'update service_principals set account_enabled = false where tenant_id = $1 and id = $2',
  values: (world) => [idOf(world)],
};
const DEACTIVATED: Change = {
  text: 'update applications set is_disabled = true where tenant_id = $1 and id = $2',
  values: ({ client }) => [client.id],
};
const CLOSED: Change = { text: 'update tenants set is_enabled = false where id = $1' };

const TAKEN: readonly (readonly [string, Change, number, string])[] = [
  ['its secret', SECRET_REMOVED, 401, 'invalid_client'],
  ['its role', ROLE_REMOVED, 400, 'invalid_scope'],
  ['its presence', DISABLED, 400, 'unauthorized_client'],
  ['the whole application', DEACTIVATED, 400, 'unauthorized_client'],
  ['its tenant', CLOSED, 400, 'invalid_request'],
];

describe('a client that is remembered', () => {
  test.each(TAKEN)('gets nothing in the next request when %s is taken', async (_what, change, status, error) => {
    const world = await aRememberedDaemon();
    const before = await recordsOf(world);
    await happen(world, change);
    const answer = await ask(world);
    expect([answer.status, answer.body.error, answer.body.access_token]).toEqual([status, error, undefined]);
    expect(await recordsOf(world)).toEqual(before);
  });

  test.each(TAKEN)(
    'gets nothing when %s is taken between its signature and its record',
    async (_what, change, status, error) => {
      const world = await aRememberedDaemon();
      const before = await recordsOf(world);
      const answer = await whileRecordsWait(world, change);
      expect([answer.status, answer.body.error, answer.body.access_token]).toEqual([status, error, undefined]);
      expect(await recordsOf(world)).toEqual(before);
    },
  );

  test.each([
    ['has nothing else', {}],
    ['is a native application too', { native: ['http://localhost'] }],
    ['is a single-page application too', { spa: ['https://spa.example/'] }],
  ])(
    'that %s: a change that takes nothing costs nothing; the token is made anew, and only that one is recorded',
    async (_what, redirectUris) => {
      const world = await aRememberedDaemon(redirectUris);
      const before = (await recordsOf(world)).map(({ token_id }) => token_id);
      const { status, body } = await whileRecordsWait(world, {
        text: 'update tenants set display_name = display_name where id = $1',
      });
      expect(status).toBe(200);
      expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3_600, ext_expires_in: 3_600 });
      const after = (await recordsOf(world)).map(({ token_id }) => token_id);
      expect(after.filter((id) => !before.includes(id))).toEqual([decodeJwt(body.access_token).jti]);
    },
  );

  test('is not refused on the ground of what was: a secret and a role of a moment ago count', async () => {
    const world = await aRememberedDaemon();
    const fresh = randomBytes(24).toString('base64url');
    const hmac = createHmac('sha256', database.sealer.derive('bailiwick/client-secrets/1')).update(fresh).digest();
    await happen(world, {
      text: `insert into password_credentials (tenant_id, key_id, application_id, hint, secret_hmac, end_at)
        values ($1, gen_random_uuid(), $2, 'new', $3, now() + interval '1 day')`,
      values: ({ client }) => [client.id, hmac],
    });
    expect((await ask(world, { secret: fresh })).status).toBe(200);
    await assignRole(database, world.tenant, idOf(world), 'Group.Read.All');
    const { status, body } = await ask(world, { role: 'Group.Read.All' });
    expect([status, decodeJwt(body.access_token).roles]).toEqual([200, ['Group.Read.All']]);
  });

  test.each([
    ['is recorded in the tenant while its secret is good', undefined, 1],
    ['is nobody’s for the tenant’s records once that was taken', SECRET_REMOVED, 0],
  ])('whose request is malformed: the refusal %s', async (_what, change, records) => {
    const world = await aRememberedDaemon();
    if (change) await happen(world, change);
    const { appId: client_id, secret: client_secret } = world.client;
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret, scope: '.default' });
    form.append('scope', '.default');
    const answer = await fetch(`${server.origin}/${world.tenant.id}/oauth2/v2.0/token`, { method: 'POST', body: form });
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([400, 'invalid_request']);
    const refused = 'select id from sign_ins where tenant_id = $1 and error_code <> 0';
    expect(await asSuperuser(database, refused, [world.tenant.id])).toHaveLength(records);
    if (change) expect(server.refusals.at(-1)).toMatch('token: invalid_request');
  });

  test('whatever it asked for before, gets what it asks for now, and so says the record', async () => {
    const world = await aRememberedDaemon();
    await assignRole(database, world.tenant, idOf(world), 'Group.Read.All');
    const both = ['Group.Read.All', 'User.Read.All'];
    for (const [role, roles] of [
      ['.default', both],
      ['.default', both],
      ['Group.Read.All', ['Group.Read.All']],
      ['Group.Read.All', ['Group.Read.All']],
      ['.default', both],
      ['Mail.Read', undefined],
      ['User.Read.All', ['User.Read.All']],
      ['.default', both],
    ] as const) {
      const { status, body } = await ask(world, { role });
      expect([role, status]).toEqual([role, roles ? 200 : 400]);
      if (!roles) continue;
      const { jti, roles: carried } = decodeJwt<{ roles: string[] }>(body.access_token);
      const [record] = await asSuperuser<{ decision: { given: [string, string][] } }>(
        database,
        'select decision from sign_ins where tenant_id = $1 and token_id = $2',
        [world.tenant.id, jti],
      );
      expect(carried.sort()).toEqual(roles);
      expect(record?.decision.given.map(([value]) => value).sort()).toEqual(roles);
    }
  });

  test('gets it of the API that it names, and of another one only what is still published', async () => {
    const world = await aRememberedDaemon();
    const { home, api, uri } = await aPublishedApi(world);
    const askFor = (resource: string) =>
      post(server.origin, world.tenant, 'token', {
        ...{ grant_type: 'client_credentials', client_id: world.client.appId, client_secret: world.client.secret },
        ...{ scope: '.default', resource },
      });
    const directory = 'https://graph.microsoft.com';
    for (const [resource, aud, roles] of [
      [directory, DIRECTORY_APP_ID, ['User.Read.All']],
      [uri, api.appId, ['Batch']],
      [uri, api.appId, ['Batch']],
      [directory, DIRECTORY_APP_ID, ['User.Read.All']],
    ] as const) {
      const { body } = await askFor(resource);
      expect(decodeJwt(body.access_token)).toMatchObject({ aud, roles });
    }
    expect((await askFor(uri)).status).toBe(200);
    // Only the version of that API: the client's tenant changes in nothing.
    const superuser = superuserOf(database.superuserUrl);
    await superuser.query('update published_applications set is_disabled = true where app_id = $1', [api.appId]);
    await superuser.query(
      `insert into published_application_versions (app_id, home_tenant_id) values ($1, $2)
        on conflict (app_id) do update set version = published_application_versions.version + 1`,
      [api.appId, home.id],
    );
    expect(await askFor(uri)).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    expect((await askFor(directory)).status).toBe(200);
  });

  test('gets a token that was made anew with the lifetime of that moment, and is told so', async () => {
    const world = await aRememberedDaemon();
    const { api, uri } = await aPublishedApi(world);
    const { appId: client_id, secret: client_secret } = world.client;
    const form = { grant_type: 'client_credentials', client_id, client_secret, scope: '.default', resource: uri };
    const asking = () => post(server.origin, world.tenant, 'token', form);
    expect((await asking()).body).toMatchObject({ expires_in: 3_600, ext_expires_in: 3_600 });
    const { body } = await whileRecordsWait(
      world,
      {
        text: `with shown as (select $1::uuid)
          update published_applications set access_token_seconds = 600 where app_id = $2`,
        values: () => [api.appId],
      },
      asking,
    );
    const { iat = 0, exp = 0 } = decodeJwt(body.access_token);
    expect([exp - iat, body.expires_in, body.ext_expires_in]).toEqual([600, 600, 600]);
  });

  test('is remembered without a question that says the same a thousand times', async () => {
    const tenant = await aTenant(database);
    const clients: TestApplication[] = [];
    for (let n = 0; n < 50; n += 1) {
      const client = await aClientApplication(database, tenant, { web: [] });
      await assignRole(database, tenant, client.servicePrincipalId, 'User.Read.All');
      clients.push(client);
    }
    const heapAfter = async (role: string) => {
      for (const client of clients) expect((await ask({ tenant, client }, { role })).status).toBe(200);
      // What the last answers leave behind.
      await ask({ tenant, client: clients[0] as TestApplication });
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    await heapAfter('.default');
    const before = await heapAfter('.default');
    const after = await heapAfter(`.default${' https://graph.microsoft.com/.default'.repeat(1_000)}`);
    expect((after - before) / clients.length).toBeLessThan(18_000);
  });

  test('is read anew after ten minutes, whatever its version: a row may be changed by hand, past all of them', async () => {
    const world = await aRememberedDaemon();
    await superuserOf(database.superuserUrl).query(ROLE_REMOVED.text, valuesOf(world, ROLE_REMOVED.values));
    const now = jest.spyOn(performance, 'now');
    try {
      const start = performance.now();
      now.mockImplementation(() => start + 595_000);
      expect((await ask(world)).status).toBe(200);
      now.mockImplementation(() => start + 601_000);
      expect(await ask(world)).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    } finally {
      now.mockRestore();
    }
  });

  test('after a rotation its token is signed by the new key', async () => {
    const world = await aRememberedDaemon();
    const [first] = await asSuperuser<{ kid: string }>(
      database,
      `select kid from signing_keys where tenant_id = $1 and algorithm = 'ES256' and slot = 'current'`,
      [world.tenant.id],
    );
    await happen(world, {
      text: `update signing_keys set slot = 'retiring' where tenant_id = $1 and algorithm = 'ES256' and slot = 'current'`,
    });
    const { status, body } = await ask(world);
    expect(status).toBe(200);
    expect(decodeProtectedHeader(body.access_token).kid).not.toBe(first?.kid);
  });
});

/** An API of another tenant, with one role, which is the daemon's. */
async function aPublishedApi(world: World) {
  const home = await aTenant(database);
  const uri = `https://${home.domain}/api`;
  const appRole = { id: randomUUID(), value: 'Batch', allowedMemberTypes: ['Application'] };
  const properties = { web: [], identifierUris: [uri], appRoles: [appRole], isPublished: true };
  const api = await aClientApplication(database, home, properties);
  const presence = await addToTenant(database, world.tenant, api.appId, home.id);
  await asSuperuser(
    database,
    `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
      values ($1, gen_random_uuid(), 'ServicePrincipal', $2, $3, $4)`,
    [world.tenant.id, idOf(world), presence, appRole.id],
  );
  await asSuperuser(database, RAISE, [world.tenant.id]);
  return { home, api, uri };
}

/** Asks while no record can be written, lets the change happen, and lets the record's statement go on. */
async function whileRecordsWait(
  world: World,
  { text, values }: Change,
  asking: () => Promise<Answer> = () => ask(world),
): Promise<Answer> {
  const holder = await superuserOf(database.superuserUrl).connect();
  try {
    await holder.query('begin');
    await holder.query('lock table sign_ins in access exclusive mode');
    const answer = asking();
    await untilWaiting();
    await holder.query(text, valuesOf(world, values));
    await holder.query(RAISE, [world.tenant.id]);
    await holder.query('commit');
    return await answer;
  } finally {
    holder.release();
  }
}

async function untilWaiting(): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const waiting = await asSuperuser(
      database,
      `select from pg_locks where relation = 'sign_ins'::regclass and not granted`,
    );
    if (waiting.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('No record waits.');
}
