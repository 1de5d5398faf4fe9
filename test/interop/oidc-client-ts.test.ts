import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Deployment } from '../support/deployment.ts';
import { fillSignIn, heading, press } from '../support/visitor.ts';
import { type AppServer, anAppServer } from './app-server.ts';
import { ALICE, CONTOSO, NEW_SPA, SPA, servedOrganizations } from './organizations.ts';
import { aBrowserFor, aGuest, ask, type Guest, leave, open, ready } from './single-page.ts';

const LIBRARY = ['oidc-client-ts/dist/browser/oidc-client-ts.min.js'];

let deployment: Deployment;
let app: AppServer;
let chromium: Browser;

beforeAll(async () => {
  app = await anAppServer();
  deployment = await servedOrganizations(app.origin);
  chromium = await aBrowserFor(deployment);
  addPage('/', SPA, 'openid profile email offline_access');
  addPage('/shared', SPA, 'openid profile');
  addPage('/new', NEW_SPA, 'openid profile');
  addPage('/bridge', SPA, 'openid profile');
}, 240_000);

afterAll(async () => {
  await chromium?.close();
  await deployment?.end();
  await app?.close();
});

/** A page with the library's defaults: an authority, and where it calls back. */
function addPage(path: string, { appId }: { readonly appId: string }, scope: string): void {
  const at = app.origin + path;
  const settings = {
    ...{ authority: `${deployment.origin}/${CONTOSO.id}/v2.0`, client_id: appId, scope, loadUserInfo: true },
    ...{ redirect_uri: at, post_logout_redirect_uri: at, silent_redirect_uri: `${app.origin}/bridge` },
  };
  app.addPage(
    path,
    LIBRARY,
    `globalThis.users = new oidc.UserManager(${JSON.stringify(settings)});
    const isCalledBack = /[?&](code|error)=/.test(location.search);
    const isSignedOut = !isCalledBack && location.search.includes('state=');
    const came = isCalledBack ? users.signinCallback() : isSignedOut ? users.signoutCallback() : users.getUser();
    globalThis.answer = await came.then((answer) => answer ?? null, (error) => error);`,
  );
}

interface User {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly profile: Readonly<Record<string, unknown>>;
}

async function signedIn(path: string): Promise<Guest> {
  const guest = await aGuest(chromium);
  await open(guest.page, app.origin + path);
  await leave(guest.page, 'users.signinRedirect()');
  await fillSignIn(guest.page, ALICE);
  await ready(guest.page);
  return guest;
}

describe('oidc-client-ts', () => {
  test('sign-in by redirect with userinfo, then silent by refresh token', async () => {
    const { page, calls, close } = await signedIn('/');
    const user = await ask<User>(page, 'answer');
    expect(user.profile).toMatchObject({ name: 'Alice Moreau', preferred_username: ALICE.username });
    let last = user;
    for (let times = 0; times < 2; times += 1) {
      const renewed = await ask<User>(page, 'users.signinSilent()');
      expect(renewed).toMatchObject({ profile: { sub: user.profile.sub } });
      expect([renewed.access_token, renewed.refresh_token]).not.toContain(last.access_token);
      expect(renewed.refresh_token).not.toBe(last.refresh_token);
      last = renewed;
    }
    expect(calls).toEqual(['authorize', 'authorization_code', 'refresh_token', 'refresh_token']);
    await close();
  });

  test('sign-in by popup, which answers its opener', async () => {
    const { page, close } = await aGuest(chromium);
    await open(page, `${app.origin}/`);
    const opened = page.waitForEvent('popup');
    const outcome = ask<User>(page, 'users.signinPopup()');
    const window = await opened;
    await window.getByLabel('Username').waitFor();
    // A window that has lost its opener has no other way to answer in many libraries.
    expect(await window.evaluate('opener !== null')).toBe(true);
    // The window is gone before its last page has loaded.
    await fillSignIn(window, ALICE).catch(() => undefined);
    expect(await outcome).toMatchObject({ profile: { preferred_username: ALICE.username } });
    expect([window.isClosed(), page.url()]).toEqual([true, `${app.origin}/`]);
    await close();
  });

  test('silent in a hidden frame, without a third party’s cookies: ErrorResponse login_required', async () => {
    const { page, context } = await signedIn('/shared');
    expect((await ask<User>(page, 'answer')).refresh_token).toBeUndefined();
    const refused = await ask(page, 'users.signinSilent()');
    expect(refused).toMatchObject({ thrown: 'ErrorResponse', error: 'login_required' });
    await context.close();
  });

  test('revocation of its tokens: ErrorResponse invalid_grant from then on', async () => {
    const { page, context } = await signedIn('/');
    const kept = await ask<User>(page, 'answer');
    expect(await ask(page, "users.revokeTokens(['refresh_token']).then(() => 'revoked')")).toBe('revoked');
    const again = `users.getUser().then((user) => users.storeUser(Object.assign(user, { refresh_token: '${kept.refresh_token}' })))`;
    expect(await ask(page, `${again}.then(() => users.signinSilent())`)).toMatchObject({
      ...{ thrown: 'ErrorResponse', error: 'invalid_grant' },
    });
    await context.close();
  });

  test('signout that returns to the application, and ends the session', async () => {
    const { page, context } = await signedIn('/');
    await leave(page, 'users.signoutRedirect()');
    await press(page, 'Sign out');
    await ready(page);
    expect(new URL(page.url()).origin).toBe(app.origin);
    expect(await ask(page, 'users.getUser()')).toBeNull();
    await leave(page, 'users.signinRedirect()');
    expect(await heading(page)).toMatch(/^Sign in/);
    await context.close();
  });

  test('consent refused: ErrorResponse access_denied, which the application shows', async () => {
    const { page, context } = await aGuest(chromium);
    await open(page, `${app.origin}/new`);
    await leave(page, 'users.signinRedirect()');
    await fillSignIn(page, ALICE);
    expect(await heading(page)).toMatch(/^Allow/);
    await press(page, 'Cancel');
    await ready(page);
    const error = await ask(page, '(async () => { throw answer; })()');
    expect(error).toMatchObject({ thrown: 'ErrorResponse', error: 'access_denied' });
    expect(await ask(page, 'users.getUser()')).toBeNull();
    await context.close();
  });
});
