import { z } from 'zod';
import { keyCredential, keySetUri } from './application-inputs.ts';
import { text } from './inputs.ts';
import { browserRedirectUris, httpsPage, nativeRedirectUris } from './redirect-uris.ts';

const REDIRECTING = 'authorization_code';

/**
 * Client metadata as a client sends it when it registers itself (RFC 7591, section 2). What is not understood is ignored,
 * as the RFC wants; URLs that a server might fetch (`logo_uri`, `sector_identifier_uri`) are among it.
 */
const sent = z.object({
  client_name: text(256).optional(),
  redirect_uris: z.array(z.string()).max(100).default([]),
  application_type: z.enum(['web', 'native']).default('web'),
  token_endpoint_auth_method: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .default('client_secret_basic'),
  grant_types: z
    .array(z.enum(['authorization_code', 'refresh_token', 'client_credentials']))
    .max(3)
    .default(['authorization_code']),
  response_types: z
    .array(z.enum(['code']))
    .max(1)
    .optional(),
  id_token_signed_response_alg: z.enum(['RS256', 'ES256']).optional(),
  client_uri: httpsPage.optional(),
  tos_uri: httpsPage.optional(),
  policy_uri: httpsPage.optional(),
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(20) }).optional(),
  jwks_uri: keySetUri.optional(),
  software_statement: z.undefined('Software statements are trusted from nobody.').optional(),
});
type Sent = z.output<typeof sent>;
type Report = (name: string, message: string) => void;

/** The same as properties of an application, by the rules of these; and what the answer says besides. */
export const clientMetadata = sent.transform((metadata, context) => {
  const report: Report = (name, message) => context.addIssue({ code: 'custom', path: [name], message });
  reportContradictions(metadata, report);
  const properties = {
    displayName: metadata.client_name ?? 'Registered application',
    ...platformOf(metadata, report),
    info: { termsOfServiceUrl: metadata.tos_uri, privacyStatementUrl: metadata.policy_uri },
    keyCredentials: keysOf(metadata, report),
    jwksUri: metadata.jwks_uri,
    compatibility: { idTokenSignedResponseAlg: metadata.id_token_signed_response_alg },
  };
  return { metadata, properties };
});

export type ClientRegistration = z.output<typeof clientMetadata>;

function reportContradictions(metadata: Sent, report: Report): void {
  const { jwks, jwks_uri, token_endpoint_auth_method, grant_types, redirect_uris } = metadata;
  if (jwks && jwks_uri !== undefined) report('jwks', 'jwks and jwks_uri must not both be given.');
  if (token_endpoint_auth_method === 'private_key_jwt' && !jwks && jwks_uri === undefined)
    report('jwks', 'private_key_jwt needs jwks or jwks_uri.');
  if (token_endpoint_auth_method === 'none' && grant_types.includes('client_credentials'))
    report('grant_types', 'client_credentials needs a client that authenticates.');
  if (grant_types.includes(REDIRECTING) !== redirect_uris.length > 0)
    report('redirect_uris', 'Redirect URIs are for the grant type authorization_code, which needs one.');
}

/** Native applications are public; a web page that does not authenticate is a single-page application. */
function platformOf({ redirect_uris, application_type, token_endpoint_auth_method, client_uri }: Sent, report: Report) {
  const isNative = application_type === 'native';
  const rules = isNative ? nativeRedirectUris : browserRedirectUris;
  const problem = rules.safeParse(redirect_uris).error?.issues[0]?.message;
  if (problem) report('redirect_uris', problem);
  // On this machine is where its developer is, and who registers himself is not known to be that.
  else if (!isNative && redirect_uris.some((uri) => !uri.startsWith('https:')))
    report('redirect_uris', 'Must be https.');
  if (isNative && token_endpoint_auth_method !== 'none')
    report('token_endpoint_auth_method', 'A native application can not keep a credential.');
  const redirectUris = redirect_uris;
  const web = { homePageUrl: client_uri };
  if (isNative) return { web, publicClient: { redirectUris } };
  return token_endpoint_auth_method === 'none' ? { web, spa: { redirectUris } } : { web: { ...web, redirectUris } };
}

function keysOf({ jwks }: Sent, report: Report) {
  return jwks?.keys.flatMap((key) => {
    const { data, error } = keyCredential.safeParse({ key });
    if (error) report('jwks', error.issues[0]?.message ?? 'Not a key.');
    return data ?? [];
  });
}
