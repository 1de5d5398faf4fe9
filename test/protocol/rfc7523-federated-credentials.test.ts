import { randomUUID } from 'node:crypto';
import { request as plainRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { Answer } from '../support/answer.ts';
import {
  type ApplicationProperties,
  aClientApplication,
  addToTenant,
  assignRole,
  type TestApplication,
} from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { post } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { type Algorithm, aKeyServer, KEYS, type KeyServer } from '../support/key-server.ts';
import { aSink, type Sink } from '../support/sink.ts';
import { asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SUBJECT = 'repo:contoso/payroll:ref:refs/heads/main';
const AUDIENCE = 'api://AzureADTokenExchange';

let database: TestDatabase;
let server: TestAuthenticationServer;
let second: TestAuthenticationServer;
let directory: TestDirectoryServer;
let issuer: KeyServer;
let tenant: TestTenant;
let consumer: TestTenant;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  issuer = await aKeyServer();
  const outbound = issuer.outbound({ timeoutMs: 400 });
  server = await anAuthenticationServer(database, { outbound });
  second = await anAuthenticationServer(database, { publicOrigin: server.origin, outbound });
  directory = await aDirectoryServer(database);
  tenant = await aTenant(database, 'Contoso');
  consumer = await aTenant(database, 'Fabrikam');
  const scopes = ['Application.ReadWrite.All'];
  token = await (await aUser(database, tenant, { scopes, roles: ['Global Administrator'] })).token();
});

afterAll(async () => {
  expect([...server.errors.map(String), ...directory.errors]).toEqual([]);
  for (const part of [server, second, directory, issuer]) await part.close();
  await database.drop();
});

const place = ({ id }: TestApplication) => `/v1.0/applications/${id}/federatedIdentityCredentials`;

async function trust(app: TestApplication, properties: object = {}): Promise<string> {
  const credential = {
    name: `credential-${randomUUID()}`,
    ...{ issuer: issuer.issuer, subject: SUBJECT, audiences: [AUDIENCE] },
    ...properties,
  };
  const { status, body } = await directory.call(token, 'POST', place(app), credential);
  expect([status, body.name]).toEqual([201, credential.name]);
  return body.id;
}

async function aWorkload(properties: ApplicationProperties = {}): Promise<TestApplication> {
  const app = await aClientApplication(database, tenant, { isConfidential: false, ...properties });
  await assignRole(database, tenant, app.servicePrincipalId, 'User.Read.All');
  await trust(app);
  return app;
}

const assertion = (claims: object = {}, header: object = {}) =>
  issuer.sign({ sub: SUBJECT, aud: AUDIENCE, ...claims }, { kid: 'ec', ...header });

const present = ({ appId }: { appId: string }, client_assertion: string, form: object = {}, at = server, of = tenant) =>
  post(at.origin, of, 'token', {
    grant_type: 'client_credentials',
    client_id: appId,
    client_assertion_type: ASSERTION_TYPE,
    client_assertion,
    ...form,
  });

const outcome = ({ status, body }: Answer) => [status, body.error];
const REFUSED = [401, 'invalid_client'];

describe('An application signs in by the token of another issuer that it trusts', () => {
  test.each<[Algorithm, string]>([
    ['RS256', 'rsa'],
    ['PS256', 'rsa'],
    ['ES256', 'ec'],
  ])('signed with %s, its key named or not', async (alg, kid) => {
    const app = await aWorkload();
    for (const name of [kid, undefined]) {
      const { status, body } = await present(app, await assertion({}, { alg, kid: name }));
      expect(status).toBe(200);
      expect(decodeJwt(body.access_token)).toMatchObject({ azp: app.appId, azpacr: '2', roles: ['User.Read.All'] });
    }
  });

  test('whose audience is a list of that one', async () => {
    const app = await aWorkload();
    expect((await present(app, await assertion({ aud: [AUDIENCE] }))).status).toBe(200);
  });

  test('also where it asks about a token', async () => {
    const app = await aWorkload();
    const { body } = await present(app, await assertion());
    const form = { token: body.access_token, client_id: app.appId, client_assertion_type: ASSERTION_TYPE };
    const asking = async (more: object) => post(server.origin, tenant, 'introspect', { ...form, ...more });
    expect((await asking({ client_assertion: await assertion() })).body.active).toBe(true);
    expect(outcome(await asking({ client_assertion: await assertion({ sub: 'other' }) }))).toEqual(REFUSED);
  });

  test('of another organization of this product', async () => {
    const proxy = await aProxy();
    const other = await anAuthenticationServer(database, { publicOrigin: proxy.sink.origin });
    proxy.lead(other.origin);
    const relying = await anAuthenticationServer(database, { outbound: proxy.sink.outbound() });
    try {
      const appRole = { id: randomUUID(), value: 'Exchange', allowedMemberTypes: ['Application'] };
      const api = await aClientApplication(database, consumer, { appRoles: [appRole] });
      const daemon = await aClientApplication(database, consumer, {});
      await asSuperuser(
        database,
        `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
         values ($1, gen_random_uuid(), 'ServicePrincipal', $2, $3, $4)`,
        [consumer.id, daemon.servicePrincipalId, api.servicePrincipalId, appRole.id],
      );
      const asked = { grant_type: 'client_credentials', client_id: daemon.appId, client_secret: daemon.secret };
      const issued = await post(other.origin, consumer, 'token', { ...asked, scope: `${api.appId}/.default` });
      expect(issued.status).toBe(200);
      const app = await aWorkload();
      const theirs = `${proxy.sink.origin}/${consumer.id}/v2.0`;
      await trust(app, { issuer: theirs, subject: daemon.servicePrincipalId, audiences: [api.appId] });
      expect((await present(app, issued.body.access_token, {}, relying)).status).toBe(200);
      const stranger = await aWorkload();
      expect(outcome(await present(stranger, issued.body.access_token, {}, relying))).toEqual(REFUSED);
    } finally {
      for (const part of [relying, other, proxy.sink]) await part.close();
    }
  });
});

describe('It is refused', () => {
  const now = Math.floor(Date.now() / 1_000);
  const publicPem = Buffer.from(KEYS.rsa.publicKey.export({ type: 'spki', format: 'pem' }));

  test.each<[string, () => Promise<string>]>([
    ['another subject', () => assertion({ sub: `${SUBJECT}x` })],
    ['a subject in other letters', () => assertion({ sub: SUBJECT.toUpperCase() })],
    ['no subject', () => assertion({ sub: undefined })],
    ['another audience', () => assertion({ aud: 'api://other' })],
    ['two audiences', () => assertion({ aud: [AUDIENCE, 'api://other'] })],
    ['no audience', () => assertion({ aud: undefined })],
    ['another issuer', () => assertion({ iss: 'https://issuer.example/idp' })],
    ['an issuer with a slash more', () => assertion({ iss: `${issuer.issuer}/` })],
    ['no exp', () => assertion({ exp: undefined })],
    ['no iat', () => assertion({ iat: undefined })],
    ['an exp that is past', () => assertion({ iat: now - 600, exp: now - 60 })],
    ['a life of two days', () => assertion({ exp: now + 172_800 })],
    ['a beginning in the future', () => assertion({ iat: now + 600, exp: now + 900 })],
    ['an nbf in the future', () => assertion({ nbf: now + 600 })],
    ['a key that the issuer does not have', () => assertion({}, { kid: 'unknown' })],
    ['the name of another key', () => assertion({}, { kid: 'rsa' })],
    ['HS256 with the public key', () => issuer.sign({ sub: SUBJECT, aud: AUDIENCE }, { alg: 'HS256' }, publicPem)],
  ])('CLI-06: with %s', async (_what, made) => {
    const app = await aWorkload();
    const answer = await present(app, await made());
    expect([...outcome(answer), answer.body.error_codes]).toEqual([...REFUSED, [700213]]);
  });

  test('CLI-06: unsigned', async () => {
    const app = await aWorkload();
    const [, payload] = (await assertion()).split('.');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    expect(outcome(await present(app, `${header}.${payload}.`))).toEqual(REFUSED);
  });

  test('CLI-07: for another application, and without the name of any', async () => {
    await aWorkload();
    const stranger = await aClientApplication(database, tenant, { isConfidential: false });
    expect(outcome(await present(stranger, await assertion()))).toEqual(REFUSED);
    const form = { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE };
    const nameless = await post(server.origin, tenant, 'token', { ...form, client_assertion: await assertion() });
    expect(outcome(nameless)).toEqual(REFUSED);
  });

  test('CLI-03: beside another credential', async () => {
    const app = await aWorkload({ isConfidential: true });
    const both = await present(app, await assertion(), { client_secret: app.secret });
    expect(outcome(both)).toEqual([400, 'invalid_request']);
    const header = { authorization: `Basic ${Buffer.from(`${app.appId}:${app.secret}`).toString('base64')}` };
    const form = { grant_type: 'client_credentials', client_id: app.appId, client_assertion_type: ASSERTION_TYPE };
    const withBasic = await post(
      server.origin,
      tenant,
      'token',
      { ...form, client_assertion: await assertion() },
      header,
    );
    expect(outcome(withBasic)).toEqual([400, 'invalid_request']);
  });

  test('and no issuer is asked that the application does not trust', async () => {
    const app = await aClientApplication(database, tenant, { isConfidential: false });
    const before = issuer.requests.length;
    await present(app, await assertion());
    const other = await aWorkload();
    await present(other, await assertion({ iss: `${issuer.origin}/attacker` }));
    await present(other, await assertion({ iss: 'https://169.254.169.254/latest' }));
    expect(issuer.requests.slice(before).filter((request) => !request.includes('/idp/'))).toEqual([]);
  });
});

describe('CLI-05: an assertion', () => {
  test('with an id is used once, at any process', async () => {
    const app = await aWorkload();
    const used = await assertion();
    expect((await present(app, used)).status).toBe(200);
    const again = await present(app, used, {}, second);
    expect([...outcome(again), again.body.error_codes]).toEqual([...REFUSED, [700027]]);
    const parallel = await assertion();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => present(app, parallel, {}, index % 2 ? second : server)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('is remembered for as long as it is taken, which is longer than it says itself', async () => {
    const app = await aWorkload();
    const exp = Math.floor(Date.now() / 1_000) + 1_234;
    expect((await present(app, await assertion({ exp }))).status).toBe(200);
    const markers = await asSuperuser(
      database,
      `select from artifacts where tenant_id = $1 and model = 'ReplayDetection'
         and expires_at between to_timestamp($2) + interval '29 s' and to_timestamp($2) + interval '60 s'`,
      [tenant.id, exp],
    );
    expect(markers).toHaveLength(1);
    // A clock of ours that is late takes it for half a minute more.
    expect((await present(app, await assertion({ exp: Math.floor(Date.now() / 1_000) - 20 }))).status).toBe(200);
  });

  test('without one, or where the application is set so, is used until it expires', async () => {
    const app = await aWorkload();
    const nameless = await assertion({ jti: undefined });
    const reusing = await aWorkload({ compatibility: { assertionReuse: true } });
    const named = await assertion();
    for (const [who, what] of [
      [app, nameless],
      [app, nameless],
      [reusing, named],
      [reusing, named],
    ] as const)
      expect((await present(who, what)).status).toBe(200);
  });
});

describe('What another organization knows of a published application', () => {
  test('are its credentials of this moment, at every process', async () => {
    const app = await aWorkload({ isPublished: true });
    const presence = await addToTenant(database, consumer, app.appId, tenant.id);
    await assignRole(database, consumer, presence, 'User.Read.All');
    const there = async (at: TestAuthenticationServer, claims: object = {}) =>
      (await present(app, await assertion(claims), {}, at, consumer)).status;
    expect([await there(server), await there(second)]).toEqual([200, 200]);
    const { body } = await directory.call(token, 'GET', place(app));
    const [credential] = body.value;
    const change = (method: string, properties?: object) =>
      directory.call(token, method, `${place(app)}/${credential.id}`, properties);
    expect((await change('PATCH', { subject: 'other' })).status).toBe(204);
    expect([await there(server), await there(second)]).toEqual([401, 401]);
    expect(await there(second, { sub: 'other' })).toBe(200);
    expect((await change('DELETE')).status).toBe(204);
    expect([await there(server, { sub: 'other' }), await there(second, { sub: 'other' })]).toEqual([401, 401]);
  });

  test('is nothing once it is for its own organization alone, and all of it when it is published again', async () => {
    const app = await aWorkload();
    const presence = await addToTenant(database, consumer, app.appId, tenant.id);
    await assignRole(database, consumer, presence, 'User.Read.All');
    const there = async () => (await present(app, await assertion(), {}, second, consumer)).status;
    const set = (signInAudience: string) =>
      directory.call(token, 'PATCH', `/v1.0/applications/${app.id}`, { signInAudience });
    expect(await there()).toBe(401);
    expect((await set('AzureADMultipleOrgs')).status).toBe(204);
    expect(await there()).toBe(200);
    expect((await set('AzureADMyOrg')).status).toBe(204);
    expect(await there()).toBe(401);
  });
});

/** A server of ours on https, as a proxy in front makes it. */
async function aProxy(): Promise<{ sink: Sink; lead(origin: string): void }> {
  let target = '';
  const sink = await aSink((request, response) => {
    const { method, headers } = request;
    const behind = plainRequest(`${target}${request.url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(behind);
  });
  return {
    sink,
    lead: (origin) => {
      target = origin;
    },
  };
}
