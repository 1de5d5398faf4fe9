import type { DirectoryError } from '../vocabulary/errors.ts';

/** The one path of this listener that speaks OAuth's words. */
export const REGISTRATION_PATH = '/v1.0/oauth2/register';

/** Which metadata is wrong says which error it is (RFC 7591, section 3.2.2). */
const METADATA_ERRORS: readonly (readonly [RegExp, string])[] = [
  [/^body\.redirect_uris\b/, 'invalid_redirect_uri'],
  [/^body\.software_statement\b/, 'unapproved_software_statement'],
];

const ERRORS: Readonly<Record<number, string>> = {
  401: 'invalid_token',
  403: 'access_denied',
  429: 'temporarily_unavailable',
  500: 'server_error',
  503: 'temporarily_unavailable',
};

/** An error of client registration, in the RFC's shape. */
export function registrationError({ status, message }: DirectoryError) {
  const metadata = METADATA_ERRORS.find(([pattern]) => pattern.test(message))?.[1] ?? 'invalid_client_metadata';
  return { error: ERRORS[status] ?? metadata, error_description: message.replace(/^body\./, '') };
}
