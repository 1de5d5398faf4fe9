import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { allowInsecureRequests, buildEndSessionUrl, ClientSecretPost, discovery } from 'openid-client';
import { type Browser, headingOf } from '../../scripts/demo-story/browser.ts';
import { aClientApplication, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { credentialsOf, post, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { Authorize, aPerson, type Person, signIn } from '../support/sign-in.ts';
import { aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let second: TestAuthenticationServer;
let tenant: TestTenant;
let person: Person;
let web: TestApplication;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  second = await anAuthenticationServer(database, { publicOrigin: server.origin });
  tenant = await aTenant(database, 'Contoso');
  person = await aPerson(database, server, tenant);
  web = await aClientApplication(database, tenant);
  await consentTo(database, tenant, {
    clientId: web.servicePrincipalId,
    scopes: ['openid', 'profile', 'offline_access', 'User.Read'],
  });
});

afterAll(async () => {
  await server.close();
  await second.close();
  await database.drop();
});

const logoutUrl = (parameters: Record<string, string> = {}) =>
  `${server.origin}/${tenant.id}/oauth2/v2.0/logout?${new URLSearchParams(parameters)}`;

/** Whether the browser still has a session, at either listener. */
async function isSignedIn(browser: Browser): Promise<boolean[]> {
  const outcomes: boolean[] = [];
  for (const { origin } of [server, second]) {
    const asked = new Authorize({ origin }, tenant, web, { prompt: 'none', scope: 'openid' });
    const page = await browser.ask(asked.url);
    const code = page.location?.searchParams.get('code');
    if (!code) expect(page.location?.searchParams.get('error')).toBe('login_required');
    outcomes.push(Boolean(code));
  }
  return outcomes;
}

describe('signing out', () => {
  test('DEV-07: by a link alone only asks, with a hint or without', async () => {
    const { browser, tokens } = await signIn(server, tenant, web, person);
    for (const parameters of [{}, { id_token_hint: tokens.id_token ?? '' }, { client_id: web.appId }]) {
      const page = await browser.ask(logoutUrl(parameters));
      expect([page.status, headingOf(page)]).toEqual([200, expect.stringMatching(/sign out/i)]);
    }
    expect(await isSignedIn(browser)).toEqual([true, true]);
  });

  test('SES-08: ends the session at every process, with every family that began in it, and no other', async () => {
    const { browser, tokens } = await signIn(server, tenant, web, person);
    const elsewhere = await signIn(server, tenant, web, person);
    const stolen = new Map(browser.cookies);
    const configuration = await discovery(
      new URL(`${server.origin}/${tenant.id}/v2.0`),
      web.appId,
      undefined,
      ClientSecretPost(web.secret),
      { execute: [allowInsecureRequests] },
    );
    const url = buildEndSessionUrl(configuration, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: web.redirectUri,
      state: 'bye',
    });
    const page = await browser.submit(await browser.ask(url.href), { logout: 'yes' });
    expect(page.location?.href).toBe(`${web.redirectUri}?state=bye`);
    for (const [name, value] of stolen) browser.cookies.set(name, value);
    expect(await isSignedIn(browser)).toEqual([false, false]);
    const refreshed = await post(second.origin, tenant, 'token', refreshForm(web, tokens.refresh_token ?? ''));
    expect([refreshed.status, refreshed.body.error]).toEqual([400, 'invalid_grant']);
    const asked = await post(server.origin, tenant, 'introspect', {
      ...credentialsOf(web),
      token: tokens.access_token,
    });
    expect(asked.body).toEqual({ active: false });
    expect(await isSignedIn(elsewhere.browser)).toEqual([true, true]);
    const other = await post(server.origin, tenant, 'token', refreshForm(web, elsewhere.tokens.refresh_token ?? ''));
    expect(other.status).toBe(200);
  });

  test('RED-16: never leads to an address that the application has not registered', async () => {
    const { browser, tokens } = await signIn(server, tenant, web, person);
    const hint = tokens.id_token ?? '';
    const [head, , signature] = hint.split('.');
    const forged = `${head}.${Buffer.from(JSON.stringify({ aud: web.appId, sub: 'x' })).toString('base64url')}.${signature}`;
    const wrong = [
      { id_token_hint: hint, post_logout_redirect_uri: 'https://evil.example/' },
      { id_token_hint: hint, post_logout_redirect_uri: `${web.redirectUri}?next=evil` },
      { client_id: web.appId, post_logout_redirect_uri: 'https://evil.example/' },
      { id_token_hint: forged, post_logout_redirect_uri: web.redirectUri },
      { id_token_hint: 'nonsense' },
    ];
    for (const parameters of wrong) {
      const page = await browser.ask(logoutUrl(parameters));
      expect([parameters, page.status, page.location]).toEqual([parameters, 400, undefined]);
    }
    const bare = await browser.ask(logoutUrl({ post_logout_redirect_uri: 'https://evil.example/' }));
    const done = await browser.submit(bare, { logout: 'yes' });
    expect([done.status, done.location, done.text.includes('evil.example')]).toEqual([200, undefined, false]);
  });

  test('names no application: returns to one that the person is signed in to', async () => {
    const { browser } = await signIn(server, tenant, web, person);
    const page = await browser.ask(logoutUrl({ post_logout_redirect_uri: web.redirectUri, state: 'bye' }));
    expect([page.status, headingOf(page)]).toEqual([200, expect.stringMatching(/sign out/i)]);
    const done = await browser.submit(page, { logout: 'yes' });
    expect(done.location?.href).toBe(`${web.redirectUri}?state=bye`);
    expect(await isSignedIn(browser)).toEqual([false, false]);
  });

  test('RED-16: names no application: returns to none that the person is not signed in to', async () => {
    const other = await aClientApplication(database, tenant, { web: ['https://other.example/callback'] });
    const elsewhere = await aTenant(database, 'Fabrikam');
    const foreign = await aClientApplication(database, elsewhere, { web: ['https://foreign.example/callback'] });
    for (const uri of [other.redirectUri, foreign.redirectUri, `${web.redirectUri}/`, `${web.redirectUri}?next=evil`]) {
      const { browser } = await signIn(server, tenant, web, person);
      const page = await browser.ask(logoutUrl({ post_logout_redirect_uri: uri }));
      const done = await browser.submit(page, { logout: 'yes' });
      expect([uri, done.status, done.location]).toEqual([uri, 200, undefined]);
    }
  });

  test('works for an application with redirect URIs of every kind', async () => {
    const mixed = await aClientApplication(database, tenant, {
      web: ['https://mixed.example/callback'],
      spa: ['https://spa.mixed.example/callback'],
      native: ['com.example.mixed:/callback', 'http://127.0.0.1/callback'],
    });
    for (const uri of [
      'https://mixed.example/callback',
      'https://spa.mixed.example/callback',
      'com.example.mixed:/callback',
    ]) {
      const browser = (await signIn(server, tenant, web, person)).browser;
      const page = await browser.ask(logoutUrl({ client_id: mixed.appId, post_logout_redirect_uri: uri }));
      expect([uri, page.status]).toEqual([uri, 200]);
    }
  });

  test('sign-in through the pages says how and when the person authenticated', async () => {
    const { tokens } = await signIn(server, tenant, web, person);
    const claims = JSON.parse(Buffer.from((tokens.id_token ?? '').split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({
      amr: ['pwd'],
      acr: expect.any(String),
      auth_time: expect.any(Number),
      sid: expect.any(String),
    });
  });
});
