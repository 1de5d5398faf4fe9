import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { endTries } from '../../src/authorization/internal/sign-ins.ts';
import { changeTenant } from '../../src/authorization/internal/tenants.ts';
import {
  endFamilies,
  getLiveFamily,
  issueTokens,
  signOut,
  type TokenFamily,
} from '../../src/authorization/internal/tokens.ts';
import type { InternalOperation } from '../../src/authorization/operation.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import type { Store } from '../../src/store/store.ts';
import type { InternalAction } from '../../src/vocabulary/actions.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import { aClientApplication, aPerson, consentTo, type TestApplication } from '../support/applications.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { asSuperuser, aTenant, aUser, operatorOf, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

/**
 * Postgres lets a shared row lock pass everybody who waits for an exclusive one. Who takes one whenever he signs in, or
 * gets a token, could so put the revocation of his rights off for as long as he goes on.
 */
let database: TestDatabase;
let server: TestDirectoryServer;
let authentication: Authorization;
let store: Store;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  authentication = database.authorization('authentication');
  store = database.openStore('authentication');
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

/** Somebody who is signed in to an application of his organization. */
interface Place {
  readonly tenant: TestTenant;
  readonly admin: TestPrincipal;
  readonly client: TestApplication;
  readonly person: string;
  readonly sessionUid: string;
  readonly family: TokenFamily;
}

async function aPlace(): Promise<Place> {
  const tenant = await aTenant(database, 'Contoso');
  const scopes = ['User.ReadWrite.All', 'Application.ReadWrite.All'];
  const admin = await aUser(database, tenant, { scopes, roles: ['Global Administrator'] });
  const client = await aClientApplication(database, tenant);
  await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes: ['User.Read'] });
  const person = await aPerson(database, tenant);
  const sessionUid = await aSession(tenant);
  const family: TokenFamily = {
    id: randomUUID(),
    userId: person,
    appId: client.appId,
    sessionUid,
    authenticatedAt: Date.now() / 1_000,
    platform: 'web',
    expiresIn: 600,
  };
  await internally(tenant, issueTokens, { family });
  return { tenant, admin, client, person, sessionUid, family };
}

async function aSession(tenant: TestTenant): Promise<string> {
  const uid = randomUUID();
  const session = { model: 'Session', id: randomUUID(), payload: {}, uid, expiresIn: 600 };
  await internally(tenant, issueTokens, { artifact: session });
  return uid;
}

const internally = <Action extends InternalAction, Input, Result>(
  { id }: TestTenant,
  operation: InternalOperation<Action, Input, Result>,
  input: Input,
) => authentication.performInternal(internalPrincipal('tokenService', id), operation, input);

interface Running {
  /** Resolves when everything is written but the commit. */
  readonly written: Promise<unknown>;
  commit(): Promise<unknown>;
}

/** An operation whose transaction stays open until it is told to commit. */
function running<Action extends InternalAction, Input, Result>(
  { id: tenantId }: TestTenant,
  { action, access, run }: InternalOperation<Action, Input, Result>,
  input: Input,
): Running {
  const [written, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = store.transaction({ action, tenantId, access }, async (permit) => {
    await run(permit, input);
    written.resolve();
    await go.promise;
  });
  const outcome = done.then(
    () => 'done',
    (error: Error) => error.message,
  );
  return {
    written: Promise.race([written.promise, outcome]),
    commit: () => {
      go.resolve();
      return outcome;
    },
  };
}

const aCode = ({ tenant, family }: Place, of: Partial<TokenFamily> = {}) =>
  running(tenant, issueTokens, { family: { ...family, ...of, id: randomUUID() } });

const ISSUANCES: Readonly<Record<string, (place: Place) => Promise<Running>>> = {
  'a code of the same session': async (place) => aCode(place),
  'a code of another session': async (place) => aCode(place, { sessionUid: await aSession(place.tenant) }),
  'a code of another person': async (place) => {
    const userId = await aPerson(database, place.tenant);
    return aCode(place, { userId, sessionUid: await aSession(place.tenant) });
  },
  'an exchange': async ({ tenant, family }) =>
    running(tenant, issueTokens, { family: { ...family, id: randomUUID(), parentId: family.id, actor: [] } }),
  'a sign-in': async ({ tenant, person }) => {
    const [row] = await asSuperuser<{ since: number }>(
      database,
      'select extract(epoch from sign_in_sessions_valid_from)::float8 as since from users where id = $1',
      [person],
    );
    const sessionsValidFrom = row?.since ?? null;
    return running(tenant, endTries, { subject: person, userId: person, sessionsValidFrom, device: randomUUID() });
  },
};

const byAdmin = (method: string, pathOf: (place: Place) => string, body?: object) => async (place: Place) => {
  const { status } = await server.call(await place.admin.token(), method, `/v1.0${pathOf(place)}`, body);
  return status;
};
const user = ({ person }: Place) => `/users/${person}`;
const servicePrincipal = ({ client }: Place) => `/servicePrincipals/${client.servicePrincipalId}`;
const application = ({ client }: Place) => `/applications/${client.id}`;

const endParent = ({ tenant, family }: Place) => internally(tenant, endFamilies, { id: family.id, reason: 'revoked' });
const done = () => 204;

const REVOCATIONS: Readonly<Record<string, (place: Place) => Promise<number>>> = {
  'a sign-out': ({ tenant, sessionUid }) => internally(tenant, signOut, { uid: sessionUid }).then(done),
  'the end of a token family': (place) => endParent(place).then(done),
  revokeSignInSessions: byAdmin('POST', (place) => `${user(place)}/revokeSignInSessions`),
  'disabling the user': byAdmin('PATCH', user, { accountEnabled: false }),
  'deleting the user': byAdmin('DELETE', user),
  'disabling the service principal': byAdmin('PATCH', servicePrincipal, { accountEnabled: false }),
  'deleting the service principal': byAdmin('DELETE', servicePrincipal),
  revokeAccess: byAdmin('POST', (place) => `${servicePrincipal(place)}/revokeAccess`, {}),
  'revokeAccess of the person': (place) =>
    byAdmin('POST', () => `${servicePrincipal(place)}/revokeAccess`, { principalId: place.person })(place),
  'revokeAccess that removes': byAdmin('POST', (place) => `${servicePrincipal(place)}/revokeAccess`, { remove: true }),
  'disabling the application': byAdmin('PATCH', application, { isDisabled: true }),
  'deleting the application': byAdmin('DELETE', application),
  'closing the organization': ({ tenant }) =>
    database.operator.performInternal(operatorOf(tenant.id), changeTenant, { isEnabled: false }).then(done),
};

const waiting = async () => {
  const [row] = await asSuperuser<{ count: number }>(
    database,
    `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.count ?? 0;
};

/** Until it settled, or waits for a lock. */
async function settledOrWaiting(work: Promise<unknown>, others = 0): Promise<void> {
  let isSettled = false;
  const settle = () => (isSettled = true);
  work.then(settle, settle);
  while (!isSettled && (await waiting()) <= others) await pause(5);
}

describe.each(Object.entries(ISSUANCES))('RAC-15: %s that begins after', (_issuance, issue) => {
  test.each(Object.entries(REVOCATIONS))('%s does not put it off', async (_revocation, revoke) => {
    const place = await aPlace();
    const before = await issue(place);
    await before.written;
    const revoked = revoke(place);
    await settledOrWaiting(revoked);
    const others = await waiting();
    const after = await issue(place);
    await settledOrWaiting(after.written, others);
    expect(await before.commit()).toBe('done');
    const status = await Promise.race([revoked, pause(1_000, 'put off')]);
    await after.commit();
    await revoked;
    expect([200, 204]).toContain(status);
  });
});

const isAlive = async (tenant: TestTenant, family: string) =>
  (await internally(tenant, getLiveFamily, family))?.facts.family?.isAlive;

test.each(['revokeAccess', 'revokeAccess of the person'])(
  'RAC-15: a sign-in that is being written at %s ends with the others',
  async (kind) => {
    const place = await aPlace();
    const id = randomUUID();
    const code = running(place.tenant, issueTokens, { family: { ...place.family, id } });
    await code.written;
    const revoked = REVOCATIONS[kind]?.(place);
    await settledOrWaiting(Promise.resolve(revoked));
    expect(await code.commit()).toBe('done');
    expect(await revoked).toBe(200);
    expect([await isAlive(place.tenant, place.family.id), await isAlive(place.tenant, id)]).toEqual([false, false]);
  },
);

test('RAC-15: an exchange that is being written while its family ends gives nothing that lives', async () => {
  const place = await aPlace();
  const { tenant, family, client } = place;
  const called = await aClientApplication(database, tenant, { scopes: ['Do'] });
  const consent = { clientId: client.servicePrincipalId, resourceAppId: called.appId, scopes: ['Do'] };
  await consentTo(database, tenant, consent);
  const [id, control] = [randomUUID(), randomUUID()];
  const child = { ...family, appId: called.appId, parentId: family.id, actor: [] };
  await internally(tenant, issueTokens, { family: { ...child, id: control } });
  expect(await isAlive(tenant, control)).toBe(true);
  const exchange = running(tenant, issueTokens, { family: { ...child, id } });
  await exchange.written;
  await endParent(place);
  expect(await exchange.commit()).toBe('done');
  expect([await isAlive(tenant, control), await isAlive(tenant, id)]).toEqual([false, false]);
});
