import { type ClientDefinition, getClientDefinition } from '../../authorization/internal/clients.ts';
import { NO_TENANT } from '../../authorization/internal/tenants.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { parseAppId } from '../../vocabulary/ids.ts';
import { internalPrincipal } from '../../vocabulary/principals.ts';
import { isRegistered } from '../interaction/visit.ts';
import type { Reason } from '../refusals.ts';

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Who asks, as far as it can be known before any tenant is; or why nobody is shown a page for it. */
export type AskedApplication =
  | { readonly definition: ClientDefinition; readonly redirectUri: string | undefined }
  | { readonly refusal: Reason };

/**
 * The application of a request, from what its home tenant has published for all. What is not published is not there: of
 * an organization's own applications nothing is said here. Its redirect URI must be one that it has registered.
 */
export async function askedApplication(
  authorization: Authorization,
  asked: URLSearchParams,
  redirectUriIsRequired: boolean,
): Promise<AskedApplication> {
  const [clientId = '', ...otherClients] = asked.getAll('client_id');
  const [redirectUri, ...otherUris] = asked.getAll('redirect_uri');
  const appId = otherClients.length > 0 ? undefined : parseAppId(clientId);
  const principal = internalPrincipal('tokenService', NO_TENANT);
  const definition = appId && (await authorization.performInternal(principal, getClientDefinition, appId));
  if (!definition) return { refusal: 'notMultiTenant' };
  const isKnown = redirectUri === undefined ? !redirectUriIsRequired : isOwn(definition, redirectUri);
  if (!isKnown || otherUris.length > 0) return { refusal: 'redirectUriUnknown' };
  return { definition, redirectUri };
}

function isOwn(definition: ClientDefinition, uri: string): boolean {
  if (isRegistered(definition, uri)) return true;
  const loopback = withoutPort(uri);
  return loopback !== undefined && definition.publicClientRedirectUris.some((known) => withoutPort(known) === loopback);
}

/** A native application listens on whatever port it gets (RFC 8252, section 7.3). */
function withoutPort(uri: string): string | undefined {
  const url = URL.parse(uri);
  if (url?.protocol !== 'http:' || !LOOPBACK.has(url.hostname)) return undefined;
  url.port = '';
  return url.href;
}
