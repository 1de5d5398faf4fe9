import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { aClientApplication, aPerson, assignRole, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, type Browser, post, redeemForm, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { refused } from '../support/refused.ts';
import { aTenant, type TestTenant } from '../support/tenants.ts';

/** One application that is web application, single-page application and native one at once: CLI-02, CLI-09. */
const [WEB, SPA, NATIVE] = ['https://app.example/callback', 'https://spa.example/callback', 'http://localhost/native'];
let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let application: TestApplication;
let browser: Browser;
let tokens: { access_token: string; refresh_token: string };

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  browser = await aSignedInBrowser(database, tenant, await aPerson(database, tenant));
  application = await aClientApplication(database, tenant, { web: [WEB], spa: [SPA], native: [NATIVE] });
  const scopes = ['openid', 'profile', 'offline_access', 'User.Read'];
  await consentTo(database, tenant, { clientId: application.servicePrincipalId, scopes });
  await assignRole(database, tenant, application.servicePrincipalId, 'User.Read.All');
  tokens = (await token(redeemForm(application, await begin(WEB)))).body;
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

const begin = (redirect_uri: string) =>
  authorize(server.origin, tenant, { ...application, redirectUri: redirect_uri }, browser);
const token = (form: Record<string, string>) => post(server.origin, tenant, 'token', form);
const publicly = () => ({ client_id: application.appId });
const wrongly = () => ({ ...publicly(), client_secret: 'not the secret of this application' });

describe('no address that a request names spares it the credential', () => {
  test.each([WEB, SPA, NATIVE])('for a code of the web application, with %s', async (redirect_uri) => {
    const form = { ...redeemForm(application, await begin(WEB), true), redirect_uri };
    const answer = await refused({ database, server }, () => token(form), [application.secret]);
    expect(answer.body.error).toBe(redirect_uri === WEB ? 'invalid_client' : 'invalid_grant');
  });

  const OF_WEB = ['', WEB, SPA, NATIVE].map((redirect_uri) => [redirect_uri || 'none', redirect_uri] as const);
  test.each(OF_WEB)('for a refresh token of the web application, with %s', async (_name, redirect_uri) => {
    for (const credentials of [publicly(), wrongly()]) {
      const form = { ...refreshForm(application, tokens.refresh_token, true), ...credentials, redirect_uri };
      const answer = await refused({ database, server }, () => token(form), [application.secret]);
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    }
  });

  test.each(OF_WEB)('for the application itself, with %s', async (_name, redirect_uri) => {
    for (const credentials of [publicly(), wrongly()]) {
      const form = { ...credentials, grant_type: 'client_credentials', redirect_uri };
      const answer = await refused({ database, server }, () => token(form), [application.secret]);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(['invalid_client', 'invalid_request', 'unauthorized_client']).toContain(answer.body.error);
    }
  });

  test.each(OF_WEB)('for an introspection, with %s', async (_name, redirect_uri) => {
    for (const credentials of [publicly(), wrongly()]) {
      const form = { ...credentials, token: tokens.access_token, redirect_uri };
      const ask = () => post(server.origin, tenant, 'introspect', form);
      const answer = await refused({ database, server }, ask, [application.secret]);
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    }
  });

  test('control: each of its kinds works as what it is', async () => {
    for (const [redirect_uri, isPublic] of [
      [WEB, false],
      [SPA, true],
      [NATIVE, true],
    ] as const) {
      const form = { ...redeemForm(application, await begin(redirect_uri), isPublic), redirect_uri };
      expect([redirect_uri, (await token(form)).body.error_description]).toEqual([redirect_uri, undefined]);
    }
  });
});

test('RFC 8707: an application-only token is for one resource, and two are refused', async () => {
  const form = new URLSearchParams({
    ...publicly(),
    client_secret: application.secret,
    grant_type: 'client_credentials',
  });
  for (const resource of ['https://graph.microsoft.com', 'https://other.example']) form.append('resource', resource);
  const response = await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/token`, { method: 'POST', body: form });
  expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_target' })]);
});
