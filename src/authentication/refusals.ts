import type { errors } from 'oidc-provider';
import { DECISION_REASONS } from '../vocabulary/token-decision.ts';

/**
 * Every reason that is told to a client, in one closed table: Entra's number where Entra has one, and words that say
 * what to do. What is not in here stays in the log.
 */
export const REASONS = {
  ...DECISION_REASONS,
  tenantReserved: [90002, 'This address needs the name or id of one organization.'],
  tenantNotNamed: [
    50059,
    'Nothing in the request names an organization. Use the endpoint of one: its id or domain in place of common or organizations.',
  ],
  tenantTemplate: [
    90002,
    'Each organization has its own keys and issuer. Put its id, which a token has as tid, in place of {tenantid} or common.',
  ],
  consumersRefused: [9002332, 'There are no personal accounts here, only those of organizations. Use /organizations.'],
  notMultiTenant: [
    50194,
    'No application with this client_id is set up for several organizations. Use the endpoint of its own organization, or make it multi-tenant.',
  ],
  redirectUriUnknown: [50011, 'The redirect_uri is not one that the application has registered.'],
  homeRealmUnknown: [50058, 'Nothing in the request says which organization to sign in to, and nobody may be asked.'],
  applicationUnknown: [700016, 'No application with this client_id was found in the organization.'],
  secretWrong: [7000215, 'The client secret is not one of this application. Send the value of the secret, not its id.'],
  secretExpired: [7000222, 'The client secret has expired. Add a new one to the application.'],
  credentialMissing: [7000218, 'The request must carry client_secret or client_assertion.'],
  credentialUnexpected: [700025, 'The application is a public client here; it must not send a credential.'],
  assertionReplayed: [700027, 'The client assertion has been used before.'],
  assertionAudience: [
    700023,
    'The audience of the client assertion must be the issuer or the token endpoint, as one string.',
  ],
  assertionTooLong: [700024, 'The client assertion is valid for too long; ten minutes are enough.'],
  assertionTime: [
    700024,
    'The client assertion is not valid at this time: it has expired, or begins in the future. Check the clock of whoever made it.',
  ],
  assertionInvalid: [
    700027,
    'The client assertion can not be verified. Its iss and sub must be the client_id, its aud the issuer or the token endpoint, and its signature by a key of this application.',
  ],
  assertionKey: [700027, 'The key that the client assertion names is not one of this application.'],
  keysUnreachable: [700027, 'The key set at the jwks_uri of the application could not be had.'],
  federatedMismatch: [
    700213,
    'No federated credential of the application matches issuer, subject and audience of the assertion, or no key of that issuer its signature.',
  ],
  introspectionPublic: [7000218, 'Only a client with a credential may introspect tokens.'],
  resourceContradicts: [70011, 'The resource parameter and the prefix of a scope name different resources.'],
  oneResource: [70011, 'A token is for one resource; the scopes name several.'],
  defaultMixed: [70011, '.default can not be combined with named permissions of the same resource.'],
  tooManyScopes: [70011, 'Too many scopes.'],
  scopeMissing: [900144, 'The request must name at least one scope.'],
  signInCancelled: [65004, 'The user cancelled the sign-in.'],
  consentDeclined: [65004, 'The user declined to consent.'],
  nothingRequired: [70011, 'The application asks for nothing that the resource publishes.'],
  approvalRequired: [90094, 'An administrator must consent to these permissions.'],
  deviceNotAllowed: [7000218, 'The application is not set up as a public client, which a device code is for.'],
  deviceFlowOff: [53003, 'The organization does not allow sign-in by device code.'],
  devicePending: [70016, 'The user has not answered yet. Ask again after the interval.'],
  deviceExpired: [70019, 'The device code has expired. Ask for another one.'],
  deviceDeclined: [65004, 'The user declined to sign in on the device.'],
  userCodeUnknown: [70018, 'No device waits for the code that the user entered.'],
  userCodesThrottled: [50053, 'Too many codes were tried that no device waits for.'],
  subjectTokenInvalid: [50013, 'The token to exchange is not one of this organization, or is no longer valid.'],
  subjectTokenAppOnly: [50027, 'The token to exchange is of an application on its own, not of a person.'],
  subjectTokenAudience: [
    500131,
    'The token to exchange was issued for another application than the one that presents it.',
  ],
  actorTokenInvalid: [50013, 'The actor token is not a valid token of the application itself.'],
  tokenTypeUnknown: [900144, 'Only access tokens are exchanged, and their type has to be named.'],
  chainTooLong: [90012, 'The token has passed through too many applications.'],
  bearerInvalid: [50000, 'The access token is missing, invalid or no longer valid.'],
  openidMissing: [50000, 'The access token must have the scope openid.'],
  unavailable: [90033, 'The service is temporarily unavailable. Try again in a moment.'],
} as const satisfies Record<string, readonly [number, string]>;
export type Reason = keyof typeof REASONS;

export type ErrorClass = new (description: string, detail: string) => errors.OIDCProviderError;

/** An error of the library whose description is public: number, words, and what it is about. */
export function refuse(ErrorOf: ErrorClass, reason: Reason, about?: string): errors.OIDCProviderError {
  const error = new ErrorOf('', '');
  error.error_description = describe(reason, about);
  error.message = error.error;
  return error;
}

export function describe(reason: Reason, about?: string): string {
  const [number, words] = REASONS[reason];
  return `AADSTS${number}: ${words}${about === undefined ? '' : `: ${about.slice(0, 200)}`}`;
}
