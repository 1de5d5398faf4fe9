import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Authorization } from '../../src/authorization/perform.ts';
import { type AppId, newAppId, newTenantId, type TenantId } from '../../src/vocabulary/ids.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { superuserOf } from '../support/superuser.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let authorization: Authorization;
let tenants: TestTenant[];

beforeAll(async () => {
  database = await aDatabase();
  authorization = database.authorization('authentication');
  tenants = [await aTenant(database, 'One'), await aTenant(database, 'Two'), await aTenant(database, 'Three')];
});

afterAll(() => database.drop());

const record = (tenantId: TenantId, over: object = {}) => {
  const tokenId = randomUUID();
  const principal = internalPrincipal('tokenService', tenantId);
  const entry = { eventType: 'servicePrincipal', correlationId: randomUUID(), tokenId, ...over } as const;
  return authorization.recordSignIn(principal, entry).then(() => tokenId);
};
const stored = () =>
  asSuperuser<{ tenant_id: string; token_id: string }>(database, 'select tenant_id, token_id from sign_ins');

describe('sign-in records', () => {
  test('of many tenants at once are each in their own tenant, once', async () => {
    const asked = Array.from({ length: 600 }, (_, index) => tenants[index % 3]?.id ?? newTenantId());
    const written = await Promise.all(asked.map(async (tenantId) => `${tenantId} ${await record(tenantId)}`));
    const rows = await stored();
    expect(rows.map(({ tenant_id, token_id }) => `${tenant_id} ${token_id}`).sort()).toEqual(written.sort());
  });

  test('a record that can not be written fails for its own caller alone; the neighbours’ are written', async () => {
    const [one, two] = tenants;
    if (!one || !two) throw new Error('no tenants');
    const before = (await stored()).length;
    const answers = await Promise.allSettled([
      record(one.id),
      record(two.id, { servicePrincipalId: 'no guid' }),
      record(two.id),
      record(one.id, { userAgent: 'a NUL: \0' }),
      record(one.id),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    const rows = await stored();
    expect(rows).toHaveLength(before + 3);
    for (const answer of answers) {
      if (answer.status === 'fulfilled') expect(rows.map(({ token_id }) => token_id)).toContain(answer.value);
    }
  });

  test('one whose answer was made from an outdated version is not made, its neighbours in the same statement are', async () => {
    const [one, two] = tenants;
    if (!one || !two) throw new Error('no tenants');
    const appId = newAppId();
    const assume = async (tenantId: TenantId, over: object) => {
      const version = (await authorization.versionOf(tenantId, appId)) ?? '1.0';
      return { appId, version, ...over };
    };
    const add = (tenantId: TenantId, assumed: { appId: AppId; version: string }) => {
      const tokenId = randomUUID();
      const entry = { eventType: 'servicePrincipal', correlationId: randomUUID(), tokenId } as const;
      return authorization
        .recordSignIn(internalPrincipal('tokenService', tenantId), entry, assumed)
        .then((made) => ({ tokenId, made }));
    };
    const [now, others, never] = [
      await assume(one.id, {}),
      await assume(one.id, { version: '0.0' }),
      await assume(newTenantId(), {}),
    ];
    const answers = await Promise.all([
      add(one.id, now),
      add(one.id, others),
      add(two.id, await assume(two.id, {})),
      add(one.id, never),
      add(one.id, now),
    ]);
    expect(answers.map(({ made }) => made)).toEqual([true, false, true, false, true]);
    const rows = await stored();
    for (const { tokenId, made } of answers) expect(rows.some(({ token_id }) => token_id === tokenId)).toBe(made);
    await asSuperuser(database, `update tenant_versions set version = version + 1 where tenant_id = '${one.id}'`);
    expect((await add(one.id, now)).made).toBe(false);
    expect((await add(newTenantId(), { appId, version: '1.0' })).made).toBe(false);
    const twos = await assume(two.id, {});
    await superuserOf(database.superuserUrl).query(
      'insert into published_application_versions (app_id, home_tenant_id) values ($1, $2)',
      [appId, one.id],
    );
    expect((await add(two.id, twos)).made).toBe(false);
    expect((await add(two.id, await assume(two.id, {}))).made).toBe(true);
  });

  test('only a principal with that action on its list writes one', async () => {
    const [one] = tenants;
    if (!one) throw new Error('no tenant');
    const entry = { eventType: 'servicePrincipal', correlationId: 'x' } as const;
    expect(() => authorization.recordSignIn(internalPrincipal('janitor', one.id), entry)).toThrow(
      'may not do authentication/signIns/create',
    );
  });
});
