import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { currentRequest } from '../oauth-request.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * The library takes a client assertion to be the client's own: its subject to be the client id, its issuer too. One of
 * another issuer (RFC 7521, section 4.1: a federated credential) is set aside as soon as the parameters were read, and
 * the library gets a secret in its place that is verified as `Clients` verifies secrets: by verifying the assertion.
 */
export function setOutsideAssertionAside(params: Record<string, unknown>): void {
  const { client_id, client_secret, client_assertion, client_assertion_type } = params;
  if (typeof client_id !== 'string' || typeof client_assertion !== 'string') return;
  if (client_secret || client_assertion_type !== ASSERTION_TYPE || !isOfAnother(client_id, client_assertion)) return;
  const outside = { assertion: client_assertion, proof: randomBytes(32).toString('base64url') };
  currentRequest().outside = outside;
  params.client_secret = outside.proof;
  params.client_assertion = undefined;
  params.client_assertion_type = undefined;
}

function isOfAnother(clientId: string, assertion: string): boolean {
  try {
    const { iss } = decodeJwt(assertion);
    return typeof iss === 'string' && iss !== clientId && URL.canParse(iss);
  } catch {
    return false;
  }
}
