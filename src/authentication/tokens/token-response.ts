import type { KoaContextWithOIDC } from 'oidc-provider';
import { currentRequest } from '../oauth-request.ts';

/**
 * What Microsoft's clients expect of a token response beside RFC 6749, section 5.1: `ext_expires_in` always, `client_info`
 * when asked for, and no `scope` for an app-only token, whose permissions are roles.
 */
export function completeTokenResponse(ctx: KoaContextWithOIDC): void {
  if (ctx.status !== 200 || !isTokenResponse(ctx.body)) return;
  // In place: of a new body Koa would look at the type, and at all headers that depend on it, once more.
  const { body } = ctx;
  body.ext_expires_in = body.expires_in;
  const accountId = ctx.oidc.entities.Account?.accountId;
  if (accountId === undefined) {
    delete body.scope;
    return;
  }
  body.scope = currentRequest().echoedScope ?? body.scope;
  if (ctx.oidc.body?.client_info === '1') body.client_info = clientInfo(accountId, currentRequest().tenantId);
}

/** Who the account is at home, for a client's cache: base64url of `{"uid","utid"}`. */
function clientInfo(uid: string, utid: string): string {
  return Buffer.from(JSON.stringify({ uid, utid })).toString('base64url');
}

/** RFC 6749, section 5.1, and what is added to it here. */
interface TokenResponse {
  readonly access_token: string;
  readonly expires_in: number;
  ext_expires_in?: number;
  scope?: string | undefined;
  client_info?: string;
}

function isTokenResponse(body: unknown): body is TokenResponse {
  return typeof body === 'object' && body !== null && 'access_token' in body;
}
