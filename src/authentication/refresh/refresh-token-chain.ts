import type Provider from 'oidc-provider';
import type { Client, RefreshToken } from 'oidc-provider';
import { getArtifact, type StoredArtifact } from '../../authorization/internal/artifacts.ts';
import type { FamilyPlatform } from '../../authorization/internal/tokens.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { currentRequest } from '../oauth-request.ts';
import { openSuccessor, sealSuccessor } from './successor.ts';

/** What became of the token that is presented. */
export type Presented =
  | { readonly state: 'unused' }
  /** Used a moment ago, by a parallel request or one whose answer was lost: the same child again, never a second one. */
  | { readonly state: 'justUsed'; readonly successor: string }
  | { readonly state: 'replayed' };

type Redeemed = Pick<StoredArtifact, 'consumedAgo' | 'successor'>;

const GRACE_SECONDS = 10;
/** A confidential client proves itself at each use, so its token changes only when it is this old. */
const CONFIDENTIAL_ROTATION_SECONDS = 24 * 3_600;

/** Which refresh token follows which (RFC 9700, section 4.14.2). Each has at most one child. */
export class RefreshTokenChain {
  readonly #authorization: Authorization;

  constructor(authorization: Authorization) {
    this.#authorization = authorization;
  }

  /** @param value the refresh token, which the adapter has just looked up for this request */
  presented(value: string): Presented {
    const { redeemed = {} } = currentRequest();
    return presentedAs(value, redeemed);
  }

  /** The child of an unused token, kept on the request until its answer is committed. The token itself when it is young. */
  async next(
    provider: Provider,
    client: Client,
    {
      value,
      parent,
      platform,
    }: { readonly value: string; readonly parent: RefreshToken; readonly platform: FamilyPlatform },
  ): Promise<string> {
    const age = Math.floor(Date.now() / 1_000) - parent.iat;
    if (platform === 'web' && age < CONFIDENTIAL_ROTATION_SECONDS) return value;
    const child = new provider.RefreshToken({ ...bequeathed(parent), client });
    const successor = await child.save();
    const { tenantId, pending } = currentRequest();
    const sealed = sealSuccessor(tenantId, value, successor);
    pending.consumed = { model: 'RefreshToken', id: value, successor: sealed };
    return successor;
  }

  /** The child that a parallel request committed first; nothing when this one can only be refused. */
  async overtakenBy(value: string): Promise<string | undefined> {
    const { principal } = currentRequest();
    const stored = await this.#authorization.performInternal(principal, getArtifact, {
      model: 'RefreshToken',
      id: value,
    });
    const presented = stored?.familyAlive ? presentedAs(value, stored) : undefined;
    return presented?.state === 'justUsed' ? presented.successor : undefined;
  }
}

function presentedAs(value: string, { consumedAgo, successor }: Partial<Redeemed>): Presented {
  if (consumedAgo === undefined) return { state: 'unused' };
  if (consumedAgo > GRACE_SECONDS || !successor) return { state: 'replayed' };
  return { state: 'justUsed', successor: openSuccessor(currentRequest().tenantId, value, successor) };
}

/** What a child has from its parent: all but its name and its times. */
function bequeathed(parent: RefreshToken) {
  const {
    accountId,
    acr,
    amr,
    authTime,
    claims,
    grantId = '',
    gty = 'refresh_token',
    iiat,
    nonce,
    resource,
    scope = '',
    sessionUid,
    sid,
  } = parent;
  const rotations = (parent.rotations ?? 0) + 1;
  return {
    accountId,
    acr,
    amr,
    authTime,
    claims,
    grantId,
    gty,
    iiat,
    nonce,
    resource,
    scope,
    sessionUid,
    sid,
    rotations,
  };
}
