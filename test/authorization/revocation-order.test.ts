import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { grantPreAuthorized } from '../../src/authorization/internal/pre-authorization.ts';
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
import { recordConsent } from '../../src/directory/consents.ts';
import { addOwner } from '../../src/directory/owners.ts';
import type { Store } from '../../src/store/store.ts';
import type { InternalAction } from '../../src/vocabulary/actions.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import { aClientApplication, aPerson, consentTo, type TestApplication } from '../support/applications.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { appId, objectId } from '../support/ids.ts';
import { commitAll, deadlocks, type InFlight, inFlight, settledOrWaiting, waiting } from '../support/in-flight.ts';
import { asSuperuser, aTenant, aUser, operatorOf, type TestPrincipal, type TestTenant } from '../support/tenants.ts';

/**
 * Postgres lets a shared row lock pass everybody who waits for an exclusive one. Who takes one whenever he signs in, or
 * gets a token, could so put the revocation of his rights off for as long as he goes on.
 */
let database: TestDatabase;
let server: TestDirectoryServer;
let authentication: Authorization;
let signInSide: Store;
let directorySide: Store;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  authentication = database.authorization('authentication');
  signInSide = database.openStore('authentication');
  directorySide = database.openStore('directory');
});

afterEach(commitAll);

afterAll(async () => {
  expect(await deadlocks(database)).toBe(0);
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

const issuing = (tenant: TestTenant, family: TokenFamily): InFlight =>
  inFlight(signInSide, tenant, issueTokens.action, (permit) => issueTokens.run(permit, { family }));

const aCode = ({ tenant, family }: Place, of: Partial<TokenFamily> = {}) =>
  issuing(tenant, { ...family, ...of, id: randomUUID() });

const anExchange = ({ tenant, family }: Place, of: Partial<TokenFamily> = {}) =>
  issuing(tenant, { ...family, parentId: family.id, actor: [], ...of, id: randomUUID() });

/** Of an API's own right to go on: whoever calls it may, and no chain is broken. */
async function anApi({ tenant, client }: Place): Promise<TestApplication> {
  const api = await aClientApplication(database, tenant, { scopes: ['Do', 'More'] });
  const consent = { clientId: client.servicePrincipalId, resourceAppId: api.appId, scopes: ['Do'] };
  await consentTo(database, tenant, consent);
  return api;
}

type Start = () => InFlight;

/** What people have written at will: one that begins before a revocation, and one that begins after. */
const ISSUANCES: Readonly<Record<string, (place: Place) => Promise<readonly [Start, Start]>>> = {
  'a code of the same session': async (place) => twice(() => aCode(place)),
  'a code of another session': async (place) => {
    const sessions = [await aSession(place.tenant), await aSession(place.tenant)] as const;
    return [() => aCode(place, { sessionUid: sessions[0] }), () => aCode(place, { sessionUid: sessions[1] })];
  },
  'a code of another person': async (place) => {
    const people = [await aPerson(database, place.tenant), await aPerson(database, place.tenant)] as const;
    const codeOf = (userId: string) => aCode(place, { userId, sessionUid: undefined });
    return [() => codeOf(people[0]), () => codeOf(people[1])];
  },
  'an exchange': async (place) => twice(() => anExchange(place)),
  'an exchange by another application': async (place) => {
    const { appId: called } = await anApi(place);
    return twice(() => anExchange(place, { appId: called }));
  },
  'an exchange of an exchanged token': async (place) => {
    const { tenant, family } = place;
    const [{ appId: middle, servicePrincipalId: clientId }, last] = [await anApi(place), await anApi(place)];
    await consentTo(database, tenant, { clientId, resourceAppId: last.appId, scopes: ['Do'] });
    const between = { ...family, id: randomUUID(), appId: middle, parentId: family.id, actor: [] };
    await internally(tenant, issueTokens, { family: between });
    return twice(() => anExchange(place, { appId: last.appId, parentId: between.id }));
  },
  'a sign-in': async ({ tenant, person }) => {
    const [row] = await asSuperuser<{ since: number }>(
      database,
      'select extract(epoch from sign_in_sessions_valid_from)::float8 as since from users where id = $1',
      [person],
    );
    const tried = { subject: person, userId: person, sessionsValidFrom: row?.since ?? null, device: 'a device' };
    return twice(() => inFlight(signInSide, tenant, endTries.action, (permit) => endTries.run(permit, tried)));
  },
  'a consent': async (place) => {
    const apis = [await anApi(place), await anApi(place)] as const;
    return [() => aConsent(place, apis[0]), () => aConsent(place, apis[1])];
  },
  'a consent that an API does without': async (place) => {
    const [one, two] = [
      await aClientApplication(database, place.tenant),
      await aClientApplication(database, place.tenant),
    ];
    const api = await aClientApplication(database, place.tenant, { scopes: ['Do'] });
    await asSuperuser(
      database,
      `update applications set pre_authorized_applications = (select jsonb_agg(jsonb_build_object('appId', client,
        'delegatedPermissionIds', jsonb_build_array(oauth2_permission_scopes -> 0 -> 'id'))) from unnest($2::text[]) client)
        where app_id = $1`,
      [api.appId, [one.appId, two.appId]],
    );
    // The second may find the person gone.
    return [() => aPreAuthorization(place, one, api, [1]), () => aPreAuthorization(place, two, api, [0, 1])];
  },
  'an application of which he becomes an owner': async ({ tenant, person }) => {
    const [one, two] = [await aClientApplication(database, tenant), await aClientApplication(database, tenant)];
    const owner = { id: objectId(person), collection: 'users' } as const;
    const start = ({ id }: TestApplication) =>
      inFlight(directorySide, tenant, 'directory/applications/owners/update', (permit) =>
        addOwner(permit, 'Application', objectId(id), owner),
      );
    return [() => start(one), () => start(two)];
  },
};

const twice = (start: Start) => [start, start] as const;

function aPreAuthorization(
  { tenant, person }: Place,
  client: TestApplication,
  api: TestApplication,
  grants: readonly number[],
): InFlight {
  const ask = { kind: 'delegated', resource: api.appId, asked: ['Do'], via: 'authorize' } as const;
  const signIn = { appId: appId(client.appId), userId: objectId(person), asks: [ask] };
  return inFlight(signInSide, tenant, grantPreAuthorized.action, async (permit) => {
    expect(grants).toContain((await grantPreAuthorized.run(permit, signIn)).length);
  });
}

function aConsent({ tenant, client, person }: Place, { servicePrincipalId }: TestApplication): InFlight {
  const scopes = [{ resourceId: objectId(servicePrincipalId), values: ['More'] }];
  const consent = { appId: appId(client.appId), principalIds: [objectId(person)], scopes, appRoles: [] };
  return inFlight(directorySide, tenant, 'directory/oAuth2PermissionGrants/ownConsent/create', (permit) =>
    recordConsent(permit, consent),
  );
}

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
  'disabling and renaming the user': (place) => {
    const userPrincipalName = `gone-${place.person}@${place.tenant.domain}`;
    return byAdmin('PATCH', user, { accountEnabled: false, userPrincipalName })(place);
  },
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

/** Written, or too late for it; not failed for another reason, which would prove nothing. */
const SOUND =
  /^done$|: (client|session)Gone\.$|^The requested resource does not exist\.$|^There is no application of that appId/;

describe.each(Object.entries(ISSUANCES))('RAC-15: %s that begins after', (_issuance, prepare) => {
  test.each(Object.entries(REVOCATIONS))('%s does not put it off', async (_revocation, revoke) => {
    const place = await aPlace();
    const [begin, beginLater] = await prepare(place);
    const before = begin();
    await before.written;
    const revoked = revoke(place);
    await settledOrWaiting(database, revoked);
    const others = await waiting(database);
    const after = beginLater();
    await settledOrWaiting(database, after.written, others);
    expect(await before.commit()).toBe('done');
    const status = await Promise.race([revoked, pause(1_500, 'put off')]);
    expect(await after.commit()).toMatch(SOUND);
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
    expect(await isAlive(place.tenant, place.family.id)).toBe(true);
    const code = issuing(place.tenant, { ...place.family, id });
    await code.written;
    const revoked = REVOCATIONS[kind]?.(place);
    await settledOrWaiting(database, Promise.resolve(revoked));
    expect(await code.commit()).toBe('done');
    expect(await revoked).toBe(200);
    expect([await isAlive(place.tenant, place.family.id), await isAlive(place.tenant, id)]).toEqual([false, false]);
  },
);

test('RAC-15: an exchange that is being written while its family ends gives nothing that lives', async () => {
  const place = await aPlace();
  const { tenant, family } = place;
  const { appId } = await anApi(place);
  const [id, control] = [randomUUID(), randomUUID()];
  const child = { ...family, appId, parentId: family.id, actor: [] };
  await internally(tenant, issueTokens, { family: { ...child, id: control } });
  expect(await isAlive(tenant, control)).toBe(true);
  const exchange = issuing(tenant, { ...child, id });
  await exchange.written;
  await endParent(place);
  expect(await exchange.commit()).toBe('done');
  expect([await isAlive(tenant, control), await isAlive(tenant, id)]).toEqual([false, false]);
});
