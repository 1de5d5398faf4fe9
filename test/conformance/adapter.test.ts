import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import Provider, { type Adapter } from 'oidc-provider';
import { makeAdapter } from '../../src/authentication/adapter.ts';
import { OAuthRequest } from '../../src/authentication/oauth-request.ts';
import { runAsTenant } from '../../src/authentication/virtual-issuer.ts';
import { IssuanceError, issueTokens } from '../../src/authorization/internal/tokens.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import type { TenantId } from '../../src/vocabulary/ids.ts';
import { aPerson } from '../support/applications.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let authorization: Authorization;
let tenant: TestTenant;
let other: TestTenant;
let userId: string;

beforeAll(async () => {
  database = await aDatabase();
  authorization = database.authorization('authentication');
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  userId = await aPerson(database, tenant);
});

afterAll(() => database.drop());

/** A request as the router makes it, which began just now. */
function requestOf(tenantId: TenantId): OAuthRequest {
  return new OAuthRequest({ tenantId, context: { correlationId: randomUUID() }, arrivedAt: performance.now() });
}

const inTenant = <Result>(work: () => Result, { id } = tenant): Result => runAsTenant(requestOf(id), work);
const ours = (model: string): Adapter => makeAdapter(authorization)(model);
/** The library's own, by the surface that a Provider without an adapter has. */
const library = quietly(() => new Provider('http://localhost:1'));
/** The library warns of its defaults, which is all that is wanted of it here. */
function quietly<Result>(work: () => Result): Result {
  const warning = jest.spyOn(console, 'warn').mockImplementation(() => {});
  try {
    return work();
  } finally {
    warning.mockRestore();
  }
}

const memory = (model: 'Session' | 'Interaction'): Adapter =>
  (library[model] as unknown as { readonly adapter: Adapter }).adapter; // not in the type definitions

describe.each([
  ['the library’s in-memory adapter', memory],
  ['ours', ours],
] as const)('%s', (_name, adapterOf) => {
  const payload = () => ({
    jti: randomUUID(),
    uid: randomUUID(),
    kind: 'Session',
    accountId: userId,
    exp: 4_102_444_800,
  });

  test('finds what was stored, by its id and its uid, and nothing else', async () => {
    await inTenant(async () => {
      const [session, adapter] = [payload(), adapterOf('Session')];
      await adapter.upsert(session.jti, session, 60);
      expect(await adapter.find(session.jti)).toEqual(session);
      expect(await adapter.findByUid(session.uid)).toEqual(session);
      expect(await adapter.find(session.uid)).toBeUndefined();
      expect(await adapter.findByUid(session.jti)).toBeUndefined();
      expect(await adapterOf('Interaction').find(session.jti)).toBeUndefined();
    });
  });

  test('replaces what is stored again, and forgets what is destroyed', async () => {
    await inTenant(async () => {
      const [session, adapter] = [payload(), adapterOf('Session')];
      await adapter.upsert(session.jti, session, 60);
      await adapter.upsert(session.jti, { ...session, state: { a: 1 } }, 60);
      expect(await adapter.find(session.jti)).toEqual({ ...session, state: { a: 1 } });
      await adapter.destroy(session.jti);
      expect(await adapter.find(session.jti)).toBeUndefined();
      await adapter.destroy(session.jti);
    });
  });
});

describe('ours alone', () => {
  const stored = async (model: string, familyId?: string) => {
    const id = randomUUID();
    const artifact = { model, id, payload: { jti: id, kind: model }, familyId, expiresIn: 60 };
    await authorization.performInternal(requestOf(tenant.id).principal, issueTokens, { artifact });
    return id;
  };

  test('forgets what has expired', async () => {
    await inTenant(async () => {
      const [session, adapter] = [{ jti: randomUUID(), uid: randomUUID(), kind: 'Session' }, ours('Session')];
      await adapter.upsert(session.jti, session, 1);
      expect(await adapter.find(session.jti)).toEqual(session);
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(await adapter.find(session.jti)).toBeUndefined();
    });
  });

  test('keeps tenants apart: the same id in two tenants is two rows', async () => {
    const id = randomUUID();
    const session = (of: string) => ({ jti: id, uid: id, kind: 'Session', state: { of } });
    await inTenant(() => ours('Session').upsert(id, session('a'), 60));
    expect(await inTenant(() => ours('Session').find(id), other)).toBeUndefined();
    await inTenant(() => ours('Session').upsert(id, session('b'), 60), other);
    expect(await inTenant(() => ours('Session').find(id))).toEqual(session('a'));
    await inTenant(() => ours('Session').destroy(id), other);
    expect(await inTenant(() => ours('Session').findByUid(id))).toEqual(session('a'));
  });

  test('lets exactly one of many at once use an artifact up', async () => {
    const id = await stored('RefreshToken');
    const attempts = Array.from({ length: 20 }, () =>
      runAsTenant(requestOf(tenant.id), async () => {
        const request = requestOf(tenant.id);
        await runAsTenant(request, () => ours('RefreshToken').consume(id));
        return authorization.performInternal(request.principal, issueTokens, request.pending);
      }),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(IssuanceError);
  });

  test('shows as used what was used before the request began, and not what is used while it runs', async () => {
    const id = await stored('AuthorizationCode');
    const running = requestOf(tenant.id);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const consumed = { model: 'AuthorizationCode', id };
    await authorization.performInternal(running.principal, issueTokens, { consumed });
    expect(await runAsTenant(running, () => ours('AuthorizationCode').find(id))).not.toHaveProperty('consumed');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await inTenant(() => ours('AuthorizationCode').find(id))).toHaveProperty('consumed', expect.any(Number));
  });

  test('does not find what a person stored who is disabled, or whose sessions were revoked since', async () => {
    const id = randomUUID();
    const session = { jti: id, uid: id, kind: 'Session', accountId: userId, loginTs: Math.floor(Date.now() / 1_000) };
    await inTenant(() => ours('Session').upsert(id, session, 60));
    const change = (set: string) =>
      asSuperuser(database, `update users set ${set} where tenant_id = $1 and id = $2`, [tenant.id, userId]);
    await change('account_enabled = false');
    expect(await inTenant(() => ours('Session').find(id))).toBeUndefined();
    await change('account_enabled = true');
    expect(await inTenant(() => ours('Session').find(id))).toBeDefined();
    await change(`sign_in_sessions_valid_from = now() + interval '2 seconds'`);
    expect(await inTenant(() => ours('Session').find(id))).toBeUndefined();
  });

  test('stores no value that could be presented: neither id nor payload is in the row', async () => {
    const id = await stored('RefreshToken');
    const rows = await asSuperuser(
      database,
      `select *, encode(payload, 'escape') as text from artifacts where tenant_id = $1`,
      [tenant.id],
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(id);
  });
});
