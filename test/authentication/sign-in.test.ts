import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { Browser, headingOf } from '../support/browser.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import {
  Authorize,
  aPerson,
  aWebApplication,
  enterPassword,
  type Person,
  signIn,
  type WebApplication,
} from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let application: WebApplication;
let alice: Person;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database);
  application = await aWebApplication(database, tenant);
  alice = await aPerson(database, server, tenant);
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

describe('signing in', () => {
  test('goes from the request over password and consent to a code and tokens', async () => {
    const { tokens, parameters } = await signIn(server, tenant, application, alice);
    expect(parameters.get('iss')).toBe(`${server.origin}/${tenant.id}/v2.0`);
    expect(tokens).toMatchObject({ token_type: 'Bearer' });
    expect(tokens.scope?.split(' ').sort()).toEqual(['User.Read', 'offline_access', 'openid', 'profile']);
  });

  test('asks neither for the password nor for consent again', async () => {
    const { browser } = await signIn(server, tenant, application, alice);
    const page = await browser.open(new Authorize(server, tenant, application).url);
    expect(page.location?.searchParams.get('code')).toBeTruthy();
  });

  test('shows who asks, and takes the wrong password for no more than a wrong one', async () => {
    const browser = new Browser(server.origin);
    const page = await browser.open(new Authorize(server, tenant, application).url);
    expect(page.text).toContain('to continue to <strong><bdi>Web App</bdi>');
    const again = await enterPassword(browser, page, { ...alice, password: 'not her password at all' });
    expect([again.status, headingOf(again)]).toEqual([400, 'Sign in']);
    expect(again.text).toContain('The username or the password is not right.');
    const rows = await asSuperuser(database, 'select error_code from sign_ins where user_id = $1 and error_code <> 0', [
      alice.id,
    ]);
    expect(rows).toEqual([{ error_code: 50126 }]);
  });
});
