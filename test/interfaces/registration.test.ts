import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aCommandLine, type TestCommandLine } from '../support/command-line.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { snapshot } from '../support/snapshot.ts';
import { anApplication, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let cli: TestCommandLine;
let tenant: TestTenant;
let token: string;
/** An application of the tenant. */
let path: string;

beforeAll(async () => {
  database = await aDatabase({ hashNewPassword: async () => 'hash' });
  server = await aDirectoryServer(database);
  cli = aCommandLine(database);
  tenant = await aTenant(database, 'Contoso');
  const administrator = await aUser(database, tenant, {
    scopes: ['Application.ReadWrite.All', 'User.ReadWrite.All'],
    roles: ['Global Administrator'],
  });
  token = await administrator.token();
  const { body } = await server.call(token, 'POST', '/v1.0/applications', { displayName: 'Application' });
  path = `/v1.0/applications/${body.id}`;
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

/** Refused at registration and at every change, in words, and nothing is different afterwards. */
async function refusedEverywhere(properties: object): Promise<void> {
  const before = await snapshot(database);
  for (const [method, at, body] of [
    ['POST', '/v1.0/applications', { displayName: 'X', ...properties }],
    ['PATCH', path, properties],
  ] as const) {
    const answer = await server.call(token, method, at, body);
    expect([method, answer.status, answer.body.error.code]).toEqual([method, 400, 'Request_BadRequest']);
  }
  const application = { displayName: 'X', ...properties };
  const manifest = { tenants: [{ displayName: 'T', domains: ['registration.example'], applications: [application] }] };
  const applied = await cli.run('apply', '-f', cli.file('m.json', JSON.stringify(manifest)));
  expect([applied.code, applied.stdout]).toEqual([2, '']);
  expect(await snapshot(database)).toEqual(before);
}

describe('RED-03: a redirect URI that leads anywhere but to a registered page', () => {
  const anywhere = [
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'about:blank',
    'blob:https://app.example/x',
    'noperiod:/callback',
    'https://*.example/callback',
    'https://app.example/*',
    'https://app.example/callback#fragment',
    'https://app.example/callback#',
    'https://user:password@app.example/callback',
    'https://app.example@evil.example/callback',
    'http://app.example/callback',
    'http://127.0.0.2/callback',
    'http://localhost.evil.example/callback',
    'https://app.example/a b',
    'https://app.example\\@evil.example/',
    'https://app.example/\u0000',
    'https://app.example/\u0001',
    'https://app.example/\u200b',
    'https://äpp.example/',
    'https://app.example/<script>',
    'https://app.example/\r\nLocation: x',
    '//app.example/callback',
    '/callback',
    'app.example/callback',
    '',
    `https://app.example/${'a'.repeat(600)}`,
  ];

  test.each(anywhere)('%j', async (uri) => {
    for (const platform of ['web', 'spa', 'publicClient'])
      await refusedEverywhere({ [platform]: { redirectUris: [uri] } });
  });

  test('of one platform is not another’s', async () => {
    await refusedEverywhere({ publicClient: { redirectUris: ['https://app.example/callback'] } });
    await refusedEverywhere({ web: { redirectUris: ['com.example.app:/callback'] } });
    const fine = {
      web: { redirectUris: ['https://app.example/callback', 'http://localhost:3000/callback'] },
      publicClient: { redirectUris: ['com.example.app:/callback', 'http://127.0.0.1/callback'] },
    };
    expect((await server.call(token, 'PATCH', path, fine)).status).toBe(204);
  });

  test('a page to sign out at is https', async () => {
    for (const logoutUrl of [
      'javascript:alert(1)',
      'http://app.example/',
      'data:text/html,x',
      'https://a@evil.example/',
    ])
      await refusedEverywhere({ web: { logoutUrl } });
  });
});

describe('KEY-08: a key that must not be registered', () => {
  const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
  const jwk = (key: ReturnType<typeof rsa>['publicKey']) => key.export({ format: 'jwk' });
  const good = ec('P-256');

  test.each<[string, () => object | string]>([
    ['a private RSA key', () => jwk(rsa(2_048).privateKey)],
    ['a private EC key', () => jwk(good.privateKey)],
    ['a secret', () => ({ kty: 'oct', k: 'c2VjcmV0' })],
    ['RSA of 1024 bits', () => jwk(rsa(1_024).publicKey)],
    ['RSA with the exponent 1', () => ({ ...jwk(rsa(2_048).publicKey), e: 'AQ' })],
    ['a curve that no algorithm of ours uses', () => jwk(ec('P-384').publicKey)],
    ['Ed25519', () => jwk(generateKeyPairSync('ed25519').publicKey)],
    ['a point off its curve', () => ({ ...jwk(good.publicKey), x: Buffer.alloc(32, 1).toString('base64url') })],
    ['a PEM of a private key', () => good.privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['words', () => 'not a key'],
    ['nothing', () => ({})],
    ['where to get one', () => ({ kty: 'RSA', jku: 'https://evil.example/keys' })],
  ])('%s', async (_name, key) => {
    await refusedEverywhere({ keyCredentials: [{ key: key() }] });
  });

  test('the control: a good one is accepted, and shown without anything but its public parameters', async () => {
    const key = { ...jwk(good.publicKey), kid: 'mine', alg: 'ES256', use: 'sig', key_ops: ['verify'], jku: 'x' };
    expect((await server.call(token, 'PATCH', path, { keyCredentials: [{ key }] })).status).toBe(204);
    const [{ publicJwk }] = (await server.call(token, 'GET', path)).body.keyCredentials;
    expect(Object.keys(publicJwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'x', 'y']);
  });
});

describe('CLI-13: clients do not register themselves at the sign-in server', () => {
  let authentication: TestAuthenticationServer;
  beforeAll(async () => {
    authentication = await anAuthenticationServer(database);
  });
  afterAll(() => authentication.close());

  test.each(['oauth2/v2.0/register', 'oauth2/v2.0/reg', 'connect/register', 'reg', 'register', 'v2.0/register'])(
    '%s is nothing',
    async (place) => {
      const before = await snapshot(database, []);
      const url = `${authentication.origin}/${tenant.id}/${place}`;
      for (const headers of [{}, { authorization: `Bearer ${token}` }])
        for (const method of ['POST', 'GET', 'PUT', 'DELETE']) {
          const body = method === 'GET' ? null : JSON.stringify({ redirect_uris: ['https://evil.example/'] });
          const asked = { method, body, headers: { ...headers, 'content-type': 'application/json' } };
          expect([method, (await fetch(url, asked)).status]).toEqual([method, 404]);
        }
      expect(await snapshot(database, [])).toEqual(before);
    },
  );

  test('whose metadata name the one place where they may', async () => {
    const answer = await fetch(`${authentication.origin}/${tenant.id}/v2.0/.well-known/openid-configuration`);
    const { registration_endpoint } = Object(await answer.json());
    expect(registration_endpoint).toBe('http://localhost:8401/v1.0/oauth2/register');
  });
});

describe('TEN-17: a domain belongs to one organization', () => {
  const claim = (domain: string) =>
    cli.run('tenant', 'create', '--display-name', 'Thief', '--domain', domain, '--admin', `admin@${domain}`);

  test('and is claimed by no other, however it is written', async () => {
    const before = await snapshot(database, []);
    const variants = [tenant.domain, tenant.domain.toUpperCase(), `${tenant.domain}.`, ` ${tenant.domain}`];
    const alike = [tenant.domain.replace('o', 'о'), tenant.domain.replace('.', '。'), `${tenant.domain}\u200b`];
    for (const domain of [...variants, ...alike]) {
      const { code } = await claim(domain);
      expect([domain, code > 0]).toEqual([domain, true]);
    }
    expect(await snapshot(database, [])).toEqual(before);
  });

  test('nobody is named in it by another organization', async () => {
    const thief = await anApplication(database, await aTenant(database, 'Thief'), ['User.ReadWrite.All']);
    for (const domain of [tenant.domain, tenant.domain.toUpperCase(), `x.${tenant.domain}`]) {
      const user = {
        userPrincipalName: `mallory@${domain}`,
        displayName: 'Mallory',
        accountEnabled: true,
        passwordProfile: { password: 'correct horse battery staple' },
      };
      expect((await server.call(await thief.token(), 'POST', '/v1.0/users', user)).status).toBe(400);
    }
  });
});

describe('API-17: what is deleted is gone', () => {
  test('an application that is added again inherits no consent, and no old token of it', async () => {
    const person = await aUser(database, tenant, { scopes: ['User.Read'] });
    const daemon = await anApplication(database, tenant, ['User.Read.All']);
    for (const { appId, servicePrincipalId, token: tokenOf } of [person, daemon]) {
      const old = await tokenOf();
      const probe = appId === person.appId ? '/v1.0/me' : '/v1.0/users?$top=1';
      expect((await server.call(old, 'GET', probe)).status).toBe(200);
      const place = `/v1.0/servicePrincipals/${servicePrincipalId}`;
      expect((await server.call(token, 'DELETE', place)).status).toBe(204);
      expect((await server.call(old, 'GET', probe)).status).toBe(401);
      const again = await server.call(token, 'POST', '/v1.0/servicePrincipals', { appId });
      expect(again.status).toBe(201);
      for (const forged of [old, await tokenOf({ sub: again.body.id, oid: again.body.id })])
        expect((await server.call(forged, 'GET', probe)).status).toBe(401);
      for (const kind of ['appRoleAssignments', 'oauth2PermissionGrants'])
        expect(
          (await server.call(token, 'GET', `/v1.0/servicePrincipals/${again.body.id}/${kind}`)).body.value ?? [],
        ).toEqual([]);
    }
  });

  test('an application that is deleted is not found, by id or app id, and its secrets are gone', async () => {
    const { body } = await server.call(token, 'POST', '/v1.0/applications', { displayName: `Gone ${randomUUID()}` });
    const place = `/v1.0/applications/${body.id}`;
    await server.call(token, 'POST', `${place}/addPassword`, {});
    expect((await server.call(token, 'DELETE', place)).status).toBe(204);
    expect((await server.call(token, 'GET', place)).status).toBe(404);
    expect((await server.call(token, 'POST', '/v1.0/servicePrincipals', { appId: body.appId })).status).toBe(400);
    // Its app id is nobody else's to take.
    const { application_ids, ...left } = await snapshot(database);
    expect(JSON.stringify(application_ids)).toContain(body.appId);
    expect(JSON.stringify(left)).not.toContain(body.appId);
  });
});
