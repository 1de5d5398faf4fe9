import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, formsOf, headingOf, type Page } from '../../scripts/demo-story/browser.ts';
import { sessionCookieName } from '../../src/authentication/session-cookies.ts';
import { getAccount } from '../../src/authorization/internal/accounts.ts';
import { keepSession } from '../../src/authorization/internal/artifacts.ts';
import { endTries } from '../../src/authorization/internal/sign-ins.ts';
import { issueTokens } from '../../src/authorization/internal/tokens.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { type Held, holding } from '../support/faults.ts';
import {
  Authorize,
  aPerson,
  aWebApplication,
  enterPassword,
  type Person,
  redeem,
  signIn,
  type WebApplication,
} from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

/** What takes rights away commits while a request that rests on them is under way, at a listener that stops there. */
let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let application: WebApplication;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  application = await aWebApplication(database, tenant);
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

/** As a reset of the password, a disabling and `revokeSignInSessions` do it, in their own transaction. */
const endSessionsOf = ({ id }: Person) =>
  asSuperuser(
    database,
    'update users set sign_in_sessions_valid_from = clock_timestamp() where tenant_id = $1 and id = $2',
    [tenant.id, id],
  );

async function meanwhile(
  operation: object,
  request: (slow: TestAuthenticationServer) => Promise<Page>,
  between: (held: Held) => Promise<unknown>,
): Promise<Page> {
  const held = holding(database, operation);
  const slow = await anAuthenticationServer(database, {
    publicOrigin: server.origin,
    authorization: held.authorization,
  });
  const running = request(slow);
  await held.reached;
  await between(held);
  held.release();
  const page = await running;
  expect(slow.errors).toEqual([]);
  await slow.close();
  return page;
}

const through = ({ origin }: TestAuthenticationServer, { cookies }: Browser) => {
  const browser = new Browser(server.origin, origin);
  for (const [name, value] of cookies) browser.cookies.set(name, value);
  return browser;
};

describe('SES-09, RAC-15: sessions that are ended', () => {
  test('while a code is being written end what begins with it', async () => {
    const person = await aPerson(database, server, tenant);
    const { browser } = await signIn(server, tenant, application, person);
    const asked = new Authorize(server, tenant, application);
    const page = await meanwhile(
      issueTokens,
      (slow) => through(slow, browser).open(asked.url),
      () => endSessionsOf(person),
    );
    const code = page.location?.searchParams.get('code') ?? 'none';
    const tokens = await redeem(server, tenant, application, { code, code_verifier: asked.verifier });
    expect(tokens.error).toBe('invalid_grant');
  });

  test('control: without them the code is good', async () => {
    const person = await aPerson(database, server, tenant);
    const { browser } = await signIn(server, tenant, application, person);
    const asked = new Authorize(server, tenant, application);
    const page = await meanwhile(
      issueTokens,
      (slow) => through(slow, browser).open(asked.url),
      async () => {},
    );
    const code = page.location?.searchParams.get('code') ?? 'none';
    expect(await redeem(server, tenant, application, { code, code_verifier: asked.verifier })).toHaveProperty(
      'access_token',
    );
  });

  test('while the password is being verified are not begun by the password that was', async () => {
    const person = await aPerson(database, server, tenant);
    await signIn(server, tenant, application, person);
    const browser = new Browser(server.origin);
    const page = await browser.open(new Authorize(server, tenant, application).url);
    const after = await meanwhile(
      endTries,
      (slow) => enterPassword(through(slow, browser), page, person),
      async () => {
        await endSessionsOf(person);
        // In another second than the one in which the password was verified.
        await pause(1_100);
      },
    );
    expect([headingOf(after), after.location]).toEqual(['Sign in', undefined]);
  });

  test('of a person who is deleted while her session is being looked up begin nothing: she is asked to sign in', async () => {
    for (const prompt of ['', 'none']) {
      const person = await aPerson(database, server, tenant);
      const { browser } = await signIn(server, tenant, application, person);
      const asked = new Authorize(server, tenant, application, prompt ? { prompt } : {});
      const page = await meanwhile(
        getAccount,
        (slow) => through(slow, browser).open(asked.url),
        () => asSuperuser(database, 'delete from users where tenant_id = $1 and id = $2', [tenant.id, person.id]),
      );
      if (prompt) expect(page.location?.searchParams.get('error')).toBe('login_required');
      else expect([page.status, page.location]).toEqual([400, undefined]);
      expect(headingOf(await browser.open(asked.url))).toBe(prompt ? '' : 'Sign in');
    }
  });

  test('within the second in which they began end all the same', async () => {
    const person = await aPerson(database, server, tenant);
    let began: number;
    let browser: Browser;
    do {
      await pause(1_000 - (Date.now() % 1_000));
      began = Math.floor(Date.now() / 1_000);
      await endSessionsOf(person);
      ({ browser } = await signIn(server, tenant, application, person));
      expect(headingOf(await browser.open(`/${tenant.id}/account`))).toBe('My account');
      await endSessionsOf(person);
    } while (Math.floor(Date.now() / 1_000) !== began);
    expect(headingOf(await browser.open(`/${tenant.id}/account`))).toBe('Sign in');
  });
});

describe('SES-08: a browser that signs out', () => {
  const SIGN_OUTS = {
    'on the account page': async (browser: Browser) => {
      const page = await browser.open(`/${tenant.id}/account`);
      const form = formsOf(page).findIndex(({ action }) => action.endsWith('/sign-out'));
      return browser.submit(page, {}, form);
    },
    'for an application': async (browser: Browser) => {
      const page = await browser.open(`/${tenant.id}/oauth2/v2.0/logout`);
      return browser.submit(page, { logout: 'yes' });
    },
  };

  test.each(Object.entries(SIGN_OUTS))(
    '%s while a code is being written, ends what begins with it',
    async (_where, signOut) => {
      const person = await aPerson(database, server, tenant);
      const { browser } = await signIn(server, tenant, application, person);
      const asked = new Authorize(server, tenant, application);
      const page = await meanwhile(
        issueTokens,
        (slow) => through(slow, browser).open(asked.url),
        async () => {
          expect(headingOf(await signOut(browser))).toMatch(/signed out/i);
        },
      );
      const code = page.location?.searchParams.get('code') ?? 'none';
      const tokens = await redeem(server, tenant, application, { code, code_verifier: asked.verifier });
      expect(tokens.error).toBe('invalid_grant');
    },
  );

  test.each(Object.entries(SIGN_OUTS))(
    '%s while its session is being saved, is signed out',
    async (_where, signOut) => {
      const person = await aPerson(database, server, tenant);
      const { browser } = await signIn(server, tenant, application, person);
      let late: Browser | undefined;
      await meanwhile(
        keepSession,
        (slow) => {
          late = through(slow, browser);
          return late.open(new Authorize(server, tenant, application).url);
        },
        async () => {
          expect(headingOf(await signOut(browser))).toMatch(/signed out/i);
        },
      );
      // The cookies of the interaction it may have; the session's would tell the browser to keep what is over.
      expect(late?.setCookies.filter((line) => line.startsWith(sessionCookieName(tenant.id, false)))).toEqual([]);
      const again = through(server, late ?? browser);
      expect(headingOf(await again.open(`/${tenant.id}/account`))).toBe('Sign in');
    },
  );
});
