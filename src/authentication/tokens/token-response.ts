import type { KoaContextWithOIDC } from 'oidc-provider';
import { currentRequest } from '../oauth-request.ts';

/**
 * What Microsoft's clients expect of a token response beside RFC 6749, section 5.1: `ext_expires_in` always, `client_info`
 * when asked for, and no `scope` for an app-only token, whose permissions are roles.
 */
export function completeTokenResponse(ctx: KoaContextWithOIDC): void {
  if (ctx.status !== 200 || !isTokenResponse(ctx.body)) return;
  const { scope, ...body } = ctx.body;
  const accountId = ctx.oidc.entities.Account?.accountId;
  const wantsClientInfo = ctx.oidc.body?.client_info === '1';
  ctx.body = {
    ...body,
    ext_expires_in: body.expires_in,
    ...(accountId === undefined ? {} : { scope: currentRequest().echoedScope ?? scope }),
    ...(accountId !== undefined && wantsClientInfo
      ? { client_info: clientInfo(accountId, currentRequest().tenantId) }
      : {}),
  };
}

/** Who the account is at home, for a client's cache: base64url of `{"uid","utid"}`. */
function clientInfo(uid: string, utid: string): string {
  return Buffer.from(JSON.stringify({ uid, utid })).toString('base64url');
}

function isTokenResponse(body: unknown): body is { access_token: string; expires_in: number; scope?: string } {
  return typeof body === 'object' && body !== null && 'access_token' in body;
}
