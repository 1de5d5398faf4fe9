import { decodeJwt } from 'jose';
import { errors, type KoaContextWithOIDC, type default as Provider } from 'oidc-provider';
import { currentRequest } from '../oauth-request.ts';
import { refuse } from '../refusals.ts';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/token-lifetimes.ts';

/** Seconds that an assertion may still be valid when it arrives. */
const MAX_SECONDS = 3_600;
/** The same where the application is set to use an assertion more than once. */
const MAX_REUSED_SECONDS = 600;

type Json = Readonly<Record<string, unknown>>;

/**
 * To whom a client's assertion may be addressed: the tenant's issuer, its token endpoint, and that of the open authority
 * which the request was sent to.
 */
export function assertionAudiences(origin: string): readonly string[] {
  const { tenantId, authority } = currentRequest();
  const tenants = authority === undefined ? [tenantId] : [tenantId, authority];
  return [`${origin}/${tenantId}/v2.0`, ...tenants.map((name) => `${origin}/${name}/oauth2/v2.0/token`)];
}

/** The library accepts the issuer, the token endpoint and the very endpoint; what is ours in place of that. */
export function nameAssertionAudiences(provider: Provider, origin: string): void {
  // A public member, which the type definitions leave out.
  const { prototype } = (
    provider as unknown as { OIDCContext: { prototype: { clientJwtAuthExpectedAudience(): ReadonlySet<string> } } }
  ).OIDCContext;
  prototype.clientJwtAuthExpectedAudience = () => new Set(assertionAudiences(origin));
}

/**
 * What the library does not ask of a client assertion whose signature it has verified (RFC 7523; rfc7523bis): exactly
 * one audience, which is ours; a short life; and a certificate thumbprint, where one is named, of this application.
 * @throws `invalid_client`
 */
export function checkClientAssertion(
  { oidc }: KoaContextWithOIDC,
  claims: Json,
  header: Json,
  audiences: readonly string[],
): void {
  if (typeof claims.aud !== 'string' || !audiences.includes(claims.aud)) {
    throw refuseAssertion('assertionAudience');
  }
  const seconds = Number(claims.exp) - Date.now() / 1_000 - CLOCK_TOLERANCE_SECONDS;
  if (!(seconds <= (mayBeReused() ? MAX_REUSED_SECONDS : MAX_SECONDS))) throw refuseAssertion('assertionTooLong');
  const keys = (oidc.client?.jwks?.keys ?? []).map((key): Json => ({ ...key }));
  for (const name of ['x5t', 'x5t#S256']) {
    const thumbprint = unpadded(header[name]);
    if (thumbprint !== undefined && !keys.some((key) => key[name] === thumbprint)) {
      throw refuseAssertion('assertionKey');
    }
  }
  currentRequest().isAuthenticated = true;
  currentRequest().reason = undefined;
}

/**
 * What to tell a client whose assertion the library then does not take: by what the assertion says of itself, which is
 * nothing that its sender does not know.
 */
export function reasonAgainst(assertion: string): 'assertionTime' | 'assertionInvalid' {
  try {
    const { exp = Number.POSITIVE_INFINITY, nbf = 0, iat = 0 } = decodeJwt(assertion);
    const now = Date.now() / 1_000;
    const isTimely = now < exp + CLOCK_TOLERANCE_SECONDS && Math.max(nbf, iat) <= now + CLOCK_TOLERANCE_SECONDS;
    return isTimely ? 'assertionInvalid' : 'assertionTime';
  } catch {
    return 'assertionInvalid';
  }
}

/** MSAL for Python ends a thumbprint with `=`, which RFC 7515, section 2, leaves out; it names the same certificate. */
function unpadded(thumbprint: unknown): unknown {
  return typeof thumbprint === 'string' ? thumbprint.replace(/=$/, '') : thumbprint;
}

/** Whether the application is set to use an assertion until it expires (`compatibility.assertionReuse`). */
export function mayBeReused(): boolean {
  return currentRequest().definition?.compatibility.assertionReuse === true;
}

function refuseAssertion(reason: 'assertionAudience' | 'assertionTooLong' | 'assertionKey') {
  currentRequest().reason = reason;
  return refuse(errors.InvalidClientAuth, reason);
}
