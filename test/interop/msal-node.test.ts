import {
  type AccountInfo,
  ClientAuthError,
  CryptoProvider,
  InteractionRequiredAuthError,
  ServerError,
} from '@azure/msal-node';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { Browser, formsOf, textOf } from '../../scripts/demo-story/browser.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aClientCertificate } from '../support/client-certificate.ts';
import type { Deployment } from '../support/deployment.ts';
import { setCompatibility } from './administrator.ts';
import { byCertificate, byItself, bySecret, publicly, settings, signIn } from './msal.ts';
import {
  ALICE,
  ARCHIVE,
  ARCHIVE_READ,
  AUTH_CALLBACK,
  CALLBACK,
  CAROL,
  CONTOSO,
  certificate,
  DAEMON,
  DESKTOP,
  ENTRIES_APPROVE,
  ENTRIES_READ,
  FABRIKAM,
  LEDGER,
  LOOPBACK,
  NEWCOMER,
  servedOrganizations,
  WEB,
} from './organizations.ts';
import { PersonAtPages } from './person-at-pages.ts';
import { thrown } from './thrown.ts';

const PKCE = { codeChallenge: 'A'.repeat(43), codeChallengeMethod: 'S256' };
const PEOPLE = [
  [ALICE, CONTOSO],
  [CAROL, FABRIKAM],
] as const;
const GRAPH_DEFAULT = ['https://graph.microsoft.com/.default'];

let deployment: Deployment;
let origin: string;

beforeAll(async () => {
  deployment = await servedOrganizations();
  origin = deployment.origin;
}, 240_000);

afterAll(() => deployment?.end());

function accountOf({ account }: { readonly account: AccountInfo | null }): AccountInfo {
  if (!account) throw new Error('There is no account.');
  return account;
}

describe('@azure/msal-node', () => {
  test('client credentials by secret, then from the cache', async () => {
    const msal = bySecret(origin, CONTOSO.id, DAEMON);
    const first = await msal.acquireTokenByClientCredential({ scopes: GRAPH_DEFAULT });
    expect(decodeJwt(first?.accessToken ?? '')).toMatchObject({ aud: DIRECTORY_APP_ID, roles: ['User.Read.All'] });
    const again = await msal.acquireTokenByClientCredential({ scopes: GRAPH_DEFAULT });
    expect(again).toMatchObject({ fromCache: true, accessToken: first?.accessToken });
  });

  test('client credentials in a process that was given nothing but NODE_EXTRA_CA_CERTS', async () => {
    const { auth } = settings(origin, CONTOSO.id, { appId: DAEMON.appId, clientSecret: DAEMON.secret });
    expect(await byItself(deployment, auth, GRAPH_DEFAULT)).toEqual({ tokenType: 'Bearer', fromCache: false });
  });

  test('client credentials by certificate, once as the default has it', async () => {
    const msal = byCertificate(origin, CONTOSO.id, DAEMON);
    const asked = { scopes: GRAPH_DEFAULT, skipCache: true };
    expect(await msal.acquireTokenByClientCredential(asked)).toMatchObject({ tokenType: 'Bearer' });
    const error = await thrown(msal.acquireTokenByClientCredential(asked));
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ errorCode: 'invalid_client', errorNo: 700027 });
    expect(String(error)).toContain('The client assertion has been used before.');
  });

  test('client credentials by certificate, twice within ten minutes with assertionReuse', async () => {
    await setCompatibility(deployment, DAEMON, { assertionReuse: true });
    const msal = byCertificate(origin, CONTOSO.id, DAEMON);
    const asked = { scopes: GRAPH_DEFAULT, skipCache: true };
    expect(await msal.acquireTokenByClientCredential(asked)).toMatchObject({ tokenType: 'Bearer', fromCache: false });
    expect(await msal.acquireTokenByClientCredential(asked)).toMatchObject({ tokenType: 'Bearer', fromCache: false });
    await setCompatibility(deployment, DAEMON, {});
  });

  test('code and PKCE; silent from the cache, then forced', async () => {
    const msal = bySecret(origin, CONTOSO.id, WEB);
    const result = await signIn(msal, origin, ALICE, { scopes: ['User.Read'] });
    const account = accountOf(result);
    expect(result).toMatchObject({ tenantId: CONTOSO.id, fromCache: false, tokenType: 'Bearer' });
    expect(account).toMatchObject({ username: ALICE.username, name: 'Alice Moreau', tenantId: CONTOSO.id });
    expect(account.homeAccountId).toBe(`${decodeJwt(result.accessToken).oid}.${CONTOSO.id}`);
    const silent = await msal.acquireTokenSilent({ scopes: ['User.Read'], account });
    expect(silent).toMatchObject({ fromCache: true, accessToken: result.accessToken, idToken: result.idToken });
    const forced = await msal.acquireTokenSilent({ scopes: ['User.Read'], account, forceRefresh: true });
    expect(forced.fromCache).toBe(false);
    expect(forced.accessToken).not.toBe(result.accessToken);
  });

  test('a token for another resource by the same account, and then each from the cache', async () => {
    const msal = bySecret(origin, CONTOSO.id, WEB);
    const account = accountOf(await signIn(msal, origin, ALICE, { scopes: ['User.Read'] }));
    const ledger = await msal.acquireTokenSilent({ scopes: [ENTRIES_READ], account });
    expect(decodeJwt(ledger.accessToken)).toMatchObject({ aud: LEDGER.appId, scp: 'Entries.Read' });
    const all = await msal.acquireTokenSilent({ scopes: [`api://${ARCHIVE.appId}/.default`], account });
    expect(decodeJwt(all.accessToken)).toMatchObject({ aud: ARCHIVE.appId, scp: 'Files.Read' });
    for (const scopes of [['User.Read'], [ENTRIES_READ], [`api://${ARCHIVE.appId}/.default`]])
      expect(await msal.acquireTokenSilent({ scopes, account })).toMatchObject({ fromCache: true });
  });

  test('one more scope of the same resource', async () => {
    const msal = publicly(origin, CONTOSO.id, DESKTOP);
    const redirectUri = `${LOOPBACK}:53682`;
    const account = accountOf(await signIn(msal, origin, ALICE, { scopes: ['User.Read'], redirectUri }));
    const more = await msal.acquireTokenSilent({ scopes: ['User.Read', 'User.Read.All'], account });
    expect(more.fromCache).toBe(false);
    expect(String(decodeJwt(more.accessToken).scp).split(' ')).toEqual(
      expect.arrayContaining(['User.Read', 'User.Read.All']),
    );
    expect(await msal.acquireTokenSilent({ scopes: ['User.Read.All'], account })).toMatchObject({ fromCache: true });
  });

  test('on behalf of the person who called, then from the cache', async () => {
    const web = bySecret(origin, CONTOSO.id, WEB);
    const { accessToken } = await signIn(web, origin, ALICE, { scopes: [ENTRIES_READ] });
    const ledger = bySecret(origin, CONTOSO.id, LEDGER);
    const asked = { oboAssertion: accessToken, scopes: ['https://graph.microsoft.com/User.Read'] };
    const result = await ledger.acquireTokenOnBehalfOf(asked);
    expect(decodeJwt(result?.accessToken ?? '')).toMatchObject({ aud: DIRECTORY_APP_ID, azp: LEDGER.appId });
    expect(await ledger.acquireTokenOnBehalfOf(asked)).toMatchObject({ fromCache: true });
  });

  test('on behalf of a person, without consent: InteractionRequiredAuthError, consent_required', async () => {
    const web = bySecret(origin, CONTOSO.id, WEB);
    const { accessToken } = await signIn(web, origin, ALICE, { scopes: [ARCHIVE_READ] });
    const archive = bySecret(origin, CONTOSO.id, ARCHIVE);
    const asked = { oboAssertion: accessToken, scopes: ['https://graph.microsoft.com/User.Read'] };
    const error = await thrown(archive.acquireTokenOnBehalfOf(asked));
    expect(error).toBeInstanceOf(InteractionRequiredAuthError);
    expect(error).toMatchObject({ errorCode: 'invalid_grant', subError: 'consent_required', errorNo: 65001 });
  });

  test('device code', async () => {
    const msal = publicly(origin, CONTOSO.id, DESKTOP);
    const result = await msal.acquireTokenByDeviceCode({
      scopes: ['User.Read'],
      deviceCodeCallback: async ({ verificationUri, userCode, message }) => {
        expect(message).toContain(userCode);
        const alice = new PersonAtPages(origin, ALICE);
        const page = await alice.goThrough(verificationUri);
        await alice.answer(await alice.browser.submit(page, { user_code: userCode, decision: 'accept' }));
        expect(alice.seen).toContain('Is this your device?');
      },
    });
    expect(result).toMatchObject({ account: { username: ALICE.username }, tenantId: CONTOSO.id });
    const silent = { scopes: ['User.Read'], account: accountOf(result ?? { account: null }), forceRefresh: true };
    expect(await msal.acquireTokenSilent(silent)).toMatchObject({ fromCache: false });
  });

  test('interactive, by form_post to its own listener on loopback', async () => {
    const msal = publicly(origin, CONTOSO.id, DESKTOP);
    const result = await msal.acquireTokenInteractive({
      scopes: ['User.Read'],
      openBrowser: async (url) => {
        const form = formsOf(await new PersonAtPages(origin, ALICE).goThrough(url))[0];
        expect(form?.action).toMatch(/^http:\/\/localhost:\d+\/?$/);
        await fetch(form?.action ?? '', { method: 'POST', body: new URLSearchParams(form?.fields) });
      },
    });
    expect(result).toMatchObject({
      account: { username: ALICE.username },
      scopes: expect.arrayContaining(['User.Read']),
    });
  });

  test('people of several organizations in one client, each by the authority of theirs', async () => {
    const msal = bySecret(origin, CONTOSO.id, WEB);
    for (const [person, tenant] of PEOPLE) {
      const authority = `${origin}/${tenant.id}`;
      const result = await signIn(msal, origin, person, { scopes: ['User.Read'], authority });
      expect(result.tenantId).toBe(tenant.id);
    }
    const accounts = await msal.getTokenCache().getAllAccounts();
    expect(accounts.map(({ username }) => username).sort()).toEqual([ALICE.username, CAROL.username]);
    for (const account of accounts) {
      const authority = `${origin}/${account.tenantId}`;
      const token = await msal.acquireTokenSilent({ scopes: ['User.Read'], account, authority, forceRefresh: true });
      expect(decodeJwt(token.accessToken)).toMatchObject({ tid: account.tenantId });
    }
  });

  test('an authority by domain name', async () => {
    const daemon = bySecret(origin, CONTOSO.domain, DAEMON);
    expect(await daemon.acquireTokenByClientCredential({ scopes: GRAPH_DEFAULT })).toMatchObject({ fromCache: false });
    const msal = bySecret(origin, CONTOSO.domain.toUpperCase(), WEB);
    const result = await signIn(msal, origin, ALICE, { scopes: ['User.Read'] });
    expect(result.tenantId).toBe(CONTOSO.id);
    const silent = { scopes: ['User.Read'], account: accountOf(result) };
    expect(await msal.acquireTokenSilent(silent)).toMatchObject({ fromCache: true });
    expect(await msal.acquireTokenSilent({ ...silent, forceRefresh: true })).toMatchObject({ fromCache: false });
  });

  test.each(['common', 'organizations'])('people of any organization, kept apart: /%s', async (authority) => {
    const msal = bySecret(origin, authority, WEB);
    for (const [person, { id }] of PEOPLE) {
      const result = await signIn(msal, origin, person, { scopes: ['User.Read'] });
      const account = accountOf(result);
      expect(result.idTokenClaims).toMatchObject({ iss: `${origin}/${id}/v2.0`, tid: id });
      expect(account).toMatchObject({ username: person.username, homeAccountId: `${result.uniqueId}.${id}` });
      const silent = { scopes: ['User.Read'], account };
      expect(await msal.acquireTokenSilent(silent)).toMatchObject({ fromCache: true, tenantId: id });
    }
    const accounts = await msal.getTokenCache().getAllAccounts();
    expect(accounts.map(({ tenantId }) => tenantId).sort()).toEqual([CONTOSO.id, FABRIKAM.id].sort());
    for (const account of accounts) {
      const { tenantId, localAccountId: uniqueId } = account;
      const forced = await msal.acquireTokenSilent({ scopes: ['User.Read'], account, forceRefresh: true });
      expect(forced).toMatchObject({ fromCache: false, tenantId, uniqueId });
    }
  });

  test('people of any organization, by a public client that fetches metadata and tokens, and no keys', async () => {
    const fetched = jest.spyOn(globalThis, 'fetch');
    const msal = publicly(origin, 'organizations', DESKTOP);
    const asked = { scopes: ['User.Read'], redirectUri: `${LOOPBACK}:53682` };
    const account = accountOf(await signIn(msal, origin, ALICE, asked));
    await msal.acquireTokenSilent({ scopes: asked.scopes, account, forceRefresh: true });
    const paths = fetched.mock.calls.map(([url]) => new URL(String(url)).pathname);
    fetched.mockRestore();
    // The others are where the person went.
    const [token, metadata] = ['oauth2/v2.0/token', 'v2.0/.well-known/openid-configuration'];
    expect(paths.filter((path) => /token$|keys$|\.well-known/.test(path))).toEqual(
      [metadata, token, token].map((path) => `/organizations/${path}`),
    );
  });

  test('people of any organization by certificate, addressed to that authority; then silent at the one known', async () => {
    const msal = byCertificate(origin, 'organizations', WEB);
    const result = await signIn(msal, origin, ALICE, { scopes: ['User.Read'] });
    expect(result.tenantId).toBe(CONTOSO.id);
    const [account, authority] = [accountOf(result), `${origin}/${CONTOSO.id}`];
    const there = await msal.acquireTokenSilent({ scopes: ['User.Read'], account, authority, forceRefresh: true });
    expect(there).toMatchObject({ fromCache: false, tenantId: CONTOSO.id });
  });

  test('silent without consent: InteractionRequiredAuthError, consent_required', async () => {
    const msal = bySecret(origin, CONTOSO.id, WEB);
    const account = accountOf(await signIn(msal, origin, ALICE, { scopes: ['User.Read'] }));
    const error = await thrown(msal.acquireTokenSilent({ scopes: [ENTRIES_APPROVE], account }));
    expect(error).toBeInstanceOf(InteractionRequiredAuthError);
    expect(error).toMatchObject({ subError: 'consent_required', errorNo: 65001 });
  });

  test.each([
    ['the organization', CONTOSO.id],
    ['/organizations', 'organizations'],
  ])(
    'silent after the person was signed out everywhere, by %s: InteractionRequiredAuthError, bad_token',
    async (_what, authority) => {
      const msal = bySecret(origin, authority, WEB);
      const result = await signIn(msal, origin, ALICE, { scopes: ['User.Read'] });
      const account = accountOf(result);
      const body = new URLSearchParams({
        ...{ client_id: WEB.appId, client_secret: WEB.secret, token: result.accessToken },
      });
      const revoked = await fetch(`${origin}/${authority}/oauth2/v2.0/revoke`, { method: 'POST', body });
      expect(revoked.status).toBe(200);
      const error = await thrown(msal.acquireTokenSilent({ scopes: ['User.Read'], account, forceRefresh: true }));
      expect(error).toBeInstanceOf(InteractionRequiredAuthError);
      expect(error).toMatchObject({ errorCode: 'invalid_grant', subError: 'bad_token', errorNo: 700082 });
    },
  );

  test('prompt none: login_required without a session, consent_required without consent', async () => {
    const asked = { scopes: ['User.Read'], redirectUri: CALLBACK, prompt: 'none', ...PKCE };
    const url = await bySecret(origin, CONTOSO.id, NEWCOMER).getAuthCodeUrl(asked);
    const { location } = await new Browser(origin).open(url);
    expect(location?.searchParams.get('error')).toBe('login_required');
    const alice = new PersonAtPages(origin, ALICE);
    await alice.arrive(await bySecret(origin, CONTOSO.id, WEB).getAuthCodeUrl({ ...asked, prompt: 'login' }));
    const there = await alice.browser.open(url);
    expect(there.location?.searchParams.get('error')).toBe('consent_required');
  });

  describe('given wrong input', () => {
    const cc = { scopes: GRAPH_DEFAULT, skipCache: true };

    test('an organization that is not there: ClientAuthError, endpoints_resolution_error', async () => {
      const error = await thrown(bySecret(origin, 'nowhere.example', DAEMON).acquireTokenByClientCredential(cc));
      expect(error).toBeInstanceOf(ClientAuthError);
      expect(error).toMatchObject({ errorCode: 'endpoints_resolution_error' });
    });

    test('no organization where nobody signs in: ClientAuthError, and for a device post_request_failed', async () => {
      const error = await thrown(bySecret(origin, 'organizations', WEB).acquireTokenByClientCredential(cc));
      expect(error).toBeInstanceOf(ClientAuthError);
      expect(error).toMatchObject({ errorCode: 'missing_tenant_id_error' });
      // MSAL looks at no error of this endpoint, and asks for tokens with nothing in its hands.
      const asked = { scopes: ['User.Read'], deviceCodeCallback: () => undefined };
      const device = publicly(origin, 'organizations', DESKTOP).acquireTokenByDeviceCode(asked);
      expect(await thrown(device)).toMatchObject({ errorCode: 'post_request_failed' });
    });

    test('an application of another organization: ServerError, which says that it is not there', async () => {
      const error = await thrown(bySecret(origin, FABRIKAM.id, DAEMON).acquireTokenByClientCredential(cc));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ errorNo: 700016 });
      expect(String(error)).toContain('No application with this client_id was found in the organization.');
    });

    test('a redirect URI that is not registered: a page for people with AADSTS50011’s words, and no redirect', async () => {
      const asked = { scopes: ['User.Read'], redirectUri: 'https://app.example/other' };
      const url = await bySecret(origin, CONTOSO.id, WEB).getAuthCodeUrl({ ...asked, ...PKCE });
      const page = await new Browser(origin).open(url);
      expect([page.status, page.location]).toEqual([400, undefined]);
      expect(textOf(page)).toContain('redirect_uri');
    });

    test('another redirect URI at the redemption: ServerError, invalid_grant', async () => {
      const msal = bySecret(origin, CONTOSO.id, WEB);
      const { challenge, verifier } = await new CryptoProvider().generatePkceCodes();
      const asked = { scopes: ['User.Read'], redirectUri: CALLBACK };
      const pkce = { codeChallenge: challenge, codeChallengeMethod: 'S256' };
      const answer = await new PersonAtPages(origin, ALICE).arrive(await msal.getAuthCodeUrl({ ...asked, ...pkce }));
      const code = answer.searchParams.get('code') ?? '';
      const redeemed = { ...asked, redirectUri: AUTH_CALLBACK, code, codeVerifier: verifier };
      const error = await thrown(msal.acquireTokenByCode(redeemed));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ errorCode: 'invalid_grant' });
    });

    test('no PKCE: invalid_request comes back to the application, and says what is missing', async () => {
      const asked = { scopes: ['User.Read'], redirectUri: CALLBACK };
      const url = await bySecret(origin, CONTOSO.id, WEB).getAuthCodeUrl(asked);
      const { location } = await new Browser(origin).open(url);
      expect(location?.searchParams.get('error')).toBe('invalid_request');
      expect(location?.searchParams.get('error_description')).toMatch(/code_challenge|PKCE/);
    });

    test.each([
      ['a secret that has expired', WEB.expiredSecret, 7000222, 'Add a new one'],
      ['the secret of another', LEDGER.secret, 7000215, 'Send the value of the secret, not its id'],
    ])('%s: ServerError, invalid_client', async (_what, secret, errorNo, words) => {
      const msal = bySecret(origin, CONTOSO.id, { appId: WEB.appId, secret });
      const error = await thrown(msal.acquireTokenByClientCredential(cc));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ errorCode: 'invalid_client', errorNo });
      expect(String(error)).toContain(words);
    });

    test.each([
      ['a permission that nobody publishes', `api://${LEDGER.appId}/Entries.Nothing`, 'invalid_scope', 70011],
      ['an API that is not there', 'api://00000000-0000-0000-0000-00000000abcd/.default', 'invalid_target', 500011],
    ])('%s: ServerError, with its number', async (_what, scope, errorCode, errorNo) => {
      const msal = bySecret(origin, CONTOSO.id, DAEMON);
      const error = await thrown(msal.acquireTokenByClientCredential({ scopes: [scope] }));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ errorCode, errorNo });
    });

    test('another key than the certificate’s: ServerError, which says what of the assertion is looked at', async () => {
      const { privateKey } = aClientCertificate('Another');
      const msal = byCertificate(origin, CONTOSO.id, DAEMON, { ...certificate, privateKey });
      const error = await thrown(msal.acquireTokenByClientCredential(cc));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ errorCode: 'invalid_client', errorNo: 700027 });
      expect(String(error)).toContain('its signature by a key of this application');
    });

    // MSAL's assertions are for ten minutes, and five seconds are allowed for.
    test.each([-606, 606])('a clock that is %i seconds off: ServerError, which says to check it', async (seconds) => {
      const { thumbprintSha256, privateKey } = certificate;
      const clientCertificate = { thumbprintSha256, privateKey };
      const { auth } = settings(origin, CONTOSO.id, { appId: DAEMON.appId, clientCertificate });
      expect(await byItself(deployment, auth, GRAPH_DEFAULT)).toMatchObject({ tokenType: 'Bearer' });
      expect(await byItself(deployment, auth, GRAPH_DEFAULT, seconds)).toMatchObject({
        ...{ thrown: 'ServerError', errorCode: 'invalid_client', errorNo: 700024 },
        message: expect.stringContaining('Check the clock'),
      });
    });
  });
});
