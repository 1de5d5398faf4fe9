import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import Provider, { type Adapter, type AdapterPayload, type ClientMetadata } from 'oidc-provider';
import { prepareClientParameters } from '../../src/authentication/clients/client-parameters.ts';
import { makeSigningSlots } from '../../src/authentication/keys/signing-slot.ts';
import { currentRequest } from '../../src/authentication/oauth-request.ts';
import {
  currentKeyring,
  currentTenancy,
  type MadeClient,
  makeVirtualIssuer,
  runAsTenant,
} from '../../src/authentication/virtual-issuer.ts';
import type { KeySlot, SigningAlgorithm } from '../../src/authorization/internal/signing-keys.ts';

/** Not where the server listens: every URL must come from here. */
export const origin = 'https://login.example';
export const resource = 'https://api.example';
/** Redirect URI of every web client. */
export const app = 'https://app.example/callback';
export const contoso = randomUUID();
export const fabrikam = randomUUID();

/** What the two tenants hold; the tests change it. */
export const held = {
  keys: new Map<string, Map<string, { kid: string; publicKey: KeyObject; privateKey: KeyObject }>>(),
  rows: new Map<string, AdapterPayload>(),
  metadataReads: [] as string[],
  clientVersion: 1,
  /** Which of several clients of the same row. */
  clientFace: '',
  /** The version of its keys. */
  clientKeys: '',
  keysCanBeMade: true,
  assertionKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  /** Of another issuer: the one that daemons may authenticate by. */
  trustedAssertion: '',
};

/** New ES256 keys in every slot of both tenants, no RSA keys, no rows, clients of a new version. */
export function resetTenants(): void {
  held.rows.clear();
  held.metadataReads.length = 0;
  held.clientVersion += 1;
  held.clientFace = '';
  held.clientKeys = '';
  held.keysCanBeMade = true;
  for (const tenantId of [contoso, fabrikam]) {
    held.keys.set(tenantId, new Map(['next', 'current', 'retiring'].map((slot) => [`${slot} ES256`, newKey('ES256')])));
  }
}

export function keyOf(tenantId: string, slot: KeySlot, algorithm: SigningAlgorithm) {
  const key = held.keys.get(tenantId)?.get(`${slot} ${algorithm}`);
  if (!key) throw new Error(`no ${slot} ${algorithm} key`);
  return key;
}

export const tenancyOf = (tenantId: string) => ({ tenantId, keyring: keyringOf(tenantId) });

const keyringOf = (tenantId: string) => {
  const snapshot = new Map(held.keys.get(tenantId));
  return { key: (slot: KeySlot, algorithm: SigningAlgorithm) => snapshot.get(`${slot} ${algorithm}`) };
};

const newKey = (algorithm: SigningAlgorithm) => ({
  kid: randomUUID(),
  ...(algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 })),
});

class TenantRows implements Adapter {
  readonly #model: string;
  constructor(model: string) {
    this.#model = model;
  }
  #key = (id: string) => `${currentTenancy().tenantId} ${this.#model} ${id}`;
  async upsert(id: string, payload: AdapterPayload) {
    held.rows.set(this.#key(id), { ...payload });
  }
  async find(id: string) {
    return held.rows.get(this.#key(id));
  }
  async findByUid(uid: string) {
    const mine = this.#key('');
    return [...held.rows].find(([key, row]) => key.startsWith(mine) && row.uid === uid)?.[1];
  }
  async findByUserCode() {
    return undefined;
  }
  async consume(id: string) {
    held.rows.set(this.#key(id), { ...held.rows.get(this.#key(id)), consumed: Math.floor(Date.now() / 1000) });
  }
  async destroy(id: string) {
    held.rows.delete(this.#key(id));
  }
  async revokeByGrantId() {}
}

/** `web`, `web-rs256`, `asserting` (private_key_jwt), and daemons under any other id. */
function metadataOf(tenantId: string, id: string): ClientMetadata {
  held.metadataReads.push(`${tenantId} ${id}`);
  const common = {
    client_id: id,
    client_name: `${id} of ${tenantId}`,
    token_endpoint_auth_method: 'client_secret_post' as const,
    id_token_signed_response_alg: id === 'web-rs256' ? ('RS256' as const) : ('ES256' as const),
  };
  const daemon = { ...common, redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
  if (id.startsWith('web')) {
    return {
      ...common,
      redirect_uris: [app, 'https://app.test/callback'],
      response_types: ['code'],
      grant_types: ['authorization_code'],
    };
  }
  if (id !== 'asserting') return daemon;
  const jwks = { keys: [{ ...held.assertionKey.publicKey.export({ format: 'jwk' }), kty: 'EC' }] };
  return { ...daemon, token_endpoint_auth_method: 'private_key_jwt', jwks };
}

function makeProvider(): Provider {
  const provider: Provider = new Provider(origin, {
    adapter: TenantRows,
    jwks: { keys: makeSigningSlots(currentKeyring) },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: ['openid'],
    ttl: {
      AccessToken: 60,
      AuthorizationCode: 60,
      ClientCredentials: 60,
      Grant: 60,
      IdToken: 60,
      Interaction: 60,
      Session: 60,
    },
    cookies: { keys: ['a-cookie-key'] },
    pkce: { required: () => false },
    routes: {
      authorization: '/oauth2/v2.0/authorize',
      token: '/oauth2/v2.0/token',
      end_session: '/oauth2/v2.0/logout',
    },
    interactions: { url: (_ctx, { uid }) => `/${currentTenancy().tenantId}/interaction/${uid}` },
    pairwiseIdentifier: (_ctx, accountId, client) => `${accountId} at ${client.clientId}`,
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    renderError: (ctx, out) => {
      ctx.body = out;
    },
    async loadExistingGrant({ oidc: { session, client } }) {
      const grant = new provider.Grant({ accountId: session?.accountId, clientId: client?.clientId });
      grant.addOIDCScope('openid');
      grant.addResourceScope(resource, 'api');
      await grant.save();
      return grant;
    },
    features: {
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = form;
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'api', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
      },
    },
  });
  return provider;
}

const rows = new Map<string, Map<string, MadeClient>>();

/** What was made of a row that was read once: another map for each version of it. */
function madeOf(row: string): Map<string, MadeClient> {
  const made = rows.get(row) ?? new Map();
  rows.set(row, made);
  return made;
}

/**
 * One Provider for both tenants over real HTTP; look-ups give way to other requests. `contoso.example` in the path is
 * contoso; the interaction page signs `ada` in at contoso and `mallory` at fabrikam.
 */
export async function startTwoTenants() {
  const provider = makeProvider();
  prepareClientParameters(provider);
  const issuer = makeVirtualIssuer(provider, {
    origin,
    async findClient(tenantId, id) {
      await setImmediate();
      if (id === 'unknown') return undefined;
      return {
        made: madeOf(`${tenantId} ${id} ${held.clientVersion}`),
        face: held.clientFace,
        version: held.clientKeys,
        metadata: () => metadataOf(tenantId, id),
      };
    },
    async verifyClientSecret(tenantId, client, presented) {
      await setImmediate();
      const { outside } = currentRequest();
      if (outside) return presented === outside.proof && outside.assertion === held.trustedAssertion;
      return client.clientName?.endsWith(tenantId) === true && presented === `secret of ${tenantId}`;
    },
    async makeSigningKey(tenantId, algorithm) {
      if (!held.keysCanBeMade) throw new Error('database away');
      held.keys.get(tenantId)?.set(`current ${algorithm}`, newKey(algorithm));
      return keyringOf(tenantId);
    },
  });
  const server = createServer((req, res) => {
    const [, tenant = '', room] = req.url?.split('/') ?? [];
    const tenancy = tenancyOf(tenant === 'contoso.example' ? contoso : tenant);
    const login = { accountId: tenancy.tenantId === contoso ? 'ada' : 'mallory' };
    const served =
      room === 'interaction'
        ? runAsTenant(tenancy, () => provider.interactionFinished(req, res, { login }))
        : issuer.dispatch(req, res, tenancy);
    served.catch(() => res.writeHead(400).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { provider, issuer, caller: () => new Caller(port), close };
}

interface Asked {
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One browser or program. As behind a proxy that ends TLS, it sends `Secure` cookies although this hop is plain. */
class Caller {
  readonly cookies = new Map<string, string>();
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async ask(url: string, { form, headers }: Asked = {}): Promise<Answer> {
    const path = url.startsWith(origin) ? url.slice(origin.length) : url;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const type = form && { 'content-type': 'application/x-www-form-urlencoded' };
    const options = { port: this.#port, path, method: form ? 'POST' : 'GET', headers: { cookie, ...type, ...headers } };
    const answer = await new Promise<Answer>((resolve, reject) => {
      const call = request(options, async (res) => {
        let text = '';
        for await (const chunk of res.setEncoding('utf8')) text += chunk;
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text });
      });
      call.once('error', reject).end(form && `${new URLSearchParams(form)}`);
    });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value) this.cookies.set(name, value);
      else this.cookies.delete(name);
    }
    return answer;
  }

  authorize(tenantId: string, parameters: Record<string, string> = {}, headers: Record<string, string> = {}) {
    const web = { client_id: 'web', response_type: 'code', redirect_uri: app, scope: 'openid api' };
    return this.ask(`/${tenantId}/oauth2/v2.0/authorize?${new URLSearchParams({ ...web, ...parameters })}`, {
      headers,
    });
  }

  /** Goes through the whole sign-in; resolves to the parameters that reach the application. */
  async signIn(tenantId: string, parameters: Record<string, string> = {}): Promise<URLSearchParams> {
    let answer = await this.authorize(tenantId, parameters);
    for (let hops = 0; hops < 3 && !answer.headers.location?.startsWith(app); hops++) {
      answer = await this.ask(answer.headers.location ?? '/');
    }
    return new URL(answer.headers.location ?? `error:${answer.text}`).searchParams;
  }

  token(tenantId: string, form: Record<string, string>) {
    const fields = { client_id: 'daemon', client_secret: `secret of ${tenantId}`, ...form };
    return this.ask(`/${tenantId}/oauth2/v2.0/token`, { form: fields });
  }

  redeem(tenantId: string, code: string, client_id = 'web') {
    return this.token(tenantId, { client_id, grant_type: 'authorization_code', code, redirect_uri: app });
  }

  logout(tenantId: string, id_token_hint: string) {
    return this.ask(`/${tenantId}/oauth2/v2.0/logout?${new URLSearchParams({ id_token_hint })}`);
  }
}
