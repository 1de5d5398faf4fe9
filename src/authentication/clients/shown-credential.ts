import Provider from 'oidc-provider';
import type { ShownFace } from './client-metadata.ts';

/** How a request authenticates its client: what picks the client's face. */
export interface ShownCredential extends ShownFace {
  readonly assertion: string | undefined;
}

/**
 * Read before the library has looked at it, and kept: where the client is looked at again, which may be upstream of the
 * library, its parameters are not at hand any more.
 * @param isFederated by another issuer's assertion, which the library does not see
 */
export function shownCredential(isFederated: boolean): ShownCredential {
  const { oidc, request } = Provider.ctx ?? {};
  const params: Record<string, unknown> = oidc?.params ?? {};
  const { client_secret, client_assertion } = params;
  const redirect_uri = params.redirect_uri ?? params.post_logout_redirect_uri;
  const hasSecret = !isFederated && (Boolean(client_secret) || hasBasicPassword(request?.headers.authorization));
  const assertion = typeof client_assertion === 'string' && client_assertion !== '' ? client_assertion : undefined;
  return {
    redirectUri: typeof redirect_uri === 'string' ? redirect_uri : undefined,
    hasSecret,
    hasAssertion: isFederated || assertion !== undefined,
    isFederated,
    assertion,
  };
}

/** An empty password in Basic counts as no credential (wire.md, "Client authentication"). */
function hasBasicPassword(authorization: string | undefined): boolean {
  if (authorization?.slice(0, 6).toLowerCase() !== 'basic ') return false;
  return /:./s.test(Buffer.from(authorization.slice(6), 'base64').toString());
}
