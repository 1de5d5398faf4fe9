import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getUser } from '../../src/authorization/catalogue/users.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import type { Principal } from '../../src/vocabulary/principals.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { applicationPrincipal, delegatedPrincipal } from '../support/principals.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let authorization: Authorization;
let tenant: TestTenant;
let other: TestTenant;
let person: TestPrincipal;
let daemon: TestPrincipal;

beforeAll(async () => {
  database = await aDatabase();
  authorization = database.authorization('directory');
  [tenant, other] = [await aTenant(database), await aTenant(database)];
  person = await aUser(database, tenant, { scopes: ['User.ReadBasic.All'] });
  daemon = await anApplication(database, tenant, ['User.Read.All']);
});

afterAll(() => database.drop());

/** A read that goes by what is remembered of its principal. */
const read = (principal: Principal) =>
  authorization.perform(principal, getUser, { id: person.id }, { correlationId: randomUUID() }).then(
    () => 'read',
    ({ code }) => code,
  );

const byPerson = () => delegatedPrincipal(tenant, person, ['User.ReadBasic.All']);
const byDaemon = () => applicationPrincipal(tenant, daemon);

/** Principals that differ from a good one in one thing, which is not good. */
const ALIKE: readonly (readonly [string, () => Principal, () => Promise<Principal>])[] = [
  ['by a key that is no longer published', byPerson, async () => ({ ...byPerson(), keyId: randomUUID() })],
  ['by such a key, of an application', byDaemon, async () => ({ ...byDaemon(), keyId: randomUUID() })],
  [
    'of a family that ended',
    byPerson,
    async () => {
      const familyId = randomUUID();
      await asSuperuser(
        database,
        `insert into token_families (tenant_id, id, user_id, service_principal_id, expires_at, revoked_at, revoked_reason)
          values ($1, $2, $3, $4, now() + interval '1 day', now(), 'signedOut')`,
        [tenant.id, familyId, person.id, person.servicePrincipalId],
      );
      return { ...byPerson(), familyId };
    },
  ],
  [
    'by a token that was ended',
    byDaemon,
    async () => {
      const tokenId = randomUUID();
      await asSuperuser(
        database,
        `insert into revoked_tokens (tenant_id, token_id, expires_at) values ($1, $2, now() + interval '1 hour')`,
        [tenant.id, tokenId],
      );
      return { ...byDaemon(), tokenId };
    },
  ],
  ['through another application', byPerson, async () => ({ ...byPerson(), appId: byDaemon().appId })],
  ['in another tenant', byPerson, async () => ({ ...byPerson(), tenantId: other.id })],
  ['in another tenant, of an application', byDaemon, async () => ({ ...byDaemon(), tenantId: other.id })],
];

describe('what is remembered of a principal is of nobody else', () => {
  test.each(ALIKE)('%s', async (_what, good, make) => {
    const bad = await make();
    expect([await read(good()), await read(bad)]).toEqual(['read', 'InvalidAuthenticationToken']);
    // Nor the other way round, where the version of both is a new one.
    await asSuperuser(database, 'update tenants set display_name = display_name where id = $1', [tenant.id]);
    expect([await read(bad), await read(good())]).toEqual(['InvalidAuthenticationToken', 'read']);
  });
});
