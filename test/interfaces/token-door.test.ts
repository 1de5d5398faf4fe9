import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CompactEncrypt, SignJWT } from 'jose';
import { listKeys } from '../../src/authorization/internal/signing-keys.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let api: TestDirectoryServer;
let tenant: TestTenant;
let other: TestTenant;
let alice: TestPrincipal;
let daemon: TestPrincipal;
let publicJwk: Record<string, unknown>;

beforeAll(async () => {
  database = await aDatabase();
  api = await aDirectoryServer(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  alice = await aUser(database, tenant, { name: 'alice' });
  daemon = await anApplication(database, tenant, ['User.Read.All']);
  const keys = await database
    .authorization('directory')
    .performInternal(internalPrincipal('tokenService', tenant.id), listKeys, undefined);
  publicJwk = keys.find(({ kid }) => kid === tenant.kid)?.publicJwk ?? {};
});

afterAll(async () => {
  await api.close();
  await database.drop();
});

const now = () => Math.floor(Date.now() / 1_000);
const seconds = (delta: number) => ({ exp: now() + delta });

/** The honest claims of Alice's token, to forge from. */
const claimsOf = async (overrides: Record<string, unknown> = {}) => {
  const honest = JSON.parse(Buffer.from((await alice.token()).split('.')[1] ?? '', 'base64url').toString());
  const all = { ...honest, ...overrides };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
};

const forged = async (overrides: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  tenant.sign(await claimsOf(overrides), header);

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function expectRefused(token: string, what: unknown = '') {
  const answer = await api.call(token, 'GET', '/v1.0/me');
  expect([what, answer.status, answer.body.error?.code, answer.headers.get('www-authenticate')]).toEqual([
    what,
    401,
    'InvalidAuthenticationToken',
    expect.stringContaining('error="invalid_token"'),
  ]);
}

describe('the bearer door of the directory API', () => {
  test('control: lets an honest token through, forged from the same claims by the same key', async () => {
    expect((await api.call(await alice.token(), 'GET', '/v1.0/me')).status).toBe(200);
    expect((await api.call(await forged(), 'GET', '/v1.0/me')).status).toBe(200);
  });

  test('TOK-01, TOK-10: takes no other kind of JWT', async () => {
    const kinds = [
      'JWT',
      undefined,
      'logout+jwt',
      'token-introspection+jwt',
      'oauth-authz-req+jwt',
      'jwt',
      'AT+JWT2',
      'application/jwt',
    ];
    for (const typ of kinds) await expectRefused(await forged({}, { typ }), typ);
    await expectRefused(await forged({ aud: alice.appId, nonce: 'n' }, { typ: 'JWT' }), 'an ID token');
    const assertion = { iss: alice.appId, sub: alice.appId, aud: tenant.issuer, jti: randomUUID(), ...seconds(60) };
    await expectRefused(await tenant.sign(assertion, { typ: 'JWT' }), 'a client assertion');
  });

  test('TOK-02, TOK-13: takes no token of another audience, or of more than one', async () => {
    const audiences = [
      randomUUID(),
      [DIRECTORY_APP_ID, randomUUID()],
      [DIRECTORY_APP_ID],
      [],
      {},
      undefined,
      'https://graph.microsoft.com',
    ];
    for (const aud of audiences) await expectRefused(await forged({ aud }), aud);
  });

  test('TOK-03: takes no unsigned token', async () => {
    const [head, payload, signature] = (await alice.token()).split('.');
    for (const alg of ['none', 'None', 'NONE', '']) {
      const header = encode({ alg, typ: 'at+jwt', kid: tenant.kid });
      for (const end of ['', signature]) await expectRefused(`${header}.${payload}.${end}`, alg);
    }
    await expectRefused(`${head}.${payload}.`, 'an empty signature');
    await expectRefused(`${head}.${payload}`, 'two parts');
  });

  test('TOK-04: takes no HMAC keyed with what is public', async () => {
    const jwk = { ...publicJwk };
    const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
    const der = Buffer.from(await crypto.subtle.exportKey('spki', key));
    const pem = `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
    for (const secret of [pem, ` ${pem}`, pem.trim(), der, JSON.stringify(jwk)]) {
      const token = await new SignJWT(await claimsOf())
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: tenant.kid })
        .sign(Buffer.from(secret));
      await expectRefused(token);
    }
  });

  test('TOK-05, TOK-07: takes the key of the issuer alone, and issuer and tenant must agree', async () => {
    await expectRefused(await other.sign(await claimsOf()), 'signed by another tenant under its kid');
    await expectRefused(
      await other.sign(await claimsOf(), { kid: tenant.kid }),
      'signed by another tenant under our kid',
    );
    await expectRefused(await forged({ tid: other.id }), 'tid of another tenant');
    await expectRefused(await forged({ iss: other.issuer }), 'iss of another tenant');
    await expectRefused(await forged({ iss: other.issuer, tid: other.id }), 'both of another tenant');
    await expectRefused(await forged({ tid: undefined }), 'no tid');
  });

  test('TOK-05: takes no key for another tenant because it was used for its own', async () => {
    const bob = await aUser(database, other, { name: 'bob' });
    expect((await api.call(await bob.token(), 'GET', '/v1.0/me')).status).toBe(200);
    await expectRefused(await other.sign(await claimsOf()), 'signed by another tenant whose key is remembered');
  });

  test('TOK-08: compares the issuer letter by letter', async () => {
    const { issuer } = tenant;
    const near = [
      `${issuer}/`,
      issuer.toUpperCase(),
      issuer.replace('http:', 'https:'),
      issuer.replace('/v2.0', ''),
      issuer.replace('/v2.0', '/../v2.0'),
    ];
    near.push(
      issuer.replace('v2.0', 'v2%2e0'),
      issuer.replace(tenant.id, tenant.id.toUpperCase()),
      issuer.replace(tenant.id, tenant.domain),
      '',
      ` ${issuer}`,
    );
    for (const iss of near) await expectRefused(await forged({ iss }), iss);
  });

  test('TOK-09: follows no header to a key, and makes no outbound connection', async () => {
    let connections = 0;
    const sink = createServer((_request, response) => response.end('{}'));
    sink.on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/keys`; // listening on TCP
    const thief = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = thief.publicKey.export({ format: 'jwk' });
    for (const header of [{ jku: url }, { x5u: url }, { jwk }, { x5c: ['MIIB'] }, { jku: url, kid: 'unknown' }]) {
      const token = await new SignJWT(await claimsOf())
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: tenant.kid, ...header })
        .sign(thief.privateKey);
      await expectRefused(token, header);
    }
    const [, payload, signature] = (await alice.token()).split('.');
    for (const header of [
      { crit: ['foo'], foo: 1 },
      { crit: ['b64'], b64: false },
    ]) {
      await expectRefused(
        `${encode({ alg: 'ES256', typ: 'at+jwt', kid: tenant.kid, ...header })}.${payload}.${signature}`,
        header,
      );
    }
    await new Promise((resolve) => sink.close(resolve));
    expect(connections).toBe(0);
  });

  test('TOK-12: takes a token within its times, which must be there and be numbers', async () => {
    const wrong = [
      { exp: now() - 6 },
      { exp: undefined },
      { exp: String(now() + 60) },
      { nbf: now() + 60 },
      { iat: now() + 60 },
      { iat: undefined },
      { iat: 'now' },
      { exp: 1e300 },
      { exp: now() + 60.5 },
    ];
    for (const claims of wrong) await expectRefused(await forged(claims), claims);
    expect((await api.call(await forged({ exp: now() + 2 }), 'GET', '/v1.0/me')).status).toBe(200);
  });

  test('TOK-12: forgets what it verified when it has expired', async () => {
    const token = await forged({ exp: now() - 3 });
    expect((await api.call(token, 'GET', '/v1.0/me')).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await expectRefused(token);
  });

  test('TOK-15: gives nobody’s data to a token without a person', async () => {
    const answer = await api.call(await daemon.token(), 'GET', '/v1.0/me');
    expect([answer.status, answer.body.error.code]).toEqual([400, 'Request_BadRequest']);
  });

  test('TOK-16: tells people from applications by idtyp, whatever ids they have', async () => {
    const shared = randomUUID();
    await asSuperuser(database, 'update service_principals set id = $3 where tenant_id = $1 and id = $2', [
      tenant.id,
      (await anApplication(database, tenant, [])).servicePrincipalId,
      shared,
    ]);
    await asSuperuser(
      database,
      `insert into users (tenant_id, id, user_principal_name, display_name) values ($1, $2, $3, 'Twin')`,
      [tenant.id, shared, `twin@${tenant.domain}`],
    );
    const asPerson = await forged({ sub: shared, oid: shared });
    await expectRefused(asPerson, 'a person without a family');
    const asBoth = await forged({ sub: daemon.id, oid: daemon.id, idtyp: 'app', client_id: alice.appId });
    await expectRefused(asBoth, 'the service principal of another application');
    await expectRefused(await forged({ oid: randomUUID() }), 'oid that is not sub');
    await expectRefused(await forged({ idtyp: 'user', scp: undefined }), 'neither');
  });

  test('TOK-20: spends no time on encrypted or nested tokens', async () => {
    const secret = new TextEncoder().encode('a-password');
    const header = { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2_048 } as const;
    const jwe = await new CompactEncrypt(Buffer.from(await alice.token())).setProtectedHeader(header).encrypt(secret);
    const [, ...rest] = jwe.split('.');
    const greedy = [encode({ ...header, p2c: 2_147_483_647, p2s: 'c2FsdA' }), ...rest].join('.');
    const began = process.cpuUsage();
    for (const token of [jwe, greedy]) await expectRefused(token);
    await expectRefused(await forged({}, { cty: 'JWT', typ: 'JWT' }), 'nested');
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(500);
  });

  test('knows the algorithm from the key, not from the token', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const token = await new SignJWT(await claimsOf())
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: tenant.kid })
      .sign(rsa.privateKey);
    await expectRefused(token);
    expect(api.errors).toEqual([]);
  });
});
