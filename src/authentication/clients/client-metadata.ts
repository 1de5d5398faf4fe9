import type { ClientMetadata } from 'oidc-provider';
import type { ClientDefinition } from '../../authorization/internal/clients.ts';
import type { PublicJwk } from '../../vocabulary/public-keys.ts';
import { DEVICE_CODE_ALIAS, DEVICE_CODE_GRANT, ON_BEHALF_OF_GRANT, TOKEN_EXCHANGE_GRANT } from '../grant-types.ts';

/**
 * One application is many clients at once: web application with secrets or certificates, single-page application,
 * native application. A face is the one that a request shows; this file is the only translation between an
 * application with its service principal and what OAuth calls a client.
 */
export interface Face {
  readonly platform: 'web' | 'spa' | 'publicClient';
  readonly authentication: 'client_secret_basic' | 'private_key_jwt' | 'federated_credential' | 'none';
}

/** What of a request decides which face it shows. */
export interface ShownFace {
  readonly redirectUri: string | undefined;
  readonly hasSecret: boolean;
  readonly hasAssertion: boolean;
  /** The assertion is another issuer's. */
  readonly isFederated: boolean;
}

/** The face for a request: by the redirect URI where there is one, else by the credential that was sent. */
export function faceOf(
  definition: ClientDefinition,
  { redirectUri, hasSecret, hasAssertion, isFederated }: ShownFace,
): Face {
  const platform = platformOf(definition, redirectUri, hasSecret || hasAssertion);
  if (isFederated) return { platform, authentication: 'federated_credential' };
  if (hasAssertion) return { platform, authentication: 'private_key_jwt' };
  const isPublic = platform !== 'web' && !hasSecret;
  return { platform, authentication: isPublic ? 'none' : 'client_secret_basic' };
}

function platformOf(
  definition: ClientDefinition,
  redirectUri: string | undefined,
  hasCredential: boolean,
): Face['platform'] {
  const { webRedirectUris, spaRedirectUris, publicClientRedirectUris, isFallbackPublicClient } = definition;
  if (redirectUri !== undefined) {
    if (webRedirectUris.includes(redirectUri)) return 'web';
    if (spaRedirectUris.includes(redirectUri)) return 'spa';
    // Loopback redirects vary in their port (RFC 8252, section 7.3), so a native one is known by what it is not.
    return publicClientRedirectUris.length > 0 ? 'publicClient' : 'web';
  }
  if (hasCredential) return 'web';
  if (publicClientRedirectUris.length > 0 || isFallbackPublicClient) return 'publicClient';
  return spaRedirectUris.length > 0 ? 'spa' : 'web';
}

/**
 * Client metadata (RFC 7591, section 2) of one face. Never a URL of anything that the library would fetch.
 * @param keys by which it may sign assertions now
 */
export function metadataOf(definition: ClientDefinition, face: Face, keys: readonly PublicJwk[]): ClientMetadata {
  const { appId, displayName, webRedirectUris, spaRedirectUris, publicClientRedirectUris, compatibility } = definition;
  const redirects = {
    web: webRedirectUris,
    spa: spaRedirectUris,
    publicClient: publicClientRedirectUris,
  }[face.platform];
  const signsIn = redirects.length > 0;
  const isConfidential = face.authentication !== 'none';
  const hasDevices = !isConfidential && definition.isFallbackPublicClient;
  // The library judges these by the kind of application, too: native URIs are for a native face alone.
  const afterLogout =
    face.platform === 'publicClient' ? publicClientRedirectUris : [...webRedirectUris, ...spaRedirectUris];
  return {
    client_id: appId,
    client_name: displayName,
    application_type: face.platform === 'publicClient' ? 'native' : 'web',
    // Of another issuer's assertion the library sees a secret in its place (see `outside-assertions.ts`).
    token_endpoint_auth_method:
      face.authentication === 'federated_credential' ? 'client_secret_basic' : face.authentication,
    redirect_uris: [...redirects],
    post_logout_redirect_uris: [...afterLogout],
    response_types: signsIn ? ['code'] : [],
    grant_types: [
      ...(signsIn ? ['authorization_code'] : []),
      // One that nobody signs in to gets refresh tokens on behalf of people.
      ...(signsIn || hasDevices || isConfidential ? ['refresh_token'] : []),
      ...(hasDevices ? [DEVICE_CODE_GRANT, DEVICE_CODE_ALIAS] : []),
      ...(isConfidential ? ['client_credentials', ON_BEHALF_OF_GRANT, TOKEN_EXCHANGE_GRANT] : []),
    ],
    id_token_signed_response_alg: compatibility.idTokenSignedResponseAlg === 'ES256' ? 'ES256' : 'RS256',
    ...(face.authentication === 'private_key_jwt' ? { jwks: { keys: keys.flatMap(namedJwks) } } : {}),
  };
}

/**
 * A key is known under each name that clients give it in `kid`: its own, and its certificate's thumbprints in base64url
 * and in hexadecimal. Without `kid` the plain key is found.
 */
function namedJwks(key: PublicJwk): NamedJwk[] {
  if (!isJwk(key)) return [];
  const thumbprints = [key.x5t, key['x5t#S256']].filter((name) => name !== undefined);
  const names = thumbprints.flatMap((name) => {
    const hex = Buffer.from(name, 'base64url').toString('hex');
    return [name, hex, hex.toUpperCase()];
  });
  const all = [...new Set([...(key.kid === undefined ? [] : [key.kid]), ...names])];
  return all.length === 0 ? [key] : all.map((kid) => ({ ...key, kid }));
}

interface NamedJwk {
  readonly kty: 'RSA' | 'EC';
  readonly kid?: string;
  readonly x5t?: string;
  readonly 'x5t#S256'?: string;
}

function isJwk(key: PublicJwk): key is PublicJwk & NamedJwk {
  return key.kty === 'RSA' || key.kty === 'EC';
}
