import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type JWTHeaderParameters, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { type Answer, answerOf } from '../support/answer.ts';
import {
  aClientApplication,
  addSecret,
  aPerson,
  assignRole,
  consentTo,
  type TestApplication,
} from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, post, redeemForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let second: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const THUMBPRINT = {
  x5t: Buffer.alloc(20, 7).toString('base64url'),
  'x5t#S256': Buffer.alloc(32, 7).toString('base64url'),
};
const EC_JWK = { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec-key' };
/** As the directory stores a certificate: its key and its thumbprints. */
const CERTIFICATE = { ...rsa.publicKey.export({ format: 'jwk' }), ...THUMBPRINT };
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  second = await anAuthenticationServer(database, { publicOrigin: server.origin });
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
});

afterAll(async () => {
  await server.close();
  await second.close();
  await database.drop();
});

const issuerOf = ({ id }: TestTenant) => `${server.origin}/${id}/v2.0`;
const tokenEndpointOf = ({ id }: TestTenant) => `${server.origin}/${id}/oauth2/v2.0/token`;

async function aDaemon(properties: Parameters<typeof aClientApplication>[2] = {}): Promise<TestApplication> {
  const daemon = await aClientApplication(database, tenant, properties);
  await assignRole(database, tenant, daemon.servicePrincipalId, 'User.Read.All');
  return daemon;
}

const asking = (daemon: TestApplication, secret: string, headers: Record<string, string> = {}) =>
  post(
    server.origin,
    tenant,
    'token',
    { grant_type: 'client_credentials', client_id: daemon.appId, client_secret: secret },
    headers,
  );

const basic = (value: string, form: Record<string, string> = {}, scheme = 'Basic'): Promise<Answer> =>
  post(
    server.origin,
    tenant,
    'token',
    { grant_type: 'client_credentials', ...form },
    { authorization: `${scheme} ${value}` },
  );

const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Assertion {
  readonly claims?: Record<string, unknown>;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly key?: KeyObject | Uint8Array;
}

async function assertionOf(
  { appId }: TestApplication,
  { claims = {}, header = {}, key = ec.privateKey }: Assertion = {},
) {
  const now = Math.floor(Date.now() / 1_000);
  const all = {
    iss: appId,
    sub: appId,
    aud: issuerOf(tenant),
    jti: randomUUID(),
    iat: now,
    nbf: now,
    exp: now + 300,
    ...claims,
  };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(given).setProtectedHeader({ alg: 'ES256', ...header }).sign(key);
}

const present = (assertion: string, form: Record<string, string> = {}, at = server) =>
  post(at.origin, tenant, 'token', {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion,
    ...form,
  });

/** The times of an assertion for ten minutes, made by a clock that is so many seconds ahead. */
function timesAt(ahead: number) {
  const at = Math.floor(Date.now() / 1_000) + ahead;
  return { iat: at, nbf: at, exp: at + 600 };
}

const outcome = ({ status, body }: Answer) => [status, body.error];
const UNAUTHENTICATED = [401, 'invalid_client'];

describe('a client secret', () => {
  test('is taken by post and by Basic, whose parts are form-encoded', async () => {
    const daemon = await aDaemon();
    expect((await asking(daemon, daemon.secret)).status).toBe(200);
    expect((await basic(base64(`${daemon.appId}:${encodeURIComponent(daemon.secret)}`))).status).toBe(200);
    expect((await basic(base64(`${daemon.appId}:${daemon.secret}`), {}, 'bAsIc')).status).toBe(200);
    await addSecret(database, tenant, daemon, 'a-secret-that-ends-in-a-colon:');
    expect((await basic(base64(`${daemon.appId}:a-secret-that-ends-in-a-colon:`))).status).toBe(200);
  });

  test('CLI-01: that is wrong, empty, expired or another application’s is refused alike', async () => {
    const [daemon, stranger] = [await aDaemon(), await aDaemon()];
    await addSecret(database, tenant, daemon, 'an-expired-secret-of-this-client', false, "now() - interval '1 second'");
    for (const secret of ['wrong', daemon.secret.toUpperCase(), `${daemon.secret} `, stranger.secret]) {
      const answer = await asking(daemon, secret);
      expect(outcome(answer)).toEqual(UNAUTHENTICATED);
      expect(answer.body.error_codes).toEqual([7000215]);
      expect(answer.text).not.toContain(daemon.secret);
    }
    const expired = await asking(daemon, 'an-expired-secret-of-this-client');
    expect([...outcome(expired), ...expired.body.error_codes]).toEqual([...UNAUTHENTICATED, 7000222]);
    const future = await addSecret(database, tenant, daemon, 'a-secret-that-begins-in-an-hour');
    await asSuperuser(
      database,
      `update password_credentials set start_at = now() + interval '1 hour' where tenant_id = $1 and key_id = $2`,
      [tenant.id, future],
    );
    await asSuperuser(database, 'update tenant_versions set version = version + 1 where tenant_id = $1', [tenant.id]);
    expect(outcome(await asking(daemon, 'a-secret-that-begins-in-an-hour'))).toEqual(UNAUTHENTICATED);
    expect((await asking(daemon, daemon.secret)).status).toBe(200);
    expect(outcome(await asking(daemon, ''))).toEqual(UNAUTHENTICATED);
    const withHeader = await basic(base64(`${daemon.appId}:wrong`));
    expect(outcome(withHeader)).toEqual(UNAUTHENTICATED);
    expect(withHeader.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  });

  test('CLI-01: that was taken a moment ago lets no other one in, and is refused once it has expired', async () => {
    const [daemon, stranger] = [await aDaemon(), await aDaemon()];
    const short = 'a-secret-that-ends-in-five-seconds';
    await addSecret(database, tenant, daemon, short, false, "now() + interval '5 seconds'");
    const ended = sleep(5_100);
    for (const secret of [daemon.secret, short, daemon.secret]) {
      expect((await asking(daemon, secret)).status).toBe(200);
      expect(outcome(await asking(stranger, secret))).toEqual(UNAUTHENTICATED);
    }
    for (const other of [stranger.secret, daemon.secret.slice(0, -1), `${daemon.secret}=`, daemon.secret.toUpperCase()])
      expect(outcome(await asking(daemon, other))).toEqual(UNAUTHENTICATED);
    // The last that was taken, so it is the one that is recognised.
    expect((await asking(daemon, short)).status).toBe(200);
    await ended;
    expect((await asking(daemon, short)).body.error_codes).toEqual([7000222]);
    expect((await asking(daemon, daemon.secret)).status).toBe(200);
  });

  test('CLI-02: does not stand in for the assertion of a client that has keys only', async () => {
    const daemon = await aDaemon({ keys: [EC_JWK], isConfidential: false });
    expect(outcome(await asking(daemon, 'anything'))).toEqual(UNAUTHENTICATED);
    expect(
      outcome(
        await post(server.origin, tenant, 'token', { grant_type: 'client_credentials', client_id: daemon.appId }),
      ),
    ).toEqual(UNAUTHENTICATED);
  });

  test('CLI-03: beside another credential is refused', async () => {
    const daemon = await aDaemon({ keys: [EC_JWK] });
    const header = base64(`${daemon.appId}:${daemon.secret}`);
    const assertion = { client_assertion_type: ASSERTION_TYPE, client_assertion: await assertionOf(daemon) };
    for (const form of [assertion, { client_secret: daemon.secret }]) {
      expect(outcome(await basic(header, form))).toEqual([400, 'invalid_request']);
    }
    expect(outcome(await present(assertion.client_assertion, { client_secret: daemon.secret }))).toEqual([
      400,
      'invalid_request',
    ]);
  });

  test('CLI-10: lives beside a newer one until it is removed, and its use is noted', async () => {
    const daemon = await aDaemon();
    const keyId = await addSecret(database, tenant, daemon, 'the-newer-secret-of-this-client');
    expect((await asking(daemon, daemon.secret)).status).toBe(200);
    expect((await asking(daemon, 'the-newer-secret-of-this-client')).status).toBe(200);
    await eventually(async () => {
      const rows = await asSuperuser(
        database,
        'select from password_credentials where tenant_id = $1 and application_id = $2 and last_used_at is not null',
        [tenant.id, daemon.id],
      );
      expect(rows).toHaveLength(2);
    });
    await asSuperuser(database, 'delete from password_credentials where tenant_id = $1 and key_id = $2', [
      tenant.id,
      keyId,
    ]);
    expect(outcome(await asking(daemon, 'the-newer-secret-of-this-client'))).toEqual(UNAUTHENTICATED);
    expect((await asking(daemon, daemon.secret)).status).toBe(200);
  });

  test.each([
    ['no base64', '%%%'],
    ['non-canonical base64', 'YTpi='],
    ['no colon', base64('abc')],
    ['NUL', base64('a\0:b')],
    ['CR and LF', base64('a\r\nb:c')],
    ['characters beyond ASCII', base64('ä:ö')],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0x3a, 0x61]).toString('base64')],
    ['a broken percent sign', base64('a%:b%zz')],
    ['two colons', base64('a:b:c')],
    ['8 KB', base64(`a:${'b'.repeat(6_000)}`)],
  ])('CLI-11: in a Basic header with %s is refused, without an error of ours', async (_what, value) => {
    const { status } = await basic(value);
    expect([400, 401]).toContain(status);
    expect(server.errors).toEqual([]);
  });
});

describe('an id alone in Basic, with an empty password', () => {
  const ENDPOINTS = ['token', 'devicecode', 'introspect', 'revoke'];

  const alone = (id: string, endpoint: string, form: Record<string, string>) =>
    post(server.origin, tenant, endpoint, form, { authorization: `Basic ${base64(`${id}:`)}` });

  async function aPublicClient(): Promise<TestApplication> {
    const client = await aClientApplication(database, tenant, {
      ...{ native: ['http://127.0.0.1/callback'], isConfidential: false, isFallbackPublicClient: true },
    });
    const scopes = ['openid', 'profile', 'offline_access', 'User.Read'];
    await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes });
    return client;
  }

  /** The form that redeems a code of the client, and names no client. */
  async function redemptionFor(client: TestApplication): Promise<Record<string, string>> {
    const browser = await aSignedInBrowser(database, tenant, await aPerson(database, tenant));
    const form = redeemForm(client, await authorize(server.origin, tenant, client, browser), true);
    return Object.fromEntries(Object.entries(form).filter(([name]) => name !== 'client_id'));
  }

  test('is the client_id wherever clients authenticate', async () => {
    const client = await aPublicClient();
    const { status, body } = await alone(client.appId, 'token', await redemptionFor(client));
    expect(status).toBe(200);
    // Form-encoded, as all of Basic is, and named in the form as well.
    const encoded = [...client.appId].map((one) => `%${one.charCodeAt(0).toString(16)}`).join('');
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token };
    const refreshed = await alone(encoded, 'token', { ...refresh, client_id: client.appId });
    expect(refreshed.status).toBe(200);
    expect((await alone(client.appId, 'devicecode', { scope: 'User.Read' })).status).toBe(200);
    const asked = await alone(client.appId, 'introspect', { token: refreshed.body.access_token });
    expect([...outcome(asked), ...asked.body.error_codes]).toEqual([...UNAUTHENTICATED, 7000218]);
    const again = { ...refresh, refresh_token: refreshed.body.refresh_token };
    expect((await alone(client.appId, 'revoke', { token: again.refresh_token })).status).toBe(200);
    expect(outcome(await alone(client.appId, 'token', again))).toEqual([400, 'invalid_grant']);
  });

  test.each(ENDPOINTS)('CLI-03: beside another’s id in the form is refused: %s', async (endpoint) => {
    const [client, victim] = [await aPublicClient(), await aPublicClient()];
    const { body } = await alone(victim.appId, 'token', await redemptionFor(victim));
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token };
    const form = { ...refresh, token: body.refresh_token, scope: 'User.Read' };
    for (const [inHeader, inForm] of [
      [client.appId, victim.appId],
      [victim.appId, client.appId],
      [victim.appId, `${victim.appId} `],
    ] as const) {
      const answer = await alone(inHeader, endpoint, { ...form, client_id: inForm });
      expect(outcome(answer)).toEqual([400, 'invalid_request']);
    }
    expect((await alone(victim.appId, 'token', refresh)).status).toBe(200);
  });

  test('CLI-03, CLI-07: beside another’s assertion or secret is refused', async () => {
    const [client, victim] = [await aPublicClient(), await aDaemon({ keys: [EC_JWK] })];
    const assertion = { client_assertion_type: ASSERTION_TYPE, client_assertion: await assertionOf(victim) };
    const form = { grant_type: 'client_credentials' };
    expect(outcome(await alone(client.appId, 'token', { ...form, ...assertion }))).toEqual([400, 'invalid_request']);
    const secret = { client_secret: victim.secret };
    expect(outcome(await alone(client.appId, 'token', { ...form, ...secret }))).toEqual(UNAUTHENTICATED);
  });

  test('redeems nothing of another', async () => {
    const [client, victim] = [await aPublicClient(), await aPublicClient()];
    const form = await redemptionFor(victim);
    expect(outcome(await alone(client.appId, 'token', form))).toEqual([400, 'invalid_grant']);
  });

  test('CLI-01, CLI-02: stands in for no credential', async () => {
    const daemons = [await aDaemon(), await aDaemon({ keys: [EC_JWK], isConfidential: false })];
    for (const { appId } of daemons) {
      for (const form of [{}, { client_id: appId }]) {
        const answer = await alone(appId, 'token', { grant_type: 'client_credentials', ...form });
        expect([...outcome(answer), ...answer.body.error_codes]).toEqual([...UNAUTHENTICATED, 7000218]);
      }
    }
  });

  test.each([
    ['a broken percent sign', (id: string) => `${id}%`],
    ['percent and no hexadecimal', (id: string) => `${id}%zz`],
    ['half a character', (id: string) => `${id}%E0%A4`],
    ['an encoded NUL', (id: string) => `${id}%00`],
    ['a NUL', (id: string) => `${id}\0`],
    ['CR and LF', (id: string) => `${id}\r\n`],
    ['a colon', (id: string) => `${id}:`],
    ['an encoded colon', (id: string) => `${id}%3A`],
    ['a space', (id: string) => `${id}+`],
    ['nothing', () => ''],
  ])('CLI-11: with %s in it is refused, without an error of ours', async (_what, spoiled) => {
    const { appId } = await aPublicClient();
    const refresh = { grant_type: 'refresh_token', refresh_token: 'x' };
    for (const form of [refresh, { ...refresh, client_id: spoiled(appId) }]) {
      const answer = await alone(spoiled(appId), 'token', form);
      expect([
        [400, 'invalid_request'],
        [401, 'invalid_client'],
      ]).toContainEqual(outcome(answer));
    }
    expect(server.errors).toEqual([]);
  });

  test('is no name elsewhere: an authorization request says itself whose it is', async () => {
    const client = await aPublicClient();
    const headers = { authorization: `Basic ${base64(`${client.appId}:`)}` };
    const asked = {
      ...{ response_type: 'code', redirect_uri: client.redirectUri, scope: 'User.Read' },
      ...{ code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' },
    };
    const ask = (form: Record<string, string>) =>
      fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/authorize?${new URLSearchParams(form)}`, {
        ...{ headers, redirect: 'manual' },
      });
    expect((await ask({ ...asked, client_id: client.appId })).status).toBe(303);
    expect((await ask(asked)).status).toBe(400);
  });
});

describe('a client assertion', () => {
  test('is taken with the issuer or the token endpoint as its one audience', async () => {
    const daemon = await aDaemon({ keys: [EC_JWK], isConfidential: false });
    for (const aud of [issuerOf(tenant), tokenEndpointOf(tenant)]) {
      expect((await present(await assertionOf(daemon, { claims: { aud } }))).status).toBe(200);
    }
  });

  test.each(['RS256', 'PS256'])(
    'of a certificate is taken with %s, named by a thumbprint or not at all',
    async (alg) => {
      const daemon = await aDaemon({ keys: [CERTIFICATE], isConfidential: false });
      const hex = Buffer.from(THUMBPRINT.x5t, 'base64url').toString('hex').toUpperCase();
      const headers = [
        {},
        { x5t: THUMBPRINT.x5t },
        { 'x5t#S256': THUMBPRINT['x5t#S256'] },
        { x5t: `${THUMBPRINT.x5t}=` },
        { kid: THUMBPRINT.x5t },
        { kid: hex },
      ];
      for (const header of headers) {
        const assertion = await assertionOf(daemon, { header: { alg, ...header }, key: rsa.privateKey });
        expect([header, (await present(assertion)).status]).toEqual([header, 200]);
      }
    },
  );

  test('of a certificate is taken with times in fractions of a second, as MSAL for Python writes them', async () => {
    const daemon = await aDaemon({ keys: [CERTIFICATE], isConfidential: false });
    const now = Date.now() / 1_000 - 0.123_4;
    const claims = { iat: now, nbf: undefined, exp: now + 600 };
    const assertion = await assertionOf(daemon, { claims, header: { alg: 'RS256' }, key: rsa.privateKey });
    expect((await present(assertion)).status).toBe(200);
    expect(outcome(await present(assertion))).toEqual(UNAUTHENTICATED);
  });

  test('CLI-04: for anybody else is refused', async () => {
    const daemon = await aDaemon({ keys: [EC_JWK], isConfidential: false });
    const audiences = [
      ...[
        issuerOf(other),
        tokenEndpointOf(other),
        'https://evil.example',
        `${server.origin}/${tenant.domain}/oauth2/v2.0/token`,
      ],
      ...[
        `${issuerOf(tenant)}/`,
        issuerOf(tenant).toUpperCase(),
        `${server.origin}/${tenant.id}/oauth2/v2.0/introspect`,
      ],
      ...[[issuerOf(tenant)], [issuerOf(tenant), 'https://evil.example'], [], {}, 7, undefined],
    ];
    for (const aud of audiences) {
      expect([aud, ...outcome(await present(await assertionOf(daemon, { claims: { aud } })))]).toEqual([
        aud,
        ...UNAUTHENTICATED,
      ]);
    }
    const hosted = await assertionOf(daemon, {
      claims: { aud: `https://evil.example/${tenant.id}/oauth2/v2.0/token` },
    });
    const answer = await post(
      server.origin,
      tenant,
      'token',
      { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion: hosted },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    );
    expect(outcome(answer)).toEqual(UNAUTHENTICATED);
  });

  test('CLI-05, RAC-08: is used once, at any listener, after a restart, and when its request failed', async () => {
    const daemon = await aDaemon({ keys: [EC_JWK], isConfidential: false });
    const used = await assertionOf(daemon);
    expect((await present(used)).status).toBe(200);
    expect(outcome(await present(used))).toEqual(UNAUTHENTICATED);
    expect(outcome(await present(used, {}, second))).toEqual(UNAUTHENTICATED);
    const failed = await assertionOf(daemon);
    expect(outcome(await present(failed, { scope: 'User.ReadWrite.All' }))).toEqual([400, 'invalid_scope']);
    const replayed = await present(failed);
    expect([...outcome(replayed), ...replayed.body.error_codes]).toEqual([...UNAUTHENTICATED, 700027]);
    const restarted = await anAuthenticationServer(database, { publicOrigin: server.origin });
    expect(outcome(await present(failed, {}, restarted).finally(() => restarted.close()))).toEqual(UNAUTHENTICATED);
  });

  test('may be used until it expires where the application is set so, but for ten minutes at most', async () => {
    const daemon = await aDaemon({ keys: [EC_JWK], isConfidential: false, compatibility: { assertionReuse: true } });
    const assertion = await assertionOf(daemon);
    expect([(await present(assertion)).status, (await present(assertion)).status]).toEqual([200, 200]);
    const long = await assertionOf(daemon, { claims: { exp: Math.floor(Date.now() / 1_000) + 700 } });
    expect(outcome(await present(long))).toEqual(UNAUTHENTICATED);
  });

  test('may be of a clock that is a little ahead: MSAL rounds to the next second, and has ten minutes from there', async () => {
    const daemon = await aDaemon({ keys: [EC_JWK], isConfidential: false, compatibility: { assertionReuse: true } });
    const ahead = async (seconds: number) => {
      const at = Math.ceil(Date.now() / 1_000) + seconds;
      return outcome(await present(await assertionOf(daemon, { claims: { iat: at, nbf: at, exp: at + 600 } })));
    };
    expect(await ahead(1)).toEqual([200, undefined]);
    expect(await ahead(10)).toEqual(UNAUTHENTICATED);
  });

  test('CLI-06: that is forged, misnamed or incomplete is refused', async () => {
    const daemon = await aDaemon({ keys: [EC_JWK], isConfidential: false });
    const now = Math.floor(Date.now() / 1_000);
    const publicPem = ec.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const cases: [string, Assertion][] = [
      ['HS256 with the public key', { header: { alg: 'HS256' }, key: Buffer.from(publicPem) }],
      ['a key that is not registered', { key: stranger.privateKey }],
      ['an unknown kid', { header: { kid: 'another' } }],
      ['an unknown thumbprint', { header: { x5t: THUMBPRINT.x5t } }],
      ['a thumbprint that is only padding', { header: { x5t: '=' } }],
      ['an algorithm that is not the key’s', { header: { alg: 'RS256' }, key: rsa.privateKey }],
      ['no exp', { claims: { exp: undefined } }],
      ['no jti', { claims: { jti: undefined } }],
      ['no sub', { claims: { sub: undefined } }],
      ['an exp in ten years', { claims: { exp: now + 315_360_000 } }],
      ['an exp that is past', { claims: { exp: now - 30 } }],
      ['an exp that is text', { claims: { exp: String(now + 60) } }],
      ['an exp of 1e300', { claims: { exp: 1e300 } }],
      ['an nbf in the future', { claims: { nbf: now + 600 } }],
    ];
    for (const [what, assertion] of cases) {
      expect([what, ...outcome(await present(await assertionOf(daemon, assertion)))]).toEqual([
        what,
        ...UNAUTHENTICATED,
      ]);
    }
    const [, payload] = (await assertionOf(daemon)).split('.');
    for (const alg of ['none', 'None']) {
      const header = Buffer.from(JSON.stringify({ alg })).toString('base64url');
      expect([400, 401]).toContain((await present(`${header}.${payload}.`)).status);
    }
    expect(outcome(await present('not.a.jwt'))).toEqual([400, 'invalid_request']);
    expect(server.errors).toEqual([]);
  });

  test.each<[string, () => Assertion, number, string]>([
    [
      'signed by another key',
      () => ({ key: stranger.privateKey }),
      700027,
      'its signature by a key of this application',
    ],
    ['of a certificate that is not its own', () => ({ header: THUMBPRINT }), 700027, 'is not one of this application'],
    [
      'for another audience',
      () => ({ claims: { aud: issuerOf(other) } }),
      700027,
      'its aud the issuer or the token endpoint',
    ],
    ['of a clock that is behind', () => ({ claims: timesAt(-606) }), 700024, 'Check the clock'],
    ['of a clock that is ahead', () => ({ claims: timesAt(600) }), 700024, 'Check the clock'],
    ['for hours', () => ({ claims: { exp: timesAt(7_200).exp } }), 700024, 'valid for too long'],
  ])('CLI-06: %s is refused in words that say what to fix', async (_what, spoiled, number, words) => {
    const daemon = await aDaemon({ keys: [EC_JWK], isConfidential: false });
    const answer = await present(await assertionOf(daemon, spoiled()));
    expect([...outcome(answer), answer.body.error_codes]).toEqual([...UNAUTHENTICATED, [number]]);
    expect(answer.body.error_description).toMatch(new RegExp(`^AADSTS${number}: .*${words}`));
  });

  test('CLI-06: with RS256 is refused where the key is registered for PS256', async () => {
    const daemon = await aDaemon({ keys: [{ ...CERTIFICATE, alg: 'PS256' }], isConfidential: false });
    expect(
      outcome(await present(await assertionOf(daemon, { header: { alg: 'RS256' }, key: rsa.privateKey }))),
    ).toEqual(UNAUTHENTICATED);
    expect((await present(await assertionOf(daemon, { header: { alg: 'PS256' }, key: rsa.privateKey }))).status).toBe(
      200,
    );
  });

  test('CLI-07: whose issuer is not its subject, or that speaks for another client, is refused', async () => {
    const [daemon, victim] = [await aDaemon({ keys: [EC_JWK], isConfidential: false }), await aDaemon()];
    expect(outcome(await present(await assertionOf(daemon, { claims: { iss: victim.appId } })))).toEqual(
      UNAUTHENTICATED,
    );
    expect(outcome(await present(await assertionOf(daemon, { claims: { sub: victim.appId } })))).toEqual(
      UNAUTHENTICATED,
    );
    expect(outcome(await present(await assertionOf(daemon), { client_id: victim.appId }))).toEqual([
      400,
      'invalid_request',
    ]);
  });
});

describe('CLI-09: a public client', () => {
  test('gets no app-only token and learns of no token', async () => {
    const spa = await aClientApplication(database, tenant, {
      spa: ['https://spa.example/callback'],
      isConfidential: false,
    });
    const credentials = await post(server.origin, tenant, 'token', {
      grant_type: 'client_credentials',
      client_id: spa.appId,
    });
    expect(credentials.status).toBe(400);
    const asked = await post(server.origin, tenant, 'introspect', { client_id: spa.appId, token: 'anything' });
    expect(outcome(asked)).toEqual(UNAUTHENTICATED);
    expect((await post(server.origin, tenant, 'revoke', { client_id: spa.appId, token: 'anything' })).status).toBe(200);
  });
});

describe('oauth4webapi, unmodified', () => {
  test.each(['secret by post', 'secret by Basic', 'private_key_jwt'])('gets a token with %s', async (how) => {
    const daemon = await aDaemon({ keys: [EC_JWK] });
    const issuer = new URL(issuerOf(tenant));
    const http = { [oauth.allowInsecureRequests]: true };
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));
    const key = await crypto.subtle.importKey(
      'pkcs8',
      ec.privateKey.export({ type: 'pkcs8', format: 'der' }),
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign'],
    );
    const authentication = {
      'secret by post': oauth.ClientSecretPost(daemon.secret),
      'secret by Basic': oauth.ClientSecretBasic(daemon.secret),
      private_key_jwt: oauth.PrivateKeyJwt({ key, kid: 'ec-key' }),
    }[how];
    if (!authentication) throw new Error(how);
    const client = { client_id: daemon.appId };
    const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, {}, http);
    const { access_token } = await oauth.processClientCredentialsResponse(as, client, response);
    expect(access_token.split('.')).toHaveLength(3);
  });
});

describe('a refusal', () => {
  test('of an authenticated client is in its tenant’s records, of anybody else in the security log alone', async () => {
    const daemon = await aDaemon();
    const records = () =>
      asSuperuser<{ failure_reason: string; error_code: number }>(
        database,
        'select failure_reason, error_code from sign_ins where tenant_id = $1 and app_id = $2',
        [tenant.id, daemon.appId],
      );
    const before = server.refusals.length;
    await asking(daemon, 'wrong');
    expect(await records()).toEqual([]);
    expect(server.refusals.slice(before)).toEqual(['token: invalid_client 7000215']);
    const form = {
      grant_type: 'client_credentials',
      client_id: daemon.appId,
      client_secret: daemon.secret,
      scope: 'User.ReadWrite.All',
    };
    await answerOf(await fetch(tokenEndpointOf(tenant), { method: 'POST', body: new URLSearchParams(form) }));
    expect(await records()).toMatchObject([
      { error_code: 70011, failure_reason: expect.stringContaining('invalid_scope') },
    ]);
    expect(server.refusals).toHaveLength(before + 1);
    expect(JSON.stringify(server.refusals)).not.toContain('wrong');
  });
});

async function eventually(check: () => Promise<void>): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const done = await check().then(
      () => true,
      () => false,
    );
    if (done) return;
    await sleep(50);
  }
  await check();
}
