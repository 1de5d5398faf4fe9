import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Browser } from '../../scripts/demo-story/browser.ts';
import {
  addApplication,
  addPassword,
  patchApplication,
  removeApplication,
  removePassword,
} from '../../src/authorization/catalogue/applications.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import { parseAppId, parseObjectId } from '../../src/vocabulary/ids.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { Authorize, aPerson, type Person, type SignedIn, signIn, type WebApplication } from '../support/sign-in.ts';
import { anApplication, aTenant, operatorOf, type TestTenant } from '../support/tenants.ts';

/** One organization publishes an application, another uses it: what the first one takes back is gone in the second. */
let database: TestDatabase;
let servers: readonly TestAuthenticationServer[];
let publisher: TestTenant;
let tenant: TestTenant;
let person: Person;
let directory: Authorization;

beforeAll(async () => {
  database = await aDatabase();
  const first = await anAuthenticationServer(database);
  servers = [first, await anAuthenticationServer(database, { publicOrigin: first.origin })];
  publisher = await aTenant(database, 'Fabrikam');
  tenant = await aTenant(database, 'Contoso');
  person = await aPerson(database, first, tenant);
  directory = database.operator;
});

afterAll(async () => {
  for (const server of servers) {
    expect(server.errors).toEqual([]);
    await server.close();
  }
  await database.drop();
});

const known = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Error('not there');
  return value;
};
const home = () => operatorOf(publisher.id);
const context = { correlationId: 'publisher' };
const patch = (body: object) => directory.perform(home(), patchApplication, { id: application.id, body }, context);

let application: WebApplication;
let keyId: string;
let session: SignedIn;

beforeEach(async () => {
  const redirectUri = 'https://app.example/callback';
  const body = {
    displayName: 'Analytics',
    signInAudience: 'AzureADMultipleOrgs',
    web: { redirectUris: [redirectUri] },
  };
  const made = await directory.perform(home(), addApplication, { body }, context);
  const secret = await directory.perform(home(), addPassword, { id: made.id }, context);
  application = { id: made.id, appId: made.appId, redirectUri, secret: secret.secretText };
  keyId = secret.keyId;
  session = await signIn(known(servers[0]), tenant, application, person);
  // Both processes remember the client now.
  for (const answer of await refreshed()) expect(answer.status).toBe(200);
});

const refreshed = (secret = application.secret) =>
  Promise.all(
    servers.map(async ({ origin }) => {
      const body = new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: application.appId,
        client_secret: secret,
        refresh_token: session.tokens.refresh_token ?? '',
      });
      const response = await fetch(`${origin}/${tenant.id}/oauth2/v2.0/token`, { method: 'POST', body });
      const { error } = (await response.json()) as { error?: string };
      return { status: response.status, error };
    }),
  );
const REFUSED = [
  { status: 401, error: 'invalid_client' },
  { status: 401, error: 'invalid_client' },
];
const authorized = () =>
  Promise.all(
    servers.map(async ({ origin, publicOrigin }) => {
      const { cookies } = session.browser;
      const browser = new Browser(publicOrigin, origin);
      for (const [name, value] of cookies) browser.cookies.set(name, value);
      const { status, location } = await browser.ask(new Authorize({ origin: publicOrigin }, tenant, application).url);
      return { status, code: location?.searchParams.has('code') ?? false };
    }),
  );

describe('at once, at every process, in the organization that uses it', () => {
  test('a secret that was removed is wrong, and a new one is right', async () => {
    await directory.perform(home(), removePassword, { id: application.id, body: { keyId } }, context);
    expect(await refreshed()).toEqual(REFUSED);
    const { secretText } = await directory.perform(home(), addPassword, { id: application.id }, context);
    expect((await refreshed(secretText)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('an address that was taken back gets nobody', async () => {
    expect(await authorized()).toEqual([
      { status: 303, code: true },
      { status: 303, code: true },
    ]);
    await patch({ web: { redirectUris: ['https://elsewhere.example/callback'] } });
    expect(await authorized()).toEqual([
      { status: 400, code: false },
      { status: 400, code: false },
    ]);
  });

  test('an application that is published no longer is unknown', async () => {
    await patch({ signInAudience: 'AzureADMyOrg' });
    expect(await refreshed()).toEqual(REFUSED);
    expect((await authorized()).map(({ code }) => code)).toEqual([false, false]);
    await patch({ signInAudience: 'AzureADMultipleOrgs' });
    expect((await refreshed()).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('an application that was deleted is unknown', async () => {
    const { servicePrincipalId, appId } = await anApplication(database, publisher, ['Application.ReadWrite.All']);
    const remover = {
      kind: 'application',
      tenantId: publisher.id,
      servicePrincipalId: known(parseObjectId(servicePrincipalId)),
      appId: known(parseAppId(appId)),
      tokenId: 'a token',
      keyId: publisher.kid,
    } as const;
    await database.authorization('directory').perform(remover, removeApplication, { id: application.id }, context);
    expect(await refreshed()).toEqual(REFUSED);
    expect((await authorized()).map(({ code }) => code)).toEqual([false, false]);
  });
});
