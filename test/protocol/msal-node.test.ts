import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  type AccountInfo,
  ConfidentialClientApplication,
  CryptoProvider,
  type NodeAuthOptions,
  PublicClientApplication,
} from '@azure/msal-node';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, headingOf } from '../../scripts/demo-story/browser.ts';
import { makeOwnCertificate } from '../../src/server/certificate-authority.ts';
import { aClientApplication, addToTenant, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { MsalNetwork } from '../support/msal-network.ts';
import { aPerson, enterPassword, type Person } from '../support/sign-in.ts';
import { aTenant, type TestTenant } from '../support/tenants.ts';

const scopes = ['User.Read'];
const certificate = makeOwnCertificate(['localhost']);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** Whose certificate it is, nobody asks: it names the key. */
const thumbprint = randomBytes(32);

let database: TestDatabase;
/** What MSAL reaches, by https. */
let server: TestAuthenticationServer;
/** The same service without https, as behind a proxy, for the browser. */
let behindProxy: TestAuthenticationServer;
let contoso: TestTenant;
let fabrikam: TestTenant;
let alice: Person;
let frank: Person;
let web: TestApplication;
let native: TestApplication;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database, { certificate });
  behindProxy = await anAuthenticationServer(database, { publicOrigin: server.origin });
  contoso = await aTenant(database, 'Contoso');
  fabrikam = await aTenant(database, 'Fabrikam');
  alice = await aPerson(database, server, contoso);
  frank = await aPerson(database, server, fabrikam, { name: 'Frank' });
  const jwk = { ...rsa.publicKey.export({ format: 'jwk' }), use: 'sig', 'x5t#S256': thumbprint.toString('base64url') };
  // MSAL sends one assertion until it expires.
  const compatibility = { assertionReuse: true };
  web = await aClientApplication(database, fabrikam, { isPublished: true, keys: [jwk], compatibility });
  native = await aClientApplication(database, fabrikam, {
    ...{ native: ['http://localhost'], isConfidential: false, isFallbackPublicClient: true, isPublished: true },
  });
  for (const { appId, servicePrincipalId } of [web, native]) {
    const there = await addToTenant(database, contoso, appId, fabrikam.id);
    const allowed = { scopes: ['openid', 'profile', 'offline_access', ...scopes] };
    await consentTo(database, fabrikam, { clientId: servicePrincipalId, ...allowed });
    await consentTo(database, contoso, { clientId: there, ...allowed });
  }
}, 60_000);

afterAll(async () => {
  expect([...server.errors, ...behindProxy.errors]).toEqual([]);
  await server.close();
  await behindProxy.close();
  await database.drop();
});

function configured(client: TestApplication, authority: string, credential: Partial<NodeAuthOptions> = {}) {
  const network = new MsalNetwork(certificate.authority);
  const { host } = new URL(server.origin);
  const auth = {
    clientId: client.appId,
    authority: `${server.origin}/${authority}`,
    knownAuthorities: [host],
    ...credential,
  };
  return { network, configuration: { auth, system: { networkClient: network } } };
}

type Msal = ConfidentialClientApplication | PublicClientApplication;

/** The whole way: MSAL's own URL, the page that finds the organization, sign-in, MSAL's own redemption. */
async function signIn(msal: Msal, redirectUri: string, person: Person) {
  const pkce = await new CryptoProvider().generatePkceCodes();
  const nonce = randomBytes(8).toString('hex');
  const url = await msal.getAuthCodeUrl({
    ...{ scopes, redirectUri, nonce, state: 'a-state', prompt: 'select_account' },
    ...{ codeChallenge: pkce.challenge, codeChallengeMethod: 'S256' },
  });
  const browser = new Browser(server.origin, behindProxy.origin);
  const realm = await browser.open(url);
  expect(headingOf(realm)).toBe('Sign in');
  const page = await browser.submit(realm, { username: person.username, decision: 'accept' });
  expect(page.text).toContain(`value="${person.username}"`);
  const { location } = await enterPassword(browser, page, person);
  const answer = location?.searchParams ?? new URLSearchParams();
  expect(answer.get('state')).toBe('a-state');
  const code = answer.get('code') ?? '';
  return msal.acquireTokenByCode({ scopes, redirectUri, nonce, code, codeVerifier: pkce.verifier });
}

function silently(msal: Msal, account: AccountInfo | null, forceRefresh = true) {
  if (!account) throw new Error('no account');
  return msal.acquireTokenSilent({ scopes, account, forceRefresh });
}

describe('MSAL at an authority of any organization', () => {
  test.each(['organizations', 'common'])(
    'signs people of two organizations in, and keeps them apart: %s',
    async (name) => {
      const { network, configuration } = configured(web, name, { clientSecret: web.secret });
      const msal = new ConfidentialClientApplication(configuration);
      for (const [person, tenant] of [
        [alice, contoso],
        [frank, fabrikam],
      ] as const) {
        const result = await signIn(msal, web.redirectUri, person);
        expect(result).toMatchObject({
          tenantId: tenant.id,
          uniqueId: person.id,
          scopes: expect.arrayContaining(scopes),
        });
        expect(result.account).toMatchObject({ homeAccountId: `${person.id}.${tenant.id}`, username: person.username });
        expect(result.idTokenClaims).toMatchObject({ iss: `${server.origin}/${tenant.id}/v2.0`, tid: tenant.id });
        expect(await silently(msal, result.account, false)).toMatchObject({ fromCache: true, tenantId: tenant.id });
      }
      const accounts = await msal.getTokenCache().getAllAccounts();
      expect(accounts.map(({ tenantId }) => tenantId).sort()).toEqual([contoso.id, fabrikam.id].sort());
      network.asked.length = 0;
      for (const account of accounts) {
        const refreshed = await silently(msal, account);
        expect(refreshed).toMatchObject({
          fromCache: false,
          tenantId: account.tenantId,
          uniqueId: account.localAccountId,
        });
      }
      expect(network.asked).toEqual(accounts.map(() => `POST /${name}/oauth2/v2.0/token`));
    },
  );

  test('needs its metadata alone: the keys of no organization', async () => {
    const { network, configuration } = configured(native, 'organizations');
    const msal = new PublicClientApplication(configuration);
    const result = await signIn(msal, 'http://localhost:51234', alice);
    expect(await silently(msal, result.account)).toMatchObject({ fromCache: false, tenantId: contoso.id });
    const token = 'POST /organizations/oauth2/v2.0/token';
    expect(network.asked).toEqual(['GET /organizations/v2.0/.well-known/openid-configuration', token, token]);
  });

  test('proves a confidential client by its certificate, addressed to that authority', async () => {
    const clientCertificate = {
      thumbprintSha256: thumbprint.toString('hex'),
      privateKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
    const msal = new ConfidentialClientApplication(
      configured(web, 'organizations', { clientCertificate }).configuration,
    );
    const result = await signIn(msal, web.redirectUri, alice);
    expect(await silently(msal, result.account)).toMatchObject({ fromCache: false, tenantId: contoso.id });
  });

  test('may name the organization once it is known', async () => {
    const { configuration } = configured(web, 'organizations', { clientSecret: web.secret });
    const msal = new ConfidentialClientApplication(configuration);
    const { account } = await signIn(msal, web.redirectUri, alice);
    if (!account) throw new Error('no account');
    const authority = `${server.origin}/${contoso.id}`;
    const there = await msal.acquireTokenSilent({ scopes, account, authority, forceRefresh: true });
    expect(there).toMatchObject({ fromCache: false, tenantId: contoso.id });
  });

  test('is told why an application on its own, or a device, gets nothing there', async () => {
    const { configuration } = configured(web, 'organizations', { clientSecret: web.secret });
    const alone = new ConfidentialClientApplication(configuration);
    await expect(alone.acquireTokenByClientCredential({ scopes: ['api://any/.default'] })).rejects.toMatchObject({
      errorCode: 'missing_tenant_id_error',
    });
    // MSAL looks at no error of this endpoint, and asks for tokens with nothing in its hands.
    const device = new PublicClientApplication(configured(native, 'organizations').configuration);
    const asked = device.acquireTokenByDeviceCode({ scopes, deviceCodeCallback: () => undefined });
    await expect(asked).rejects.toMatchObject({ errorCode: 'post_request_failed' });
  });

  test('hears of a family that ended that somebody has to sign in', async () => {
    const { configuration } = configured(web, 'organizations', { clientSecret: web.secret });
    const msal = new ConfidentialClientApplication(configuration);
    const { account } = await signIn(msal, web.redirectUri, alice);
    const browser = new Browser(server.origin, behindProxy.origin);
    const token = await silently(msal, account);
    const body = new URLSearchParams({ client_id: web.appId, client_secret: web.secret, token: token.accessToken });
    expect((await browser.ask('/organizations/oauth2/v2.0/revoke', { method: 'POST', body })).status).toBe(200);
    await expect(silently(msal, account)).rejects.toMatchObject({ errorCode: 'invalid_grant' });
  });
});
