import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import { Browser, formsOf, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Answer } from '../support/answer.ts';
import { aClientApplication, addToTenant, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { post, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { failingWrite } from '../support/faults.ts';
import { refused } from '../support/refused.ts';
import { aPerson, enterPassword, type Person } from '../support/sign-in.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestAuthenticationServer;
let second: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;
let alice: Person;
let device: TestApplication;

const SCOPE = 'openid profile offline_access User.Read';
const URN = 'urn:ietf:params:oauth:grant-type:device_code';

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  second = await anAuthenticationServer(database, { publicOrigin: server.origin });
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  alice = await aPerson(database, server, tenant, { name: 'Alice Moreau' });
  device = await aDevice();
});

afterAll(async () => {
  expect([...server.errors, ...second.errors]).toEqual([]);
  await server.close();
  await second.close();
  await database.drop();
});

async function aDevice(scopes = SCOPE.split(' ')): Promise<TestApplication> {
  const application = await aClientApplication(database, tenant, {
    ...{ name: 'Meeting room', isConfidential: false, isFallbackPublicClient: true },
  });
  if (scopes.length > 0) await consentTo(database, tenant, { clientId: application.servicePrincipalId, scopes });
  return application;
}

interface Waiting {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
}

const begin = ({ appId }: TestApplication, form: Record<string, string> = {}, at = tenant, headers = {}) =>
  post(server.origin, at, 'devicecode', { client_id: appId, scope: SCOPE, ...form }, headers);
const poll = ({ appId }: TestApplication, { device_code }: Waiting, form: Record<string, string> = {}, at = tenant) =>
  post(server.origin, at, 'token', { client_id: appId, grant_type: URN, device_code, ...form });
const outcome = ({ status, body }: Answer) => [status, body?.error];
const count = async (sql: string, values: unknown[] = []) =>
  (await asSuperuser<{ n: number }>(database, `select count(*)::int as n ${sql}`, values))[0]?.n;

async function started(of = device, form: Record<string, string> = {}): Promise<Waiting> {
  const answer = await begin(of, form);
  expect(outcome(answer)).toEqual([200, undefined]);
  return answer.body;
}

/** The same, by a device that has another address than everybody else here. */
async function startedFrom(localAddress: string): Promise<Waiting> {
  const form = new URLSearchParams({ client_id: device.appId, scope: SCOPE }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const call = request(`${server.origin}/${tenant.id}/oauth2/v2.0/devicecode`, {
    method: 'POST',
    headers,
    localAddress,
  });
  const answered = once(call, 'response');
  call.end(form);
  const [response] = await answered;
  return (await json(response)) as Waiting; // what the assertions then check
}

/** A browser at the page that asks for the code, with a person who has signed in. */
async function atCode(
  person = alice,
  address = `${server.origin}/${tenant.id}/device`,
): Promise<{ browser: Browser; page: Page }> {
  const browser = new Browser(server.origin);
  let page = await browser.open(address);
  if (headingOf(page) === 'Sign in') page = await enterPassword(browser, page, person);
  expect(headingOf(page)).toBe('Sign in on a device');
  return { browser, page };
}

/** The same, at the page that asks whether it is this device. */
async function atConfirm(waiting: Waiting, person = alice): Promise<{ browser: Browser; page: Page }> {
  const { browser, page } = await atCode(person);
  const confirm = await browser.submit(page, { user_code: waiting.user_code, decision: 'accept' });
  expect(headingOf(confirm)).toBe('Is this your device?');
  return { browser, page: confirm };
}

async function approve(waiting: Waiting, person = alice): Promise<Page> {
  const { browser, page } = await atConfirm(waiting, person);
  const end = await browser.submit(page, { decision: 'accept' });
  expect(headingOf(end)).toBe('You are signed in on the device');
  return end;
}

describe('device authorization', () => {
  test('through an independent client: asked for, pending, approved, refreshed', async () => {
    const issuer = new URL(`${server.origin}/${tenant.id}/v2.0`);
    const insecure = { [oauth.allowInsecureRequests]: true };
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    const client = { client_id: device.appId };
    const none = oauth.None();
    const asked = await oauth.deviceAuthorizationRequest(as, client, none, { scope: SCOPE }, insecure);
    const waiting = await oauth.processDeviceAuthorizationResponse(as, client, asked);
    expect(waiting).toMatchObject({
      interval: 5,
      expires_in: 900,
      message: expect.stringContaining(waiting.user_code),
    });
    expect(waiting.verification_uri).toBe(`${server.origin}/${tenant.id}/device`);
    expect(waiting.user_code).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
    const ask = async () => {
      const response = await oauth.deviceCodeGrantRequest(as, client, none, waiting.device_code, insecure);
      return oauth.processDeviceCodeResponse(as, client, response);
    };
    await expect(ask()).rejects.toMatchObject({ error: 'authorization_pending' });
    await approve(waiting as Waiting);
    const tokens = await ask();
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: DIRECTORY_APP_ID, oid: alice.id, azpacr: '0' });
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ oid: alice.id, aud: device.appId, amr: ['pwd'] });
    const refreshed = await post(server.origin, tenant, 'token', refreshForm(device, tokens.refresh_token ?? '', true));
    expect(outcome(refreshed)).toEqual([200, undefined]);
    expect(refreshed.body.refresh_token).not.toBe(tokens.refresh_token);
  });

  test('answers MSAL, which calls the grant device_code and waits for authorization_declined', async () => {
    const waiting = await started();
    expect(outcome(await poll(device, waiting, { grant_type: 'device_code' }))).toEqual([400, 'authorization_pending']);
    await approve(waiting);
    const answer = await poll(device, waiting, { grant_type: 'device_code', scope: SCOPE, client_info: '1' });
    expect(outcome(answer)).toEqual([200, undefined]);
    expect(answer.body).toHaveProperty('client_info');
  });

  test('asks for consent where there is none yet, and gives what was consented to', async () => {
    const fresh = await aDevice([]);
    const waiting = await started(fresh);
    const { browser, page } = await atConfirm(waiting);
    const consent = await browser.submit(page, { decision: 'accept' });
    expect(headingOf(consent)).toBe('Allow access?');
    expect(outcome(await poll(fresh, waiting))).toEqual([400, 'authorization_pending']);
    const end = await browser.submit(consent, { decision: 'accept' });
    expect(headingOf(end)).toBe('You are signed in on the device');
    const { body } = await poll(fresh, waiting);
    expect(String(decodeJwt(body.access_token).scp).split(' ').sort()).toEqual(SCOPE.split(' ').sort());
  });

  test('consent that is declined declines the device', async () => {
    const fresh = await aDevice([]);
    const waiting = await started(fresh);
    const { browser, page } = await atConfirm(waiting);
    const consent = await browser.submit(page, { decision: 'accept' });
    const end = await browser.submit(consent, { decision: 'cancel' });
    expect(headingOf(end)).toBe('The device was not signed in');
    const answer = await poll(fresh, waiting);
    expect(outcome(answer)).toEqual([400, 'access_denied']);
    expect(answer.body.error_codes).toEqual([65004]);
  });

  test('leaves one sign-in record of the person and one of the token', async () => {
    const waiting = await started();
    await approve(waiting);
    const { body } = await poll(device, waiting);
    const { fid, jti } = decodeJwt(body.access_token);
    const records = await asSuperuser(
      database,
      `select event_type as type, user_id as user, app_id as app, token_id as token from sign_ins
        where family_id = $1 order by created_at`,
      [fid],
    );
    expect(records).toEqual([
      { type: 'interactiveUser', user: alice.id, app: device.appId, token: null },
      { type: 'nonInteractiveUser', user: alice.id, app: device.appId, token: jti },
    ]);
  });

  test('DEV-03: a code is bound to its client and its tenant', async () => {
    const stranger = await aDevice();
    const waiting = await started();
    await approve(waiting);
    expect(outcome(await poll(stranger, waiting))).toEqual([400, 'invalid_grant']);
    expect((await poll(device, waiting, {}, other)).body).not.toHaveProperty('access_token');
    await addToTenant(database, other, device.appId, tenant.id);
    expect((await poll(device, waiting, {}, other)).body).not.toHaveProperty('access_token');
    expect(outcome(await poll(device, waiting))).toEqual([200, undefined]);
  });

  test('what was granted ends with its person, its consent and its session', async () => {
    const bob = await aPerson(database, server, tenant, { name: 'Bob' });
    const waiting = await started();
    await approve(waiting, bob);
    await asSuperuser(database, 'update users set sign_in_sessions_valid_from = clock_timestamp() where id = $1', [
      bob.id,
    ]);
    expect(outcome(await poll(device, waiting))).toEqual([400, 'invalid_grant']);
  });
});

describe('DEV-01: the device flow is refused', () => {
  const refusedAtStart = async (application: TestApplication) => {
    const answer = await refused({ database, server }, () => begin(application));
    expect(outcome(answer)).toEqual([400, 'unauthorized_client']);
    expect(answer.body.error_codes).toEqual([7000218]);
    expect(await count(`from artifacts where model = 'DeviceCode'`)).toBe(0);
  };

  test('DEV-01: to an application that is not set up as a public client', async () => {
    await asSuperuser(database, `delete from artifacts where model = 'DeviceCode'`);
    await refusedAtStart(
      await aClientApplication(database, tenant, { native: ['http://localhost'], isConfidential: false }),
    );
    await refusedAtStart(
      await aClientApplication(database, tenant, { spa: ['https://spa.example'], isConfidential: false }),
    );
  });

  test('DEV-01: to a confidential one, with its secret and without', async () => {
    const web = await aClientApplication(database, tenant);
    const withSecret = await begin(web, { client_secret: web.secret });
    expect(outcome(withSecret)).toEqual([400, 'unauthorized_client']);
    expect(outcome(await begin(web))).toEqual([401, 'invalid_client']);
  });

  test('DEV-01: from the moment on that the application is no public client any more, for waiting codes too', async () => {
    const fresh = await aDevice();
    const waiting = await started(fresh);
    await approve(waiting);
    await asSuperuser(database, 'update applications set is_fallback_public_client = false where app_id = $1', [
      fresh.appId,
    ]);
    const { status, body } = await poll(fresh, waiting);
    expect([status, body.access_token]).toEqual([401, undefined]);
  });

  test('DEV-01: where the organization has switched it off: to start, to approve, to poll, from the next request on', async () => {
    const [waiting, approved, { browser, page }] = await (async () => {
      const first = await started();
      const second = await started();
      await approve(second);
      return [first, second, await atConfirm(first)] as const;
    })();
    const set = (isAllowed: boolean) =>
      asSuperuser(
        database,
        `insert into tenant_policies (tenant_id, id, settings) values ($1, 'authorizationPolicy', $2)
          on conflict (tenant_id, id) do update set settings = excluded.settings`,
        [tenant.id, JSON.stringify({ allowDeviceCodeFlow: isAllowed })],
      );
    await set(false);
    const start = await refused({ database, server }, () => begin(device));
    for (const answer of [start, await poll(device, approved)])
      expect([...outcome(answer), answer.body.error_codes]).toEqual([400, 'unauthorized_client', [53003]]);
    const end = await browser.submit(page, { decision: 'accept' });
    expect(headingOf(end)).toBe('The device was not signed in');
    await set(true);
    expect(outcome(await poll(device, waiting))).toEqual([400, 'access_denied']);
    expect(outcome(await poll(device, approved))).toEqual([200, undefined]);
    expect(outcome(await begin(device))).toEqual([200, undefined]);
  });

  test('DEV-01: for what the API does not publish', async () => {
    expect(outcome(await begin(device, { scope: 'No.Such' }))).toEqual([400, 'invalid_scope']);
    expect(outcome(await begin(device, { resource: 'https://nowhere.example' }))).toEqual([400, 'invalid_target']);
  });
});

describe('DEV-02: what the person sees', () => {
  test('DEV-02: application, organization, permissions, and where the device and the browser are', async () => {
    const { body } = await begin(device, {}, tenant, { 'user-agent': 'a-television/7 <b>' });
    const { page } = await atConfirm(body);
    const text = textOf(page);
    for (const seen of [
      ...['Meeting room', 'Contoso', device.appId, body.user_code, 'a-television/7 <b>', 'Alice Moreau'],
      ...['User.Read', 'offline_access', '127.0.0.1', 'Device’s address', 'This browser’s address'],
    ])
      expect(text).toContain(seen);
    expect(text).toContain('The device and this browser have the same address');
    expect(page.text).not.toContain('<b>');
  });

  test('DEV-02: a device elsewhere is pointed out', async () => {
    const waiting = await startedFrom('127.0.0.2');
    const { page } = await atConfirm(waiting);
    expect(textOf(page)).toContain('127.0.0.2');
    expect(textOf(page)).toContain('The device is somewhere else than this browser');
  });

  test('DEV-02: a link with the code in it fills it in; it takes the person’s own two presses, whoever is signed in', async () => {
    const waiting = await started();
    const { browser, page } = await atCode(alice, waiting.verification_uri_complete);
    expect(formsOf(page)[0]?.fields.user_code).toBe(waiting.user_code);
    // Signed in already: the link alone leads to the same question again.
    const again = await browser.open(waiting.verification_uri_complete);
    expect(headingOf(again)).toBe('Sign in on a device');
    expect(outcome(await poll(device, waiting))).toEqual([400, 'authorization_pending']);
    const confirm = await browser.submit(again, { decision: 'accept' });
    expect(headingOf(confirm)).toBe('Is this your device?');
    expect(outcome(await poll(device, waiting))).toEqual([400, 'authorization_pending']);
    await browser.submit(confirm, { decision: 'accept' });
    expect(outcome(await poll(device, waiting))).toEqual([200, undefined]);
  });

  test('DEV-02: nothing is confirmed by a form of another site, of another sign-in, or without the page', async () => {
    const waiting = await started();
    const { browser, page } = await atConfirm(waiting);
    const { browser: mallory, page: theirs } = await atConfirm(waiting, await aPerson(database, server, tenant));
    const [form, foreign] = [formsOf(page)[0], formsOf(theirs)[0]];
    if (!form || !foreign) throw new Error('no form');
    const body = (fields: Record<string, string>) => new URLSearchParams({ ...fields, decision: 'accept' });
    const send = (fields: Record<string, string>, headers: Record<string, string> = browser.formHeaders) =>
      browser.ask(form.action, { method: 'POST', body: body(fields), headers });
    const crossSite = await send(form.fields, { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' });
    const stale = await send({ ...form.fields, csrf: foreign.fields.csrf ?? '' });
    const elsewhere = await mallory.ask(form.action, {
      method: 'POST',
      body: body(form.fields),
      headers: browser.formHeaders,
    });
    expect([crossSite.status, stale.status, elsewhere.status]).toEqual([403, 400, 400]);
    // Without what was shown, the question is shown again and nothing is granted.
    const unseen = await send({ csrf: form.fields.csrf ?? '', user_code: waiting.user_code });
    expect(headingOf(unseen)).toBe('Is this your device?');
    expect(outcome(await poll(device, waiting))).toEqual([400, 'authorization_pending']);
  });

  test('DEV-02: what is asked for is what the device said, whatever the form adds; a changed application is shown again', async () => {
    const fresh = await aDevice();
    const waiting = await started(fresh, { scope: 'openid User.Read' });
    const { browser, page } = await atConfirm(waiting);
    await asSuperuser(database, `update applications set display_name = 'Your bank' where app_id = $1`, [fresh.appId]);
    const again = await browser.submit(page, { decision: 'accept', scope: 'Directory.ReadWrite.All' });
    expect(headingOf(again)).toBe('Is this your device?');
    expect(textOf(again)).toContain('Your bank');
    await browser.submit(again, { decision: 'accept', scope: 'Directory.ReadWrite.All' });
    const { body } = await poll(fresh, waiting);
    expect(String(decodeJwt(body.access_token).scp).split(' ').sort()).toEqual(['User.Read', 'openid']);
    expect(body).not.toHaveProperty('refresh_token');
  });

  test('DEV-02: another account can be chosen, and is the one that counts', async () => {
    const bob = await aPerson(database, server, tenant, { name: 'Bob' });
    const waiting = await started();
    const { browser, page } = await atConfirm(waiting);
    const href = /href="([^"]+account=other)"/.exec(page.text)?.[1] ?? '';
    const signIn = await browser.open(href);
    expect(headingOf(signIn)).toBe('Sign in');
    const code = await enterPassword(browser, signIn, bob);
    expect(headingOf(code)).toBe('Sign in on a device');
    const confirm = await browser.submit(code, { user_code: waiting.user_code, decision: 'accept' });
    await browser.submit(confirm, { decision: 'accept' });
    const { body } = await poll(device, waiting);
    expect(decodeJwt(body.access_token).oid).toBe(bob.id);
  });

  test('DEV-02: a link into the middle of it, opened where nothing began, is told so: nobody’s fault, and no session', async () => {
    const { browser } = await atCode();
    for (const visitor of [new Browser(server.origin), browser]) {
      const page = await visitor.open(`${server.origin}/${tenant.id}/device/abc`);
      expect([page.status, headingOf(page)]).toEqual([400, 'We could not understand the application']);
    }
    expect((await browser.open(`${server.origin}/${tenant.id}/device`)).text).toContain('Sign in on a device');
  });

  test('DEV-02: who signs in between the press and the approval does not approve', async () => {
    const bob = await aPerson(database, server, tenant, { name: 'Bob' });
    const waiting = await started();
    const { browser, page } = await atConfirm(waiting);
    const [form] = formsOf(page);
    if (!form) throw new Error('no form');
    const body = new URLSearchParams({ ...form.fields, decision: 'accept' });
    const pressed = await browser.ask(form.action, { method: 'POST', body, headers: browser.formHeaders });
    expect(pressed.status).toBe(303);
    const account = await browser.open(`${server.origin}/${tenant.id}/device`);
    const href = /href="([^"]+account=other)"/.exec(account.text)?.[1] ?? '';
    await enterPassword(browser, await browser.open(href), bob);
    const resumed = await browser.open(pressed.location?.href ?? '');
    expect([resumed.status, headingOf(resumed)]).not.toContain('You are signed in on the device');
    expect(resumed.status).toBe(400);
    expect((await poll(device, waiting)).body).not.toHaveProperty('access_token');
  });
});

describe('DEV-03: polling', () => {
  test('DEV-03: too fast is told to slow down, at whichever process; at the interval it never is', async () => {
    const waiting = await started();
    const ask = (at: TestAuthenticationServer) =>
      post(at.origin, tenant, 'token', { client_id: device.appId, grant_type: URN, device_code: waiting.device_code });
    const answers = [];
    for (const at of [server, second, server, second]) answers.push((await ask(at)).body.error);
    expect(answers).toEqual(['authorization_pending', 'authorization_pending', 'slow_down', 'slow_down']);
    for (let n = 0; n < 2; n += 1) {
      // Pauses are the database's, and so is their clock.
      await asSuperuser(database, "update sign_in_throttles set locked_until = locked_until - interval '4.9 seconds'");
      expect((await ask(server)).body.error).toBe('authorization_pending');
    }
    // What a device is told while it waits is no refusal.
    expect(await count('from sign_ins where error_code = 70016')).toBe(0);
  });

  test('DEV-03: after the person declined', async () => {
    const waiting = await started();
    const { browser, page } = await atConfirm(waiting);
    const end = await browser.submit(page, { decision: 'cancel' });
    expect(headingOf(end)).toBe('The device was not signed in');
    expect(outcome(await poll(device, waiting))).toEqual([400, 'access_denied']);
    expect(outcome(await poll(device, waiting, { grant_type: 'device_code' }))).toEqual([
      400,
      'authorization_declined',
    ]);
    expect(
      await count('from sign_ins where error_code = 65004 and app_id = $1 and user_id = $2', [device.appId, alice.id]),
    ).toBe(1);
    const { browser: again, page: code } = await atCode();
    const unknown = await again.submit(code, { user_code: waiting.user_code, decision: 'accept' });
    expect(textOf(unknown)).toContain('No device waits for this code');
  });

  test('DEV-03: after it has expired, for the device and for the person', async () => {
    const waiting = await started();
    const { browser, page } = await atConfirm(waiting);
    const now = Date.now;
    try {
      const later = now() + 901_000;
      Date.now = () => later;
      const answer = await poll(device, waiting);
      expect(outcome(answer)).toEqual([400, 'expired_token']);
      expect(answer.body.error_codes).toEqual([70019]);
      const late = await browser.submit(page, { decision: 'accept' });
      expect(textOf(late)).toContain('This code is too old');
    } finally {
      Date.now = now;
    }
    expect((await poll(device, waiting)).body).not.toHaveProperty('access_token');
  });

  test('DEV-03: twenty at once after the approval, over two processes: exactly one gets tokens', async () => {
    for (let round = 0; round < 5; round += 1) {
      const waiting = await started();
      await approve(waiting);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          post((n % 2 ? server : second).origin, tenant, 'token', {
            ...{ client_id: device.appId, grant_type: URN, device_code: waiting.device_code },
          }),
        ),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ body }) => body.error === 'invalid_grant')).toHaveLength(19);
    }
  });

  test('DEV-03: a device code that comes back later ends what was given for it', async () => {
    const waiting = await started();
    await approve(waiting);
    const { body } = await poll(device, waiting);
    expect(outcome(await poll(device, waiting))).toEqual([400, 'invalid_grant']);
    const refreshed = await post(server.origin, tenant, 'token', refreshForm(device, body.refresh_token, true));
    expect(outcome(refreshed)).toEqual([400, 'invalid_grant']);
  });

  test('DEV-03: of two people who have the code, one answers', async () => {
    const waiting = await started();
    const bob = await aPerson(database, server, tenant, { name: 'Bob' });
    const pages = [await atConfirm(waiting), await atConfirm(waiting, bob)];
    const ends = await Promise.all(pages.map(({ browser, page }) => browser.submit(page, { decision: 'accept' })));
    expect(ends.map(headingOf).filter((heading) => heading === 'You are signed in on the device')).toHaveLength(1);
    const winner = [alice, bob][ends.findIndex((end) => headingOf(end) === 'You are signed in on the device')];
    const { body } = await poll(device, waiting);
    expect(decodeJwt(body.access_token).oid).toBe(winner?.id);
    expect(
      await count(
        'from token_families where user_id = any ($1) and revoked_at is null and service_principal_id = $2 and id = $3',
        [[alice.id, bob.id], device.servicePrincipalId, decodeJwt(body.access_token).fid],
      ),
    ).toBe(1);
  });
});

describe('DEV-05: guessing user codes', () => {
  const anywhere = async (browser: Browser, page: Page, user_code: string) =>
    browser.submit(page, { user_code, decision: 'accept' });
  const guess = () => Array.from({ length: 8 }, () => 'BCDFGHJKLMNPQRSTVWXZ'[Math.floor(Math.random() * 20)]).join('');
  const forget = () => asSuperuser(database, 'delete from sign_in_throttles');

  test('DEV-05: nobody guesses who has not signed in', async () => {
    const page = await new Browser(server.origin).open(`${server.origin}/${tenant.id}/device?user_code=BBBBBBBB`);
    expect(headingOf(page)).toBe('Sign in');
  });

  test('DEV-05: after ten misses a person waits, whatever browser he takes, for the right code too', async () => {
    await forget();
    const carol = await aPerson(database, server, tenant, { name: 'Carol' });
    const waiting = await started();
    const { browser, page } = await atCode(carol);
    const answers: Page[] = [];
    for (let n = 0; n < 11; n += 1) answers.push(await anywhere(browser, page, guess()));
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(400), 429]);
    expect(Number(answers[10]?.headers.get('retry-after'))).toBeGreaterThan(20);
    const elsewhere = await atCode(carol);
    const right = await anywhere(elsewhere.browser, elsewhere.page, waiting.user_code);
    expect([right.status, headingOf(right)]).toEqual([429, 'Sign in on a device']);
    expect(outcome(await poll(device, waiting))).toEqual([400, 'authorization_pending']);
    expect(await count('from sign_ins where user_id = $1 and error_code = 70018', [carol.id])).toBe(10);
    expect(await count('from sign_ins where user_id = $1 and error_code = 50053', [carol.id])).toBe(2);
    // Others in the organization go on.
    await approve(waiting);
  });

  test('DEV-05: a thousand guesses in parallel are looked at no more often than one after the other', async () => {
    await forget();
    const dora = await aPerson(database, server, tenant, { name: 'Dora' });
    const { browser, page } = await atCode(dora);
    const answers: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const burst = await Promise.all(Array.from({ length: 50 }, () => anywhere(browser, page, guess())));
      answers.push(...burst.map(({ status }) => status));
    }
    expect(answers.filter((status) => status === 400).length).toBeLessThanOrEqual(10);
    expect(answers.filter((status) => status === 429).length).toBe(
      1_000 - answers.filter((status) => status === 400).length,
    );
  }, 60_000);

  test('DEV-05: many people share the budget of their address', async () => {
    await forget();
    const people = await Promise.all(
      Array.from({ length: 6 }, (_, n) => aPerson(database, server, tenant, { name: `Mole ${n}` })),
    );
    const statuses: number[] = [];
    for (const mole of people) {
      const { browser, page } = await atCode(mole);
      for (let n = 0; n < 10; n += 1) statuses.push((await anywhere(browser, page, guess())).status);
    }
    expect(statuses.slice(0, 50)).toEqual(Array(50).fill(400));
    expect(statuses.slice(50)).toEqual(Array(10).fill(429));
    await forget();
  }, 60_000);

  test('DEV-05: a dump of the database holds no code that anybody could use', async () => {
    const waiting = await started();
    const rows = await asSuperuser<{ row: string }>(
      database,
      `select encode(payload, 'escape') || encode(id_hash, 'hex') || encode(user_code_hash, 'hex') as row
        from artifacts where model = 'DeviceCode' and user_code_hash is not null`,
    );
    expect(rows.length).toBeGreaterThan(0);
    const plain = waiting.user_code.replace('-', '');
    const digest = createHash('sha256').update(plain).digest('hex');
    const held = rows.map(({ row }) => row).join('\n');
    for (const secret of [plain, waiting.user_code, waiting.device_code, digest]) expect(held).not.toContain(secret);
  });
});

describe('a fault of the database while a person answers', () => {
  let faye: Person;
  beforeAll(async () => {
    faye = await aPerson(database, server, tenant, { name: 'Faye' });
  });

  test.each([
    ['as what he said is handed on', 'artifacts'],
    ['as the approval is written', 'token_families'],
  ])('%s leaves the code to be answered again', async (_when, table) => {
    const waiting = await started();
    const { browser, page } = await atConfirm(waiting, faye);
    const repair = await failingWrite(database, table, 'insert');
    try {
      const failed = await browser.submit(page, { decision: 'accept' });
      expect(failed.status).toBe(503);
    } finally {
      await repair();
    }
    // It is told to whoever runs the server, and the other tests here want nothing to be.
    for (const error of server.errors.splice(0)) expect(error).toMatchObject({ code: 'ServiceUnavailable' });
    expect(outcome(await poll(device, waiting))).toEqual([400, 'authorization_pending']);
    await approve(waiting, faye);
    expect((await poll(device, waiting)).status).toBe(200);
  });

  test('nor does it make an answer that was given one that may be given again', async () => {
    const waiting = await started();
    await approve(waiting, faye);
    const { browser, page } = await atCode(faye);
    const again = await browser.submit(page, { user_code: waiting.user_code, decision: 'accept' });
    expect(headingOf(again)).not.toBe('Is this your device?');
  });
});
