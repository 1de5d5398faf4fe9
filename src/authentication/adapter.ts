import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import {
  type Artifact,
  dropArtifact,
  getArtifact,
  getArtifactByUid,
  getArtifactByUserCode,
  keepSession,
  putArtifact,
  type StoredArtifact,
} from '../authorization/internal/artifacts.ts';
import { endFamilies, getLiveFamily, type LiveFamily, signOut } from '../authorization/internal/tokens.ts';
import type { Authorization } from '../authorization/perform.ts';
import { consentedScopes, presenceRefusal } from '../authorization/token-decision.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import type { TokenFacts } from '../vocabulary/token-decision.ts';
import { currentRequest } from './oauth-request.ts';
import { refuse } from './refusals.ts';
import { DEFAULT_SCOPE, spellings } from './requested-scopes.ts';
import { errorOf } from './tokens/token-decisions.ts';

/** Seconds that a family lives at most, whatever is refreshed in it. */
export const FAMILY_SECONDS = 90 * 24 * 3_600;
/** Stands for a token that the library is not to look at (see `presented-tokens.ts`). */
export const HIDDEN_TOKEN = 'hidden';

/** Single-use artifacts: written and used up with the answer that rests on them. */
const REDEEMED: ReadonlySet<string> = new Set(['RefreshToken', 'AuthorizationCode', 'DeviceCode']);
/** How long a device code is known after its end, in seconds: a device that polls on is told that it has expired. */
const EXPIRED_DEVICE_SECONDS = 900;
/** Access tokens are JWTs. */
const NEVER_STORED: ReadonlySet<string> = new Set(['AccessToken', 'ClientCredentials']);

/**
 * oidc-provider's storage, in the tenant of the current request. Rows are keyed by (tenant, model, id), so what one
 * tenant issued is unknown to every other. What an answer rests on is not written here but collected on the request.
 */
export function makeAdapter(authorization: Authorization): (model: string) => Adapter {
  return (model) => (model === 'Grant' ? new GrantAdapter(authorization) : new ArtifactAdapter(authorization, model));
}

class ArtifactAdapter implements Adapter {
  readonly #authorization: Authorization;
  readonly #model: string;

  constructor(authorization: Authorization, model: string) {
    this.#authorization = authorization;
    this.#model = model;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const { principal, pending } = currentRequest();
    const artifact = {
      model: this.#model,
      id,
      payload,
      uid: this.#model === 'Session' ? payload.uid : undefined,
      userCode: payload.userCode,
      // An interaction names a grant too, whose family begins only when there is a code.
      familyId: REDEEMED.has(this.#model) ? payload.grantId : undefined,
      userId: payload.accountId,
      authenticatedAt: payload.loginTs,
      expiresIn: this.#secondsToKeep(expiresIn),
    };
    if (this.#model === 'Session') await this.#saveSession(artifact);
    else if (this.#isRedeemed(payload)) pending.artifact = artifact;
    else await this.#authorization.performInternal(principal, putArtifact, artifact);
  }

  /** A device code, only once somebody has approved it: that it was asked for, or declined, is a fact of its own. */
  #isRedeemed({ accountId, error }: AdapterPayload): boolean {
    if (this.#model === 'DeviceCode') return accountId !== undefined && error === undefined;
    return REDEEMED.has(this.#model);
  }

  #secondsToKeep(expiresIn: number | undefined): number | undefined {
    if (expiresIn === undefined) return undefined;
    return Math.max(1, Math.floor(expiresIn)) + (this.#model === 'DeviceCode' ? EXPIRED_DEVICE_SECONDS : 0);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    if (NEVER_STORED.has(this.#model) || id === HIDDEN_TOKEN) return undefined;
    const request = currentRequest();
    const elapsed = (performance.now() - request.arrivedAt) / 1_000;
    const name = { model: this.#model, id };
    const stored = await this.#authorization.performInternal(request.principal, getArtifact, name);
    if (stored && REDEEMED.has(this.#model)) request.redeemed = stored;
    if (stored && this.#model === 'Session') request.foundSession = { id, uid: String(stored.payload.uid) };
    return payloadOf(stored, elapsed);
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const { principal } = currentRequest();
    return payloadOf(
      await this.#authorization.performInternal(principal, getArtifactByUid, { model: this.#model, id: uid }),
    );
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const { principal } = currentRequest();
    const name = { model: this.#model, id: userCode };
    return payloadOf(await this.#authorization.performInternal(principal, getArtifactByUserCode, name));
  }

  /** Decided when the answer is committed: of parallel redemptions one row count is one. */
  async consume(id: string): Promise<void> {
    currentRequest().pending.consumed = { model: this.#model, id };
  }

  async destroy(id: string): Promise<void> {
    const request = currentRequest();
    const { principal } = request;
    const { route, session } = Provider.ctx?.oidc ?? {};
    // Signing out ends a session with its families; one that somebody else's replaces leaves them alive.
    if (this.#model === 'Session' && route === 'end_session_confirm' && session?.jti === id) {
      await this.#authorization.performInternal(principal, signOut, { uid: session.uid });
      return;
    }
    if (request.foundSession?.id === id) request.foundSession = undefined;
    await this.#authorization.performInternal(principal, dropArtifact, { model: this.#model, id });
  }

  /** A session that was found is saved where it still is: one that ended while the request was served stays ended. */
  async #saveSession(session: Artifact): Promise<void> {
    const request = currentRequest();
    const { principal, foundSession } = request;
    if (foundSession?.uid !== session.uid) {
      await this.#authorization.performInternal(principal, putArtifact, session);
    } else {
      const kept = { session, formerId: foundSession?.id ?? '' };
      if (!(await this.#authorization.performInternal(principal, keepSession, kept))) request.sessionEnded = true;
    }
    request.foundSession = { id: session.id, uid: session.uid ?? '' };
  }

  /** What descends from a grant dies with its family, which `GrantAdapter.destroy` ends. */
  async revokeByGrantId(): Promise<void> {}
}

/**
 * The library's Grant is the handle of a token family. Its scopes are what live consent says when it is loaded; they
 * are stored nowhere (wire.md, "Consent: one truth").
 */
class GrantAdapter implements Adapter {
  readonly #authorization: Authorization;

  constructor(authorization: Authorization) {
    this.#authorization = authorization;
  }

  /** A family begins with its code, in the same transaction (see `issuance.ts`), not when the library saves the handle. */
  async upsert(): Promise<void> {}

  /** @throws the refusal of a family that yields nothing more, whatever is asked for */
  async find(id: string): Promise<AdapterPayload | undefined> {
    const request = currentRequest();
    const family = await this.#authorization.performInternal(request.principal, getLiveFamily, id);
    if (!family) throw refuse(errors.InvalidGrant, 'grantGone');
    request.family = family;
    request.facts = family.facts;
    const refusal = presenceRefusal(family.facts, 'delegated');
    if (refusal) throw refuse(errorOf(refusal, { kind: 'delegated', via: 'code' }), refusal);
    return grantPayload(id, family);
  }

  async destroy(id: string): Promise<void> {
    await revokeFamily(this.#authorization, id);
  }

  async revokeByGrantId(id: string): Promise<void> {
    await revokeFamily(this.#authorization, id);
  }

  async consume(): Promise<void> {}
  async findByUid(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}
}

function grantPayload(id: string, family: LiveFamily): AdapterPayload {
  const { openid, resources } = grantedScopes(family.facts);
  return {
    jti: id,
    kind: 'Grant',
    iat: Math.floor(family.createdAt),
    exp: Math.floor(family.expiresAt),
    accountId: family.userId,
    clientId: family.appId,
    openid: { scope: openid },
    resources,
  };
}

/** Live consent in the library's terms: OIDC scopes, and for each way to name a resource every spelling of its scopes. */
export function grantedScopes(facts: TokenFacts): { openid: string; resources: Record<string, string> } {
  const consented = consentedScopes(facts);
  const resources: Record<string, string> = {};
  for (const { appId, identifierUris } of facts.resources) {
    const scopes = consented.get(appId);
    if (!scopes) continue;
    const identifiers = [...identifierUris, `api://${appId}`].flatMap((uri) =>
      uri.endsWith('/') ? [uri] : [uri, `${uri}/`],
    );
    for (const identifier of identifiers) {
      resources[identifier] = [...scopes, DEFAULT_SCOPE].flatMap((value) => spellings(identifier, value)).join(' ');
    }
  }
  return { openid: consented.get(DIRECTORY_APP_ID)?.join(' ') ?? '', resources };
}

async function revokeFamily(authorization: Authorization, id: string): Promise<void> {
  await authorization.performInternal(currentRequest().principal, endFamilies, { id, reason: 'codeReplayed' });
}

/**
 * What the library gets to see. An artifact that was used up while this request was already being served shows as
 * unused: the request loses the race at its commit and is refused, but that is no replay, for which the library would
 * end the family. Only durations are compared, each measured by one clock.
 */
function payloadOf(stored: StoredArtifact | undefined, elapsed = 0): AdapterPayload | undefined {
  if (!stored) return undefined;
  const { payload, consumedAt, consumedAgo = 0 } = stored;
  if (consumedAt === undefined || consumedAgo <= elapsed) return payload;
  return { ...payload, consumed: Math.floor(consumedAt) };
}
