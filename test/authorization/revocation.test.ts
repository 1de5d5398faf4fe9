import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { removeAppRoleAssignment } from '../../src/authorization/catalogue/app-role-assignments.ts';
import { addApplication, patchApplication, removeApplication } from '../../src/authorization/catalogue/applications.ts';
import { removeGrant } from '../../src/authorization/catalogue/permission-grants.ts';
import {
  addServicePrincipal,
  patchServicePrincipal,
  removeServicePrincipal,
} from '../../src/authorization/catalogue/service-principals.ts';
import { getUser, patchUser, removeUser } from '../../src/authorization/catalogue/users.ts';
import { addSigningKey, rotateKeys } from '../../src/authorization/internal/signing-keys.ts';
import { changeTenant } from '../../src/authorization/internal/tenants.ts';
import { endFamilies, endToken } from '../../src/authorization/internal/tokens.ts';
import { LiveStates } from '../../src/authorization/live-states.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import { Versions } from '../../src/authorization/versions.ts';
import { parseObjectId } from '../../src/vocabulary/ids.ts';
import type { ApplicationPrincipal, DelegatedPrincipal } from '../../src/vocabulary/principals.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { lateRequests } from '../support/late-requests.ts';
import { times } from '../support/length.ts';
import { applicationPrincipal, delegatedPrincipal } from '../support/principals.ts';
import {
  anApplication,
  asSuperuser,
  aTenant,
  aUser,
  operatorOf,
  type TestPrincipal,
  type TestTenant,
} from '../support/tenants.ts';

const context = { correlationId: 'revocation' };
let database: TestDatabase;
/** Two processes that serve, and the one that revokes. */
let serving: readonly [Authorization, Authorization];
let operator: Authorization;
let admin: ApplicationPrincipal;
let directory: Authorization;
let tenant: TestTenant;
let bystander: TestPrincipal;

beforeAll(async () => {
  database = await aDatabase();
  serving = [database.authorization('directory'), database.authorization('directory')];
  directory = database.authorization('directory');
  operator = database.operator;
  tenant = await aTenant(database);
  bystander = await aUser(database, tenant);
  admin = appOf(
    await anApplication(database, tenant, [
      'User.ReadWrite.All',
      'Application.ReadWrite.All',
      'AppRoleAssignment.ReadWrite.All',
      'DelegatedPermissionGrant.ReadWrite.All',
    ]),
  );
});

afterAll(() => database.drop());

const known = <Id>(id: Id | undefined): Id => {
  if (id === undefined) throw new Error('not there');
  return id;
};
const appOf = (application: TestPrincipal) => applicationPrincipal(tenant, application);
const personOf = (person: TestPrincipal) => delegatedPrincipal(tenant, person, ['User.Read.All']);
const one = async (text: string, values: unknown[]): Promise<string> =>
  known((await asSuperuser<{ id: string }>(database, text, values))[0]?.id);

type Principal = DelegatedPrincipal | ApplicationPrincipal;
interface Revocation {
  readonly principal: Principal;
  revoke(): Promise<unknown>;
  restore?(): Promise<unknown>;
}

const aPerson = () => aUser(database, tenant, { scopes: ['User.Read.All'] });
const aDaemon = () => anApplication(database, tenant, ['User.Read.All']);
const byAdmin = <Args extends Parameters<Authorization['perform']>>(operation: Args[1], input: unknown) =>
  directory.perform(admin, operation, input, context);

/** An application of another organization that acts in this one. */
async function guest(revoke: (home: ApplicationPrincipal, id: string) => Promise<unknown>): Promise<Revocation> {
  const home = await aTenant(database, 'Home');
  const administrator = await anApplication(database, home, ['Application.ReadWrite.All']);
  const asHome = { ...appOf(administrator), tenantId: home.id, keyId: home.kid };
  const body = { displayName: 'Guest', signInAudience: 'AzureADMultipleOrgs' };
  const { id, appId } = await directory.perform(asHome, addApplication, { body }, context);
  const presence = await byAdmin(addServicePrincipal, { body: { appId } });
  const given = await aDaemon();
  const servicePrincipalId = known(parseObjectId(Object(presence).id));
  await asSuperuser(
    database,
    'update app_role_assignments set service_principal_id = $2 where service_principal_id = $1',
    [given.servicePrincipalId, servicePrincipalId],
  );
  return { principal: { ...appOf(given), appId, servicePrincipalId }, revoke: () => revoke(asHome, id) };
}

function aSigningKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    kid: randomUUID(),
    algorithm: 'ES256' as const,
    publicJwk: { ...publicKey.export({ format: 'jwk' }) },
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
  };
}

const REVOCATIONS: Readonly<Record<string, () => Promise<Revocation>>> = {
  'a consent': async () => {
    const person = await aPerson();
    const id = await one('select id from oauth2_permission_grants where client_id = $1', [person.servicePrincipalId]);
    return { principal: personOf(person), revoke: () => byAdmin(removeGrant, { id }) };
  },
  'a user who is disabled': async () => {
    const person = await aPerson();
    const input = { id: person.id, body: { accountEnabled: false } };
    return { principal: personOf(person), revoke: () => byAdmin(patchUser, input) };
  },
  'a user who is deleted': async () => {
    const person = await aPerson();
    return { principal: personOf(person), revoke: () => byAdmin(removeUser, { id: person.id }) };
  },
  'a service principal that is disabled': async () => {
    const daemon = await aDaemon();
    const input = { id: daemon.servicePrincipalId, body: { accountEnabled: false } };
    return { principal: appOf(daemon), revoke: () => byAdmin(patchServicePrincipal, input) };
  },
  'a service principal that is deleted': async () => {
    const daemon = await aDaemon();
    return {
      principal: appOf(daemon),
      revoke: () => byAdmin(removeServicePrincipal, { id: daemon.servicePrincipalId }),
    };
  },
  'an assignment': async () => {
    const daemon = await aDaemon();
    const { servicePrincipalId } = daemon;
    const assignmentId = await one('select id from app_role_assignments where service_principal_id = $1', [
      servicePrincipalId,
    ]);
    const revoke = () =>
      operator.perform(
        operatorOf(tenant.id),
        removeAppRoleAssignment,
        { id: servicePrincipalId, assignmentId },
        context,
      );
    return { principal: appOf(daemon), revoke };
  },
  'a token family': async () => {
    const principal = personOf(await aPerson());
    const tokenService = internalPrincipal('tokenService', tenant.id);
    const authentication = database.authorization('authentication');
    return {
      principal,
      revoke: () =>
        authentication.performInternal(tokenService, endFamilies, { id: principal.familyId, reason: 'test' }),
    };
  },
  'an application that its home deletes': () =>
    guest((home, id) => directory.perform(home, removeApplication, { id }, context)),
  'an application that its home unpublishes': () =>
    guest((home, id) => {
      const body = { signInAudience: 'AzureADMyOrg' };
      return operator.perform(operatorOf(home.tenantId), patchApplication, { id, body }, context);
    }),
  'an organization that is closed': async () => {
    const principal = await personOf(await aPerson());
    const change = (isEnabled: boolean) => operator.performInternal(operatorOf(tenant.id), changeTenant, { isEnabled });
    return { principal, revoke: () => change(false), restore: () => change(true) };
  },
  'a key that was withdrawn': async () => {
    const kid = randomUUID();
    const principal = { ...(await personOf(await aPerson())), keyId: kid };
    await asSuperuser(
      database,
      `insert into signing_keys (tenant_id, kid, algorithm, slot, public_jwk, sealed_private_key, retired_at)
        values ($1, $2, 'ES256', 'retiring', '{}', '', now() - interval '1 hour')`,
      [tenant.id, kid],
    );
    const next = { ...aSigningKey(), slot: 'next' as const };
    await operator.performInternal(operatorOf(tenant.id), addSigningKey, { ...aSigningKey(), slot: 'next' });
    const rotation = { next, publishedSeconds: 0, keptSeconds: 60 };
    return { principal, revoke: () => operator.performInternal(operatorOf(tenant.id), rotateKeys, rotation) };
  },
  'a token': async () => {
    const principal = appOf(await aDaemon());
    const tokenService = internalPrincipal('tokenService', tenant.id);
    const token = { tokenId: principal.tokenId, expiresAt: Math.floor(Date.now() / 1_000) + 3_600 };
    const authentication = database.authorization('authentication');
    return { principal, revoke: () => authentication.performInternal(tokenService, endToken, token) };
  },
};

const TRIES = times(100, 1_000);

describe('after a revocation is acknowledged, no later request succeeds at any process', () => {
  test.each(Object.entries(REVOCATIONS))(
    '%s',
    async (_name, prepare) => {
      for (let round = 0; round < times(2, 5); round += 1) {
        const { principal, revoke, restore } = await prepare();
        const asks = serving.map((process) => () => process.perform(principal, getUser, { id: bystander.id }, context));
        const { before, refusedBefore, after, leaks } = await lateRequests({ asks, revoke, tries: TRIES });
        expect(before).toBeGreaterThan(0);
        expect({ refusedBefore, after, leaks }).toEqual({ refusedBefore: [], after: 2 * TRIES, leaks: 0 });
        await restore?.();
      }
    },
    120_000,
  );

  test('a directory role', async () => {
    const person = await aUser(database, tenant, { scopes: ['User.ReadWrite.All'], roles: ['User Administrator'] });
    const principal = { ...personOf(person), scopes: ['User.ReadWrite.All'] };
    const change = { id: bystander.id, body: { jobTitle: 'x' } };
    const asks = serving.map((process) => () => process.perform(principal, patchUser, change, context));
    const revoke = () =>
      asSuperuser(
        database,
        `with gone as (delete from role_assignments where user_id = $1) update tenant_versions set version = version + 1`,
        [person.id],
      );
    expect(await lateRequests({ asks, revoke, tries: TRIES })).toMatchObject({ after: 2 * TRIES, leaks: 0 });
  }, 120_000);

  test('the control: live states under a version that is remembered for a moment do let later requests through', async () => {
    const { principal, revoke } = await known(REVOCATIONS['a user who is disabled'])();
    const store = database.openStore('directory');
    const versions = new Versions(store);
    const remembered: { at: number; version: Promise<string | undefined> } = {
      at: 0,
      version: Promise.resolve(undefined),
    };
    const stale = {
      read: (key: Parameters<Versions['read']>[0]) => {
        if (Date.now() - remembered.at > 5_000)
          Object.assign(remembered, { at: Date.now(), version: versions.read(key) });
        return remembered.version;
      },
    };
    // The shape that a class with private fields has for its callers.
    const states = new LiveStates(store, stale as unknown as Versions);
    const ask = async () => {
      await sleep(1);
      const state = await states.read(principal, 'directory/users/standard/read');
      if (!state?.userEnabled) throw new Error('refused');
    };
    await ask(); // From here on it is remembered.
    expect((await lateRequests({ asks: [ask, ask], revoke, tries: TRIES })).leaks).toBeGreaterThan(0);
  });
});

test('RAC-15: versions are linearizable: no read that begins after a write returns less than it wrote', async () => {
  const readers = [new Versions(database.openStore('directory')), new Versions(database.openStore('authentication'))];
  const written = { version: 0 };
  let [reads, stale, writing] = [0, 0, true];
  const reading = readers.flatMap((versions) =>
    Array.from({ length: 8 }, async () => {
      while (writing) {
        const least = written.version;
        const read = Number((await versions.read({ tenantId: tenant.id, appId: undefined }))?.split('.')[0]);
        reads += 1;
        if (read < least) stale += 1;
      }
    }),
  );
  for (let index = 0; index < times(100, 1_000); index += 1) {
    await byAdmin(patchUser, { id: bystander.id, body: { jobTitle: `title ${index}` } });
    written.version = Number(await one('select version as id from tenant_versions where tenant_id = $1', [tenant.id]));
  }
  writing = false;
  await Promise.all(reading);
  expect(reads).toBeGreaterThan(200);
  expect(stale).toBe(0);
}, 120_000);
