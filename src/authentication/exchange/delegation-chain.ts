import { errors } from 'oidc-provider';
import type { Actor } from '../../authorization/internal/tokens.ts';
import type { OAuthRequest } from '../oauth-request.ts';
import { describe, refuse } from '../refusals.ts';

/** Applications that one call may pass through. */
const LONGEST_CHAIN = 5;

/** The `act` claim (RFC 8693, section 4.1): who acts for the person, and for whom that one was acting. */
export interface ActClaim {
  readonly sub: string;
  readonly client_id: string;
  readonly act?: ActClaim;
}

/**
 * The chain with the application of this request in front.
 * @throws `invalid_request` when it grows too long
 */
export function lengthened(chain: readonly Actor[], { client, definition }: OAuthRequest): readonly Actor[] {
  const { servicePrincipalId } = client ?? {};
  if (!servicePrincipalId || !definition) throw refuse(errors.UnauthorizedClient, 'applicationAbsent');
  if (chain.length >= LONGEST_CHAIN) throw new errors.InvalidRequest(describe('chainTooLong'));
  return [{ sub: servicePrincipalId, clientId: definition.appId }, ...chain];
}

/** It says who; it gives no right. */
export function actClaim(chain: readonly Actor[]): ActClaim | undefined {
  return chain.reduceRight<ActClaim | undefined>(
    (act, { sub, clientId }) => ({ sub, client_id: clientId, ...(act ? { act } : {}) }),
    undefined,
  );
}
