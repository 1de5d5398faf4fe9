import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Answer } from '../support/answer.ts';
import { aClientApplication, assignRole, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { post } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { type Algorithm, aKeyServer, KEYS, type KeyServer, publicJwk } from '../support/key-server.ts';
import { aTenant, type TestTenant } from '../support/tenants.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let database: TestDatabase;
let tenant: TestTenant;
let keyServer: KeyServer;
let server: TestAuthenticationServer;

beforeAll(async () => {
  database = await aDatabase();
  tenant = await aTenant(database, 'Contoso');
});
afterAll(() => database.drop());
// Each test has a server that knows no keys yet.
beforeEach(async () => {
  keyServer = await aKeyServer();
  server = await anAuthenticationServer(database, { outbound: keyServer.outbound({ timeoutMs: 400 }) });
});
afterEach(async () => {
  await server.close();
  await keyServer.close();
});

async function aDaemon(jwksUri = keyServer.keysUri, keys: readonly object[] = []): Promise<TestApplication> {
  const daemon = await aClientApplication(database, tenant, { isConfidential: false, jwksUri, keys });
  await assignRole(database, tenant, daemon.servicePrincipalId, 'User.Read.All');
  return daemon;
}

const assertion = ({ appId }: TestApplication, header: Record<string, unknown> = { kid: 'ec' }) =>
  keyServer.sign(
    { iss: appId, sub: appId, aud: `${server.publicOrigin}/${tenant.id}/v2.0`, exp: inFiveMinutes() },
    header,
  );
const inFiveMinutes = () => Math.floor(Date.now() / 1_000) + 300;

async function present(daemon: TestApplication, header?: Record<string, unknown>): Promise<Answer> {
  const client_assertion = await assertion(daemon, header);
  const form = { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion };
  return post(server.origin, tenant, 'token', form);
}

const outcome = ({ status, body }: Answer) => [status, body.error, body.error_codes];
const UNREACHABLE = [401, 'invalid_client', [700027]];

describe('Keys at a jwks_uri', () => {
  test.each<[Algorithm, string]>([
    ['RS256', 'rsa'],
    ['PS256', 'rsa'],
    ['ES256', 'ec'],
  ])('verify assertions with %s, and are fetched once', async (alg, kid) => {
    const daemon = await aDaemon();
    const answers = await Promise.all(Array.from({ length: 8 }, () => present(daemon, { alg, kid })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect((await present(daemon, { alg })).status).toBe(200);
    expect(keyServer.requests).toEqual(['GET /idp/keys']);
  });

  test('stand beside those that are registered', async () => {
    const daemon = await aDaemon(keyServer.keysUri, [publicJwk(KEYS.ec.publicKey, { kid: 'registered' })]);
    for (const kid of ['registered', 'ec']) expect((await present(daemon, { kid })).status).toBe(200);
  });

  test('of one application are not another’s', async () => {
    const [daemon, stranger] = [await aDaemon(), await aDaemon(`${keyServer.origin}/nothing`)];
    expect((await present(daemon)).status).toBe(200);
    expect(outcome(await present(stranger))).toEqual(UNREACHABLE);
  });

  test('that are not published are nobody’s', async () => {
    keyServer.published.keys = [publicJwk(KEYS.rsa.publicKey, { kid: 'rsa' })];
    const daemon = await aDaemon();
    expect((await present(daemon, { kid: 'ec' })).status).toBe(401);
    expect((await present(daemon, { kid: 'rsa', alg: 'RS256' })).status).toBe(200);
  });
});

describe('SRF-01: a jwks_uri', () => {
  test.each([
    ['on loopback', (port: number) => `https://127.0.0.1:${port}/idp/keys`],
    ['on loopback, by name', (port: number) => `https://localhost:${port}/idp/keys`],
    ['on loopback, in IPv6', (port: number) => `https://[::1]:${port}/idp/keys`],
    ['on loopback, as a number', (port: number) => `https://2130706433:${port}/idp/keys`],
    ['that is the cloud’s own', () => 'https://169.254.169.254/latest/meta-data'],
    ['that is not https', (port: number) => `http://sink.example:${port}/idp/keys`],
    ['of a file', () => 'file:///etc/passwd'],
  ])('%s is fetched by nobody', async (_where, urlOf) => {
    const daemon = await aDaemon(urlOf(keyServer.port));
    expect(outcome(await present(daemon))).toEqual(UNREACHABLE);
    expect(keyServer.connections).toBe(0);
    expect(server.errors.map(String)).toEqual(['Error: The address could not be reached.']);
  });

  test('SRF-07: that fails says nothing of the reason', async () => {
    const bodies = [];
    for (const uri of [`${keyServer.origin}/nothing`, `https://127.0.0.1:${keyServer.port}/`, 'https://10.0.0.1/']) {
      const { body } = await present(await aDaemon(uri));
      bodies.push(body.error_description);
    }
    expect(new Set(bodies).size).toBe(1);
  });
});

describe('SRF-09: a client id that is a URL', () => {
  test('is no client, and is not fetched', async () => {
    const client_id = `${keyServer.origin}/client.json`;
    const token = await post(server.origin, tenant, 'token', {
      grant_type: 'authorization_code',
      client_id,
      code: 'x',
    });
    expect([token.status, token.body.error]).toEqual([401, 'invalid_client']);
    const query = new URLSearchParams({
      client_id,
      response_type: 'code',
      redirect_uri: `${keyServer.origin}/callback`,
    });
    const page = await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/authorize?${query}`, { redirect: 'manual' });
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    expect(keyServer.connections).toBe(0);
  });

  test.each(['request_uri', 'jwks_uri', 'sector_identifier_uri', 'logo_uri'])(
    'SRF-01: and a request’s %s is not fetched either',
    async (name) => {
      const app = await aClientApplication(database, tenant, {});
      const query = new URLSearchParams({ client_id: app.appId, response_type: 'code', redirect_uri: app.redirectUri });
      query.set(name, `${keyServer.origin}/${randomUUID()}`);
      await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/authorize?${query}`, { redirect: 'manual' });
      expect(keyServer.connections).toBe(0);
    },
  );
});
