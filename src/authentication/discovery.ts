import { DIRECTORY_API } from '../vocabulary/permissions.ts';
import { DEVICE_CODE_GRANT, ON_BEHALF_OF_GRANT, TOKEN_EXCHANGE_GRANT } from './grant-types.ts';

/** OpenID Connect Discovery 1.0 and RFC 8414 metadata of one tenant, from configuration alone. */
/** @param directoryOrigin where clients register themselves (RFC 7591), in organizations that let them */
export function discoveryDocument(origin: string, directoryOrigin: string, tenantId: string) {
  const base = `${origin}/${tenantId}`;
  return {
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    userinfo_endpoint: `${base}/oidc/userinfo`,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    introspection_endpoint: `${base}/oauth2/v2.0/introspect`,
    registration_endpoint: `${directoryOrigin}/v1.0/oauth2/register`,
    revocation_endpoint: `${base}/oauth2/v2.0/revoke`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    grant_types_supported: [
      'authorization_code',
      'refresh_token',
      'client_credentials',
      DEVICE_CODE_GRANT,
      ON_BEHALF_OF_GRANT,
      TOKEN_EXCHANGE_GRANT,
    ],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256'],
    scopes_supported: DIRECTORY_API.oauth2PermissionScopes.map(({ value }) => value),
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt', 'none'],
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256'],
    introspection_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
    revocation_endpoint_auth_methods_supported: [
      'client_secret_post',
      'client_secret_basic',
      'private_key_jwt',
      'none',
    ],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    claims_supported: [
      ...['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'acr', 'amr', 'nonce', 'sid', 'tid', 'oid', 'ver'],
      ...['name', 'preferred_username', 'given_name', 'family_name', 'email', 'roles', 'groups', 'wids', 'acct', 'upn'],
    ],
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  };
}
