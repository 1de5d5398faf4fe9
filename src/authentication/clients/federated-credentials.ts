import { timingSafeEqual } from 'node:crypto';
import { getTrustedIssuers } from '../../authorization/internal/federated-credentials.ts';
import type { Authorization } from '../../authorization/perform.ts';
import type { OAuthRequest } from '../oauth-request.ts';
import { verifyFederated } from './federated-proof.ts';
import type { RemoteKeys } from './remote-keys.ts';
import type { ReplayGuard } from './replay-guard.ts';

/** Clients that authenticate by what another issuer says of them (RFC 7521, section 4.1). */
export class FederatedCredentials {
  readonly #authorization: Authorization;
  readonly #remoteKeys: RemoteKeys;
  readonly #replayGuard: ReplayGuard;

  constructor(authorization: Authorization, remoteKeys: RemoteKeys, replayGuard: ReplayGuard) {
    this.#authorization = authorization;
    this.#remoteKeys = remoteKeys;
    this.#replayGuard = replayGuard;
  }

  /**
   * Whether the assertion that the request came with is one that its client trusts. Used once, where it has an id;
   * otherwise until it expires, as its issuers mean it.
   * @param presented what the library was shown in the assertion's place
   */
  async verify(request: OAuthRequest, presented: string): Promise<boolean> {
    const { outside, definition, principal, tenantId } = request;
    if (!outside || !definition || !isSame(presented, outside.proof)) return false;
    request.reason = 'federatedMismatch';
    const { appId } = definition;
    const credentials = await this.#authorization.performInternal(principal, getTrustedIssuers, appId);
    const proof = await verifyFederated(outside.assertion, credentials, (issuer, kid) =>
      this.#remoteKeys.ofIssuer(issuer, { party: tenantId, kid }),
    );
    if (!proof) return false;
    const { issuer, tokenId, expiresAt } = proof;
    if (tokenId !== undefined && !(await this.#replayGuard.isFirst(issuer, tokenId, expiresAt))) return false;
    request.reason = undefined;
    request.isAuthenticated = true;
    return true;
  }
}

function isSame(presented: string, proof: string): boolean {
  return presented.length === proof.length && timingSafeEqual(Buffer.from(presented), Buffer.from(proof));
}
