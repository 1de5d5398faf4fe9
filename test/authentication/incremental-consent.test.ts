import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import {
  Authorize,
  aPerson,
  aWebApplication,
  enterPassword,
  redeem,
  signIn,
  type WebApplication,
} from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

/** An application that asks for more than it has: what is new, what was granted before, and going on with that. */
let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let application: WebApplication;

const BEFORE = 'openid profile User.Read';
const MORE = `${BEFORE} User.Read.All`;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  application = await aWebApplication(database, tenant, { name: 'HR' });
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

/** A person who consented to a part, and is now asked for more. */
async function asked(scope: string, { roles = [] }: { readonly roles?: readonly string[] } = {}) {
  const person = await aPerson(database, server, tenant, { roles });
  const { browser } = await signIn(server, tenant, application, person, { scope: BEFORE });
  const request = new Authorize(server, tenant, application, { scope });
  return { browser, person, request, page: await browser.open(request.url) };
}

const tokensOf = (page: Page, { verifier }: Authorize) =>
  redeem(server, tenant, application, {
    code: page.location?.searchParams.get('code') ?? 'none',
    code_verifier: verifier,
  });
const grantsOf = async (userId: string) =>
  (
    await asSuperuser<{ scope: string[] }>(
      database,
      'select scope from oauth2_permission_grants where tenant_id = $1 and principal_id = $2',
      [tenant.id, userId],
    )
  ).flatMap(({ scope }) => scope);

describe('incremental consent', () => {
  test('asks for what is new, and shows apart what was granted before', async () => {
    const { page } = await asked(`${BEFORE} email`);
    expect(headingOf(page)).toBe('Allow further access?');
    expect(textOf(page)).toMatch(/New .*email.*Granted before .*User\.Read/);
  });

  test.each([
    ['may allow himself', `${BEFORE} email`, 'Allow further access?'],
    ['may not allow himself', MORE, 'An administrator has to approve this'],
  ])('lets a person leave what he %s, and go on with the rest', async (_what, scope, heading) => {
    const { browser, page, person, request } = await asked(scope);
    expect(headingOf(page)).toBe(heading);
    const before = await grantsOf(person.id);
    const tokens = await tokensOf(await browser.submit(page, { decision: 'granted' }), request);
    expect(tokens.scope?.split(' ').sort()).toEqual(BEFORE.split(' ').sort());
    expect(await grantsOf(person.id)).toEqual(before);
    // It is no consent: the next request asks again.
    expect(headingOf(await browser.open(request.url))).toBe(heading);
  });

  test.each([
    ['User.Read.All', 'An administrator has to approve this'],
    ['openid User.Read', 'Allow access?'],
  ])('CON-04: goes on with nothing where nothing was granted, whatever is sent: %s', async (scope, heading) => {
    const person = await aPerson(database, server, tenant);
    const browser = new Browser(server.origin);
    const request = new Authorize(server, tenant, application, { scope });
    const page = await enterPassword(browser, await browser.open(request.url), person);
    expect(page.text).not.toContain('Continue with what is granted');
    const again = await browser.submit(page, { decision: 'granted' });
    expect([again.location, headingOf(again)]).toEqual([undefined, heading]);
    expect(await grantsOf(person.id)).toEqual([]);
  });

  test('without a page there is no such choice: it stays consent_required', async () => {
    const { browser } = await asked(MORE);
    const silent = await browser.open(new Authorize(server, tenant, application, { scope: MORE, prompt: 'none' }).url);
    expect(silent.location?.searchParams.get('error')).toBe('consent_required');
  });

  test('CON-03: what was left is not in a later refresh, until it is granted', async () => {
    const { browser, page, request } = await asked(`${MORE} offline_access`);
    const tokens = await tokensOf(await browser.submit(page, { decision: 'granted' }), request);
    expect(tokens.scope).not.toContain('User.Read.All');
    expect(tokens.refresh_token).toBeUndefined();
  });
});
