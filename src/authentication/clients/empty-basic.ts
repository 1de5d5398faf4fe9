import type { KoaContextWithOIDC } from 'oidc-provider';

/** Where clients authenticate. */
const ROUTES: ReadonlySet<string> = new Set(['token', 'introspection', 'revocation', 'device_authorization']);
const BASIC = /^basic ([A-Za-z0-9+/]+={0,2})$/i;
const ID_ALONE = /^([^:]+):$/;

/**
 * Some public clients name themselves in Basic alone, with an empty password (oidc-agent does): no credential, which the
 * library takes for one that is missing. The id goes on as `client_id`. A header that names another client than the form
 * does, or none that can be read, stays where it is, and the library refuses it.
 */
export function takeIdFromEmptyBasic({ oidc, req }: KoaContextWithOIDC, params: Record<string, unknown>): void {
  const { authorization } = req.headers;
  if (authorization === undefined || !ROUTES.has(oidc.route)) return;
  const id = idAlone(authorization);
  if (id === undefined || (params.client_id ?? id) !== id) return;
  params.client_id = id;
  delete req.headers.authorization;
}

/** Form-encoded in Basic (RFC 6749, section 2.3.1). */
function idAlone(authorization: string): string | undefined {
  const [, encoded = ''] = BASIC.exec(authorization) ?? [];
  const [, id] = ID_ALONE.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  if (id === undefined) return undefined;
  try {
    return decodeURIComponent(id.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
