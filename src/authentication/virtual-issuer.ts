import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Client, ClientMetadata, default as Provider } from 'oidc-provider';
import type { SigningAlgorithm } from '../authorization/internal/signing-keys.ts';
import { makeContextsEnd } from './answered-contexts.ts';
import { ON_BEHALF_OF_GRANT, TOKEN_EXCHANGE_GRANT } from './grant-types.ts';
import { signingAlgorithms } from './keys/signing-slot.ts';
import type { TenantKeyring } from './keys/tenant-keyring.ts';
import { sessionCookieName } from './session-cookies.ts';

/** What ends with an ID token seldom or never makes its key itself: nobody else is to wait for RSA. */
const WITHOUT_ID_TOKEN: ReadonlySet<string> = new Set([
  'client_credentials',
  'refresh_token',
  ON_BEHALF_OF_GRANT,
  TOKEN_EXCHANGE_GRANT,
]);

/** What one request knows of its tenant. Made by the router before anything of the library runs. */
export interface Tenancy {
  /** Lower-case GUID. */
  readonly tenantId: string;
  /** The tenant's signing keys, already loaded. Replaced when the request makes a key that did not exist. */
  keyring: TenantKeyring;
}

const scope = new AsyncLocalStorage<Tenancy>();

/**
 * Runs `work` for a tenant. `dispatch` does it for the library's own endpoints; our own routes that call the library
 * (`interactionDetails`, `interactionFinished`, `Grant`, `Session`, `AccessToken.find`, …) must do it themselves.
 */
export const runAsTenant = <T>(tenancy: Tenancy, work: () => T): T => scope.run(tenancy, work);

/**
 * The tenant whose request is being served. Throws outside a request: there is no default tenant.
 * Read it before the first callback, event or shared promise: those run in the scope of whoever started them.
 */
export function currentTenancy(): Tenancy {
  const tenancy = scope.getStore();
  if (!tenancy) throw new Error('no tenant in scope');
  return tenancy;
}

/** The keyring of the request being served, for `makeSigningSlots`; `undefined` outside a request. */
export const currentKeyring = (): TenantKeyring | undefined => scope.getStore()?.keyring;

/** A client as the tenant's rows describe it now. */
export interface ClientRecord {
  /** What was made of its row so far, by the face. Of another row there is another map. */
  readonly made: Map<string, MadeClient>;
  /** Which of a dozen clients that are made of the same row: one application has several faces (secret, assertion, public). */
  readonly face: string;
  /** Changes whenever `metadata()` would and the row does not. Of each face one version is kept. */
  readonly version: string;
  /** Called for a version that is not kept. Never older than `version`. Holds neither `client_secret` nor `subject_type`. */
  metadata(): ClientMetadata | Promise<ClientMetadata>;
}

/** A client of the library's, for as long as its face keeps that version. */
export interface MadeClient {
  readonly version: string;
  readonly client: Client;
  /** In which its ID tokens are signed, where it is one that gets them. */
  readonly idTokenAlgorithm: SigningAlgorithm | undefined;
}

export interface VirtualIssuerOptions {
  /** The configured public origin, without a trailing slash. Host and X-Forwarded-* headers are never asked. */
  readonly origin: string;
  /** Read at every look-up, so that no revocation waits for a cache. */
  findClient(tenantId: string, clientId: string): Promise<ClientRecord | undefined>;
  verifyClientSecret(tenantId: string, client: Client, presented: string): Promise<boolean>;
  /** Makes the tenant's current key for an algorithm under a lock, or finds the one that another process made. */
  makeSigningKey(tenantId: string, algorithm: SigningAlgorithm): Promise<TenantKeyring>;
}

export interface VirtualIssuer {
  /** `{origin}/{tenantId}/v2.0` */
  issuerOf(tenantId: string): string;
  /**
   * Hands `/{tenant}/…` to the library as a request of this tenant. `{tenant}` in the path may be a domain: the library
   * sees the tenant's id. The promise settles when the answer is written; the library reports errors by its events.
   */
  dispatch(req: IncomingMessage, res: ServerResponse, tenancy: Tenancy): Promise<void>;
  /** Must be awaited before the library signs with an algorithm that the tenant may have no key for yet. */
  readyToSign(algorithm: SigningAlgorithm): Promise<void> | undefined;
}

/**
 * Lets one Provider serve every tenant's issuer. All that Bailiwick bends of the library is here, in
 * `answered-contexts.ts` and in `signing-slot.ts`, on members that its type definitions publish;
 * `virtual-issuer.test.ts` has a test for each assumption. Call it once, right after the Provider is constructed with `origin` as its issuer.
 */
export function makeVirtualIssuer(provider: Provider, options: VirtualIssuerOptions): VirtualIssuer {
  const issuerOf = (tenantId: string) => `${options.origin}/${tenantId}/v2.0`;
  Object.defineProperty(provider, 'issuer', { get: () => issuerOf(currentTenancy().tenantId) });
  const letGo = makeContextsEnd(provider);
  pinOrigin(provider, new URL(options.origin));
  nameCookies(provider, options.origin.startsWith('https:'));

  const readyToSign = (algorithm: SigningAlgorithm) => {
    const tenancy = currentTenancy();
    return tenancy.keyring.key('current', algorithm) ? undefined : makeKey(tenancy, algorithm);
  };
  const makeKey = async (tenancy: Tenancy, algorithm: SigningAlgorithm) => {
    tenancy.keyring = await options.makeSigningKey(tenancy.tenantId, algorithm);
  };
  replaceClients(provider, options, readyToSign);

  let callback: ReturnType<Provider['callback']> | undefined;
  return {
    issuerOf,
    readyToSign,
    async dispatch(req, res, tenancy) {
      const rest = /^\/[^/?#]+(\/.*)$/.exec(req.url ?? '')?.[1];
      if (!rest) throw new Error('dispatch wants a request for /{tenant}/…');
      callback ??= provider.callback();
      const serve = callback;
      Object.assign(req, { originalUrl: `/${tenancy.tenantId}${rest}`, url: rest });
      try {
        await runAsTenant(tenancy, () => serve(req, res));
      } finally {
        letGo(req);
      }
    },
  };
}

/**
 * The library builds endpoint URLs from Koa's `request.href` and the mount path that `originalUrl` has before `url`;
 * whether cookies are `Secure` it learns from `request.secure`. Koa gives each application its own request prototype.
 */
function pinOrigin(provider: Provider, { protocol, host }: URL): void {
  Object.defineProperties(provider.request, {
    protocol: { get: () => protocol.slice(0, -1) },
    host: { get: () => host },
  });
}

/** RFC 6265bis prefixes. The two interaction cookies are bound to a path that holds tenant and interaction. */
function nameCookies(provider: Provider, secure: boolean): void {
  provider.cookieName = (type) => {
    if (type !== 'session') return `${secure ? '__Secure-' : ''}bailiwick-${type}`;
    return sessionCookieName(currentTenancy().tenantId, secure);
  };
}

function idTokenAlgorithmOf({ grantTypes, idTokenSignedResponseAlg }: Client): SigningAlgorithm | undefined {
  if (!grantTypes?.some((type) => !WITHOUT_ID_TOKEN.has(type))) return undefined;
  return signingAlgorithms.find((known) => known === idTokenSignedResponseAlg);
}

/**
 * The library's own cache holds 100 clients and hashes the metadata to find one. This one goes by the rows of which a
 * client is made. Secrets are compared by us, on a keyed hash; the library wants to see one, gets noise, and so must
 * never be configured with an algorithm that uses it as a key (`client_secret_jwt`, HS256).
 *
 * Every client is pairwise, by the configured `pairwiseIdentifier`. It becomes so after construction, because the
 * library's schema ties pairwise subjects to sectors and refuses clients with redirect URIs on two hosts.
 */
function replaceClients(
  provider: Provider,
  { findClient, verifyClientSecret }: VirtualIssuerOptions,
  readyToSign: VirtualIssuer['readyToSign'],
): void {
  // The library's type definitions leave out the constructor.
  const ClientOf = provider.Client as unknown as new (metadata: ClientMetadata) => Client;

  provider.Client.find = async (id: string) => {
    const { tenantId } = currentTenancy();
    const record = await findClient(tenantId, id);
    if (!record) return undefined;
    let made = record.made.get(record.face);
    if (made?.version !== record.version) {
      const metadata = await record.metadata();
      if (metadata.sector_identifier_uri) throw new TypeError('sector_identifier_uri is not supported');
      const client = new ClientOf({ ...metadata, client_secret: randomBytes(32).toString('base64url') });
      Object.assign(client, { subjectType: 'pairwise' });
      made = { version: record.version, client, idTokenAlgorithm: idTokenAlgorithmOf(client) };
      record.made.set(record.face, made);
    }
    if (made.idTokenAlgorithm) await readyToSign(made.idTokenAlgorithm);
    return made.client;
  };
  provider.Client.prototype.compareClientSecret = function (this: Client, presented: string) {
    return verifyClientSecret(currentTenancy().tenantId, this, presented);
  };
}
