import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Deployment } from '../support/deployment.ts';
import { setCompatibility } from './administrator.ts';
import { debianClient } from './debian.ts';
import { byCertificate, claimsOf, MsalPython, type Result } from './msal-python.ts';
import {
  ALICE,
  CONTOSO,
  DAEMON,
  DESKTOP,
  ENTRIES_APPROVE,
  ENTRIES_READ,
  LEDGER,
  servedOrganizations,
  WEB,
} from './organizations.ts';
import { PersonAtPages } from './person-at-pages.ts';

const GRAPH_DEFAULT = ['https://graph.microsoft.com/.default'];

debianClient('python3-msal', () => {
  let deployment: Deployment;
  const bySecret = (application: typeof DAEMON) =>
    new MsalPython(deployment, application, { credential: application.secret });

  beforeAll(async () => {
    deployment = await servedOrganizations();
  }, 240_000);

  afterAll(() => deployment?.end());

  test('client credentials by secret, then silent from the cache', async () => {
    const msal = bySecret(DAEMON);
    const [first, cached] = await msal.calls(
      ['acquire_token_for_client', { scopes: GRAPH_DEFAULT }],
      ['acquire_token_silent', { scopes: GRAPH_DEFAULT, account: null }],
    );
    expect(claimsOf(first as Result)).toMatchObject({ aud: DIRECTORY_APP_ID, roles: ['User.Read.All'] });
    expect(cached).toMatchObject({ access_token: first?.access_token, token_type: 'Bearer' });
    expect(await msal.call('get_accounts', {})).toEqual([]);
  });

  test('client credentials by certificate (RS256, times with fractions), once as the default has it', async () => {
    const msal = new MsalPython(deployment, DAEMON, { credential: byCertificate });
    const [first, second] = await msal.calls(
      ['acquire_token_for_client', { scopes: GRAPH_DEFAULT }],
      ['acquire_token_for_client', { scopes: GRAPH_DEFAULT }],
    );
    expect(claimsOf(first as Result)).toMatchObject({ aud: DIRECTORY_APP_ID, azpacr: '2' });
    expect(second).toMatchObject({ error: 'invalid_client', error_codes: [700027] });
    expect(second?.error_description).toContain('The client assertion has been used before.');
  });

  test('client credentials by certificate, twice within ten minutes with assertionReuse', async () => {
    await setCompatibility(deployment, DAEMON, { assertionReuse: true });
    const msal = new MsalPython(deployment, DAEMON, { credential: byCertificate });
    const call = ['acquire_token_for_client', { scopes: GRAPH_DEFAULT }] as const;
    const [first, second] = await msal.calls(call, call);
    expect(claimsOf(second as Result).jti).not.toBe(claimsOf(first as Result).jti);
    await setCompatibility(deployment, DAEMON, {});
  });

  test('code and PKCE; silent from the cache, then forced', async () => {
    const msal = bySecret(WEB);
    const result = await msal.signIn(ALICE, ['User.Read']);
    expect(result).toMatchObject({ id_token_claims: { tid: CONTOSO.id, preferred_username: ALICE.username } });
    const accounts = await msal.call<object[]>('get_accounts', {});
    expect(accounts).toMatchObject([{ username: ALICE.username, realm: CONTOSO.id }]);
    expect(accounts).toMatchObject([{ home_account_id: `${claimsOf(result).oid}.${CONTOSO.id}` }]);
    expect(await msal.silent(['User.Read'])).toMatchObject({ access_token: result.access_token });
    const forced = await msal.silent(['User.Read'], true);
    expect(claimsOf(forced)).toMatchObject({ aud: DIRECTORY_APP_ID, oid: claimsOf(result).oid });
    expect(forced.access_token).not.toBe(result.access_token);
  });

  test('silent for another resource, and from the cache', async () => {
    const msal = bySecret(WEB);
    await msal.signIn(ALICE, ['User.Read']);
    const ledger = await msal.silent([ENTRIES_READ]);
    expect(claimsOf(ledger)).toMatchObject({ aud: LEDGER.appId, scp: 'Entries.Read' });
    expect((await msal.silent([ENTRIES_READ])).access_token).toBe(ledger.access_token);
  });

  test('on behalf of the person who called', async () => {
    const { access_token: user_assertion } = await bySecret(WEB).signIn(ALICE, [ENTRIES_READ]);
    const scopes = ['https://graph.microsoft.com/User.Read'];
    const result = await bySecret(LEDGER).call('acquire_token_on_behalf_of', { user_assertion, scopes });
    expect(claimsOf(result)).toMatchObject({ aud: DIRECTORY_APP_ID, azp: LEDGER.appId });
  });

  test('device code, then silent', async () => {
    const msal = new MsalPython(deployment, DESKTOP);
    const flow = await msal.call<Record<string, string>>('initiate_device_flow', { scopes: ['User.Read'] });
    expect(flow.message).toContain(flow.user_code);
    const alice = new PersonAtPages(deployment.origin, ALICE);
    const page = await alice.goThrough(flow.verification_uri ?? '');
    await alice.answer(await alice.browser.submit(page, { user_code: flow.user_code ?? '', decision: 'accept' }));
    const result = await msal.call('acquire_token_by_device_flow', { flow });
    expect(result).toMatchObject({ id_token_claims: { preferred_username: ALICE.username } });
    expect(claimsOf(await msal.silent(['User.Read'], true))).toMatchObject({ azp: DESKTOP.appId });
  });

  test('an authority by domain name', async () => {
    const msal = new MsalPython(deployment, DAEMON, { credential: DAEMON.secret, tenant: CONTOSO.domain });
    const result = await msal.call('acquire_token_for_client', { scopes: GRAPH_DEFAULT });
    expect(claimsOf(result)).toMatchObject({ tid: CONTOSO.id });
  });

  test('silent without consent: invalid_grant, classified consent_required', async () => {
    const msal = bySecret(WEB);
    await msal.signIn(ALICE, ['User.Read']);
    const result = await msal.silent([ENTRIES_APPROVE]);
    expect(result).toMatchObject({ error: 'invalid_grant', classification: 'consent_required', error_codes: [65001] });
  });

  test('a secret that has expired: invalid_client, and says so', async () => {
    const msal = new MsalPython(deployment, WEB, { credential: WEB.expiredSecret });
    const result = await msal.call('acquire_token_for_client', { scopes: GRAPH_DEFAULT });
    expect(result).toMatchObject({ error: 'invalid_client', error_codes: [7000222] });
    expect(result.error_description).toContain('The client secret has expired');
  });
});
