import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, headingOf } from '../../scripts/demo-story/browser.ts';
import type { Answer } from '../support/answer.ts';
import { aPerson, assignRole } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, post } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { aKeyServer, type KeyServer } from '../support/key-server.ts';
import { Authorize, aPerson as aPersonWithPassword, enterPassword } from '../support/sign-in.ts';
import { snapshot } from '../support/snapshot.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

const CALLBACK = 'https://app.example/callback';

let database: TestDatabase;
let server: TestDirectoryServer;
let authentication: TestAuthenticationServer;
let keyServer: KeyServer;
let tenant: TestTenant;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  keyServer = await aKeyServer();
  server = await aDirectoryServer(database);
  authentication = await anAuthenticationServer(database, { outbound: keyServer.outbound({ timeoutMs: 400 }) });
  tenant = await aTenant(database, 'Contoso');
  await letRegister(tenant);
  token = await (await anAdministrator(tenant)).token();
});

afterAll(async () => {
  expect([...server.errors, ...authentication.errors]).toEqual([]);
  for (const part of [server, authentication, keyServer]) await part.close();
  await database.drop();
});

const anAdministrator = (of: TestTenant) =>
  aUser(database, of, {
    scopes: ['Application.ReadWrite.All', 'AuditLog.Read.All'],
    roles: ['Global Administrator'],
  });

async function letRegister({ id }: TestTenant): Promise<void> {
  await asSuperuser(
    database,
    `insert into tenant_policies (tenant_id, id, settings)
     values ($1, 'authorizationPolicy', '{"allowDynamicClientRegistration": true}')`,
    [id],
  );
}

const register = (metadata: unknown, by: string | undefined = token) =>
  server.call(by, 'POST', '/v1.0/oauth2/register', metadata);
const outcome = ({ status, body }: Answer) => [status, body.error];

/** Where the application is present, over all tenants. */
const presences = (appId: string) => asSuperuser(database, 'select from service_principals where app_id = $1', [appId]);

async function add(appId: string): Promise<void> {
  const id = randomUUID();
  await asSuperuser(
    database,
    'insert into service_principals (tenant_id, id, app_id, app_owner_organization_id) values ($1, $2, $3, $1)',
    [tenant.id, id, appId],
  );
  await assignRole(database, tenant, id, 'User.Read.All');
}

describe('A client registers itself', () => {
  test('CLI-13: with a secret, which it gets once, and waits until it is added to an organization', async () => {
    const answer = await register({
      client_name: 'Reports',
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      scope: 'openid',
      contacts: ['a@app.example'],
    });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const { client_id, client_secret, client_secret_expires_at, client_id_issued_at, ...registered } = answer.body;
    expect(registered).toEqual({
      client_name: 'Reports',
      redirect_uris: [CALLBACK],
      application_type: 'web',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code'],
    });
    expect(client_secret.length).toBeGreaterThan(40);
    expect(client_secret_expires_at).toBeGreaterThan(client_id_issued_at);
    expect(await presences(client_id)).toEqual([]);
    const form = { grant_type: 'client_credentials', client_id, client_secret };
    const waiting = await post(authentication.origin, tenant, 'token', form);
    expect([waiting.status, waiting.body.error, waiting.body.error_codes]).toEqual([
      400,
      'unauthorized_client',
      [700016],
    ]);
    await add(client_id);
    expect((await post(authentication.origin, tenant, 'token', form)).status).toBe(200);
    const audits = await server.call(token, 'GET', '/v1.0/auditLogs/directoryAudits?$top=1');
    expect(audits.body.value[0]).toMatchObject({ activityDisplayName: 'Register application', result: 'success' });
    expect(audits.text).not.toContain(client_secret);
  });

  test('CON-04: and nobody but an administrator lets it in: its page is no question, a posted yes is refused, nothing is granted', async () => {
    const { client_id, client_secret } = (await register({ redirect_uris: [CALLBACK], scope: 'openid' })).body;
    const alice = await aPersonWithPassword(database, authentication, tenant);
    const application = { id: client_id, appId: client_id, redirectUri: CALLBACK, secret: client_secret };
    for (const scope of ['openid', 'openid profile offline_access User.Read']) {
      const browser = new Browser(authentication.origin);
      const asked = new Authorize(authentication, tenant, application, { scope });
      const page = await enterPassword(browser, await browser.open(asked.url), alice);
      expect(headingOf(page)).toBe('An administrator has to approve this');
      const done = await browser.submit(page, { decision: 'accept' });
      expect(Object.fromEntries(done.location?.searchParams ?? [])).toMatchObject({ error: 'access_denied' });
    }
    expect(await presences(client_id)).toEqual([]);
    const grants = await asSuperuser(database, 'select from oauth2_permission_grants where principal_id = $1', [
      alice.id,
    ]);
    expect(grants).toEqual([]);
    const form = { grant_type: 'client_credentials', client_id, client_secret };
    expect((await post(authentication.origin, tenant, 'token', form)).status).toBe(400);
  });

  test('CLI-13: and nobody consents to it for himself before an administrator has, whatever he may else', async () => {
    const { body } = await register({ client_name: 'Reports', redirect_uris: [CALLBACK] });
    const { client_id: appId, client_secret: secret } = body;
    const client = { appId, secret, redirectUri: CALLBACK, id: '', servicePrincipalId: '' };
    const browser = await aSignedInBrowser(database, tenant, await aPerson(database, tenant));
    const asked = async () => {
      const { answer } = await authorize(authentication.origin, tenant, client, browser, { scope: 'openid' });
      const { text } = await browser.ask(new URL(answer.headers.get('location') ?? '', authentication.origin).href);
      return /value="accept"/.test(text);
    };
    expect(await asked()).toBe(false);
    expect(await presences(appId)).toEqual([]);
    await add(appId);
    expect(await asked()).toBe(true);
  });

  test('with keys, or a place where it publishes them', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const metadata = { token_endpoint_auth_method: 'private_key_jwt', redirect_uris: [CALLBACK] };
    const withKeys = await register({ ...metadata, jwks: { keys: [publicKey.export({ format: 'jwk' })] } });
    expect([withKeys.status, withKeys.body.client_secret]).toEqual([201, undefined]);
    const { status, body } = await register({
      token_endpoint_auth_method: 'private_key_jwt',
      grant_types: ['client_credentials'],
      jwks_uri: keyServer.keysUri,
    });
    expect([status, body.client_secret, body.response_types]).toEqual([201, undefined, []]);
    await add(body.client_id);
    const client_assertion = await keyServer.sign(
      { iss: body.client_id, sub: body.client_id, aud: `${authentication.origin}/${tenant.id}/v2.0` },
      { kid: 'ec' },
    );
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const form = { grant_type: 'client_credentials', client_assertion_type, client_assertion };
    expect((await post(authentication.origin, tenant, 'token', form)).status).toBe(200);
  });

  test.each([
    ['a single-page application', { redirect_uris: [CALLBACK] }, 'spa'],
    [
      'a native application',
      { redirect_uris: ['http://127.0.0.1/callback'], application_type: 'native' },
      'publicClient',
    ],
    [
      'a native application with a scheme',
      { redirect_uris: ['com.app:/x'], application_type: 'native' },
      'publicClient',
    ],
  ])('as %s, without a secret', async (_what, metadata, platform) => {
    const { status, body } = await register({ ...metadata, token_endpoint_auth_method: 'none' });
    expect([status, body.client_secret]).toEqual([201, undefined]);
    const found = await server.call(token, 'GET', `/v1.0/applications?$filter=appId eq '${body.client_id}'`);
    expect(found.body.value[0][platform].redirectUris).toEqual(metadata.redirect_uris);
  });

  test('and what it sends besides is neither kept nor fetched', async () => {
    const url = `${keyServer.origin}/x`;
    const besides = { logo_uri: url, sector_identifier_uri: url, request_uris: [url], backchannel_logout_uri: url };
    const before = keyServer.connections;
    const { status, body } = await register({
      redirect_uris: [CALLBACK],
      client_id: randomUUID(),
      id: 'x',
      ...besides,
    });
    expect(status).toBe(201);
    expect(JSON.stringify(body)).not.toContain(keyServer.origin);
    expect(keyServer.connections).toBe(before);
  });

  test('by an application that may only have its own, and owns it then', async () => {
    const registrar = await anApplication(database, tenant, ['Application.ReadWrite.OwnedBy']);
    const { status, body } = await register({ redirect_uris: [CALLBACK] }, await registrar.token());
    expect(status).toBe(201);
    const rows = await asSuperuser<{ owner: string }>(
      database,
      `select o.service_principal_id as owner from application_owners o
       join applications a on a.tenant_id = o.tenant_id and a.id = o.application_id where a.app_id = $1`,
      [body.client_id],
    );
    expect(rows).toEqual([{ owner: registrar.servicePrincipalId }]);
  });
});

describe('CLI-13: registration is refused', () => {
  test('without a token, with one that may not, and in an organization that does not let it', async () => {
    const other = await aTenant(database, 'Fabrikam');
    const reader = await aUser(database, tenant, { scopes: ['Application.Read.All'], roles: ['Global Administrator'] });
    const nobody = await aUser(database, tenant, { scopes: ['Application.ReadWrite.All'] });
    const elsewhere = await anAdministrator(other);
    const before = await snapshot(database);
    const metadata = { redirect_uris: [CALLBACK] };
    const anonymous = await server.call(undefined, 'POST', '/v1.0/oauth2/register', metadata);
    expect([...outcome(anonymous), anonymous.headers.get('www-authenticate')]).toEqual([
      ...[401, 'invalid_token'],
      'Bearer error="invalid_token"',
    ]);
    expect(outcome(await register(metadata, 'nonsense'))).toEqual([401, 'invalid_token']);
    for (const person of [reader, nobody, elsewhere])
      expect(outcome(await register(metadata, await person.token()))).toEqual([403, 'access_denied']);
    expect(await snapshot(database)).toEqual(before);
  });

  test('for any organization but the token’s own', async () => {
    const other = await aTenant(database, 'Northwind');
    await letRegister(other);
    const stranger = await (await anAdministrator(other)).token();
    const named = await server.call(stranger, 'POST', `/v1.0/${tenant.id}/oauth2/register`, {});
    expect(named.status).toBe(404);
    const { status, body } = await register(
      { redirect_uris: [CALLBACK], tenant_id: tenant.id, tid: tenant.id },
      stranger,
    );
    const rows = await asSuperuser<{ home: string }>(
      database,
      'select tenant_id as home from applications where app_id = $1',
      [body.client_id],
    );
    expect([status, rows]).toEqual([201, [{ home: other.id }]]);
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const jwk = (key: typeof rsa.publicKey) => ({ keys: [key.export({ format: 'jwk' })] });
  const keyed = { redirect_uris: [CALLBACK], token_endpoint_auth_method: 'private_key_jwt' };
  const INVALID = 'invalid_client_metadata';

  test.each<[string, object, string]>([
    ['jwks and jwks_uri', { ...keyed, jwks: jwk(rsa.publicKey), jwks_uri: 'https://app.example/keys' }, INVALID],
    ['a private key', { ...keyed, jwks: jwk(rsa.privateKey) }, INVALID],
    ['a secret as key', { ...keyed, jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }, INVALID],
    ['no key', keyed, INVALID],
    ['keys that are none', { ...keyed, jwks: 'keys' }, INVALID],
    [
      'a forged software statement',
      { redirect_uris: [CALLBACK], software_statement: 'e30.e30.' },
      'unapproved_software_statement',
    ],
    ['the grant of passwords', { redirect_uris: [CALLBACK], grant_types: ['password'] }, INVALID],
    ['the implicit grant', { redirect_uris: [CALLBACK], response_types: ['token'] }, INVALID],
    ['no redirect URI', {}, 'invalid_redirect_uri'],
    [
      'redirect URIs for nothing',
      { redirect_uris: [CALLBACK], grant_types: ['client_credentials'] },
      'invalid_redirect_uri',
    ],
    [
      'a public client that acts on its own',
      { token_endpoint_auth_method: 'none', grant_types: ['client_credentials'] },
      INVALID,
    ],
    ['a native application with a secret', { redirect_uris: ['com.app:/x'], application_type: 'native' }, INVALID],
    [
      'a way to authenticate that is none',
      { redirect_uris: [CALLBACK], token_endpoint_auth_method: 'tls_client_auth' },
      INVALID,
    ],
    ['a name with a line break', { redirect_uris: [CALLBACK], client_name: 'a\nb' }, INVALID],
    ['a page that is not https', { redirect_uris: [CALLBACK], tos_uri: 'javascript:alert(1)' }, INVALID],
    ['a list', [], INVALID],
  ])('with %s', async (_what, metadata, error) => {
    const before = await snapshot(database);
    const answer = await register(metadata);
    expect([...outcome(answer), typeof answer.body.error_description]).toEqual([400, error, 'string']);
    expect(await snapshot(database)).toEqual(before);
  });

  test.each([
    ...[
      'http://app.example/callback',
      'http://localhost/callback',
      'javascript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
    ],
    ...[
      'https://*.app.example/callback',
      'https://app.example/#x',
      'https://u@app.example/',
      'com.app:/callback',
      '',
      'x',
    ],
  ])('RED-03: with the redirect URI %j', async (uri) => {
    expect(outcome(await register({ redirect_uris: [CALLBACK, uri] }))).toEqual([400, 'invalid_redirect_uri']);
    const spa = { redirect_uris: [uri], token_endpoint_auth_method: 'none' };
    expect(outcome(await register(spa))).toEqual([400, 'invalid_redirect_uri']);
  });

  test.each([
    ...['http://keys.example.com/', 'https://127.0.0.1/keys', 'https://[::ffff:7f00:1]/', 'https://2130706433/'],
    ...['https://169.254.169.254/', 'https://localhost/keys', 'file:///etc/passwd', 'https://u@keys.example.com/', ''],
  ])('SRF-01, SRF-05: with the jwks_uri %j', async (jwks_uri) => {
    expect(outcome(await register({ ...keyed, jwks_uri }))).toEqual([400, INVALID]);
    const application = { displayName: 'X', jwksUri: jwks_uri };
    expect((await server.call(token, 'POST', '/v1.0/applications', application)).status).toBe(400);
  });

  test('in words that no other path has', async () => {
    const { status, body } = await register('{', token);
    expect([status, body.error]).toEqual([400, INVALID]);
    expect((await server.call(token, 'GET', '/v1.0/oauth2/register')).status).toBe(405);
    const graph = await server.call(token, 'POST', '/v1.0/applications', { redirect_uris: [CALLBACK] });
    expect(graph.body.error.code).toBe('Request_BadRequest');
  });
});
