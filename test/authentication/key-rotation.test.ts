import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { makeSigningKey } from '../../src/authentication/keys/signing-key-material.ts';
import { addSigningKey, rotateKeys } from '../../src/authorization/internal/signing-keys.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import { aClientApplication, assignRole, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { credentialsOf, post } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { superuserOf } from '../support/superuser.ts';
import { aTenant, operatorOf, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let servers: readonly TestAuthenticationServer[];
let tenant: TestTenant;
let daemon: TestApplication;
let operator: Authorization;

const DAY = 86_400;

beforeAll(async () => {
  database = await aDatabase();
  const first = await anAuthenticationServer(database);
  servers = [first, await anAuthenticationServer(database, { publicOrigin: first.origin })];
  tenant = await aTenant(database, 'Contoso');
  daemon = await aClientApplication(database, tenant);
  await assignRole(database, tenant, daemon.servicePrincipalId, 'User.Read.All');
  operator = database.operator;
  await operator.performInternal(operatorOf(tenant.id), addSigningKey, await makeSigningKey('ES256', 'next'));
});

afterAll(async () => {
  for (const server of servers) {
    expect(server.errors).toEqual([]);
    await server.close();
  }
  await database.drop();
});

const rotate = async (keptSeconds = DAY) =>
  operator.performInternal(operatorOf(tenant.id), rotateKeys, {
    next: await makeSigningKey('ES256', 'next'),
    publishedSeconds: 0,
    keptSeconds,
  });
const aToken = async ({ origin }: TestAuthenticationServer): Promise<string> => {
  const answer = await post(origin, tenant, 'token', { ...credentialsOf(daemon), grant_type: 'client_credentials' });
  expect(answer.status).toBe(200);
  return answer.body.access_token;
};
const published = async () => {
  const response = await fetch(`${servers[0]?.origin}/${tenant.id}/discovery/v2.0/keys`);
  return (await response.json()) as JSONWebKeySet;
};
const isActive = async (token: string) => {
  const answers = servers.map(({ origin }) => post(origin, tenant, 'introspect', { ...credentialsOf(daemon), token }));
  return (await Promise.all(answers)).map(({ body }) => body.active);
};

test('KEY-01: tokens that are signed while keys rotate all verify, and the next request signs with the new key', async () => {
  await Promise.all(servers.map(aToken));
  const tokens: string[] = [];
  let isOver = false;
  const load = servers.map(async (server) => {
    while (!isOver) tokens.push(await aToken(server));
  });
  for (let round = 0; round < 3; round += 1) {
    const before = await published();
    const { outcome, current } = await rotate();
    expect(outcome).toBe('rotated');
    // It was published before it signs: who had fetched the keys knows it.
    expect(before.keys.map(({ kid }) => kid)).toContain(current);
    for (const server of servers) expect(decodeProtectedHeader(await aToken(server)).kid).toBe(current);
  }
  isOver = true;
  await Promise.all(load);
  const keys = createLocalJWKSet(await published());
  for (const token of tokens) await jwtVerify(token, keys);
  expect(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)).size).toBeGreaterThan(1);
  const [oldest = ''] = tokens;
  expect(await isActive(oldest)).toEqual([true, true]);
});

test('KEY-02: a key that is dropped is worth nothing at any process at once, and is no longer published', async () => {
  const [server] = servers;
  if (!server) throw new Error('There is no server.');
  const token = await aToken(server);
  const { kid } = decodeProtectedHeader(token);
  expect(await isActive(token)).toEqual([true, true]);
  await rotate();
  expect(await isActive(token)).toEqual([true, true]);
  await rotate(-1);
  expect((await published()).keys.map((key) => key.kid)).not.toContain(kid);
  expect(await isActive(token)).toEqual([false, false]);
});

test('a key whose row is deleted by hand, with the versions raised as SECURITY says, signs nothing more at any process', async () => {
  const tokens = await Promise.all(servers.map(aToken));
  const [{ kid }] = tokens.map((token) => decodeProtectedHeader(token)) as [{ kid: string }];
  const superuser = await superuserOf(database.superuserUrl).connect();
  try {
    await superuser.query('begin');
    await superuser.query('delete from signing_keys where tenant_id = $1 and kid = $2', [tenant.id, kid]);
    await superuser.query('update tenant_versions set version = version + 1');
    await superuser.query('commit');
  } finally {
    superuser.release();
  }
  for (const server of servers) expect(decodeProtectedHeader(await aToken(server)).kid).not.toBe(kid);
  expect((await published()).keys.map((key) => key.kid)).not.toContain(kid);
  for (const token of tokens) expect(await isActive(token)).toEqual([false, false]);
});
