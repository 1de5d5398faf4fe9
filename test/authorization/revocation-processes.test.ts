import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { changeTenant } from '../../src/authorization/internal/tenants.ts';
import { directoryRoleNamed } from '../../src/vocabulary/directory-roles.ts';
import { aClientApplication, addToTenant, consentTo } from '../support/applications.ts';
import { credentialsOf, post, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { lateRequests } from '../support/late-requests.ts';
import { times } from '../support/length.ts';
import {
  type Ask,
  aDaemon,
  aDelegate,
  callDirectory,
  type Daemon,
  DELEGATED_SCOPES,
  type Delegated,
  idOf,
  type Place,
  readingUser,
  signOut,
  succeeding,
} from '../support/revocable-access.ts';
import { aServerProcess, type ServerProcess } from '../support/server-processes.ts';
import { asSuperuser, aTenant, aUser, ORIGIN, operatorOf, type TestTenant } from '../support/tenants.ts';

/** Of each ask, at each of two processes. */
const TRIES = times(6, 1_000);
const CALLERS = times(2, 10);
const WARM = times(2, 20);
const CONTROLS = times(1, 4);
/** Longer than a revocation takes on a slow machine. */
const BELIEVED_MS = times(5_000, 30_000);
const PATIENCE = 10 * 60_000;

let database: TestDatabase;
/** Two that serve. What is revoked over HTTP is acknowledged by the first. */
let processes: readonly [ServerProcess, ServerProcess];
/** A build that is broken on purpose: it believes the versions that it read for a while. */
let stale: ServerProcess;
let place: Place;
/** The home of published applications, and the place of writes that go on meanwhile. */
let elsewhere: TestTenant;
let admin: string;
let homeAdmin: string;
let load: Load;

beforeAll(async () => {
  database = await aDatabase();
  const starting = [{}, {}, { believesVersionsMs: BELIEVED_MS }].map((broken) =>
    aServerProcess(database, ORIGIN, broken),
  );
  const [first, second, third] = await Promise.all(starting);
  processes = [known(first), known(second)];
  stale = known(third);
  const tenant = await aTenant(database, 'Contoso');
  place = await aPlace(tenant);
  elsewhere = await aTenant(database, 'Home');
  admin = await anAdministrator(tenant);
  homeAdmin = await anAdministrator(elsewhere);
  load = startLoad(await aDelegate(place), await aDaemon(place));
}, 60_000);

afterAll(async () => {
  const { done, refused } = await load.stop();
  await Promise.all([...processes, stale].map((each) => each.stop()));
  await database.drop();
  expect(refused).toEqual([]);
  expect(done).toBeGreaterThan(times(40, 4_000));
});

const ADMIN_SCOPES = [
  ...['User.ReadWrite.All', 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All'],
  ...['DelegatedPermissionGrant.ReadWrite.All', 'RoleManagement.ReadWrite.Directory', 'Organization.ReadWrite.All'],
];

const anAdministrator = async (tenant: TestTenant) =>
  (await aUser(database, tenant, { scopes: ADMIN_SCOPES, roles: ['Global Administrator'] })).token();

async function aPlace(tenant: TestTenant): Promise<Place> {
  return { database, tenant, bystander: (await aUser(database, tenant)).id, process: processes[0] };
}

interface Load {
  stop(): Promise<{ readonly done: number; readonly refused: readonly string[] }>;
}

/**
 * What goes on beside: tokens and reads of others in the same organization at both processes, none of which is refused
 * at any time; and writes in another one. None in the same: each would make the processes forget what they remember of it.
 */
function startLoad(delegate: Delegated, daemon: Daemon): Load {
  const refused = new Set<string>();
  let [done, running] = [0, true];
  const write: Ask = (process) =>
    changed(homeAdmin, 'PATCH', `/organization/${elsewhere.id}`, { displayName: 'Home' }, process);
  const asks = [delegate.asks.refresh, delegate.asks.directory, daemon.asks.clientCredentials, daemon.asks.directory];
  const loops = processes.flatMap((process) =>
    [...asks, write].map(async (ask) => {
      while (running) {
        await ask(process).then(
          () => (done += 1),
          // A machine under load says so, or nothing.
          (error: Error) => /503|fetch failed/.test(error.message) || refused.add(error.message),
        );
        await sleep(times(100, 0));
      }
    }),
  );
  const stop = async () => {
    running = false;
    await Promise.all(loops);
    return { done, refused: [...refused] };
  };
  return { stop };
}

/** A change by an administrator, acknowledged. */
async function changed(token: string, method: string, path: string, body?: object, process = processes[0]) {
  const content = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  let answer = await callDirectory(process, token, path, { method, ...content });
  while (answer.status === 503) answer = await callDirectory(process, token, path, { method, ...content });
  const { status, body: answered } = answer;
  if (status !== 204 && status !== 200) throw new Error(`${method} ${path}: ${status} ${answered?.error?.code}`);
}

interface Revocation {
  readonly asks: Readonly<Record<string, Ask>>;
  readonly revoke: () => Promise<unknown>;
}

const byAdmin = (method: string, path: string, body?: object) => () => changed(admin, method, path, body);

async function ofDelegate(revoke: (delegate: Delegated) => () => Promise<unknown>): Promise<Revocation> {
  const delegate = await aDelegate(place);
  return { asks: delegate.asks, revoke: revoke(delegate) };
}

async function ofDaemon(revoke: (daemon: Daemon) => () => Promise<unknown>): Promise<Revocation> {
  const daemon = await aDaemon(place);
  return { asks: daemon.asks, revoke: revoke(daemon) };
}

/** An application of another organization that acts in this one. */
async function ofGuest(revoke: (application: string) => () => Promise<unknown>): Promise<Revocation> {
  const client = await aClientApplication(database, elsewhere, { isPublished: true });
  const presence = await addToTenant(database, place.tenant, client.appId, elsewhere.id);
  const { asks } = await aDaemon(place, client, presence);
  return { asks, revoke: revoke(client.id) };
}

const byHome = (method: string, path: string, body?: object) => () => changed(homeAdmin, method, path, body);

const ofTokenEndpoint = async (
  { client }: { readonly client: { readonly appId: string; readonly secret: string } },
  token: string,
) => {
  const form = { client_id: client.appId, client_secret: client.secret, token };
  succeeding(await post(processes[0].origin, place.tenant, 'revoke', form));
};

const REVOCATIONS: Readonly<Record<string, () => Promise<Revocation>>> = {
  'a consent': async () => {
    const { asks, client } = await aDelegate(place);
    const id = await idOf(database, 'select id from oauth2_permission_grants where client_id = $1', [
      client.servicePrincipalId,
    ]);
    return { asks, revoke: byAdmin('DELETE', `/oauth2PermissionGrants/${id}`) };
  },
  'all access of an application': async () => {
    const { asks, client } = await aDelegate(place);
    return { asks, revoke: byAdmin('POST', `/servicePrincipals/${client.servicePrincipalId}/revokeAccess`, {}) };
  },
  'an assignment': async () => {
    const { asks, client } = await aDaemon(place);
    const id = await idOf(database, 'select id from app_role_assignments where service_principal_id = $1', [
      client.servicePrincipalId,
    ]);
    const { introspect: _stillKnown, ...others } = asks;
    return {
      asks: others,
      revoke: byAdmin('DELETE', `/servicePrincipals/${client.servicePrincipalId}/appRoleAssignments/${id}`),
    };
  },
  'a person’s assignment, where one is required': async () => {
    const { asks, client, person } = await aDelegate(place);
    const id = randomUUID();
    await asSuperuser(
      database,
      `with required as (update service_principals set app_role_assignment_required = true where id = $2)
       insert into app_role_assignments (tenant_id, id, principal_type, user_id, resource_id, app_role_id)
       values ($1, $4, 'User', $3, $2, '00000000-0000-0000-0000-000000000000')`,
      [place.tenant.id, client.servicePrincipalId, person, id],
    );
    return { asks, revoke: byAdmin('DELETE', `/users/${person}/appRoleAssignments/${id}`) };
  },
  'a service principal that is disabled': () =>
    ofDelegate(({ client }) =>
      byAdmin('PATCH', `/servicePrincipals/${client.servicePrincipalId}`, { accountEnabled: false }),
    ),
  'a service principal that is deleted': () =>
    ofDelegate(({ client }) => byAdmin('DELETE', `/servicePrincipals/${client.servicePrincipalId}`)),
  'a daemon’s service principal that is disabled': () =>
    ofDaemon(({ client }) =>
      byAdmin('PATCH', `/servicePrincipals/${client.servicePrincipalId}`, { accountEnabled: false }),
    ),
  'a daemon’s service principal that is deleted': () =>
    ofDaemon(({ client }) => byAdmin('DELETE', `/servicePrincipals/${client.servicePrincipalId}`)),
  'a user who is disabled': () =>
    ofDelegate(({ person }) => byAdmin('PATCH', `/users/${person}`, { accountEnabled: false })),
  'a user who is deleted': () => ofDelegate(({ person }) => byAdmin('DELETE', `/users/${person}`)),
  'a user’s sessions': () => ofDelegate(({ person }) => byAdmin('POST', `/users/${person}/revokeSignInSessions`)),
  'a session that signs out': () => ofDelegate((delegate) => () => signOut(place, delegate, processes[0])),
  'a token family': async () => {
    const delegate = await aDelegate(place);
    // The session lives on, and may begin another family.
    const { authorize: _mayGoOn, ...asks } = delegate.asks;
    return { asks, revoke: () => ofTokenEndpoint(delegate, delegate.refreshToken) };
  },
  'a token': async () => {
    const daemon = await aDaemon(place);
    const { clientCredentials: _mayGoOn, ...asks } = daemon.asks;
    return { asks, revoke: () => ofTokenEndpoint(daemon, daemon.accessToken) };
  },
  'a directory role': async () => {
    const delegate = await aDelegate(place);
    const assignment = randomUUID();
    // A guest reads nobody but himself, unless a role lets him.
    await asSuperuser(
      database,
      `with guest as (update users set user_type = 'Guest' where tenant_id = $1 and id = $4)
       insert into role_assignments (tenant_id, id, role_definition_id, user_id) values ($1, $2, $3, $4)`,
      [place.tenant.id, assignment, directoryRoleNamed('Directory Readers')?.id, delegate.person],
    );
    const refresh: Ask = async (process) => {
      const { body } = Object(await delegate.asks.refresh(process));
      if (Object(decodeJwt(body.access_token).wids).length !== 1) throw new Error('400 a token without the role');
    };
    return {
      asks: { refresh, directory: delegate.asks.directory },
      revoke: byAdmin('DELETE', `/roleManagement/directory/roleAssignments/${assignment}`),
    };
  },
  'a secret': async () => {
    const { client, asks } = await aDelegate(place);
    const { clientCredentials } = (await aDaemon(place, client)).asks;
    const { refresh, introspect } = asks;
    const keyId = await idOf(database, 'select key_id as id from password_credentials where application_id = $1', [
      client.id,
    ]);
    return {
      asks: { clientCredentials, refresh, introspect },
      revoke: byAdmin('POST', `/applications/${client.id}/removePassword`, { keyId }),
    };
  },
  'a key': async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const publicJwk = { ...(await exportJWK(publicKey)), kid: 'mine', alg: 'ES256', use: 'sig' };
    const { client } = await aDaemon(place, await aClientApplication(database, place.tenant, { keys: [publicJwk] }));
    const clientCredentials: Ask = async ({ origin }) => {
      const claims = { iss: client.appId, sub: client.appId, aud: place.tenant.issuer, jti: randomUUID() };
      const assertion = new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'mine' });
      const form = {
        ...{ grant_type: 'client_credentials', client_id: client.appId },
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion.setIssuedAt().setExpirationTime('1m').sign(privateKey),
      };
      succeeding(await post(origin, place.tenant, 'token', form));
    };
    return {
      asks: { clientCredentials },
      revoke: byAdmin('PATCH', `/applications/${client.id}`, { keyCredentials: [] }),
    };
  },
  'a family of which tokens were exchanged': async () => {
    const { tenant, process } = place;
    const middle = await aClientApplication(database, tenant, { scopes: ['Do'] });
    const delegate = await aDelegate(place);
    const clientId = delegate.client.servicePrincipalId;
    await consentTo(database, tenant, { clientId, scopes: ['Do'], resourceAppId: middle.appId });
    await consentTo(database, tenant, { clientId: middle.servicePrincipalId, scopes: DELEGATED_SCOPES });
    const scope = `api://${middle.appId}/Do`;
    const form = { ...refreshForm(delegate.client, delegate.refreshToken), scope };
    const { access_token: assertion } = succeeding(await post(process.origin, tenant, 'token', form)).body;
    const onBehalfOf = {
      ...{ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', requested_token_use: 'on_behalf_of' },
      ...{ ...credentialsOf(middle), assertion, scope: 'offline_access User.Read.All' },
    };
    const exchange = async ({ origin }: ServerProcess) => succeeding(await post(origin, tenant, 'token', onBehalfOf));
    const { access_token, refresh_token } = (await exchange(process)).body;
    const refresh: Ask = async ({ origin }) =>
      succeeding(await post(origin, tenant, 'token', refreshForm(middle, refresh_token)));
    return {
      asks: { exchange, refresh, directory: readingUser(place, access_token) },
      revoke: () => ofTokenEndpoint(delegate, delegate.refreshToken),
    };
  },
  'an application that its home deletes': () => ofGuest((id) => byHome('DELETE', `/applications/${id}`)),
  'an application that its home unpublishes': () =>
    ofGuest((id) => byHome('PATCH', `/applications/${id}`, { signInAudience: 'AzureADMyOrg' })),
  'an application that its home deactivates': () =>
    ofGuest((id) => byHome('PATCH', `/applications/${id}`, { isDisabled: true })),
  'an application that its home withdraws': () =>
    ofGuest((id) => byHome('POST', `/applications/${id}/withdraw`, { tenantId: place.tenant.id })),
  'an organization that is closed': async () => {
    const closing = await aPlace(await aTenant(database, 'Closing'));
    const [delegate, daemon] = [await aDelegate(closing), await aDaemon(closing)];
    const asks = {
      ...delegate.asks,
      clientCredentials: daemon.asks.clientCredentials,
      application: daemon.asks.directory,
    };
    const operator = database.operator;
    const revoke = () => operator.performInternal(operatorOf(closing.tenant.id), changeTenant, { isEnabled: false });
    return { asks, revoke };
  },
};

/** Each ask by its name at each process; a refusal says where it was. */
const asksAt = (served: readonly ServerProcess[], asks: Revocation['asks']) =>
  served.flatMap((process) => Object.values(asks).map((ask) => () => ask(process)));

describe(`after a revocation is acknowledged at one process, no later request succeeds at any: ${TRIES} of each`, () => {
  test.each(Object.entries(REVOCATIONS))(
    'RAC-15: %s',
    async (_name, prepare) => {
      const { asks, revoke } = await prepare();
      const all = asksAt(processes, asks);
      const race = { asks: all, revoke, tries: TRIES, callers: CALLERS, warm: WARM };
      const { before, refusals, ...late } = await lateRequests(race);
      expect(late).toEqual({ refusedBefore: [], after: all.length * TRIES, leaks: 0 });
      expect(before).toBeGreaterThanOrEqual(all.length * WARM);
      // Refused, not failed: an outage would let nobody in either.
      expect(refusals.filter((refusal) => !/^(303 (?!server_error)|40[0134] )|^not active$/.test(refusal))).toEqual([]);
    },
    PATIENCE,
  );

  test.each(
    ['a user who is disabled', 'an assignment', 'a service principal that is disabled', 'a secret'].slice(0, CONTROLS),
  )(
    'the control: %s is noticed late by a process that believes versions for a while, and that is seen',
    async (kind) => {
      const { asks, revoke } = await known(REVOCATIONS[kind])();
      const race = { asks: asksAt([stale], asks), revoke, tries: TRIES, callers: CALLERS, warm: WARM };
      expect((await lateRequests(race)).leaks).toBeGreaterThan(0);
    },
    PATIENCE,
  );
});

function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('not there');
  return value;
}
