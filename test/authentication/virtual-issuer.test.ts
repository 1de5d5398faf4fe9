import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { runAsTenant } from '../../src/authentication/virtual-issuer.ts';
import type { KeySlot, SigningAlgorithm } from '../../src/authorization/internal/signing-keys.ts';
import {
  contoso,
  fabrikam,
  held,
  keyOf,
  origin,
  resetTenants,
  resource,
  startTwoTenants,
  tenancyOf,
} from '../support/two-tenants.ts';

// Each test is one assumption on oidc-provider: an upgrade that breaks it is seen here.

let running: Awaited<ReturnType<typeof startTwoTenants>>;

beforeAll(async () => {
  running = await startTwoTenants();
});
afterAll(() => running.close());
beforeEach(resetTenants);

const both = [contoso, fabrikam] as const;
const daemonToken = (tenantId: string, id = 'daemon') =>
  running.caller().token(tenantId, { client_id: id, grant_type: 'client_credentials', scope: 'api' });
const issuedBy = (tenantId: string, jwt: string, algorithm: SigningAlgorithm = 'ES256') =>
  jwtVerify(jwt, keyOf(tenantId, 'current', algorithm).publicKey, { issuer: `${origin}/${tenantId}/v2.0` });
const idToken = (tenantId: string, slot: KeySlot) => {
  const { kid, privateKey } = keyOf(tenantId, slot, 'ES256');
  return new SignJWT({ sub: 'ada', aud: 'web', iss: `${origin}/${tenantId}/v2.0`, exp: 1 })
    .setProtectedHeader({ alg: 'ES256', kid })
    .sign(privateKey);
};

describe('two tenants interleaved a hundredfold in parallel', () => {
  const hundredfold = Array.from({ length: 100 }, () => both).flat();

  test('get access tokens with their own issuer, key id and signature', async () => {
    await Promise.all(
      hundredfold.map(async (tenantId) => {
        const { access_token } = JSON.parse((await daemonToken(tenantId)).text);
        expect(decodeProtectedHeader(access_token).kid).toBe(keyOf(tenantId, 'current', 'ES256').kid);
        expect((await issuedBy(tenantId, access_token)).payload.aud).toBe(resource);
      }),
    );
  });

  test('get codes, RFC 9207 issuers and ID tokens of their own', async () => {
    await Promise.all(
      hundredfold.map(async (tenantId) => {
        const caller = running.caller();
        const parameters = await caller.signIn(tenantId);
        expect(parameters.get('iss')).toBe(`${origin}/${tenantId}/v2.0`);
        const { id_token } = JSON.parse((await caller.redeem(tenantId, parameters.get('code') ?? '')).text);
        expect(decodeProtectedHeader(id_token).kid).toBe(keyOf(tenantId, 'current', 'ES256').kid);
        expect((await issuedBy(tenantId, id_token)).payload.sub).toBe(
          tenantId === contoso ? 'ada at web' : 'mallory at web',
        );
      }),
    );
  });

  test('get errors with their own RFC 9207 issuer', async () => {
    await Promise.all(
      hundredfold.map(async (tenantId) => {
        const parameters = await running.caller().signIn(tenantId, { prompt: 'none' });
        expect([parameters.get('error'), parameters.get('iss')]).toEqual([
          'login_required',
          running.issuer.issuerOf(tenantId),
        ]);
      }),
    );
  });
});

describe('URLs', () => {
  const evil = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'ftp',
    forwarded: 'host=evil.example',
  };

  test('come from the configured origin and the tenant id, whatever the headers and the spelling of the tenant', async () => {
    const caller = running.caller();
    const started = await caller.authorize('contoso.example', {}, evil);
    expect(started.headers.location).toMatch(new RegExp(`^/${contoso}/interaction/`));
    const finished = await caller.ask(started.headers.location ?? '', { headers: evil });
    expect(finished.headers.location).toMatch(new RegExp(`^${origin}/${contoso}/oauth2/v2.0/authorize/`));
    const logout = await caller.ask('/contoso.example/oauth2/v2.0/logout', { headers: evil });
    expect(logout.text).toContain(`action="${origin}/${contoso}/oauth2/v2.0/logout/confirm"`);
    expect(JSON.stringify([started, finished, logout])).not.toContain('evil');
  });

  test('in a request target of absolute form are refused', async () => {
    expect((await running.caller().ask(`http://evil.example/${contoso}/oauth2/v2.0/logout`)).status).toBe(400);
  });

  test('accepted as audience of a client assertion are the tenant’s own', async () => {
    const assert = async (audience: string) => {
      const assertion = await new SignJWT({ jti: randomUUID(), iss: 'asserting', sub: 'asserting', aud: audience })
        .setProtectedHeader({ alg: 'ES256' })
        .setExpirationTime('1m')
        .sign(held.assertionKey.privateKey);
      const form = {
        grant_type: 'client_credentials',
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      };
      return (await running.caller().ask(`/contoso.example/oauth2/v2.0/token`, { form, headers: evil })).status;
    };
    expect(await assert(`${origin}/${contoso}/v2.0`)).toBe(200);
    expect(await assert(`${origin}/${contoso}/oauth2/v2.0/token`)).toBe(200);
    expect(await assert(`${origin}/${fabrikam}/v2.0`)).toBe(401);
    expect(await assert(`${origin}/contoso.example/oauth2/v2.0/token`)).toBe(401);
    expect(await assert(`https://evil.example/${contoso}/oauth2/v2.0/token`)).toBe(401);
  });
});

describe('an assertion of another issuer', () => {
  test('is set aside as the parameters are read, and the library sees a secret of this request alone in its place', async () => {
    const signed = (iss: string, sub: string) =>
      new SignJWT({ jti: randomUUID(), iss, sub, aud: `${origin}/${contoso}/v2.0` })
        .setProtectedHeader({ alg: 'ES256' })
        .setExpirationTime('1m')
        .sign(held.assertionKey.privateKey);
    const ask = async (client_id: string, client_assertion: string, more: Record<string, string> = {}) => {
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      const form = {
        grant_type: 'client_credentials',
        client_id,
        client_assertion,
        client_assertion_type: type,
        ...more,
      };
      return (await running.caller().ask(`/${contoso}/oauth2/v2.0/token`, { form })).status;
    };
    held.trustedAssertion = await signed('https://issuer.example', 'job');
    expect(await ask('daemon', held.trustedAssertion)).toBe(200);
    expect(await ask('daemon', await signed('https://issuer.example', 'job'))).toBe(401);
    // Two credentials are none, and a client's own assertion stays what it is.
    expect(await ask('daemon', held.trustedAssertion, { client_secret: 'anything' })).toBe(400);
    expect(await ask('asserting', await signed('asserting', 'asserting'))).toBe(200);
  });
});

describe('cookies', () => {
  test('of a session carry the tenant in their name, and the prefix that pins them to this host', async () => {
    const caller = running.caller();
    await caller.signIn(contoso);
    const answer = await caller.authorize(contoso);
    const [cookie] = answer.headers['set-cookie'] ?? [];
    const name = `__Host-bailiwick-session-${contoso}`;
    expect(cookie).toMatch(new RegExp(`^${name}=[^;]+; path=/; samesite=lax; secure; httponly; expires=`));
    expect([...caller.cookies.keys()]).toContain(`${name}.sig`);
  });

  test('of an interaction are bound to its path, which holds the tenant', async () => {
    const answer = await running.caller().authorize(contoso);
    const uid = answer.headers.location?.split('/').at(-1);
    const paths = answer.headers['set-cookie']?.map((line) =>
      /^__Secure-bailiwick-(\w+).*; path=([^;]+)/.exec(line)?.slice(1),
    );
    expect(paths).toContainEqual(['interaction', `/${contoso}/interaction/${uid}`]);
    expect(paths).toContainEqual(['resume', `/${contoso}/oauth2/v2.0/authorize/${uid}`]);
  });

  test('of two tenants live side by side in one browser, and one logout leaves the other session', async () => {
    const browser = running.caller();
    const sub = async (tenantId: string) => {
      const code = (await browser.signIn(tenantId, { prompt: 'none' })).get('code');
      return (
        code && (await issuedBy(tenantId, JSON.parse((await browser.redeem(tenantId, code)).text).id_token)).payload.sub
      );
    };
    await browser.signIn(contoso);
    await browser.signIn(fabrikam);
    expect([await sub(contoso), await sub(fabrikam)]).toEqual(['ada at web', 'mallory at web']);

    const form = await browser.ask(`/${contoso}/oauth2/v2.0/logout`);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(form.text)?.[1] ?? '';
    await browser.ask(`/${contoso}/oauth2/v2.0/logout/confirm`, { form: { xsrf, logout: 'yes' } });
    expect([await sub(contoso), await sub(fabrikam)]).toEqual([null, 'mallory at web']);
  });
});

describe('clients', () => {
  const find = (tenantId: string, id: string) =>
    runAsTenant(tenancyOf(tenantId), () => running.provider.Client.find(id));

  test('with one id in two tenants are two clients', async () => {
    const [a, b] = await Promise.all(both.map((tenantId) => find(tenantId, 'daemon')));
    expect([a?.clientName, b?.clientName]).toEqual([`daemon of ${contoso}`, `daemon of ${fabrikam}`]);
  });

  test('are built once for each version, also when there are more of them than the library would keep', async () => {
    const ids = Array.from({ length: 150 }, (_, n) => `daemon-${n}`);
    const round = async () => {
      for (const id of ids) expect((await daemonToken(contoso, id)).status).toBe(200);
    };
    await round();
    await round();
    expect(held.metadataReads).toHaveLength(150);
    held.clientVersion += 1;
    await round();
    expect(held.metadataReads).toHaveLength(300);
  });

  test('of one row are kept for each of its faces, with its newest keys alone', async () => {
    const ask = async (face: string, keys = '') => {
      Object.assign(held, { clientFace: face, clientKeys: keys });
      await daemonToken(contoso);
      return held.metadataReads.length;
    };
    expect([await ask('web'), await ask('native'), await ask('web'), await ask('native')]).toEqual([1, 2, 2, 2]);
    // Keys that an application publishes elsewhere change as often as it likes: of each face the newest ones are kept.
    expect([await ask('web', 'a'), await ask('web', 'b'), await ask('web', 'b')]).toEqual([3, 4, 4]);
    expect([await ask('web', 'a'), await ask('native')]).toEqual([5, 5]);
  });

  test('have pairwise subjects, even with redirect URIs on two hosts, and an id_token_hint knows them', async () => {
    const caller = running.caller();
    const code = (await caller.signIn(contoso)).get('code') ?? '';
    const { id_token } = JSON.parse((await caller.redeem(contoso, code)).text);
    expect((await issuedBy(contoso, id_token)).payload.sub).toBe('ada at web');
    const again = { prompt: 'none', id_token_hint: id_token };
    expect((await caller.signIn(contoso, again)).get('code')).not.toBeNull();
    const stranger = { prompt: 'none', id_token_hint: await idToken(contoso, 'current') };
    expect((await caller.signIn(contoso, stranger)).get('error')).toBe('login_required');
  });

  test('are authenticated by our own comparison, which is awaited', async () => {
    const status = async (client_id: string, client_secret: string) =>
      (await running.caller().token(contoso, { client_id, client_secret, grant_type: 'client_credentials' })).status;
    expect(await status('daemon', `secret of ${contoso}`)).toBe(200);
    expect(await status('daemon', `secret of ${fabrikam}`)).toBe(401);
    expect(await status('daemon', (await find(contoso, 'daemon'))?.clientSecret ?? '')).toBe(401);
    expect(await status('unknown', `secret of ${contoso}`)).toBe(401);
  });
});

describe('signing keys', () => {
  const hintedLogout = async (tenantId: string, hint: string) => (await running.caller().logout(tenantId, hint)).status;

  test('of every slot verify an id_token_hint, but only in their tenant and while they are kept', async () => {
    for (const slot of ['next', 'current', 'retiring'] as const) {
      const hint = await idToken(contoso, slot);
      expect(await hintedLogout(contoso, hint)).toBe(200);
      expect(await hintedLogout(fabrikam, hint)).toBe(400);
      held.keys.get(contoso)?.delete(`${slot} ES256`);
      expect(await hintedLogout(contoso, hint)).toBe(400);
    }
  });

  test('that only verify never sign', async () => {
    held.keys.get(contoso)?.delete('current ES256');
    expect((await daemonToken(contoso)).status).toBe(500);
    expect((await daemonToken(fabrikam)).status).toBe(200);
  });

  test('for RS256 are made on first need', async () => {
    const caller = running.caller();
    const code = (await caller.signIn(fabrikam, { client_id: 'web-rs256' })).get('code') ?? '';
    const { id_token } = JSON.parse((await caller.redeem(fabrikam, code, 'web-rs256')).text);
    expect(decodeProtectedHeader(id_token)).toMatchObject({
      alg: 'RS256',
      kid: keyOf(fabrikam, 'current', 'RS256').kid,
    });
    await issuedBy(fabrikam, id_token, 'RS256');
  });

  test('that can not be made cost no code: the retry succeeds', async () => {
    const caller = running.caller();
    const code = (await caller.signIn(fabrikam, { client_id: 'web-rs256' })).get('code') ?? '';
    held.keys.get(fabrikam)?.delete('current RS256');
    held.keysCanBeMade = false;
    expect((await caller.redeem(fabrikam, code, 'web-rs256')).status).toBe(500);
    held.keysCanBeMade = true;
    expect((await caller.redeem(fabrikam, code, 'web-rs256')).status).toBe(200);
  });
});

describe('the tenant in scope', () => {
  test('is the one that the adapter sees: a code is unknown to another tenant', async () => {
    const code = (await running.caller().signIn(contoso)).get('code') ?? '';
    expect(JSON.parse((await running.caller().redeem(fabrikam, code)).text).error).toBe('invalid_grant');
    expect((await running.caller().redeem(contoso, code)).status).toBe(200);
  });

  test('is missed loudly outside a request', async () => {
    expect(() => running.provider.issuer).toThrow('no tenant in scope');
    expect(() => running.provider.cookieName('session')).toThrow('no tenant in scope');
    await expect(running.provider.Client.find('web')).rejects.toThrow('no tenant in scope');
  });
});

describe('the context of a request', () => {
  test('leads nowhere once it is answered: its accessor would keep all of it until a full collection', async () => {
    const served: KoaContextWithOIDC[] = [];
    const { provider } = running;
    const note = (ctx: KoaContextWithOIDC) => {
      expect([ctx.oidc.client?.clientId, ctx.req.method, ctx.response.status]).toEqual(['daemon', 'POST', 200]);
      served.push(ctx);
    };
    provider.on('grant.success', note);
    try {
      await daemonToken(contoso);
    } finally {
      provider.off('grant.success', note);
    }
    const [ctx] = served;
    if (!ctx) throw new Error('No grant.');
    // Where the library no longer defines it so, there is nothing to let go of.
    expect(Object.getOwnPropertyDescriptor(ctx, 'oidc')?.get).toBeDefined();
    const { request, response, req, res, state, originalUrl, oidc } = ctx;
    const { entities, params, body, claims } = oidc;
    const named = { params: Reflect.get(ctx, 'params'), resourceServers: Reflect.get(oidc, 'resourceServers') };
    expect({ request, response, req, res, state, originalUrl, ...named }).toEqual({});
    expect([Reflect.get(oidc, 'ctx'), entities, params, body, claims]).toEqual([
      undefined,
      {},
      undefined,
      undefined,
      undefined,
    ]);
    // What Koa calls when the connection breaks afterwards.
    expect(ctx.onerror(new Error('EPIPE'))).toBeUndefined();
  });

  test('leads to no other request either, and to no browser’s cookies', async () => {
    const served: KoaContextWithOIDC[] = [];
    const requests: object[] = [];
    const { provider } = running;
    const note = (ctx: KoaContextWithOIDC) => {
      served.push(ctx);
      requests.push(ctx.req, ctx.res, ctx.oidc.cookies, ctx.cookies);
    };
    provider.on('authorization.success', note);
    try {
      for (const tenantId of both) await running.caller().signIn(tenantId);
    } finally {
      provider.off('authorization.success', note);
    }
    expect(served).toHaveLength(2);
    for (const ctx of served)
      expect(reachedFrom(ctx, provider).filter((known) => requests.includes(known))).toEqual([]);
    // What the library still does of one request is seen by no other.
    const [first, second] = served;
    first?.oidc.entity('Client', { clientId: 'late' });
    expect(second?.oidc.client).toBeUndefined();
  });
});

/** All objects that properties lead to, whatever their keys, but not by way of what all requests share. */
function reachedFrom(start: object, shared: object): object[] {
  const reached = new Set<object>([start]);
  for (const object of reached) {
    for (const key of Reflect.ownKeys(object)) {
      const value: unknown = Reflect.get(object, key);
      if (typeof value === 'object' && value !== null && value !== shared) reached.add(value);
    }
  }
  return [...reached];
}
