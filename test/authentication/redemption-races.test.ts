import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { issueTokens } from '../../src/authorization/internal/tokens.ts';
import type { Answer } from '../support/answer.ts';
import { aClientApplication, aPerson, assignRole, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, type Browser, post, redeemForm, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { forgetful, holding, unconditional } from '../support/faults.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

/** Two listeners with stores and caches of their own on one Postgres, and two of a build that is broken on purpose. */
let database: TestDatabase;
let honest: TestAuthenticationServer[];
let broken: TestAuthenticationServer[];
let tenant: TestTenant;
let browser: Browser;
let client: TestApplication;
let origin: string;

beforeAll(async () => {
  database = await aDatabase();
  const first = await anAuthenticationServer(database);
  origin = first.origin;
  honest = [first, await anAuthenticationServer(database, { publicOrigin: origin })];
  broken = [
    await anAuthenticationServer(database, { publicOrigin: origin, authorization: unconditional(database) }),
    await anAuthenticationServer(database, { publicOrigin: origin, authorization: unconditional(database) }),
  ];
  tenant = await aTenant(database);
  browser = await aSignedInBrowser(database, tenant, await aPerson(database, tenant));
  client = await aClientApplication(database, tenant, {
    spa: ['https://spa.example/callback'],
    isConfidential: false,
  });
  const scopes = ['openid', 'profile', 'offline_access', 'User.Read'];
  await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes });
});

afterAll(async () => {
  for (const server of [...honest, ...broken]) await server.close();
  await database.drop();
});

const PARALLEL = 20;

/** The same form many times at once, over both listeners in turn. */
const storm = (servers: readonly TestAuthenticationServer[], form: Record<string, string>): Promise<Answer[]> =>
  Promise.all(
    Array.from({ length: PARALLEL }, (_, index) =>
      post(servers[index % servers.length]?.origin ?? '', tenant, 'token', form),
    ),
  );

const successes = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 200);
const refusals = (answers: readonly Answer[]) =>
  answers.filter(({ status }) => status !== 200).map(({ status, body }) => `${status} ${body.error}`);

const aCode = () => authorize(origin, tenant, client, browser);

async function aRefreshToken(): Promise<string> {
  const answer = await post(origin, tenant, 'token', redeemForm(client, await aCode(), true));
  return answer.body.refresh_token;
}

const childrenOf = (refreshTokens: readonly string[]) => new Set(refreshTokens).size;

async function liveRefreshTokens(): Promise<number> {
  const [row] = await asSuperuser<{ live: number }>(
    database,
    `select count(*)::int as live from artifacts where tenant_id = $1 and model = 'RefreshToken' and consumed_at is null`,
    [tenant.id],
  );
  return row?.live ?? 0;
}

describe('RAC-01: one code, many redemptions at once', () => {
  test('gives exactly one answer with tokens; all others are invalid_grant', async () => {
    for (let round = 0; round < 4; round += 1) {
      const answers = await storm(honest, redeemForm(client, await aCode(), true));
      expect(successes(answers)).toHaveLength(1);
      expect(new Set(refusals(answers))).toEqual(new Set(['400 invalid_grant']));
    }
  });

  test('control: a build whose consume is unconditional is caught', async () => {
    const answers = await storm(broken, redeemForm(client, await aCode(), true));
    expect(successes(answers).length).toBeGreaterThan(1);
  });
});

describe('RAC-02: one refresh token, many uses at once', () => {
  test('gives at least one answer with tokens, all of them with one and the same child, which works', async () => {
    for (let round = 0; round < 4; round += 1) {
      const token = await aRefreshToken();
      const before = await liveRefreshTokens();
      const answers = await storm(honest, refreshForm(client, token, true));
      const won = successes(answers);
      expect(won.length).toBeGreaterThan(0);
      expect(refusals(answers).filter((refusal) => refusal !== '400 invalid_grant')).toEqual([]);
      expect(childrenOf(won.map(({ body }) => body.refresh_token))).toBe(1);
      expect(await liveRefreshTokens()).toBe(before);
      const next = await post(
        honest[1]?.origin ?? '',
        tenant,
        'token',
        refreshForm(client, won[0]?.body.refresh_token, true),
      );
      expect(next.status).toBe(200);
    }
  });

  test('control: a build whose consume is unconditional gives more than one child, and is caught', async () => {
    const answers = await storm(broken, refreshForm(client, await aRefreshToken(), true));
    expect(childrenOf(successes(answers).map(({ body }) => body.refresh_token))).toBeGreaterThan(1);
  });
});

describe('RAC-03: one client assertion, many uses at once', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let daemon: TestApplication;

  beforeAll(async () => {
    daemon = await aClientApplication(database, tenant, {
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k' }],
    });
    await assignRole(database, tenant, daemon.servicePrincipalId, 'User.Read.All');
  });

  const assertionForm = async () => ({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT({
      jti: randomUUID(),
      iss: daemon.appId,
      sub: daemon.appId,
      aud: `${origin}/${tenant.id}/v2.0`,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setExpirationTime('2m')
      .sign(privateKey),
  });

  test('gives one token; all others are invalid_client', async () => {
    const answers = await storm(honest, await assertionForm());
    expect(successes(answers)).toHaveLength(1);
    expect(new Set(refusals(answers))).toEqual(new Set(['401 invalid_client']));
  });

  test('control: a build that takes every assertion for the first of its name is caught', async () => {
    expect(successes(await storm(broken, await assertionForm())).length).toBeGreaterThan(1);
  });
});

describe('RAC-06: a code that comes back', () => {
  test('30 seconds later is refused, and every token that came of it is dead', async () => {
    const authorized = await aCode();
    const first = await post(origin, tenant, 'token', redeemForm(client, authorized, true));
    await asSuperuser(
      database,
      `update artifacts set consumed_at = consumed_at - interval '30 seconds' where tenant_id = $1 and model = 'AuthorizationCode' and consumed_at is not null`,
      [tenant.id],
    );
    const replay = await post(honest[1]?.origin ?? '', tenant, 'token', redeemForm(client, authorized, true));
    expect([replay.status, replay.body.error]).toEqual([400, 'invalid_grant']);
    const refreshed = await post(origin, tenant, 'token', refreshForm(client, first.body.refresh_token, true));
    expect([refreshed.status, refreshed.body.error]).toEqual([400, 'invalid_grant']);
    const userinfo = await fetch(`${origin}/${tenant.id}/oidc/userinfo`, {
      headers: { authorization: `Bearer ${first.body.access_token}` },
    });
    expect(userinfo.status).toBe(401);
  });
});

describe('control: a build that leaves families alive', () => {
  test('is caught by what RAC-06, RAC-07 and RAC-15 look at', async () => {
    const careless = await anAuthenticationServer(database, {
      publicOrigin: origin,
      authorization: forgetful(database),
    });
    const refreshed = (token: string) => post(origin, tenant, 'token', refreshForm(client, token, true));
    const token = await aRefreshToken();
    await post(careless.origin, tenant, 'revoke', { client_id: client.appId, token });
    const child = await refreshed(token);
    expect(child.status).toBe(200);
    const authorized = await aCode();
    const first = await post(origin, tenant, 'token', redeemForm(client, authorized, true));
    await asSuperuser(
      database,
      `update artifacts set consumed_at = consumed_at - interval '30 seconds' where tenant_id = $1 and consumed_at is not null`,
      [tenant.id],
    );
    await post(careless.origin, tenant, 'token', redeemForm(client, authorized, true));
    expect((await refreshed(first.body.refresh_token)).status).toBe(200);
    await post(careless.origin, tenant, 'token', refreshForm(client, token, true));
    expect((await refreshed(child.body.refresh_token)).status).toBe(200);
    await careless.close();
  });
});

describe('RAC-15: revocation against refresh', () => {
  test('after a revocation is acknowledged no later request of the family succeeds at any listener', async () => {
    for (let round = 0; round < 10; round += 1) {
      const token = await aRefreshToken();
      const running = storm(honest, refreshForm(client, token, true));
      const revoked = await post(honest[round % 2]?.origin ?? '', tenant, 'revoke', { client_id: client.appId, token });
      expect(revoked.status).toBe(200);
      const later = await storm(honest, refreshForm(client, token, true));
      expect(successes(later)).toEqual([]);
      for (const { body } of successes(await running)) {
        const child = await post(
          honest[(round + 1) % 2]?.origin ?? '',
          tenant,
          'token',
          refreshForm(client, body.refresh_token, true),
        );
        expect([child.status, child.body.error]).toEqual([400, 'invalid_grant']);
      }
    }
  });
});

test('RAC-15: who lost the race for a refresh token gets no child of a family that ended meanwhile', async () => {
  const form = refreshForm(client, await aRefreshToken(), true);
  const held = holding(database, issueTokens);
  const slow = await anAuthenticationServer(database, { publicOrigin: origin, authorization: held.authorization });
  const loser = post(slow.origin, tenant, 'token', form);
  await held.reached;
  const winner = await post(origin, tenant, 'token', form);
  expect(winner.status).toBe(200);
  await post(origin, tenant, 'revoke', { client_id: client.appId, token: winner.body.refresh_token });
  held.release();
  const { status, body } = await loser;
  expect([status, body.error, body.access_token]).toEqual([400, 'invalid_grant', undefined]);
  await slow.close();
});
