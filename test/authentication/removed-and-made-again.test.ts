import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, headingOf } from '../../scripts/demo-story/browser.ts';
import { addServicePrincipal, removeServicePrincipal } from '../../src/authorization/catalogue/service-principals.ts';
import { removeUser } from '../../src/authorization/catalogue/users.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import { parseAppId, parseObjectId } from '../../src/vocabulary/ids.ts';
import type { ApplicationPrincipal } from '../../src/vocabulary/principals.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import {
  Authorize,
  aPerson,
  aWebApplication,
  enterPassword,
  redeem,
  type SignedIn,
  signIn,
  type WebApplication,
} from '../support/sign-in.ts';
import { anApplication, asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

/** API-17, as far as nothing is kept of what is deleted: what is made again under the same name is something else. */
let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let directory: Authorization;
let admin: ApplicationPrincipal;

const known = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Error('not there');
  return value;
};

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  directory = database.authorization('directory');
  const { servicePrincipalId, appId } = await anApplication(database, tenant, [
    'User.ReadWrite.All',
    'Application.ReadWrite.All',
  ]);
  admin = {
    kind: 'application',
    tenantId: tenant.id,
    servicePrincipalId: known(parseObjectId(servicePrincipalId)),
    appId: known(parseAppId(appId)),
    tokenId: 'a token',
    keyId: tenant.kid,
  };
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const context = { correlationId: 'made-again' };

/** Everything by which somebody who had access might have it still. */
async function whatIsLeft(application: WebApplication, { browser, tokens }: SignedIn) {
  const { access_token, refresh_token = '' } = tokens;
  const refreshed = await redeem(server, tenant, application, { grant_type: 'refresh_token', refresh_token });
  const userinfo = await fetch(`${server.origin}/${tenant.id}/oidc/userinfo`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  const active = async (token: string) => {
    const body = new URLSearchParams({ client_id: application.appId, client_secret: application.secret, token });
    const answer = await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/introspect`, { method: 'POST', body });
    return ((await answer.json()) as { active?: boolean }).active;
  };
  return {
    refresh: refreshed.error,
    userinfo: userinfo.status,
    active: [await active(access_token), await active(refresh_token)],
    page: headingOf(await browser.open(`/${tenant.id}/account`)),
  };
}

describe('API-17: a user who was deleted', () => {
  test('has nothing left, and who gets his name inherits nothing', async () => {
    const application = await aWebApplication(database, tenant);
    const former = await aPerson(database, server, tenant, { roles: ['Global Administrator'] });
    const session = await signIn(server, tenant, application, former);
    await asSuperuser(database, 'delete from role_assignments where user_id = $1', [former.id]);
    for (let tries = 0; tries < 11; tries += 1) {
      const strange = new Browser(server.origin);
      const page = await strange.open(new Authorize(server, tenant, application).url);
      await enterPassword(strange, page, { ...former, password: 'not this one' });
    }
    await directory.perform(admin, removeUser, { id: former.id }, context);
    const nothing = { refresh: 'invalid_grant', userinfo: 401, active: [false, false], page: 'Sign in' };
    expect(await whatIsLeft(application, session)).toEqual(nothing);

    const heir = await aPerson(database, server, tenant, { password: 'orchard bicycle thunder 55' });
    await asSuperuser(database, 'update users set user_principal_name = $2 where id = $1', [heir.id, former.username]);
    expect(await whatIsLeft(application, session)).toEqual(nothing);
    const refused = await session.browser.open(new Authorize(server, tenant, application).url);
    expect(headingOf(await enterPassword(session.browser, refused, former))).toBe('Sign in');
    // Not slowed down by the tries for his predecessor, and asked for consent himself.
    const browser = new Browser(server.origin);
    const page = await browser.open(new Authorize(server, tenant, application).url);
    const asked = await enterPassword(browser, page, { ...heir, username: former.username });
    expect(headingOf(asked)).toBe('Allow access?');
    const { length } = await asSuperuser(database, 'select from role_assignments where user_id = $1', [heir.id]);
    expect(length).toBe(0);
  });
});

describe('API-17: an application that was removed from the organization', () => {
  test('has nothing left, and is granted nothing when it is added again', async () => {
    const application = await aWebApplication(database, tenant);
    const person = await aPerson(database, server, tenant);
    const session = await signIn(server, tenant, application, person);
    const [row] = await asSuperuser<{ id: string }>(database, 'select id from service_principals where app_id = $1', [
      application.appId,
    ]);
    await directory.perform(admin, removeServicePrincipal, { id: known(row).id }, context);
    const gone = { refresh: 'invalid_grant', userinfo: 401, active: [false, false], page: 'My account' };
    expect(await whatIsLeft(application, session)).toEqual(gone);
    await directory.perform(admin, addServicePrincipal, { body: { appId: application.appId } }, context);
    expect(await whatIsLeft(application, session)).toEqual(gone);
    const page = await session.browser.open(new Authorize(server, tenant, application).url);
    expect(headingOf(page)).toBe('Allow access?');
  });
});
