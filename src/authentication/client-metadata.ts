import type { ClientMetadata } from 'oidc-provider';
import type { ClientDefinition } from '../authorization/internal/clients.ts';
import { DEVICE_CODE_ALIAS, DEVICE_CODE_GRANT, ON_BEHALF_OF_GRANT, TOKEN_EXCHANGE_GRANT } from './grant-types.ts';

/**
 * One application is many clients at once: web application with secrets or certificates, single-page application,
 * native application. A face is the one that a request shows; this file is the only translation between an
 * application with its service principal and what OAuth calls a client.
 */
export interface Face {
  readonly platform: 'web' | 'spa' | 'publicClient';
  readonly authentication: 'client_secret_basic' | 'private_key_jwt' | 'none';
}

/** What of a request decides which face it shows. */
export interface ShownFace {
  readonly redirectUri: string | undefined;
  readonly hasSecret: boolean;
  readonly hasAssertion: boolean;
}

/** The face for a request: by the redirect URI where there is one, else by the credential that was sent. */
export function faceOf(definition: ClientDefinition, { redirectUri, hasSecret, hasAssertion }: ShownFace): Face {
  const platform = platformOf(definition, redirectUri, hasSecret || hasAssertion);
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

/** Client metadata (RFC 7591, section 2) of one face. */
export function metadataOf(definition: ClientDefinition, face: Face): ClientMetadata {
  const {
    appId,
    displayName,
    webRedirectUris,
    spaRedirectUris,
    publicClientRedirectUris,
    keyCredentials,
    compatibility,
  } = definition;
  const redirects = {
    web: webRedirectUris,
    spa: spaRedirectUris,
    publicClient: publicClientRedirectUris,
  }[face.platform];
  const signsIn = redirects.length > 0;
  const hasDevices = face.authentication === 'none' && definition.isFallbackPublicClient;
  // The library judges these by the kind of application, too: native URIs are for a native face alone.
  const afterLogout =
    face.platform === 'publicClient' ? publicClientRedirectUris : [...webRedirectUris, ...spaRedirectUris];
  return {
    client_id: appId,
    client_name: displayName,
    application_type: face.platform === 'publicClient' ? 'native' : 'web',
    token_endpoint_auth_method: face.authentication,
    redirect_uris: [...redirects],
    post_logout_redirect_uris: [...afterLogout],
    response_types: signsIn ? ['code'] : [],
    grant_types: [
      ...(signsIn ? ['authorization_code'] : []),
      ...(signsIn || hasDevices ? ['refresh_token'] : []),
      ...(hasDevices ? [DEVICE_CODE_GRANT, DEVICE_CODE_ALIAS] : []),
      ...(face.authentication === 'none' ? [] : ['client_credentials', ON_BEHALF_OF_GRANT, TOKEN_EXCHANGE_GRANT]),
    ],
    id_token_signed_response_alg: compatibility.idTokenSignedResponseAlg === 'ES256' ? 'ES256' : 'RS256',
    ...(face.authentication === 'private_key_jwt' ? { jwks: { keys: keyCredentials.flatMap(publicJwks) } } : {}),
  };
}

/**
 * A certificate is known under each name that clients give it in `kid`: its thumbprints in base64url and in hexadecimal.
 * Without `kid` the plain key is found.
 */
function publicJwks({ publicJwk }: Record<string, unknown>) {
  if (!isJwk(publicJwk)) return [];
  const { x5t, 'x5t#S256': x5tS256, kid } = publicJwk;
  if (kid !== undefined || x5t === undefined) return [publicJwk];
  const hex = Buffer.from(x5t, 'base64url').toString('hex');
  const names = [x5t, x5tS256, hex, hex.toUpperCase()].filter((name) => name !== undefined);
  return names.map((name) => ({ ...publicJwk, kid: name }));
}

interface RegisteredJwk {
  readonly kty: 'RSA' | 'EC';
  readonly kid?: string;
  readonly x5t?: string;
  readonly 'x5t#S256'?: string;
}

function isJwk(value: unknown): value is RegisteredJwk {
  return typeof value === 'object' && value !== null && 'kty' in value && (value.kty === 'RSA' || value.kty === 'EC');
}
