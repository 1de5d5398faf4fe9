import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { Browser, headingOf, textOf } from '../../scripts/demo-story/browser.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aClientApplication, aPerson as aUserOf, consentTo } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, post, redeemForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
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

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let application: WebApplication;
let person: Person;
let browser: Browser;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  application = await aWebApplication(database, tenant);
  person = await aPerson(database, server, tenant);
  ({ browser } = await signIn(server, tenant, application, person));
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const posted = ({ url }: Authorize, by = browser) =>
  by.open(url.split('?')[0] ?? '', { method: 'POST', body: url.split('?')[1] ?? '' });

describe('an authorization request by POST (OpenID Connect Core, section 3.1.2.1)', () => {
  test('asks for the same as by GET, offline_access too', async () => {
    const asked = new Authorize(server, tenant, application);
    const code = (await posted(asked)).location?.searchParams.get('code') ?? '';
    const tokens = await redeem(server, tenant, application, { code, code_verifier: asked.verifier });
    expect(tokens.scope?.split(' ').sort()).toEqual(['User.Read', 'offline_access', 'openid', 'profile']);
    expect(tokens.refresh_token).toEqual(expect.any(String));
  });

  test('keeps what it asked for over the sign-in', async () => {
    const asked = new Authorize(server, tenant, application);
    const fresh = new Browser(server.origin);
    const page = await enterPassword(fresh, await posted(asked, fresh), person);
    const code = page.location?.searchParams.get('code') ?? '';
    const tokens = await redeem(server, tenant, application, { code, code_verifier: asked.verifier });
    expect(tokens.refresh_token).toEqual(expect.any(String));
  });
});

describe('a logout by POST (RP-Initiated Logout, section 2)', () => {
  test('asks as one by GET does, and leads back', async () => {
    const { browser: leaving, tokens } = await signIn(server, tenant, application, person);
    const body = new URLSearchParams({
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: application.redirectUri,
      state: 'left',
    });
    const page = await leaving.open(`/${tenant.id}/oauth2/v2.0/logout`, { method: 'POST', body });
    const done = await leaving.submit(page, { logout: 'yes' });
    expect(done.location?.href).toBe(`${application.redirectUri}?state=left`);
  });
});

test('a parameter in the address and in the form is doubled (RED-13), and a form too long is none', async () => {
  const { url } = new Authorize(server, tenant, application);
  const doubled = await browser.open(url, { method: 'POST', body: 'scope=openid' });
  expect([doubled.status, doubled.location?.searchParams.get('code') ?? null]).toEqual([303, null]);
  expect(doubled.location?.searchParams.get('error')).toBe('invalid_request');
  const long = await browser.open(url.split('?')[0] ?? '', { method: 'POST', body: `state=${'x'.repeat(20_000)}` });
  expect([long.status, long.location]).toEqual([413, undefined]);
});

test.each([undefined, ''])('a request that names no scope (%p) is told so (RFC 6749, section 3.3)', async (scope) => {
  const url = new URL(new Authorize(server, tenant, application).url, server.origin);
  url.searchParams.delete('scope');
  if (scope !== undefined) url.searchParams.set('scope', scope);
  const { location } = await browser.open(`${url.pathname}${url.search}`);
  expect(location?.searchParams.get('error')).toBe('invalid_scope');
  expect(location?.searchParams.get('error_description')).toMatch(/^AADSTS900144: /);
});

test('a request for offline_access alone, which the library drops of a scope, names one', async () => {
  const url = new URL(new Authorize(server, tenant, application).url, server.origin);
  url.searchParams.set('scope', 'offline_access');
  url.searchParams.delete('nonce');
  const { location } = await browser.open(`${url.pathname}${url.search}`);
  expect(location?.searchParams.get('code')).toEqual(expect.any(String));
});

describe('an API that is indicated (RFC 8707) beside OIDC scopes alone', () => {
  test('is asked for whole, so that a code becomes a token for it', async () => {
    const userId = await aUserOf(database, tenant, 'ray');
    const client = await aClientApplication(database, tenant, { name: 'Front' });
    const api = await aClientApplication(database, tenant, { name: 'Orders', scopes: ['Read', 'Write'] });
    const parameters = { scope: 'openid', resource: `api://${api.appId}`, prompt: 'none' };
    const ask = async () =>
      authorize(server.origin, tenant, client, await aSignedInBrowser(database, tenant, userId), parameters);
    await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes: ['openid'] });
    // It was a code, which the token endpoint then refused, again and again: nobody had been asked.
    expect((await ask()).parameters.get('error')).toBe('consent_required');
    const consented = { clientId: client.servicePrincipalId, resourceAppId: api.appId };
    await consentTo(database, tenant, { ...consented, scopes: ['Read', 'Write'] });
    const answer = await post(server.origin, tenant, 'token', redeemForm(client, await ask()));
    expect([answer.status, answer.body.error_description]).toEqual([200, undefined]);
    expect(decodeJwt(answer.body.access_token)).toMatchObject({ aud: api.appId, scp: 'Read Write' });
  });
});

test('OIDC scopes beside an API are refused where the directory is not open to the person, who would be asked for ever', async () => {
  const userId = await aUserOf(database, tenant, 'una');
  const client = await aClientApplication(database, tenant, { name: 'Shut out' });
  const api = await aClientApplication(database, tenant, { name: 'Open', scopes: ['Read'] });
  const consented = { clientId: client.servicePrincipalId, scopes: ['Read'], resourceAppId: api.appId };
  await consentTo(database, tenant, consented);
  const required = (is: boolean) =>
    asSuperuser(
      database,
      'update service_principals set app_role_assignment_required = $3 where tenant_id = $1 and app_id = $2',
      [...[tenant.id, DIRECTORY_APP_ID, is]],
    );
  await required(true);
  try {
    const browserOf = await aSignedInBrowser(database, tenant, userId);
    const refusal = await authorize(server.origin, tenant, client, browserOf, {
      scope: `openid api://${api.appId}/Read`,
    });
    expect(refusal.parameters.get('error_description')).toMatch(/^AADSTS50105: /);
  } finally {
    await required(false);
  }
});

describe('TOK-14: claims', () => {
  const ROLES = { value: 'Global Administrator', essential: true };
  const wanted = { roles: ROLES, wids: ROLES, scp: { value: 'Directory.ReadWrite.All' }, tid: { value: 'x' } };
  const smuggled = {
    claims: JSON.stringify({ id_token: wanted, userinfo: wanted, access_token: wanted }),
    roles: 'Global Administrator',
    wids: '62e90394-69f5-4237-9190-012177145e10',
    scp: 'Directory.ReadWrite.All',
  };

  test('are not put into a token by who asks for it', async () => {
    const asked = new Authorize(server, tenant, application, smuggled);
    const code = (await browser.open(asked.url)).location?.searchParams.get('code') ?? '';
    const tokens = await redeem(server, tenant, application, { code, code_verifier: asked.verifier, ...smuggled });
    for (const token of [tokens.access_token, tokens.id_token ?? '']) {
      const claims = decodeJwt(token);
      expect([claims.roles, claims.tid]).toEqual([undefined, tenant.id]);
    }
    const { wids, scp } = decodeJwt(tokens.access_token);
    expect([wids, String(scp).split(' ').sort()]).toEqual([[], ['User.Read', 'offline_access', 'openid', 'profile']]);
  });
});

describe('CON-12: an application that is for those only who are assigned', () => {
  test('is refused to anybody else before he is asked anything, and says nothing of who is', async () => {
    const closed = await aWebApplication(database, tenant, { name: 'Closed' });
    const servicePrincipal = `insert into service_principals (tenant_id, id, app_id, app_owner_organization_id, app_role_assignment_required)
      values ($1, gen_random_uuid(), $2, $1, true)`;
    await asSuperuser(database, servicePrincipal, [tenant.id, closed.appId]);
    const assigned = await aPerson(database, server, tenant, { name: 'Bob' });
    const assign = `insert into app_role_assignments (tenant_id, id, principal_type, user_id, resource_id, app_role_id)
      select $1, gen_random_uuid(), 'User', $2, id, '00000000-0000-0000-0000-000000000000' from service_principals where app_id = $3`;
    await asSuperuser(database, assign, [tenant.id, assigned.id, closed.appId]);

    const refused = await browser.open(new Authorize(server, tenant, closed).url);
    const { error, code, error_description = '' } = Object.fromEntries(refused.location?.searchParams ?? []);
    expect([error, code]).toEqual(['access_denied', undefined]);
    expect(error_description).not.toContain(assigned.username);
    const grants = `select from oauth2_permission_grants g join service_principals c on c.id = g.client_id where c.app_id = $1`;
    expect(await asSuperuser(database, grants, [closed.appId])).toEqual([]);
    const { tokens } = await signIn(server, tenant, closed, assigned);
    expect(tokens.access_token).toEqual(expect.any(String));
  });

  test('is closed to who is assigned no longer when he accepts', async () => {
    const closing = await aWebApplication(database, tenant, { name: 'Closing' });
    const page = await browser.open(new Authorize(server, tenant, closing).url);
    expect(headingOf(page)).toBe('Allow access?');
    const servicePrincipal = `insert into service_principals (tenant_id, id, app_id, app_owner_organization_id, app_role_assignment_required)
      values ($1, gen_random_uuid(), $2, $1, true)`;
    await asSuperuser(database, servicePrincipal, [tenant.id, closing.appId]);
    const done = await browser.submit(page, { decision: 'accept' });
    expect(done.location?.searchParams.get('error')).toBe('access_denied');
    expect(done.location?.searchParams.get('code')).toBeNull();
  });
});

describe('RED-01: an address that is taken back while the person signs in', () => {
  const takenBack = async () => {
    const moving = await aWebApplication(database, tenant, { redirectUri: 'https://former.example/callback' });
    const fresh = new Browser(server.origin);
    return {
      moving,
      fresh,
      move: () =>
        asSuperuser(database, 'update applications set web_redirect_uris = $2 where app_id = $1', [
          moving.appId,
          ['https://app.example/callback'],
        ]),
    };
  };

  test('gets no code', async () => {
    const { moving, fresh, move } = await takenBack();
    await signIn(server, tenant, moving, person);
    const page = await fresh.open(new Authorize(server, tenant, moving).url);
    await move();
    const done = await enterPassword(fresh, page, person);
    expect([done.status, done.location]).toEqual([400, undefined]);
    expect(textOf(done)).toContain('We can not send you back');
  });

  test('is not told either that an administrator decided', async () => {
    const admin = await aPerson(database, server, tenant, { name: 'Ada', roles: ['Global Administrator'] });
    for (const decision of ['accept', 'cancel']) {
      const { moving, fresh, move } = await takenBack();
      const query = new URLSearchParams({
        client_id: moving.appId,
        redirect_uri: moving.redirectUri,
        state: 's',
        scope: 'openid',
      });
      const page = await enterPassword(fresh, await fresh.open(`/${tenant.id}/v2.0/adminconsent?${query}`), admin);
      await move();
      expect((await fresh.submit(page, { decision })).location).toBeUndefined();
    }
  });
});

test.each(['oauth2/v2.0/register', 'oauth2/v2.0/reg', 'connect/register', 'reg'])(
  'CLI-13: nobody registers a client at the sign-in server’s %s',
  async (path) => {
    const metadata = { redirect_uris: ['https://evil.example/callback'], client_name: 'Evil' };
    const count = () => asSuperuser(database, 'select count(*) from applications');
    const before = await count();
    const response = await fetch(`${server.origin}/${tenant.id}/${path}`, {
      method: 'POST',
      body: JSON.stringify(metadata),
      headers: { 'content-type': 'application/json', authorization: 'Bearer forged' },
    });
    expect([response.status, await count()]).toEqual([404, before]);
  },
);
