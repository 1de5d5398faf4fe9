import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RemoteKeys } from '../../src/authentication/clients/remote-keys.ts';
import { aKeyServer, KEYS, type KeyServer, publicJwk } from '../support/key-server.ts';

let server: KeyServer;
let now = 0;
let failures: unknown[];
beforeEach(async () => {
  server = await aKeyServer();
  now = 0;
  failures = [];
});
afterEach(() => server.close());

const remoteKeys = () =>
  new RemoteKeys(
    server.outbound({ timeoutMs: 300 }),
    (error) => failures.push(error),
    () => now + 1,
  );
const asked = () => server.requests.filter((request) => request === 'GET /idp/keys').length;
const party = 'a tenant';

test('A key set is fetched once for however many want it, and again after ten minutes', async () => {
  const keys = remoteKeys();
  const sets = await Promise.all(Array.from({ length: 30 }, () => keys.at(server.keysUri, { party })));
  expect(new Set(sets.map((set) => set?.hash)).size).toBe(1);
  expect(sets[0]?.keys.map(({ kid }) => kid)).toEqual(['rsa', 'ec']);
  now = 599_000;
  await keys.at(server.keysUri, { party });
  expect(asked()).toBe(1);
  now = 601_000;
  await keys.at(server.keysUri, { party });
  expect(asked()).toBe(2);
});

test('A key that the set does not have is looked for once a minute, and what is known stays known', async () => {
  const keys = remoteKeys();
  const first = await keys.at(server.keysUri, { party, kid: 'new' });
  now = 30_000;
  await keys.at(server.keysUri, { party, kid: 'new' });
  expect(asked()).toBe(1);
  server.published.keys.push(publicJwk(KEYS.ec.publicKey, { kid: 'new' }));
  now = 61_000;
  const second = await keys.at(server.keysUri, { party, kid: 'new' });
  expect(second?.keys.map(({ kid }) => kid)).toContain('new');
  expect(second?.hash).not.toBe(first?.hash);
  for (let attempt = 0; attempt < 20; attempt += 1) await keys.at(server.keysUri, { party, kid: `guess ${attempt}` });
  expect(asked()).toBe(2);
});

test('That a set can not be had is remembered for half a minute; the reason is for the log', async () => {
  const keys = remoteKeys();
  const missing = `${server.origin}/nothing`;
  expect(await Promise.all([keys.at(missing, { party }), keys.at(missing, { party })])).toEqual([undefined, undefined]);
  expect(await keys.at(missing, { party })).toBeUndefined();
  expect([server.requests.length, failures.length]).toEqual([1, 1]);
  now = 31_000;
  await keys.at(missing, { party });
  expect(server.requests.length).toBe(2);
});

describe('Of an issuer', () => {
  test('the keys are found by its own metadata', async () => {
    const set = await remoteKeys().ofIssuer(server.issuer, { party });
    expect(set?.keys).toHaveLength(2);
  });

  test.each([
    ['that name another issuer', () => Object.assign(server.published, { issuer: 'https://other.example' })],
    ['without keys', () => Object.assign(server.published, { keys: undefined })],
    ['whose keys are no list', () => Object.assign(server.published, { keys: { a: 1 } })],
  ])('metadata %s are no metadata', async (_what, spoil) => {
    spoil();
    expect(await remoteKeys().ofIssuer(server.issuer, { party })).toBeUndefined();
  });

  test('metadata that lead into a private network lead nowhere', async () => {
    const { port } = server;
    const before = server.connections;
    expect(await remoteKeys().at(`https://127.0.0.1:${port}/idp/keys`, { party })).toBeUndefined();
    expect(server.connections).toBe(before);
  });
});

test('KEY-08: private, weak, symmetric and foreign keys in a set are passed by, the good ones are used', async () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  const jwk = (key: typeof KEYS.ec.publicKey, more: object = {}) => publicJwk(key, more);
  server.published.keys = [
    jwk(KEYS.ec.privateKey, { kid: 'private' }),
    jwk(weak.publicKey, { kid: 'weak' }),
    { ...jwk(KEYS.rsa.publicKey), e: 'AQ', kid: 'exponent 1' },
    { ...jwk(KEYS.rsa.publicKey), e: Buffer.alloc(200, 0xff).toString('base64url'), kid: 'slow' },
    { kty: 'oct', k: 'c2VjcmV0', kid: 'secret' },
    jwk(KEYS.rsa.publicKey, { kid: 'encryption', use: 'enc' }),
    jwk(KEYS.rsa.publicKey, { kid: 'other algorithm', alg: 'RSA-OAEP' }),
    jwk(generateKeyPairSync('ed25519').publicKey, { kid: 'ed25519' }),
    ...['words', null, 7],
    jwk(KEYS.ec.publicKey, { kid: 'good', jku: 'https://evil.example' }),
  ] as object[];
  const set = await remoteKeys().at(server.keysUri, { party });
  expect(set?.keys).toEqual([publicJwk(KEYS.ec.publicKey, { kid: 'good' })]);
});
