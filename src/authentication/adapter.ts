import type { Adapter, AdapterPayload } from 'oidc-provider';
import {
  dropArtifact,
  getArtifact,
  getArtifactByUid,
  putArtifact,
  type StoredArtifact,
} from '../authorization/internal/artifacts.ts';
import { endFamilies, getLiveFamily, type LiveFamily } from '../authorization/internal/tokens.ts';
import type { Authorization } from '../authorization/perform.ts';
import { currentRequest } from './oauth-request.ts';
import { DEFAULT_SCOPE, spellings } from './requested-scopes.ts';

/** Seconds that a family lives at most, whatever is refreshed in it. */
export const FAMILY_SECONDS = 90 * 24 * 3_600;

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
      familyId: payload.grantId,
      userId: payload.accountId,
      authenticatedAt: payload.loginTs,
      expiresIn: expiresIn === undefined ? undefined : Math.max(1, Math.floor(expiresIn)),
    };
    if (this.#model === 'RefreshToken' || this.#model === 'AuthorizationCode') pending.artifact = artifact;
    else await this.#authorization.performInternal(principal, putArtifact, artifact);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const { principal } = currentRequest();
    return payloadOf(await this.#authorization.performInternal(principal, getArtifact, { model: this.#model, id }));
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const { principal } = currentRequest();
    return payloadOf(
      await this.#authorization.performInternal(principal, getArtifactByUid, { model: this.#model, id: uid }),
    );
  }

  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  /** Decided when the answer is committed: of parallel redemptions one row count is one. */
  async consume(id: string): Promise<void> {
    currentRequest().pending.consumed = { model: this.#model, id };
  }

  async destroy(id: string): Promise<void> {
    await this.#authorization.performInternal(currentRequest().principal, dropArtifact, { model: this.#model, id });
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await revokeFamily(this.#authorization, grantId);
  }
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

  /** A family begins with its code, in the same transaction (see `grant.ts`), not when the library saves the handle. */
  async upsert(): Promise<void> {}

  async find(id: string): Promise<AdapterPayload | undefined> {
    const { principal } = currentRequest();
    const family = await this.#authorization.performInternal(principal, getLiveFamily, id);
    return family && grantPayload(id, family);
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
  const { openid, resources } = grantedScopes(family.consents);
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
export function grantedScopes(consents: LiveFamily['consents']): { openid: string; resources: Record<string, string> } {
  const resources: Record<string, string> = {};
  const openid: string[] = [];
  for (const { resourceAppId, identifierUris, scopes } of consents) {
    openid.push(...scopes);
    const identifiers = [...identifierUris, `api://${resourceAppId}`].flatMap((uri) =>
      uri.endsWith('/') ? [uri] : [uri, `${uri}/`],
    );
    for (const identifier of identifiers) {
      resources[identifier] = [...scopes, DEFAULT_SCOPE].flatMap((value) => spellings(identifier, value)).join(' ');
    }
  }
  return { openid: openid.join(' '), resources };
}

async function revokeFamily(authorization: Authorization, id: string): Promise<void> {
  await authorization.performInternal(currentRequest().principal, endFamilies, { id, reason: 'revoked' });
}

function payloadOf(stored: StoredArtifact | undefined): AdapterPayload | undefined {
  if (!stored?.familyAlive) return undefined;
  return stored.consumedAt === undefined
    ? stored.payload
    : { ...stored.payload, consumed: Math.floor(stored.consumedAt) };
}
