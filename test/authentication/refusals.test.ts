import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, formsOf, type Page } from '../../scripts/demo-story/browser.ts';
import { answerOf } from '../support/answer.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { refused } from '../support/refused.ts';
import {
  Authorize,
  aPerson,
  aWebApplication,
  enterPassword,
  type Person,
  type SignedIn,
  signIn,
  type WebApplication,
} from '../support/sign-in.ts';
import { aTenant, type TestTenant } from '../support/tenants.ts';

/** One table of refused requests to every endpoint, each held against the oracle of `refused`. */
let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;
let application: WebApplication;
let second: WebApplication;
let person: Person;
let session: SignedIn;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  application = await aWebApplication(database, tenant);
  second = await aWebApplication(database, tenant, { name: 'Second' });
  person = await aPerson(database, server, tenant);
  session = await signIn(server, tenant, application, person);
  await signIn(server, tenant, second, person);
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

/** RFC 6749, sections 4.1.2.1 and 5.2. */
const ERROR_TEXT = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/;
const CANARY = 'canary-Zx81-this-is-presented-and-never-repeated';
const secrets = () => [
  CANARY,
  application.secret,
  person.password,
  session.tokens.access_token,
  session.tokens.refresh_token ?? CANARY,
];
const post = async (endpoint: string, form: Record<string, string> | string, headers: Record<string, string> = {}) =>
  answerOf(
    await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/${endpoint}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers,
    }),
  );
const mine = () => ({ client_id: application.appId, client_secret: application.secret });
const daemon = (form: Record<string, string>) => ({ ...mine(), grant_type: 'client_credentials', ...form });
const refresh = (form: Record<string, string> = {}) => ({
  ...mine(),
  grant_type: 'refresh_token',
  refresh_token: session.tokens.refresh_token ?? '',
  ...form,
});

const POSTED: readonly (readonly [string, string, () => Record<string, string> | string, number, string])[] = [
  ['token', 'a wrong secret', () => daemon({ client_secret: CANARY }), 401, 'invalid_client'],
  ['token', 'no secret', () => ({ client_id: application.appId, grant_type: 'refresh_token' }), 401, 'invalid_client'],
  ['token', 'an unknown client', () => daemon({ client_id: crypto.randomUUID() }), 401, 'invalid_client'],
  ['token', 'a client id that is none', () => daemon({ client_id: "x' or 1=1 --" }), 401, 'invalid_client'],
  ['token', 'no client', () => ({ grant_type: 'client_credentials' }), 400, 'invalid_request'],
  ['token', 'nothing', () => '', 400, 'invalid_request'],
  ['token', 'an unknown grant type', () => daemon({ grant_type: 'password' }), 400, 'unsupported_grant_type'],
  ['token', 'nothing assigned', () => daemon({ scope: 'https://graph.microsoft.com/.default' }), 400, 'invalid_scope'],
  ['token', 'an unknown resource', () => daemon({ resource: 'https://nobody.example' }), 400, 'invalid_target'],
  [
    'token',
    'RED-13: a doubled parameter',
    () => `${new URLSearchParams(daemon({ scope: 'a' }))}&scope=b`,
    400,
    'invalid_request',
  ],
  [
    'token',
    'an unknown code',
    () => ({ ...mine(), grant_type: 'authorization_code', code: CANARY, redirect_uri: application.redirectUri }),
    400,
    'invalid_grant',
  ],
  ['token', 'an unknown refresh token', () => refresh({ refresh_token: CANARY }), 400, 'invalid_grant'],
  [
    'token',
    'another client’s refresh token',
    () => refresh({ client_id: second.appId, client_secret: second.secret }),
    400,
    'invalid_grant',
  ],
  ['token', 'a scope without consent', () => refresh({ scope: 'Directory.Read.All' }), 400, 'invalid_grant'],
  ['token', 'a scope of no letters that the RFC knows', () => refresh({ scope: 'Nö"\\\u007f' }), 400, 'invalid_scope'],
  ['introspect', 'a wrong secret', () => ({ ...mine(), client_secret: CANARY, token: 'x' }), 401, 'invalid_client'],
  ['introspect', 'no token', () => mine(), 400, 'invalid_request'],
  ['revoke', 'a wrong secret', () => ({ ...mine(), client_secret: CANARY, token: 'x' }), 401, 'invalid_client'],
  ['revoke', 'no token', () => mine(), 400, 'invalid_request'],
];

describe('a refused request changes nothing, is recorded once and tells no secret', () => {
  test.each(POSTED)('%s: %s', async (endpoint, _what, form, status, error) => {
    const answer = await refused({ database, server }, () => post(endpoint, form()), secrets());
    expect([answer.status, answer.body?.error]).toEqual([status, error]);
    expect(answer.body.error_description).toMatch(ERROR_TEXT);
    expect([answer.headers.get('cache-control'), answer.headers.get('vary')]).toEqual(['no-store', 'Origin']);
  });

  const AUTHORIZED: readonly (readonly [string, Record<string, string>, string])[] = [
    ['an unknown client', { client_id: crypto.randomUUID() }, '400'],
    ['an address that is not registered', { redirect_uri: 'https://evil.example/callback' }, '400'],
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['an unknown scope', { scope: 'openid No.Such.Scope' }, 'invalid_scope'],
    ['an unknown resource', { resource: 'https://nobody.example' }, 'invalid_target'],
    ['response_type=token', { response_type: 'token' }, 'unsupported_response_type'],
    ['response_type=id_token', { response_type: 'id_token' }, 'unsupported_response_type'],
    ['response_mode=web_message', { response_mode: 'web_message' }, 'unsupported_response_mode'],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
    ['a request URI', { request_uri: 'https://evil.example/r' }, 'request_uri_not_supported'],
    ['registration', { registration: '{}' }, 'registration_not_supported'],
    ['a hint that is no token', { id_token_hint: CANARY }, 'invalid_request'],
    ['prompt=none with another prompt', { prompt: 'none login' }, 'invalid_request'],
    ['max_age that is no number', { max_age: '-1' }, 'invalid_request'],
    ['consent that lacks, silently', { prompt: 'none', scope: 'openid Directory.Read.All' }, 'consent_required'],
  ];
  const answerIn = (location: URL | undefined) =>
    new URLSearchParams(location?.hash ? location.hash.slice(1) : location?.search);
  const errorOf = ({ status, location }: Page) => answerIn(location).get('error') ?? String(status);

  test.each(AUTHORIZED)('authorize, of who is signed in: %s', async (_what, parameters, expected) => {
    const asked = new Authorize(server, tenant, application, { state: 'a-state', ...parameters });
    const answer = await refused({ database, server }, () => session.browser.ask(asked.url), secrets());
    expect(errorOf(answer)).toBe(expected);
    const told = answerIn(answer.location);
    const fromHere = [`${server.origin}/${tenant.id}/v2.0`, 'a-state'];
    expect(told.get('error_description') ?? '').toMatch(ERROR_TEXT);
    if (answer.location) expect([told.get('iss'), told.get('state')]).toEqual(fromHere);
  });

  test('authorize, of nobody: silently', async () => {
    const asked = new Authorize(server, tenant, application, { prompt: 'none' });
    const answer = await refused({ database, server }, () => new Browser(server.origin).ask(asked.url), secrets());
    expect(errorOf(answer)).toBe('login_required');
  });

  test.each(['client_id', 'redirect_uri', 'state', 'scope', 'code_challenge', 'nonce'])(
    'RED-13: authorize with two times %s',
    async (name) => {
      const { url } = new Authorize(server, tenant, application, { nonce: 'n' });
      const answer = await refused({ database, server }, () => session.browser.ask(`${url}&${name}=x`), secrets());
      expect([...(answer.location?.searchParams.getAll('code') ?? [])]).toEqual([]);
      expect(answer.location?.origin ?? 'https://app.example').toBe('https://app.example');
      expect(['400', 'invalid_request']).toContain(errorOf(answer));
    },
  );

  test('sign-in: a wrong password, and somebody who does not exist', async () => {
    const browser = new Browser(server.origin);
    const page = await browser.open(new Authorize(server, tenant, application).url);
    for (const username of [person.username, `nobody@${tenant.domain}`]) {
      const submit = () => enterPassword(browser, page, { username, password: CANARY });
      expect((await refused({ database, server }, submit, secrets())).status).toBe(400);
    }
  });

  test.each([
    ['another site’s', { Origin: 'https://evil.example' }, {}, 403],
    ['a frame’s', { 'Sec-Fetch-Site': 'cross-site' }, {}, 403],
    ['without its token', {}, { csrf: '' }, 400],
  ])('sign-in: a form of %s', async (_what, headers, fields, status) => {
    const browser = new Browser(server.origin);
    const page = await browser.open(new Authorize(server, tenant, application).url);
    Object.assign(browser.formHeaders, headers);
    const submit = () => browser.submit(page, { ...person, ...fields, decision: 'accept' });
    expect((await refused({ database, server }, submit, [CANARY, application.secret])).status).toBe(status);
  });

  test('sign-in: cancelled, and in a browser that did not begin it', async () => {
    const browser = new Browser(server.origin);
    const page = await browser.open(new Authorize(server, tenant, application).url);
    const form = formsOf(page)[0];
    const submit = () => new Browser(server.origin).ask(form?.action ?? '', { method: 'POST', body: '' });
    expect((await refused({ database, server }, submit, secrets())).status).toBe(400);
    const cancelled = await refused(
      { database, server },
      () => browser.submit(page, { decision: 'cancel' }),
      secrets(),
    );
    expect(errorOf(cancelled)).toBe('access_denied');
  });

  test('CON-04: consent: declined, and for everybody without the right', async () => {
    for (const decision of [{ decision: 'cancel' }, { decision: 'accept', forOrganization: 'true' }]) {
      const asking = await aWebApplication(database, tenant, { name: 'Asking' });
      const page = await session.browser.open(new Authorize(server, tenant, asking).url);
      const submit = () => session.browser.submit(page, decision);
      const records = decision.decision === 'cancel' ? 1 : 2;
      const answer = await refused({ database, server }, submit, secrets(), records);
      expect(errorOf(answer)).toBe('access_denied');
    }
  });

  test('admin consent: an unknown application, an address that is not registered, and declined', async () => {
    const address = (parameters: Record<string, string>) =>
      `/${tenant.id}/v2.0/adminconsent?${new URLSearchParams({ client_id: application.appId, state: 's', ...parameters })}`;
    for (const parameters of [{ client_id: crypto.randomUUID() }, { redirect_uri: 'https://evil.example/' }]) {
      const ask = () => session.browser.ask(address(parameters));
      expect((await refused({ database, server }, ask, secrets())).status).toBe(400);
    }
    const redirect_uri = application.redirectUri;
    const page = await session.browser.open(address({ redirect_uri, scope: 'openid' }));
    const decline = () => session.browser.submit(page, { decision: 'cancel' });
    expect(errorOf(await refused({ database, server }, decline, secrets()))).toBe('access_denied');
  });

  test.each([
    ['none', {}],
    ['one that is none', { authorization: `Bearer ${CANARY}` }],
    ['one of a client', { authorization: `Basic ${CANARY}` }],
  ])('userinfo: a token that is %s', async (_what, headers) => {
    const ask = async () => answerOf(await fetch(`${server.origin}/${tenant.id}/oidc/userinfo`, { headers }));
    expect((await refused({ database, server }, ask, secrets())).status).toBe(401);
  });

  test('userinfo: another organization’s, and one without openid', async () => {
    const ask = (of: TestTenant, token: string) => async () =>
      answerOf(
        await fetch(`${server.origin}/${of.id}/oidc/userinfo`, { headers: { authorization: `Bearer ${token}` } }),
      );
    const foreign = await refused({ database, server }, ask(other, session.tokens.access_token), secrets());
    expect(foreign.status).toBe(401);
    const bare = await signIn(server, tenant, application, person, { browser: session.browser, scope: 'User.Read' });
    const answer = await refused({ database, server }, ask(tenant, bare.tokens.access_token), secrets());
    expect(answer.status).toBe(403);
  });

  test.each([
    ['a hint that is no token', { id_token_hint: CANARY }],
    ['an address that is not registered', { post_logout_redirect_uri: 'https://evil.example/', client_id: 'APP' }],
  ])('RED-16: logout with %s', async (_what, parameters) => {
    const query = new URLSearchParams(parameters).toString().replace('APP', application.appId);
    const ask = () => session.browser.ask(`/${tenant.id}/oauth2/v2.0/logout?${query}`);
    expect((await refused({ database, server }, ask, secrets())).status).toBe(400);
  });

  test('an organization that does not exist', async () => {
    const ask = async () =>
      answerOf(await fetch(`${server.origin}/${crypto.randomUUID()}/oauth2/v2.0/authorize?client_id=x`));
    expect((await refused({ database, server }, ask)).status).toBe(400);
  });

  test('control: a request that is granted is caught by the same oracle', async () => {
    const granted = refused({ database, server }, () => post('token', refresh()));
    await expect(granted).rejects.toThrow();
  });
});
