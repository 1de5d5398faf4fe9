import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { Browser, Page } from 'playwright-core';
import type { Deployment } from '../support/deployment.ts';
import { fillSignIn, heading, press } from '../support/visitor.ts';
import { type AppServer, anAppServer } from './app-server.ts';
import { ALICE, CONTOSO, ENTRIES_READ, LEDGER, NEW_SPA, SPA, servedOrganizations } from './organizations.ts';
import { aBrowserFor, aGuest, ask, type Guest, leave, open, ready } from './single-page.ts';

const LIBRARY = ['@azure/msal-browser/lib/msal-browser.min.js'];
const BRIDGE = ['@azure/msal-browser/lib/redirect-bridge/msal-redirect-bridge.min.js'];

let deployment: Deployment;
let app: AppServer;
let chromium: Browser;

beforeAll(async () => {
  app = await anAppServer();
  deployment = await servedOrganizations(app.origin);
  chromium = await aBrowserFor(deployment);
  addPage('/', SPA, 'sessionStorage');
  addPage('/shared', SPA, 'localStorage');
  addPage('/new', NEW_SPA, 'sessionStorage');
  app.addPage('/bridge', BRIDGE, 'await msalRedirectBridge.broadcastResponseToMainFrame();');
}, 240_000);

afterAll(async () => {
  await chromium?.close();
  await deployment?.end();
  await app?.close();
});

/** A page as Microsoft's samples have it; MSAL's settings are an authority and the host that it may trust. */
function addPage(path: string, { appId }: { readonly appId: string }, cacheLocation: string): void {
  const at = app.origin + path;
  const settings = {
    auth: {
      ...{
        clientId: appId,
        authority: `${deployment.origin}/${CONTOSO.id}`,
        redirectUri: at,
        postLogoutRedirectUri: at,
      },
      knownAuthorities: [new URL(deployment.origin).host],
    },
    cache: { cacheLocation },
  };
  app.addPage(
    path,
    LIBRARY,
    `globalThis.application = await msal.createStandardPublicClientApplication(${JSON.stringify(settings)});
    globalThis.answer = await application.handleRedirectPromise().catch((error) => error);`,
  );
}

interface Result {
  readonly accessToken: string;
  readonly fromCache: boolean;
  readonly account: { readonly username: string; readonly tenantId: string };
}

const SCOPES = "scopes: ['User.Read']";
const USERNAMES = 'application.getAllAccounts().map(({ username }) => username)';
const silently = (more = '') =>
  `application.acquireTokenSilent({ ${SCOPES}, account: application.getAllAccounts()[0], ${more} })`;
const RENEW = silently('forceRefresh: true');
const bridge = () => `redirectUri: '${app.origin}/bridge'`;

/** Signs in with the whole page, from one that is open. */
async function signIn(page: Page, person = ALICE): Promise<void> {
  await leave(page, `application.loginRedirect({ ${SCOPES} })`);
  await fillSignIn(page, person);
  await ready(page);
}

async function signedIn(path: string): Promise<Guest> {
  const guest = await aGuest(chromium);
  await open(guest.page, app.origin + path);
  await signIn(guest.page);
  return guest;
}

/** The window that MSAL opens, and what comes of it in the page. */
async function popUp(page: Page, expression: string): Promise<[window: Page, outcome: Promise<Result>]> {
  const opened = page.waitForEvent('popup');
  const outcome = ask<Result>(page, expression);
  const window = await opened;
  return [window, outcome];
}

describe('@azure/msal-browser', () => {
  test('redirect, then silent from the cache and by refresh token', async () => {
    const { page, calls, close } = await signedIn('/');
    expect(page.url()).toBe(`${app.origin}/`);
    const answer = await ask<Result>(page, 'answer');
    expect(answer).toMatchObject({ account: { username: ALICE.username, tenantId: CONTOSO.id }, tokenType: 'Bearer' });
    expect(await ask(page, silently())).toMatchObject({ fromCache: true, accessToken: answer.accessToken });
    const tokens = new Set([answer.accessToken]);
    for (let times = 0; times < 2; times += 1) {
      const renewed = await ask<Result>(page, RENEW);
      expect(renewed).toMatchObject({ fromCache: false, account: { username: ALICE.username } });
      tokens.add(renewed.accessToken);
    }
    expect(tokens.size).toBe(3);
    expect(calls).toEqual(['authorize', 'authorization_code', 'refresh_token', 'refresh_token']);
    await close();
  });

  test('silent, a token for another resource', async () => {
    const { page, calls, context } = await signedIn('/');
    const asked = `application.acquireTokenSilent({ scopes: ['${ENTRIES_READ}'], account: application.getAllAccounts()[0] })`;
    const { accessToken } = await ask<Result>(page, asked);
    expect(decodeJwt(accessToken)).toMatchObject({ aud: LEDGER.appId, scp: 'Entries.Read' });
    expect(await ask(page, asked)).toMatchObject({ fromCache: true, accessToken });
    expect(calls).toEqual(['authorize', 'authorization_code', 'refresh_token']);
    await context.close();
  });

  test('popup by the redirect bridge, then silent by refresh token', async () => {
    const { page, calls, close } = await aGuest(chromium);
    await open(page, `${app.origin}/`);
    const [window, outcome] = await popUp(page, `application.loginPopup({ ${SCOPES}, ${bridge()} })`);
    await window.getByLabel('Username').waitFor();
    // The window is gone before its last page has loaded.
    await fillSignIn(window, ALICE).catch(() => undefined);
    expect(await outcome).toMatchObject({ account: { username: ALICE.username, tenantId: CONTOSO.id } });
    expect([window.isClosed(), page.url()]).toEqual([true, `${app.origin}/`]);
    expect(await ask(page, RENEW)).toMatchObject({ fromCache: false });
    expect(calls).toEqual(['authorize', 'authorization_code', 'refresh_token']);
    await close();
  });

  test('popup that asks her nothing, since she is signed in', async () => {
    const { page, context } = await signedIn('/');
    const [, outcome] = await popUp(page, `application.acquireTokenPopup({ ${SCOPES}, ${bridge()} })`);
    expect(await outcome).toMatchObject({ fromCache: false, account: { username: ALICE.username } });
    await context.close();
  });

  test('second tab, with the cache of the first', async () => {
    const { page, calls, context } = await signedIn('/shared');
    const second = await context.newPage();
    await open(second, `${app.origin}/shared`);
    expect(await ask(second, `(async () => ${USERNAMES})()`)).toEqual([ALICE.username]);
    expect(await ask(second, silently())).toMatchObject({ fromCache: true });
    for (const tab of [page, second, page]) expect(await ask(tab, RENEW)).toMatchObject({ fromCache: false });
    const both = await Promise.all([page, second].map((tab) => ask(tab, RENEW)));
    expect(both).toEqual([
      expect.objectContaining({ fromCache: false }),
      expect.objectContaining({ fromCache: false }),
    ]);
    for (const tab of [second, page]) expect(await ask(tab, RENEW)).toMatchObject({ fromCache: false });
    expect(calls).toEqual(['authorize', 'authorization_code', ...Array(7).fill('refresh_token')]);
    await context.close();
  });

  test('second tab, with a cache of its own: the session signs her in', async () => {
    const { context } = await signedIn('/');
    const second = await context.newPage();
    await open(second, `${app.origin}/`);
    expect(await ask(second, `(async () => ${USERNAMES})()`)).toEqual([]);
    await leave(second, `application.loginRedirect({ ${SCOPES} })`);
    await ready(second);
    expect(await ask(second, 'answer')).toMatchObject({ account: { username: ALICE.username } });
    await context.close();
  });

  test('silent in a hidden frame, without a third party’s cookies: InteractionRequiredAuthError', async () => {
    const { page, context } = await signedIn('/');
    const asked = `application.ssoSilent({ ${SCOPES}, ${bridge()}, loginHint: '${ALICE.username}' })`;
    expect(await ask(page, asked)).toMatchObject({
      ...{ thrown: 'InteractionRequiredAuthError', errorCode: 'login_required' },
    });
    await context.close();
  });

  test.each([
    ['logout that returns to the application, and ends the session', ''],
    ['logout with an ID token as the hint', 'account, idTokenHint: account.idToken'],
  ])('%s', async (_title, hints) => {
    const { page, context } = await signedIn('/');
    await page.evaluate('globalThis.account = application.getAllAccounts()[0]');
    await leave(page, `application.logoutRedirect({ ${hints} })`);
    await press(page, 'Sign out');
    await ready(page);
    const { origin, pathname } = new URL(page.url());
    expect(origin + pathname).toBe(`${app.origin}/`);
    expect(await ask(page, `(async () => ${USERNAMES})()`)).toEqual([]);
    await leave(page, `application.loginRedirect({ ${SCOPES} })`);
    expect(await heading(page)).toMatch(/^Sign in/);
    await context.close();
  });

  test('logout in a popup by the redirect bridge, which ends the session', async () => {
    const { page, complaints, context } = await signedIn('/');
    const asked = `application.logoutPopup({ postLogoutRedirectUri: '${app.origin}/bridge' })`;
    const [window, outcome] = await popUp(page, asked);
    // The bridge closes it by the state that it is given back.
    const closed = window.waitForEvent('close', { timeout: 10_000 });
    await window.getByRole('button', { name: 'Sign out' }).click();
    await Promise.all([outcome, closed]);
    expect(page.url()).toBe(`${app.origin}/`);
    expect(await ask(page, `(async () => ${USERNAMES})()`)).toEqual([]);
    expect(complaints).toEqual([]);
    await leave(page, `application.loginRedirect({ ${SCOPES} })`);
    expect(await heading(page)).toMatch(/^Sign in/);
    await context.close();
  });

  test('consent refused in a popup: ServerError access_denied', async () => {
    const { page, context } = await aGuest(chromium);
    await open(page, `${app.origin}/new`);
    const [window, outcome] = await popUp(page, `application.loginPopup({ ${SCOPES}, ${bridge()} })`);
    await window.getByLabel('Username').waitFor();
    await fillSignIn(window, ALICE);
    await press(window, 'Cancel').catch(() => undefined);
    expect(await outcome).toMatchObject({ thrown: 'ServerError', errorCode: 'access_denied' });
    await context.close();
  });

  test('consent that is an administrator’s: a page that says so, then ServerError access_denied', async () => {
    const { page, context } = await aGuest(chromium);
    await open(page, `${app.origin}/new`);
    await leave(page, "application.loginRedirect({ scopes: ['User.Read.All'] })");
    await fillSignIn(page, ALICE);
    expect(await heading(page)).toBe('An administrator has to approve this');
    await press(page, 'Back to Contoso');
    await ready(page);
    const error = await ask(page, '(async () => { throw answer; })()');
    expect(error).toMatchObject({ thrown: 'ServerError', errorCode: 'access_denied' });
    await context.close();
  });

  test('consent refused: ServerError access_denied, which the application shows', async () => {
    const { page, context } = await aGuest(chromium);
    await open(page, `${app.origin}/new`);
    await leave(page, `application.loginRedirect({ ${SCOPES} })`);
    await fillSignIn(page, ALICE);
    expect(await heading(page)).toMatch(/^Allow/);
    await press(page, 'Cancel');
    await ready(page);
    expect(new URL(page.url()).origin).toBe(app.origin);
    const error = await ask(page, '(async () => { throw answer; })()');
    expect(error).toMatchObject({ thrown: 'ServerError', errorCode: 'access_denied' });
    expect(await ask(page, `(async () => ${USERNAMES})()`)).toEqual([]);
    await context.close();
  });
});
