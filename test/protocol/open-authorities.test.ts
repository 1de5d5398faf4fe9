import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import type { Answer } from '../support/answer.ts';
import { aClientApplication, addToTenant, aPerson, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import {
  aSignedInBrowser,
  authorize,
  Browser,
  credentialsOf,
  post,
  redeemForm,
  refreshForm,
} from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

const SCOPES = ['openid', 'profile', 'offline_access', 'User.Read'];
const ORGANIZATIONS = { id: 'organizations' as TestTenant['id'] };
const COMMON = { id: 'common' as TestTenant['id'] };
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let database: TestDatabase;
let server: TestAuthenticationServer;
let contoso: TestTenant;
let fabrikam: TestTenant;
let closed: TestTenant;
/** Of fabrikam, for everybody; contoso has consented, and fabrikam too. */
let shared: TestApplication;
let sharedAtContoso: string;
let alice: string;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  contoso = await aTenant(database, 'Contoso');
  fabrikam = await aTenant(database, 'Fabrikam');
  closed = await aTenant(database, 'Closed');
  await asSuperuser(database, 'update tenants set is_enabled = false where id = $1', [closed.id]);
  const key = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'a-key', alg: 'ES256', use: 'sig' };
  shared = await aClientApplication(database, fabrikam, { name: 'Fabrikam Notes', isPublished: true, keys: [key] });
  await consentTo(database, fabrikam, { clientId: shared.servicePrincipalId, scopes: SCOPES });
  sharedAtContoso = await addToTenant(database, contoso, shared.appId, fabrikam.id);
  await consentTo(database, contoso, { clientId: sharedAtContoso, scopes: SCOPES });
  alice = await aPerson(database, contoso, 'alice');
  const zed = await aPerson(database, contoso, 'zed');
  await asSuperuser(database, 'update users set user_principal_name = $2 where id = $1', [
    zed,
    'zed@unverified.example',
  ]);
}, 60_000);

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

/** What every application of the tests asks, as MSAL would. */
function asked(client: Pick<TestApplication, 'appId' | 'redirectUri'> = shared, more: Record<string, string> = {}) {
  return {
    client_id: client.appId,
    response_type: 'code',
    redirect_uri: client.redirectUri,
    scope: SCOPES.join(' '),
    state: 'a state+with/signs=&%20',
    nonce: 'a-nonce',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    client_info: '1',
    ...more,
  };
}

const addressOf = (parameters: Record<string, string>, path = 'organizations/oauth2/v2.0/authorize') =>
  `${server.origin}/${path}?${new URLSearchParams(parameters)}`;

const open = (parameters: Record<string, string>, browser = new Browser()) => browser.ask(addressOf(parameters));

/** Where an answer leads, and with what. */
function destinationOf({ status, headers, text }: Answer) {
  const location = headers.get('location');
  if (location === null) throw new Error(`${status} leads nowhere: ${text}`);
  const url = new URL(location, server.origin);
  return { status, location, path: url.pathname, parameters: Object.fromEntries(url.searchParams) };
}

/** Fills the page in as a browser does, with every field that stands on it. */
async function answerPage(page: Answer, fields: Record<string, string>, headers: Record<string, string> = {}) {
  const action = unescaped(/<form method="post" action="([^"]*)"/.exec(page.text)?.[1] ?? '');
  const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
  return new Browser().ask(new URL(action, server.origin).href, {
    method: 'POST',
    body: new URLSearchParams({ csrf, decision: 'accept', ...fields }),
    headers: { origin: server.origin, 'sec-fetch-site': 'same-origin', ...headers },
  });
}

const unescaped = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"');

const headingOf = ({ text }: Answer) => /<h1>([^<]*)<\/h1>/.exec(text)?.[1];

/** Signs a person in at a tenant, as the home-realm page would go on, and hands the code to an authority's endpoint. */
async function codeOf(tenant: TestTenant, userId: string, client = shared) {
  return authorize(server.origin, tenant, client, await aSignedInBrowser(database, tenant, userId));
}

async function tokensOf(tenant: TestTenant, userId: string, client = shared) {
  const answer = await post(
    server.origin,
    ORGANIZATIONS,
    'token',
    redeemForm(client, await codeOf(tenant, userId, client)),
  );
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.body;
}

const hintOf = ({ id }: TestTenant) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
const outcomeOf = ({ status, body }: Answer) => [status, body.error, body.error_codes?.[0]];

/** A JWT that says to be of another tenant, under the signature of its own. */
function withTenant(token: string, tid: string): string {
  const [header, , signature] = token.split('.');
  const claims = Buffer.from(JSON.stringify({ ...decodeJwt(token), tid })).toString('base64url');
  return `${header}.${claims}.${signature}`;
}

describe('metadata of an open authority', () => {
  test.each([
    ['common', '/common/v2.0/.well-known/openid-configuration'],
    ['organizations', '/ORGANIZATIONS/v2.0/.well-known/openid-configuration'],
    ['organizations', '/.well-known/oauth-authorization-server/organizations/v2.0'],
  ])('of %s names its own endpoints, and a template for what is each organization’s: %s', async (name, path) => {
    const response = await fetch(`${server.origin}${path}`);
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    const base = `${server.origin}/${name}`;
    const metadata = await response.json();
    expect(metadata).toMatchObject({
      issuer: `${server.origin}/{tenantid}/v2.0`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      userinfo_endpoint: `${base}/oidc/userinfo`,
      jwks_uri: `${server.origin}/{tenantid}/discovery/v2.0/keys`,
    });
    expect(metadata).not.toHaveProperty('device_authorization_endpoint');
    expect(metadata).toHaveProperty('grant_types_supported', expect.not.arrayContaining(['client_credentials']));
  });

  test('is refused by a client that compares issuers exactly', async () => {
    const discover = oidc.discovery(
      new URL(`${server.origin}/organizations/v2.0`),
      shared.appId,
      undefined,
      undefined,
      {
        execute: [oidc.allowInsecureRequests],
      },
    );
    await expect(discover).rejects.toMatchObject({ code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED' });
  });

  test('has keys where the token’s tid stands in place of the template, and nowhere else', async () => {
    const { id_token } = await tokensOf(contoso, alice);
    const { jwks_uri } = (await (
      await fetch(`${server.origin}/common/v2.0/.well-known/openid-configuration`)
    ).json()) as { jwks_uri: string };
    const { tid } = decodeJwt(id_token);
    const own = await fetch(jwks_uri.replace('{tenantid}', String(tid)));
    const { payload } = await jwtVerify(id_token, createLocalJWKSet((await own.json()) as JSONWebKeySet));
    expect(payload.iss).toBe(`${server.origin}/${contoso.id}/v2.0`);
    for (const address of [jwks_uri, `${server.origin}/common/discovery/v2.0/keys`]) {
      const answer = await fetch(address);
      expect([answer.status, await answer.json()]).toMatchObject([400, { error_codes: [90002] }]);
    }
  });

  test('can be asked for the instance: this host, and no other', async () => {
    const ask = async (endpoint: string) => {
      const query = new URLSearchParams({ 'api-version': '1.1', authorization_endpoint: endpoint });
      const response = await fetch(`${server.origin}/common/discovery/instance?${query}`);
      return { status: response.status, body: await response.json() };
    };
    const { host } = new URL(server.origin);
    expect(await ask(`http://localhost/${contoso.id}/oauth2/v2.0/authorize`)).toMatchObject({
      status: 200,
      body: {
        tenant_discovery_endpoint: `${server.origin}/${contoso.id}/v2.0/.well-known/openid-configuration`,
        metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
      },
    });
    const evil = [
      `https://localhost.evil.example/common/oauth2/v2.0/authorize`,
      'https://evil.example@localhost.evil',
      '',
    ];
    for (const endpoint of evil)
      expect(await ask(endpoint)).toMatchObject({ status: 400, body: { error: 'invalid_instance' } });
  });

  test.each([
    '/consumers/v2.0/.well-known/openid-configuration',
    '/Consumers/oauth2/v2.0/authorize',
    '/consumers/oauth2/v2.0/token',
  ])('is none for personal accounts, in words: %s', async (path) => {
    const answer = await fetch(`${server.origin}${path}`, { method: path.endsWith('token') ? 'POST' : 'GET' });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      {
        error: 'invalid_request',
        error_codes: [9002332],
        error_description: expect.stringContaining('no personal accounts'),
      },
    ]);
    const page = await new Browser().ask(`${server.origin}/consumers/oauth2/v2.0/authorize`);
    expect([page.status, headingOf(page)]).toEqual([400, 'Personal accounts can not be used here']);
  });

  test.each(['account', 'admin', 'device', 'oauth2/v2.0/authorize/abc', 'interaction/abcdefghijklmnopqrstuvwx'])(
    'has no page that is an organization’s own: %s',
    async (path) => {
      const answer = await fetch(`${server.origin}/organizations/${path}`);
      expect([answer.status, await answer.json()]).toMatchObject([400, { error_codes: [90002] }]);
    },
  );
});

describe('the home-realm page', () => {
  test('asks for the username, and goes on at that organization with all that was asked', async () => {
    const page = await open(asked());
    expect([page.status, headingOf(page)]).toEqual([200, 'Sign in']);
    expect(page.text).toContain('Fabrikam Notes');
    expect(page.text).not.toContain('type="password"');
    expect(page.headers.get('set-cookie')).toBeNull();
    const went = destinationOf(await answerPage(page, { username: `  alice@${contoso.domain.toUpperCase()} ` }));
    expect(went).toMatchObject({ status: 303, path: `/${contoso.id}/oauth2/v2.0/authorize` });
    expect(went.parameters).toEqual({ ...asked(), login_hint: `alice@${contoso.domain.toUpperCase()}` });
  });

  test('asks who is signed in there already whether that is who he has just named', async () => {
    const page = await open(asked());
    const cookie = `bailiwick-session-${contoso.id}=abc`;
    const went = destinationOf(await answerPage(page, { username: `bob@${contoso.domain}` }, { cookie }));
    expect(went.parameters).toEqual({ ...asked(), login_hint: `bob@${contoso.domain}`, prompt: 'select_account' });
    const there = await aSignedInBrowser(database, contoso, alice);
    const asks = await there.ask(`${server.origin}${went.location}`);
    const question = await there.ask(new URL(asks.headers.get('location') ?? '', server.origin).href);
    expect(headingOf(question)).toBe('Is this the right account?');
  });

  test.each<[string, () => Record<string, string>, () => TestTenant]>([
    ['login_hint', () => ({ login_hint: `alice@${contoso.domain}` }), () => contoso],
    ['domain_hint', () => ({ domain_hint: contoso.domain }), () => contoso],
    [
      'both, of a guest',
      () => ({ login_hint: `alice@${contoso.domain}`, domain_hint: fabrikam.domain }),
      () => fabrikam,
    ],
    [
      'a general domain_hint',
      () => ({ login_hint: `a@${contoso.domain}`, domain_hint: 'organizations' }),
      () => contoso,
    ],
  ])('is left out where a hint says as much: %s', async (_name, hint, tenant) => {
    const parameters = asked(shared, hint());
    const went = destinationOf(await open(parameters));
    expect(went).toMatchObject({ status: 303, path: `/${tenant().id}/oauth2/v2.0/authorize`, parameters });
  });

  test('is left out for an id_token_hint, which that organization then checks', async () => {
    const { id_token } = await tokensOf(contoso, alice);
    const parameters = asked(shared, { id_token_hint: id_token });
    expect(destinationOf(await open(parameters))).toMatchObject({
      path: `/${contoso.id}/oauth2/v2.0/authorize`,
      parameters,
    });
  });

  test('is shown to an application’s own POST too, which asks the same as its GET', async () => {
    const parameters = asked();
    const submit = (more: Record<string, string>) =>
      new Browser().ask(`${server.origin}/common/oauth2/v2.0/authorize?ui_locales=en`, {
        method: 'POST',
        body: new URLSearchParams({ ...parameters, ...more }),
        headers: { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
      });
    const page = await submit({});
    expect([page.status, headingOf(page)]).toEqual([200, 'Sign in']);
    const went = destinationOf(await answerPage(page, { username: `alice@${contoso.domain}` }));
    expect(went.parameters).toEqual({ ...parameters, ui_locales: 'en', login_hint: `alice@${contoso.domain}` });
    const hinted = destinationOf(await submit({ domain_hint: contoso.domain }));
    expect(hinted.parameters).toEqual({ ...parameters, ui_locales: 'en', domain_hint: contoso.domain });
  });

  test('leads on to the sign-in of that organization, and its code has that organization’s own issuer (mix-up)', async () => {
    const browser = await aSignedInBrowser(database, contoso, alice);
    const first = destinationOf(await open(asked(shared, { domain_hint: contoso.domain }), browser));
    const back = destinationOf(await browser.ask(`${server.origin}${first.location}`));
    expect(back.location.startsWith(`${shared.redirectUri}?`)).toBe(true);
    expect(back.parameters).toMatchObject({
      iss: `${server.origin}/${contoso.id}/v2.0`,
      state: asked().state,
      code: expect.stringMatching(new RegExp(`^${hintOf(contoso)}\\.`)),
    });
  });

  test('does not replace consent: where the organization has not consented, it asks', async () => {
    const other = await aTenant(database, 'Northwind');
    const carol = await aPerson(database, other, 'carol');
    const browser = await aSignedInBrowser(database, other, carol);
    const first = destinationOf(await open(asked(shared, { domain_hint: other.domain }), browser));
    const next = destinationOf(await browser.ask(`${server.origin}${first.location}`));
    expect(next.path).toMatch(new RegExp(`^/${other.id}/interaction/`));
    expect(next.parameters).toEqual({});
  });

  test.each([
    ['', 'Enter your username.'],
    ['alice', 'Enter your whole username'],
    ['@contoso.example', 'Enter your whole username'],
  ])('asks again where the answer names no domain: "%s"', async (username, words) => {
    const page = await answerPage(await open(asked()), { username });
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    expect(page.text).toContain(words);
  });

  test('goes back to the application that somebody does not want to go on with', async () => {
    for (const [mode, separator] of [
      ['query', '?'],
      ['fragment', '#'],
    ] as const) {
      const page = await open(asked(shared, { response_mode: mode }));
      const { location } = destinationOf(await answerPage(page, { username: '', decision: 'cancel' }));
      const [uri, answer] = location.split(separator);
      expect(uri).toBe(shared.redirectUri);
      expect(Object.fromEntries(new URLSearchParams(answer))).toEqual({
        error: 'access_denied',
        error_description: expect.stringContaining('AADSTS65004'),
        state: asked().state,
        iss: `${server.origin}/{tenantid}/v2.0`,
      });
    }
    expect((await open(asked(shared, { response_mode: 'form_post' }))).text).not.toContain('value="cancel"');
  });

  test('is never shown where nobody may be asked: the one session of the browser decides, or login_required', async () => {
    const silent = asked(shared, { prompt: 'none' });
    expect(destinationOf(await open(silent)).parameters).toMatchObject({
      error: 'login_required',
      state: silent.state,
    });
    const one = await aSignedInBrowser(database, contoso, alice);
    const went = destinationOf(await open(silent, one));
    expect(went).toMatchObject({ path: `/${contoso.id}/oauth2/v2.0/authorize`, parameters: silent });
    one.cookies.set(`bailiwick-session-${fabrikam.id}`, 'another');
    expect(destinationOf(await open(silent, one)).parameters).toMatchObject({ error: 'login_required' });
    const form = await open({ ...silent, response_mode: 'form_post' });
    expect([form.status, form.headers.get('location')]).toEqual([400, null]);
  });

  test('lets a native application listen on any port of the loopback, and nowhere else', async () => {
    const native = await aClientApplication(database, fabrikam, {
      ...{ native: ['http://localhost', 'http://127.0.0.1/back'], isConfidential: false, isPublished: true },
    });
    const shown = async (redirect_uri: string) => (await open(asked(native, { redirect_uri }))).status;
    expect(await shown('http://localhost:51234')).toBe(200);
    expect(await shown('http://127.0.0.1:51234/back')).toBe(200);
    for (const uri of [
      'http://localhost:51234/other',
      'http://localhost.evil.example',
      'http://evil@localhost:1/x',
      'https://localhost',
    ])
      expect([uri, await shown(uri)]).toEqual([uri, 400]);
  });

  test('asks for whom an application wants admin consent, and goes on there', async () => {
    const parameters = { client_id: shared.appId, scope: 'User.Read', redirect_uri: shared.redirectUri, state: 's' };
    const page = await new Browser().ask(addressOf(parameters, 'organizations/v2.0/adminconsent'));
    expect(headingOf(page)).toBe('Sign in');
    const went = destinationOf(await answerPage(page, { username: `admin@${contoso.domain}` }));
    expect(went).toMatchObject({ path: `/${contoso.id}/v2.0/adminconsent`, parameters });
    const evil = { ...parameters, redirect_uri: 'https://evil.example/' };
    const refused = await new Browser().ask(addressOf(evil, 'common/v2.0/adminconsent'));
    expect([refused.status, refused.headers.get('location')]).toEqual([400, null]);
  });
});

describe('attacks on the home-realm page', () => {
  test('TEN-22: nobody but an application for several organizations gets it, and nobody is sent to an address that is not registered', async () => {
    const single = await aClientApplication(database, contoso, { name: 'Contoso Payroll' });
    const refused: readonly (readonly [string, Record<string, string>, number])[] = [
      ['an unknown application', asked({ ...shared, appId: randomUUID() }), 50194],
      ['no application', asked({ ...shared, appId: '' }), 50194],
      ['no GUID', asked({ ...shared, appId: "x' or 1=1" }), 50194],
      ['one for its own organization alone', asked(single), 50194],
      ['the same, with the tenant in a hint', asked(single, { domain_hint: contoso.domain }), 50194],
      ['another address', asked(shared, { redirect_uri: 'https://evil.example/callback' }), 50011],
      ['a longer address', asked(shared, { redirect_uri: `${shared.redirectUri}/more` }), 50011],
      ['the same in other letters', asked(shared, { redirect_uri: shared.redirectUri.toUpperCase() }), 50011],
      ['no address', asked(shared, { redirect_uri: '' }), 50011],
      ['another address, silently', asked(shared, { redirect_uri: 'https://evil.example/', prompt: 'none' }), 50011],
      [
        'another address, with a hint',
        asked(shared, { redirect_uri: '//evil.example', domain_hint: contoso.domain }),
        50011,
      ],
    ];
    for (const [name, parameters, number] of refused) {
      const page = await open(parameters);
      expect([name, page.status, page.headers.get('location')]).toEqual([name, 400, null]);
      expect([name, page.text]).toEqual([name, expect.stringContaining(`AADSTS${number}`)]);
      expect([name, page.text]).toEqual([name, expect.not.stringContaining('Contoso Payroll')]);
    }
    const bytes = async (parameters: Record<string, string>) =>
      (await open(parameters)).text.replace(/<code>[0-9a-f-]{36}<\/code>|<time.*?<\/time>/g, '');
    expect(await bytes(asked(single))).toBe(await bytes(asked({ ...single, appId: randomUUID() })));
  });

  test('TEN-22: a doubled parameter is refused, here or where it leads', async () => {
    const twice = async (name: string, value: string) =>
      new Browser().ask(`${addressOf(asked())}&${new URLSearchParams({ [name]: value })}`);
    for (const [name, value] of [
      ['client_id', shared.appId],
      ['redirect_uri', 'https://evil.example/'],
    ] as const) {
      const page = await twice(name, value);
      expect([name, page.status, page.headers.get('location')]).toEqual([name, 400, null]);
    }
    const doubled = destinationOf(
      await new Browser().ask(`${addressOf(asked())}&state=other&domain_hint=${contoso.domain}`),
    );
    const there = await new Browser().ask(`${server.origin}${doubled.location}`);
    expect(there.text).toContain('invalid_request');
  });

  test.each<[string, () => string]>([
    ['a domain that nobody has', () => 'nowhere.example'],
    ['a domain that a person is named by, but nobody has verified', () => 'unverified.example'],
    ['the domain of a closed organization', () => closed.domain],
    ['a look-alike in Cyrillic', () => contoso.domain.replace('o', 'о')],
    ['the Kelvin sign, which is a k in lower case', () => fabrikam.domain.replace('k', '\u212a')],
    ['full-width letters', () => contoso.domain.replace('c', 'ｃ')],
    ['a dot at the end', () => `${contoso.domain}.`],
    ['the id of an organization', () => contoso.id],
    ['a reserved word', () => 'organizations'],
    ['a path', () => `${contoso.domain}/../evil`],
    ['a line break', () => `${contoso.domain}\r\nLocation: https://evil.example`],
    ['another origin', () => `evil.example/\\@${'a'.repeat(20)}.example`],
    ['a huge one', () => `${'a.'.repeat(5_000)}example`],
  ])('TEN-17, TEN-22: no organization is found for %s', async (_name, domain) => {
    const page = await answerPage(await open(asked()), { username: `zed@${domain()}` });
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    expect(page.text).toContain('No organization here has the domain');
    const hinted = await open(asked(shared, { login_hint: `zed@${domain()}`.slice(0, 4_000) }));
    expect([hinted.status, hinted.headers.get('location')]).toEqual([200, null]);
  });

  test('TEN-22: a closed organization’s domain gets the same bytes as one that nobody has', async () => {
    const bytes = async (domain: string) =>
      (await answerPage(await open(asked()), { username: `zed@${domain}` })).text.replaceAll(domain, 'DOMAIN');
    expect(await bytes(closed.domain)).toBe(await bytes('nowhere.example'));
  });

  test('TEN-22: markup in what is asked or typed is shown as text, and no longer than a name is', async () => {
    const markup = '"><script>alert(1)</script>\u202e<img src=x onerror=alert(1)>@x"><b>y';
    const parameters = asked(shared, { login_hint: `${markup}${'z'.repeat(4_000)}`, state: '"><svg onload=alert(1)>' });
    for (const page of [await open(parameters), await answerPage(await open(asked()), { username: markup })]) {
      expect(page.text).not.toMatch(/<script|<img src=x|<svg onload|<b>y|\u202e/);
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(page.headers.get('x-frame-options')).toBe('DENY');
    }
    const [shown] = /value="[^"]*zzz[^"]*"/.exec((await open(parameters)).text) ?? [''];
    expect(shown.length).toBeLessThan(600);
  });

  test('TEN-22: an answer from another site, or without our token, is refused', async () => {
    const page = await open(asked());
    const username = `alice@${contoso.domain}`;
    const crossSite = await answerPage(
      page,
      { username },
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    );
    const forged = await answerPage(page, { username, csrf: 'forged' });
    const large = await answerPage(page, { username: 'a'.repeat(20_000) });
    expect([crossSite, forged, large].map(({ status, headers }) => [status, headers.get('location')])).toEqual([
      [403, null],
      [400, null],
      [413, null],
    ]);
  });

  test('what was typed is in no log', async () => {
    server.refusals.length = 0;
    await answerPage(await open(asked()), { username: 'zed@typed.example' });
    expect(server.refusals).toEqual(['home realm: unknown']);
  });
});

describe('a token request to an open authority', () => {
  test('TEN-21: is served by the tenant that issued the code or refresh token, whose tokens it yields', async () => {
    const tokens = await tokensOf(contoso, alice);
    for (const token of [tokens.access_token, tokens.id_token])
      expect(decodeJwt(token)).toMatchObject({
        iss: `${server.origin}/${contoso.id}/v2.0`,
        tid: contoso.id,
        oid: alice,
      });
    const form = { ...refreshForm(shared, tokens.refresh_token), client_info: '1' };
    const refreshed = await post(server.origin, COMMON, 'token', form);
    expect(refreshed.status).toBe(200);
    expect(decodeJwt(refreshed.body.access_token)).toMatchObject({ tid: contoso.id, oid: alice });
    expect(JSON.parse(Buffer.from(refreshed.body.client_info, 'base64url').toString())).toEqual({
      uid: alice,
      utid: contoso.id,
    });
    const again = await post(server.origin, contoso, 'token', refreshForm(shared, tokens.refresh_token));
    expect(again.status).toBe(200);
  });

  test('TEN-21: a hint at another tenant yields nothing there, and uses up nothing here', async () => {
    const authorized = await codeOf(contoso, alice);
    const code = authorized.parameters.get('code') ?? '';
    const form = redeemForm(shared, authorized);
    const random = code.slice(code.indexOf('.'));
    const forged = [
      `${hintOf(fabrikam)}${random}`,
      `${hintOf(closed)}${random}`,
      `${Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')}${random}`,
      random.slice(1),
      `${hintOf(contoso)}${random}x`,
      `${hintOf(contoso)}${hintOf(contoso)}`,
      `..${random}`,
      '',
    ];
    for (const value of forged) {
      const answer = await post(server.origin, ORGANIZATIONS, 'token', { ...form, code: value });
      expect([value, ...outcomeOf(answer).slice(0, 2)]).toEqual([value, 400, 'invalid_grant']);
    }
    expect((await post(server.origin, ORGANIZATIONS, 'token', form)).status).toBe(200);
    expect(outcomeOf(await post(server.origin, COMMON, 'token', form)).slice(0, 2)).toEqual([400, 'invalid_grant']);
  });

  test('TEN-21: a refresh token under another tenant’s hint is refused, and its family lives on', async () => {
    const { refresh_token } = await tokensOf(contoso, alice);
    const forged = `${hintOf(fabrikam)}${refresh_token.slice(22)}`;
    for (const tenant of [ORGANIZATIONS, fabrikam, contoso])
      expect(outcomeOf(await post(server.origin, tenant, 'token', refreshForm(shared, forged))).slice(0, 2)).toEqual([
        ...[400, 'invalid_grant'],
      ]);
    expect((await post(server.origin, ORGANIZATIONS, 'token', refreshForm(shared, refresh_token))).status).toBe(200);
  });

  test('TEN-21: a doubled code goes nowhere, whichever of the two is whose', async () => {
    const [own, other] = [await codeOf(contoso, alice), await codeOf(fabrikam, await aPerson(database, fabrikam))];
    const body = new URLSearchParams(redeemForm(shared, own));
    body.append('code', other.parameters.get('code') ?? '');
    const answer = await fetch(`${server.origin}/organizations/oauth2/v2.0/token`, { method: 'POST', body });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  });

  test('TEN-21: of an application for its own organization alone is refused in words', async () => {
    const single = await aClientApplication(database, contoso);
    await consentTo(database, contoso, { clientId: single.servicePrincipalId, scopes: SCOPES });
    const form = redeemForm(single, await codeOf(contoso, alice, single));
    expect(outcomeOf(await post(server.origin, ORGANIZATIONS, 'token', form))).toEqual([400, 'invalid_request', 50194]);
    expect((await post(server.origin, contoso, 'token', form)).status).toBe(200);
  });

  test('TEN-21: of a tenant that was closed since is refused', async () => {
    const tenant = await aTenant(database, 'Tailwind');
    const dora = await aPerson(database, tenant, 'dora');
    const clientId = await addToTenant(database, tenant, shared.appId, fabrikam.id);
    await consentTo(database, tenant, { clientId, scopes: SCOPES });
    const { refresh_token } = await tokensOf(tenant, dora);
    await asSuperuser(database, 'update tenants set is_enabled = false where id = $1', [tenant.id]);
    const answer = await post(server.origin, ORGANIZATIONS, 'token', refreshForm(shared, refresh_token));
    expect(outcomeOf(answer).slice(0, 2)).toEqual([400, 'invalid_grant']);
  });

  test('TEN-21: of an API in a person’s name is served by the tenant whose token it brings, and by no other', async () => {
    const api = await aClientApplication(database, fabrikam, { isPublished: true, scopes: ['Read'] });
    const clientId = await addToTenant(database, contoso, api.appId, fabrikam.id);
    await consentTo(database, contoso, { clientId, scopes: SCOPES });
    await consentTo(database, contoso, { clientId: sharedAtContoso, scopes: ['Read'], resourceAppId: api.appId });
    const browser = await aSignedInBrowser(database, contoso, alice);
    const scope = `openid api://${api.appId}/Read`;
    const authorized = await authorize(server.origin, contoso, shared, browser, { scope });
    const { body } = await post(server.origin, ORGANIZATIONS, 'token', redeemForm(shared, authorized));
    const exchange = (assertion: string) =>
      post(server.origin, ORGANIZATIONS, 'token', {
        ...{ ...credentialsOf(api), assertion, scope: 'User.Read', requested_token_use: 'on_behalf_of' },
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      });
    expect(decodeJwt((await exchange(body.access_token)).body.access_token)).toMatchObject({
      tid: contoso.id,
      oid: alice,
    });
    for (const forged of [
      withTenant(body.access_token, fabrikam.id),
      withTenant(body.access_token, closed.id),
      'a.b.c',
    ])
      expect(outcomeOf(await exchange(forged)).slice(0, 2)).toEqual([400, 'invalid_grant']);
  });

  test('is answered to the pages of the application’s own origin, as at the tenant’s endpoint', async () => {
    const redirectUri = 'https://spa.example/callback';
    const spa = await aClientApplication(database, fabrikam, {
      spa: [redirectUri],
      isConfidential: false,
      isPublished: true,
    });
    const clientId = await addToTenant(database, contoso, spa.appId, fabrikam.id);
    await consentTo(database, contoso, { clientId, scopes: SCOPES });
    const form = redeemForm(spa, await codeOf(contoso, alice, spa), true);
    const from = (origin: string) => post(server.origin, ORGANIZATIONS, 'token', form, { origin });
    expect((await from('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    const answer = await from('https://spa.example');
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, 'https://spa.example']);
  });

  test('that arrives in pieces, or without a length, is read whole', async () => {
    const { refresh_token } = await tokensOf(contoso, alice);
    const body = `${new URLSearchParams(refreshForm(shared, refresh_token))}`;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const call = request(
        `${server.origin}/organizations/oauth2/v2.0/token`,
        { method: 'POST', headers },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      call.on('error', reject);
      call.write(body.slice(0, 20));
      setTimeout(() => call.end(body.slice(20)), 50);
    });
    expect(status).toBe(200);
  });

  test('TEN-21: takes a client assertion for that very authority, once, and no other’s', async () => {
    const sign = (audience: string) =>
      new SignJWT({ iss: shared.appId, sub: shared.appId, aud: audience, jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid: 'a-key' })
        .setExpirationTime('5m')
        .sign(keys.privateKey);
    const { refresh_token } = await tokensOf(contoso, alice);
    const refresh = async (at: { id: TestTenant['id'] }, assertion: string) => {
      const { client_secret: _, ...form } = refreshForm(shared, refresh_token) as Record<string, string>;
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      const proof = { client_assertion: assertion, client_assertion_type: type };
      return (await post(server.origin, at, 'token', { ...form, ...proof })).status;
    };
    const audience = `${server.origin}/organizations/oauth2/v2.0/token`;
    const assertion = await sign(audience);
    expect(await refresh(ORGANIZATIONS, assertion)).toBe(200);
    expect(await refresh(ORGANIZATIONS, assertion)).toBe(401);
    expect(await refresh(ORGANIZATIONS, await sign(`${server.origin}/${contoso.id}/v2.0`))).toBe(200);
    for (const at of [contoso, COMMON]) expect(await refresh(at, await sign(audience))).toBe(401);
    for (const other of [fabrikam.id, 'common', '{tenantid}'])
      expect(await refresh(ORGANIZATIONS, await sign(`${server.origin}/${other}/oauth2/v2.0/token`))).toBe(401);
  });
});

describe('other endpoints of an open authority', () => {
  test('TEN-21: introspection, revocation and userinfo are those of the tenant that a token names', async () => {
    const { access_token, refresh_token } = await tokensOf(contoso, alice);
    const userinfo = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${server.origin}/organizations/oidc/userinfo`, { headers })).status;
    };
    const about = (token: string) =>
      post(server.origin, ORGANIZATIONS, 'introspect', { ...credentialsOf(shared), token });
    expect((await about(access_token)).body).toMatchObject({ active: true, tid: contoso.id });
    expect((await about(refresh_token)).body).toMatchObject({
      active: true,
      iss: `${server.origin}/${contoso.id}/v2.0`,
    });
    expect(await userinfo(access_token)).toBe(200);
    const forged = withTenant(access_token, fabrikam.id);
    expect([(await about(forged)).body, await userinfo(forged)]).toEqual([{ active: false }, 401]);
    const revoked = await post(server.origin, COMMON, 'revoke', { ...credentialsOf(shared), token: refresh_token });
    expect([revoked.status, await userinfo(access_token)]).toEqual([200, 401]);
  });

  test('sign-out goes on where somebody is signed in, by hint or by the one session, and asks where there are several', async () => {
    const logout = (browser: Browser, more: Record<string, string> = {}) =>
      browser.ask(addressOf({ state: 's', ...more }, 'common/oauth2/v2.0/logout'));
    const { id_token } = await tokensOf(contoso, alice);
    const path = `/${contoso.id}/oauth2/v2.0/logout`;
    const hints = [{ id_token_hint: id_token }, { logout_hint: `alice@${contoso.domain}` }];
    for (const hint of hints)
      expect(destinationOf(await logout(new Browser(), hint))).toMatchObject({
        path,
        parameters: { state: 's', ...hint },
      });
    const browser = await aSignedInBrowser(database, contoso, alice);
    expect(destinationOf(await logout(browser))).toMatchObject({ path, parameters: { state: 's' } });
    browser.cookies.set(`bailiwick-session-${fabrikam.id}`, 'another');
    const page = await logout(browser);
    expect(headingOf(page)).toBe('Which account do you want to sign out?');
    expect(destinationOf(await answerPage(page, { username: `alice@${contoso.domain}` }))).toMatchObject({ path });
    const nobody = await logout(new Browser(), { post_logout_redirect_uri: 'https://evil.example/' });
    expect([nobody.status, headingOf(nobody), nobody.headers.get('location')]).toEqual([
      200,
      'You are signed out',
      null,
    ]);
  });
});
