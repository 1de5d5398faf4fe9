import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import type { Answer } from '../support/answer.ts';
import {
  aClientApplication,
  addToTenant,
  aPerson,
  assignRole,
  consentTo,
  type TestApplication,
} from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aSignedInBrowser, authorize, credentialsOf, post, redeemForm, refreshForm } from '../support/authorize.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer } from '../support/directory-server.ts';
import { refused } from '../support/refused.ts';
import { asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

const OBO = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

let database: TestDatabase;
let server: TestAuthenticationServer;
let tenant: TestTenant;
let other: TestTenant;
let alice: string;
let front: TestApplication;
let middle: TestApplication;
let orders: TestApplication;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  tenant = await aTenant(database, 'Contoso');
  other = await aTenant(database, 'Fabrikam');
  alice = await aPerson(database, tenant);
  front = await aClientApplication(database, tenant, { name: 'Front' });
  middle = await anApi('Middle');
  orders = await anApi('Orders');
  await allow(front, middle);
  await allow(middle, orders, ['Do', 'Write']);
  await consentTo(database, tenant, {
    clientId: middle.servicePrincipalId,
    scopes: ['User.Read', 'openid', 'offline_access'],
  });
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
  await database.drop();
});

const anApi = (name: string, properties: object = {}) =>
  aClientApplication(database, tenant, { name, scopes: ['Do', 'Write', 'Admin'], ...properties });
const allow = (client: TestApplication, api: TestApplication, scopes = ['Do'], principalId?: string) =>
  consentTo(database, tenant, {
    ...{ clientId: client.servicePrincipalId, scopes, resourceAppId: api.appId },
    ...(principalId === undefined ? {} : { principalId }),
  });
const sql = (text: string, values: unknown[] = []) => asSuperuser<Record<string, unknown>>(database, text, values);
const outcome = ({ status, body }: Answer) => [status, body?.error, body?.error_codes?.[0]];
const token = (form: Record<string, string>, at = tenant) => post(server.origin, at, 'token', form);

/** A token of a person's for an API, by a sign-in at the front. */
async function tokenFor(api: TestApplication, person = alice, of = front): Promise<string> {
  const browser = await aSignedInBrowser(database, tenant, person);
  const authorized = await authorize(server.origin, tenant, of, browser, { scope: `api://${api.appId}/Do`, nonce: '' });
  const answer = await token(redeemForm(of, authorized));
  expect([answer.status, answer.body.error_description]).toEqual([200, undefined]);
  return answer.body.access_token;
}

const oboForm = (by: TestApplication, assertion: string, scope: string): Record<string, string> => ({
  ...credentialsOf(by),
  ...{ grant_type: OBO, requested_token_use: 'on_behalf_of', assertion, scope },
});
const onBehalfOf = (by: TestApplication, assertion: string, scope = `api://${orders.appId}/.default`, at = tenant) =>
  token(oboForm(by, assertion, scope), at);
const exchangeForm = (by: TestApplication, subject_token: string, more: Record<string, string> = {}) => ({
  ...credentialsOf(by),
  ...{ grant_type: EXCHANGE, subject_token, subject_token_type: ACCESS_TOKEN },
  ...more,
});
const introspect = async (by: TestApplication, value: string) =>
  (await post(server.origin, tenant, 'introspect', { ...credentialsOf(by), token: value })).body;

describe('on behalf of', () => {
  test('gives what the API itself is allowed for the person, and says who acts', async () => {
    const assertion = await tokenFor(middle);
    const { status, body } = await onBehalfOf(middle, assertion, `api://${orders.appId}/Do`);
    expect(status).toBe(200);
    const [subject, exchanged] = [decodeJwt(assertion), decodeJwt(body.access_token)];
    expect(exchanged).toMatchObject({
      ...{ aud: orders.appId, sub: alice, oid: alice, scp: 'Do', client_id: middle.appId, azpacr: '1' },
      act: { sub: middle.servicePrincipalId, client_id: middle.appId },
      sid: subject.sid,
    });
    expect(exchanged.act).not.toHaveProperty('act');
    expect(exchanged.fid).not.toBe(subject.fid);
    expect(exchanged.exp).toBeLessThanOrEqual(Number(subject.exp));
    expect(body).not.toHaveProperty('refresh_token');
    const [record] = await sql(
      'select event_type as type, user_id as user, app_id as app, family_id as family, decision from sign_ins where token_id = $1',
      [exchanged.jti],
    );
    expect(record).toMatchObject({ type: 'nonInteractiveUser', user: alice, app: middle.appId, family: exchanged.fid });
    expect(record?.decision).toMatchObject({ via: 'onBehalfOf', resource: orders.appId });
  });

  test('of the directory, which takes it while the chain lives; a refresh goes on with the chain', async () => {
    const directory = await aDirectoryServer(database);
    try {
      const assertion = await tokenFor(middle);
      const { body } = await onBehalfOf(middle, assertion, 'openid offline_access User.Read');
      // That server knows another origin by which tokens are issued.
      const me = async (value: string) =>
        (await directory.call(await tenant.sign({ ...decodeJwt(value), iss: tenant.issuer }), 'GET', '/v1.0/me'))
          .status;
      expect(await me(body.access_token)).toBe(200);
      expect(decodeJwt(body.id_token)).toMatchObject({ oid: alice, aud: middle.appId });
      const refreshed = await token(refreshForm(middle, body.refresh_token));
      expect(refreshed.status).toBe(200);
      const { fid } = decodeJwt(body.access_token);
      expect(decodeJwt(refreshed.body.access_token)).toMatchObject({ act: { client_id: middle.appId }, fid });
      expect(await me(refreshed.body.access_token)).toBe(200);
      await post(server.origin, tenant, 'revoke', { ...credentialsOf(front), token: assertion });
      expect(await me(refreshed.body.access_token)).toBe(401);
      expect(outcome(await token(refreshForm(middle, body.refresh_token))).slice(0, 2)).toEqual([400, 'invalid_grant']);
    } finally {
      await directory.close();
    }
  });

  test('of an API that nobody signs in to is refreshed too, where that was consented to', async () => {
    const quiet = await anApi('Quiet', { web: [] });
    await allow(front, quiet);
    const clientId = quiet.servicePrincipalId;
    await consentTo(database, tenant, { clientId, scopes: ['User.Read', 'offline_access'] });
    const assertion = await tokenFor(quiet);
    const { body } = await onBehalfOf(quiet, assertion, 'offline_access User.Read');
    const refreshed = await token(refreshForm(quiet, body.refresh_token));
    expect([refreshed.status, refreshed.body.error_description]).toEqual([200, undefined]);
    expect(decodeJwt(refreshed.body.access_token)).toMatchObject({ oid: alice, act: { client_id: quiet.appId } });
    const withoutAsking = await onBehalfOf(quiet, assertion, 'User.Read');
    expect([withoutAsking.status, withoutAsking.body.refresh_token]).toEqual([200, undefined]);
  });

  test('ends with the token that it was exchanged for', async () => {
    const exp = Math.floor(Date.now() / 1_000) + 100;
    const assertion = await tenant.sign({ ...decodeJwt(await tokenFor(middle)), exp });
    const { body } = await onBehalfOf(middle, assertion, `api://${orders.appId}/Do`);
    expect(decodeJwt(body.access_token).exp).toBeLessThanOrEqual(exp);
    expect(body.expires_in).toBeLessThanOrEqual(100);
    expect(body.expires_in).toBeGreaterThan(80);
  });

  test('narrows to what is consented, and refuses when nothing is left', async () => {
    const assertion = await tokenFor(middle);
    const narrowed = await onBehalfOf(middle, assertion, `api://${orders.appId}/Do api://${orders.appId}/Admin`);
    expect(decodeJwt(narrowed.body.access_token).scp).toBe('Do');
    const all = await onBehalfOf(middle, assertion);
    expect(String(decodeJwt(all.body.access_token).scp).split(' ').sort()).toEqual(['Do', 'Write']);
    const wider = await refused(
      { database, server },
      () => onBehalfOf(middle, assertion, `api://${orders.appId}/Admin`),
      [assertion],
    );
    expect(outcome(wider)).toEqual([400, 'invalid_grant', 65001]);
    expect(wider.body.suberror).toBe('consent_required');
  });

  test('by an API that nobody consented to is refused, whatever its caller may do', async () => {
    const unconsented = await anApi('Unconsented');
    await allow(front, unconsented);
    await allow(front, orders, ['Do', 'Write', 'Admin']);
    const answer = await onBehalfOf(unconsented, await tokenFor(unconsented));
    expect(outcome(answer)).toEqual([400, 'invalid_grant', 65001]);
  });

  test('counts consent of the person in question alone', async () => {
    const api = await anApi('Personal');
    const bob = await aPerson(database, tenant, 'bob');
    await allow(front, api);
    await allow(api, orders, ['Write'], bob);
    expect(outcome(await onBehalfOf(api, await tokenFor(api)))).toEqual([400, 'invalid_grant', 65001]);
    const { body } = await onBehalfOf(api, await tokenFor(api, bob));
    expect(decodeJwt(body.access_token)).toMatchObject({ oid: bob, scp: 'Write' });
  });

  test('of a guest gives a guest’s token', async () => {
    const guest = await aPerson(database, tenant, 'guest');
    await sql(`update users set user_type = 'Guest' where id = $1`, [guest]);
    const { body } = await onBehalfOf(middle, await tokenFor(middle, guest), `api://${orders.appId}/Do`);
    expect(decodeJwt(body.access_token)).toMatchObject({ oid: guest, wids: [], scp: 'Do' });
  });

  test('chains: each application is in it, outermost first, and the sixth is refused', async () => {
    const chain = [middle];
    let value = await tokenFor(middle);
    for (let n = 0; n < 5; n += 1) {
      const next = await anApi(`Link ${n}`);
      const last = chain.at(-1) ?? middle;
      await allow(last, next);
      const { status, body } = await onBehalfOf(last, value, `api://${next.appId}/Do`);
      expect([status, body.error_description]).toEqual([200, undefined]);
      value = body.access_token;
      chain.push(next);
      const actors: unknown[] = [];
      for (let act = decodeJwt(value).act as { client_id: string; act?: never } | undefined; act; act = act.act)
        actors.push(act.client_id);
      expect(actors).toEqual(
        chain
          .slice(0, -1)
          .map(({ appId }) => appId)
          .reverse(),
      );
    }
    const last = chain.at(-1) ?? middle;
    await allow(last, orders);
    expect(outcome(await onBehalfOf(last, value))).toEqual([400, 'invalid_request', 90012]);
  });
});

describe('what is not exchanged', () => {
  const isRefused = async (assertion: string, code: number, by = middle, at = tenant) => {
    const answer = await refused(
      { database, server },
      () => onBehalfOf(by, assertion, `api://${orders.appId}/.default`, at),
      [assertion],
    );
    expect(outcome(answer)).toEqual([400, 'invalid_grant', code]);
    const same = await token(exchangeForm(by, assertion, { resource: `api://${orders.appId}` }), at);
    expect(outcome(same)).toEqual([400, 'invalid_grant', code]);
  };

  test('a token for another API', async () => {
    const api = await anApi('Other');
    await allow(front, api);
    await isRefused(await tokenFor(api), 500131);
  });

  test('a token of the application’s own for somebody else', async () => {
    // The front's token is for the middle: the front itself may not exchange it.
    await isRefused(await tokenFor(middle), 500131, front);
  });

  test('an app-only token', async () => {
    const daemon = await aClientApplication(database, tenant);
    const role = { id: crypto.randomUUID(), value: 'Run', allowedMemberTypes: ['Application'] };
    const api = await anApi('With roles', { appRoles: [role] });
    await sql(
      `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
        values ($1, gen_random_uuid(), 'ServicePrincipal', $2, $3, $4)`,
      [tenant.id, daemon.servicePrincipalId, api.servicePrincipalId, role.id],
    );
    const { body } = await token({
      ...credentialsOf(daemon),
      grant_type: 'client_credentials',
      scope: `api://${api.appId}/.default`,
    });
    await isRefused(body.access_token, 50027);
  });

  test('a token of another tenant, also where both applications are there', async () => {
    const shared = await anApi('Shared', { isPublished: true });
    await allow(front, shared);
    await addToTenant(database, other, shared.appId, tenant.id);
    await sql(
      'insert into published_application_versions (app_id, home_tenant_id) values ($1, $2) on conflict do nothing',
      [shared.appId, tenant.id],
    );
    const foreign = await tokenFor(shared);
    const answer = await onBehalfOf(shared, foreign, 'User.Read', other);
    expect(outcome(answer)).toEqual([400, 'invalid_grant', 50013]);
  });

  test('a forged, altered, expired or otherwise made token', async () => {
    const good = await tokenFor(middle);
    const claims = decodeJwt(good);
    const now = Math.floor(Date.now() / 1_000);
    await isRefused(`${good.slice(0, -4)}AAAA`, 50013);
    await isRefused('not-a-token', 50013);
    await isRefused(
      await tenant.sign({ ...claims, iss: `${server.origin}/${tenant.id}/v2.0`, iat: now - 100, exp: now - 2 }),
      50013,
    );
    await isRefused(await tenant.sign(claims, { typ: 'JWT' }), 50013);
    await isRefused(await other.sign(claims), 50013);
    // A family that never was.
    await isRefused(await tenant.sign({ ...claims, fid: crypto.randomUUID() }), 50013);
  });

  test('a token whose consent, family, session or person is gone', async () => {
    const gone = async (undo: string, values: unknown[], redo?: string) => {
      const value = await tokenFor(middle);
      await sql(undo.replaceAll('$fid', `'${decodeJwt(value).fid}'`), values);
      await isRefused(value, 50013);
      if (redo) await sql(redo, values);
    };
    await gone('update token_families set revoked_at = now() where id = $fid', []);
    await gone(
      'update users set account_enabled = false where id = $1',
      [alice],
      'update users set account_enabled = true where id = $1',
    );
    await gone(
      'update service_principals set account_enabled = false where id = $1',
      [front.servicePrincipalId],
      'update service_principals set account_enabled = true where id = $1',
    );
    await gone('delete from oauth2_permission_grants where client_id = $1', [front.servicePrincipalId]);
    await allow(front, middle);
  });

  test('by a public client, or without a credential', async () => {
    const assertion = await tokenFor(middle);
    const { client_secret: _secret, ...form } = oboForm(middle, assertion, `api://${orders.appId}/Do`);
    const answer = await token(form);
    expect([answer.status, answer.body.access_token]).toEqual([401, undefined]);
    const spa = await aClientApplication(database, tenant, { spa: ['https://spa.example'], isConfidential: false });
    const asPublic = await token({ ...form, client_id: spa.appId });
    expect(outcome(asPublic).slice(0, 2)).toEqual([400, 'invalid_request']);
  });

  test('with another use, without an assertion or a scope, or for several APIs', async () => {
    const form = oboForm(middle, await tokenFor(middle), `api://${orders.appId}/Do`);
    const wrong = [
      { ...form, requested_token_use: 'somebody_else' },
      { ...form, assertion: '' },
      { ...form, scope: '' },
    ];
    for (const each of wrong) expect(outcome(await token(each)).slice(0, 2)).toEqual([400, 'invalid_request']);
    const two = await token({ ...form, scope: `api://${orders.appId}/Do User.Read` });
    expect(outcome(two).slice(0, 2)).toEqual([400, 'invalid_scope']);
    const unpublished = await token({ ...form, scope: `api://${orders.appId}/No.Such` });
    expect(outcome(unpublished).slice(0, 2)).toEqual([400, 'invalid_scope']);
  });
});

describe('an exchanged token ends', () => {
  const exchanged = async () => {
    const assertion = await tokenFor(middle);
    const { body } = await onBehalfOf(middle, assertion, `api://${orders.appId}/Do`);
    expect(await introspect(orders, body.access_token)).toMatchObject({ active: true, scope: 'Do' });
    return { parent: String(decodeJwt(assertion).fid), value: String(body.access_token), assertion };
  };
  const isOver = async (value: string) => expect(await introspect(orders, value)).toEqual({ active: false });

  test('with the family that it comes of, by sign-out and by revocation', async () => {
    const { assertion, value } = await exchanged();
    expect((await post(server.origin, tenant, 'revoke', { ...credentialsOf(front), token: assertion })).status).toBe(
      200,
    );
    await isOver(value);
  });

  test('when its caller’s application is disabled, and when its own is', async () => {
    for (const { servicePrincipalId } of [front, middle]) {
      const { value } = await exchanged();
      await sql('update service_principals set account_enabled = false where id = $1', [servicePrincipalId]);
      await isOver(value);
      await sql('update service_principals set account_enabled = true where id = $1', [servicePrincipalId]);
    }
  });

  test('RAC-15: when its caller’s application is deactivated or withdrawn by its home, or closed to the person', async () => {
    const { appId, servicePrincipalId } = front;
    const endings = [
      [
        'update applications set is_disabled = true where app_id = $1',
        'update applications set is_disabled = false where app_id = $1',
        [appId],
      ],
      [
        'insert into published_withdrawals (tenant_id, app_id, home_tenant_id) values ($1, $2, $1)',
        'delete from published_withdrawals where tenant_id = $1 and app_id = $2',
        [tenant.id, appId],
      ],
      [
        'update service_principals set app_role_assignment_required = true where id = $1',
        'update service_principals set app_role_assignment_required = false where id = $1',
        [servicePrincipalId],
      ],
    ] as const;
    for (const [end, undo, values] of endings) {
      const { value, assertion } = await exchanged();
      await sql(end, [...values]);
      expect([end, await introspect(middle, assertion)]).toEqual([end, { active: false }]);
      await isOver(value);
      await sql(undo, [...values]);
      expect(await introspect(orders, value)).toMatchObject({ active: true });
    }
  });

  test('when all sessions of the person are revoked, and when the consent is taken back', async () => {
    const { value } = await exchanged();
    await sql('update users set sign_in_sessions_valid_from = clock_timestamp() where id = $1', [alice]);
    await isOver(value);
    await sql(`update users set sign_in_sessions_valid_from = now() - interval '1 day' where id = $1`, [alice]);
    const again = await exchanged();
    await sql('delete from oauth2_permission_grants where client_id = $1 and resource_id = $2', [
      middle.servicePrincipalId,
      orders.servicePrincipalId,
    ]);
    await isOver(again.value);
    await allow(middle, orders, ['Do', 'Write']);
  });

  test('CON-08: when the consent is taken back by which its caller’s application was let in, its refresh too', async () => {
    const { servicePrincipalId: clientId } = front;
    const whole = { clientId, resourceId: middle.servicePrincipalId };
    const readers = { scopes: ['DelegatedPermissionGrant.ReadWrite.All'], roles: ['Global Administrator'] };
    const directory = await aDirectoryServer(database);
    try {
      const administrator = await aUser(database, tenant, readers);
      const call = async (method: string, path: string, body?: object) =>
        directory.call(await administrator.token(), method, `/v1.0${path}`, body);
      const assertion = await tokenFor(middle);
      const { body } = await onBehalfOf(middle, assertion, 'openid offline_access User.Read');
      const [{ value }, again] = [await exchanged(), await exchanged()];
      const me = async () => {
        const token = await tenant.sign({ ...decodeJwt(body.access_token), iss: tenant.issuer });
        return (await directory.call(token, 'GET', '/v1.0/me')).status;
      };
      expect(await me()).toBe(200);
      const filter = `$filter=clientId eq '${whole.clientId}' and resourceId eq '${whole.resourceId}'`;
      const found = await call('GET', `/oauth2PermissionGrants?${encodeURI(filter)}`);
      expect(found.body.value).toHaveLength(1);
      const path = `/oauth2PermissionGrants/${found.body.value[0].id}`;
      // What is left of it still lets the caller in.
      expect((await call('PATCH', path, { scope: 'Do Write' })).status).toBe(204);
      expect((await call('PATCH', path, { scope: 'Do' })).status).toBe(204);
      expect([await me(), (await introspect(orders, value)).active]).toEqual([200, true]);
      expect((await call('DELETE', path)).status).toBe(204);
      await isOver(value);
      expect(await me()).toBe(401);
      const refused = await token(refreshForm(middle, body.refresh_token));
      expect(outcome(refused)).toEqual([400, 'invalid_grant', 700082]);
      // It does not come back with a later consent, as the caller's own does not.
      await allow(front, middle);
      await isOver(again.value);
      expect(await me()).toBe(401);
      expect((await introspect(middle, assertion)).active).toBe(false);
      expect((await introspect(orders, (await exchanged()).value)).active).toBe(true);
    } finally {
      await directory.close();
      await sql('delete from oauth2_permission_grants where client_id = $1', [clientId]);
      await allow(front, middle);
    }
  });

  test('also three exchanges down, whatever family of the chain ends', async () => {
    const [b, c] = [await anApi('B'), await anApi('C')];
    await allow(middle, b);
    await allow(b, c);
    await allow(c, orders);
    for (const ending of [0, 1, 2, 3]) {
      const values = [await tokenFor(middle)];
      for (const [by, to] of [
        [middle, b],
        [b, c],
        [c, orders],
      ] as const) {
        const { body } = await onBehalfOf(by, values.at(-1) ?? '', `api://${to.appId}/Do`);
        values.push(body.access_token);
      }
      const last = values.at(-1) ?? '';
      expect(await introspect(orders, last)).toMatchObject({ active: true });
      await sql('update token_families set revoked_at = now() where id = $1', [decodeJwt(values[ending] ?? '').fid]);
      await isOver(last);
    }
  });

  test('an exchange that races with the end of its family leaves nothing alive', async () => {
    for (let round = 0; round < 10; round += 1) {
      const assertion = await tokenFor(middle);
      const [answers] = await Promise.all([
        Promise.all(Array.from({ length: 6 }, () => onBehalfOf(middle, assertion, `api://${orders.appId}/Do`))),
        post(server.origin, tenant, 'revoke', { ...credentialsOf(front), token: assertion }),
      ]);
      for (const { body } of answers) if (body.access_token) await isOver(body.access_token);
    }
  });
});

describe('token exchange (RFC 8693)', () => {
  test('through an independent client', async () => {
    const issuer = new URL(`${server.origin}/${tenant.id}/v2.0`);
    const insecure = { [oauth.allowInsecureRequests]: true };
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    expect(as.grant_types_supported).toEqual(expect.arrayContaining([OBO, EXCHANGE]));
    const client = { client_id: middle.appId };
    const parameters = {
      subject_token: await tokenFor(middle),
      subject_token_type: ACCESS_TOKEN,
      audience: orders.appId,
      scope: 'Do',
    };
    const response = await oauth.genericTokenEndpointRequest(
      as,
      client,
      oauth.ClientSecretPost(middle.secret),
      EXCHANGE,
      parameters,
      insecure,
    );
    const tokens = await oauth.processGenericTokenEndpointResponse(as, client, response);
    expect(tokens).toMatchObject({ issued_token_type: ACCESS_TOKEN, token_type: 'bearer' });
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      aud: orders.appId,
      oid: alice,
      scp: 'Do',
      act: { client_id: middle.appId },
    });
  });

  test('the API is named by its address, by its audience, or by the scopes; two names must be one', async () => {
    const subject = await tokenFor(middle);
    const uri = `api://${orders.appId}`;
    for (const more of [
      { resource: uri },
      { audience: uri },
      { audience: orders.appId, resource: `${uri}/` },
      { scope: `${uri}/.default` },
    ]) {
      const { status, body } = await token(exchangeForm(middle, subject, more));
      expect([status, body.error_description]).toEqual([200, undefined]);
      expect(decodeJwt(body.access_token).aud).toBe(orders.appId);
    }
    const contradicting = await token(exchangeForm(middle, subject, { audience: middle.appId, resource: uri }));
    expect(outcome(contradicting).slice(0, 2)).toEqual([400, 'invalid_target']);
  });

  test('an unknown API and one that nobody consented to are invalid_target', async () => {
    const subject = await tokenFor(middle);
    const unknown = await token(exchangeForm(middle, subject, { audience: crypto.randomUUID() }));
    expect(outcome(unknown).slice(0, 2)).toEqual([400, 'invalid_target']);
    const stranger = await anApi('Stranger');
    const unconsented = await token(exchangeForm(middle, subject, { audience: stranger.appId }));
    expect(outcome(unconsented)).toEqual([400, 'invalid_target', 65001]);
  });

  test('other types of token are refused', async () => {
    const subject = await tokenFor(middle);
    const jwt = 'urn:ietf:params:oauth:token-type:jwt';
    for (const more of [
      { subject_token_type: jwt },
      { subject_token_type: '' },
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      { actor_token: subject },
      { actor_token_type: ACCESS_TOKEN },
      { actor_token: subject, actor_token_type: jwt },
    ]) {
      const answer = await token(exchangeForm(middle, subject, { resource: `api://${orders.appId}`, ...more }));
      expect([more, ...outcome(answer).slice(0, 2)]).toEqual([more, 400, 'invalid_request']);
    }
  });

  test('an actor token must be the client’s own', async () => {
    const subject = await tokenFor(middle);
    const ownTokenOf = async (by: TestApplication) => {
      await assignRole(database, tenant, by.servicePrincipalId, 'User.Read.All');
      const form = {
        ...credentialsOf(by),
        grant_type: 'client_credentials',
        scope: 'https://graph.microsoft.com/.default',
      };
      return String((await token(form)).body.access_token);
    };
    const more = { resource: `api://${orders.appId}`, actor_token_type: ACCESS_TOKEN };
    const own = await token(exchangeForm(middle, subject, { ...more, actor_token: await ownTokenOf(middle) }));
    expect(own.status).toBe(200);
    for (const actor_token of [await ownTokenOf(front), subject]) {
      const answer = await token(exchangeForm(middle, subject, { ...more, actor_token }));
      expect(outcome(answer)).toEqual([400, 'invalid_grant', 50013]);
    }
  });
});
