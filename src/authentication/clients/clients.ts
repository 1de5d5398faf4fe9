import { hash, randomUUID, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import Provider, { errors } from 'oidc-provider';
import {
  type ClientDefinition,
  type ClientState,
  getClient,
  noteSecretUse,
  type StoredSecret,
} from '../../authorization/internal/clients.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { type AppId, parseAppId } from '../../vocabulary/ids.ts';
import { internalPrincipal } from '../../vocabulary/principals.ts';
import { HIDDEN_TOKEN } from '../adapter.ts';
import { HourlyNotes } from '../hourly-notes.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import type { TenantKeyring } from '../keys/tenant-keyring.ts';
import { currentRequest, type OAuthRequest } from '../oauth-request.ts';
import type { ClientRecord } from '../virtual-issuer.ts';
import { reasonAgainst } from './client-assertions.ts';
import { clientKeys, NO_KEYS } from './client-keys.ts';
import { type Face, faceOf, metadataOf } from './client-metadata.ts';
import type { FederatedCredentials } from './federated-credentials.ts';
import type { RemoteKeys } from './remote-keys.ts';
import { type ShownCredential, shownCredential } from './shown-credential.ts';

const MAX_KNOWN = 10_000;
/** So that even a row that somebody changed by hand, past all versions, is seen in the end. */
const REMEMBERED_MS = 600_000;

/** The secret by which a client proved itself last, as a digest that is worth nothing outside this process. */
interface RecognisedSecret {
  /** Salted, so that nobody can choose with what it begins: comparing it may take as long as it does. */
  readonly digest: string;
  readonly secrets: readonly StoredSecret[];
}

/** A client in a tenant, as it was under one version of all that this depends on. */
interface KnownClient {
  readonly version: string;
  /** On the clock of `performance.now()`. */
  readonly readAt: number;
  readonly state: ClientState;
  readonly definition: ClientDefinition | undefined;
  /** The library's clients of the application's row, for as long as that stays the same. */
  readonly made: ClientRecord['made'];
  readonly keyring: TenantKeyring;
}

export interface ClientsParts {
  readonly authorization: Authorization;
  readonly signingKeys: SigningKeys;
  readonly remoteKeys: RemoteKeys;
  readonly federated: FederatedCredentials;
  /** The keyed hash under which client secrets are stored. */
  hashSecret(secret: string): Buffer;
  readonly onError: (error: unknown) => void;
}

/**
 * Looks clients up for the library: the version at every request, all else once per version. Where the answer leaves a
 * record, the version is not read beforehand but asserted by the statement that makes the record: one round trip where
 * there would be two, and what it finds is newer. Whatever would be refused is looked at again before it is.
 */
export class Clients {
  readonly #parts: ClientsParts;
  readonly #known = new LRUCache<string, KnownClient>({ max: MAX_KNOWN });
  readonly #recognised = new WeakMap<ClientState, RecognisedSecret>();
  readonly #salt = randomUUID();
  readonly #usedSecrets: HourlyNotes;

  constructor(parts: ClientsParts) {
    const { authorization, onError } = parts;
    this.#parts = parts;
    this.#usedSecrets = new HourlyNotes(async (tenantId, ids) => {
      const principal = internalPrincipal('tokenService', tenantId);
      for (const id of ids) await authorization.performInternal(principal, noteSecretUse, id);
    }, onError);
  }

  /** The client as this request shows it; also gives the request its client's state and its tenant's keys. */
  async find(clientId: string): Promise<ClientRecord | undefined> {
    const request = currentRequest();
    const appId = parseAppId(clientId);
    hidePresentedToken(request);
    if (!appId) return undefined;
    const shown = shownCredential(request.outside !== undefined);
    request.shown = shown;
    const known = this.#assume(request, appId, shown) ?? (await this.#knownNow(request, appId));
    const client = show(request, known, shown);
    if (!client) return undefined;
    const { definition, made, face } = client;
    const { version, keys } = await this.#keysOf(request, client, shown);
    return {
      made,
      face: `${face.platform} ${face.authentication}`,
      version,
      metadata: () => metadataOf(definition, face, keys),
    };
  }

  #keysOf(request: OAuthRequest, { definition, face }: ShownClient, { assertion }: ShownCredential) {
    if (face.authentication !== 'private_key_jwt' || assertion === undefined) return NO_KEYS;
    request.reason = reasonAgainst(assertion);
    return clientKeys(this.#parts.remoteKeys, request, definition, assertion);
  }

  /** What is remembered, where the record of the answer will tell whether it still is so. */
  #assume(request: OAuthRequest, appId: AppId, { hasSecret, hasAssertion, redirectUri }: ShownCredential) {
    if (!leavesRecord() || !hasSecret || hasAssertion || redirectUri !== undefined) return undefined;
    // Without a note that it was used: it is set anew every ten minutes anyway, and where it fell out it is read.
    const known = this.#known.peek(`${request.tenantId} ${appId}`);
    // One whose tenant was closed would be refused right away.
    if (!known?.state.tenantEnabled || !isFresh(known)) return undefined;
    request.assumed = { appId, version: known.version };
    return known;
  }

  /** The client under the version of this moment: from memory when nothing that it depends on changed since. */
  async #knownNow({ tenantId, principal }: OAuthRequest, appId: AppId): Promise<KnownClient | undefined> {
    const readAt = performance.now();
    const version = await this.#parts.authorization.versionOf(tenantId, appId);
    if (version === undefined) return undefined;
    const key = `${tenantId} ${appId}`;
    const remembered = this.#known.get(key);
    if (remembered?.version === version && isFresh(remembered)) return remembered;
    const client = await this.#parts.authorization.performInternal(principal, getClient, appId);
    if (!client) return undefined;
    const { state, definition } = client;
    const keyring = await this.#parts.signingKeys.keyring(tenantId, state.keys);
    const isSameRow = remembered?.definition?.version === definition?.version;
    const made = isSameRow && remembered ? remembered.made : new Map();
    const known = { version, readAt, state, definition, made, keyring };
    // Of what does not exist there is no end: whoever names it is not to push out what does.
    if (definition) this.#known.set(key, known);
    return known;
  }

  /** Whether the secret is one of the client's that has not expired, or stands for an assertion that it trusts. */
  async verifySecret(presented: string): Promise<boolean> {
    const request = currentRequest();
    if (request.outside) return this.#parts.federated.verify(request, presented);
    if (!request.assumed) return this.#matches(request, presented);
    request.provenBy = presented;
    request.lookAgain = this.#lookAgain;
    return this.#matches(request, presented) || this.#matchesNow(request, presented);
  }

  /** One function for all requests: measured, one of each request's own kept what was answered long ago from being freed. */
  readonly #lookAgain = async (): Promise<void> => {
    const request = currentRequest();
    if (!(await this.#matchesNow(request, request.provenBy)))
      throw new errors.InvalidClientAuth('the client changed while it was served');
  };

  async #matchesNow(request: OAuthRequest, presented: string | undefined): Promise<boolean> {
    const { assumed, face, shown } = request;
    request.assumed = undefined;
    request.lookAgain = undefined;
    request.isAuthenticated = false;
    request.resources.clear();
    if (!assumed || !shown || presented === undefined) return false;
    const client = show(request, await this.#knownNow(request, assumed.appId), shown);
    return client !== undefined && isSameFace(face, client.face) && this.#matches(request, presented);
  }

  #matches(request: OAuthRequest, presented: string): boolean {
    const matching = request.client ? this.#secretsThatAre(request.client, presented) : [];
    const now = Date.now() / 1_000;
    const valid = matching.find(({ startsAt, endsAt }) => startsAt <= now && endsAt > now);
    if (valid) {
      request.isAuthenticated = true;
      // Other tenants' applications keep no record here.
      if (request.client?.isOwn) this.#usedSecrets.note(request.tenantId, [valid.keyId], valid);
      return true;
    }
    request.reason = matching.length > 0 ? 'secretExpired' : 'secretWrong';
    return false;
  }

  /** Every stored secret is compared, in constant time; measured, that costs three times what recognising it does. */
  #secretsThatAre(client: ClientState, presented: string): readonly StoredSecret[] {
    const digest = hash('sha256', `${this.#salt}${presented}`, 'base64');
    const recognised = this.#recognised.get(client);
    if (recognised?.digest === digest) return recognised.secrets;
    const hmac = this.#parts.hashSecret(presented);
    const secrets = client.secrets.filter((secret) => sameBytes(Buffer.from(secret.hmac, 'base64'), hmac));
    if (secrets.length > 0) this.#recognised.set(client, { digest, secrets });
    return secrets;
  }
}

function isFresh({ readAt }: KnownClient): boolean {
  return performance.now() - readAt < REMEMBERED_MS;
}

interface ShownClient {
  readonly definition: ClientDefinition;
  readonly made: ClientRecord['made'];
  readonly face: Face;
}

/** Gives the request its client's state and its tenant's keys; undefined where there is no such client for it. */
function show(request: OAuthRequest, known: KnownClient | undefined, shown: ShownCredential): ShownClient | undefined {
  if (!known?.state.tenantEnabled) {
    request.reason = 'tenantUnknown';
    return undefined;
  }
  const { state, definition, made, keyring } = known;
  request.client = state;
  request.keyring = keyring;
  if (!definition) {
    request.reason = 'applicationUnknown';
    return undefined;
  }
  if (request.authority && definition.signInAudience !== 'AzureADMultipleOrgs') {
    request.reason = 'notMultiTenant';
    return undefined;
  }
  request.definition = definition;
  const face = faceOf(definition, shown);
  request.face = face;
  const lacksCredential = face.authentication !== 'none' && !shown.hasSecret && !shown.hasAssertion;
  request.reason = lacksCredential ? 'credentialMissing' : undefined;
  return { definition, made, face };
}

/** Of these grants every answer and every refusal of a known client is recorded, and by nothing else. */
function leavesRecord(): boolean {
  const { route, params } = Provider.ctx?.oidc ?? {};
  return route === 'token' && params?.grant_type === 'client_credentials';
}

function isSameFace(a: Face | undefined, b: Face | undefined): boolean {
  return a?.platform === b?.platform && a?.authentication === b?.authentication;
}

/** The library is to authenticate the client and to look at no token (see `TokenEndpoints`). */
function hidePresentedToken(request: OAuthRequest): void {
  const { route = '', params } = Provider.ctx?.oidc ?? {};
  if (!/^(introspection|revocation)$/.test(route) || typeof params?.token !== 'string' || params.token === '') return;
  request.presented = params.token;
  params.token = HIDDEN_TOKEN;
}

function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
