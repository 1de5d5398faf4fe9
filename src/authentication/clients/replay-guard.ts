import { hash } from 'node:crypto';
import type Provider from 'oidc-provider';
import { putArtifactOnce } from '../../authorization/internal/artifacts.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { currentRequest } from '../oauth-request.ts';
import { mayBeReused } from './client-assertions.ts';

/**
 * Lets each client assertion be used once (RFC 7523, section 3). The marker is an insert that conflicts, in a
 * transaction of its own: it stays even when the request fails later, and of parallel requests one wins.
 */
export class ReplayGuard {
  readonly #authorization: Authorization;

  constructor(authorization: Authorization) {
    this.#authorization = authorization;
  }

  protect(provider: Provider): void {
    provider.ReplayDetection.unique = (issuer, jti, exp) => this.isFirst(issuer, jti, exp);
  }

  /** @param exp when the assertion expires, in seconds since the epoch */
  async isFirst(issuer: string, jti: string, exp?: number): Promise<boolean> {
    const request = currentRequest();
    if (mayBeReused()) return true;
    const id = hash('sha256', JSON.stringify([issuer, jti]), 'base64url');
    const expiresIn = Math.max(60, Math.ceil((exp ?? 0) - Date.now() / 1_000));
    const artifact = { model: 'ReplayDetection', id, payload: {}, expiresIn };
    const first = await this.#authorization.performInternal(request.principal, putArtifactOnce, artifact);
    if (!first) request.reason = 'assertionReplayed';
    return first;
  }
}
