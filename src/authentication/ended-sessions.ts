import type { KoaContextWithOIDC } from 'oidc-provider';
import { currentRequest } from './oauth-request.ts';

/**
 * The library gives the browser its session's cookie before it saves the session: one that ended
 * meanwhile, or got another identifier by a parallel request, is not given out.
 */
export function dropEndedSession(ctx: KoaContextWithOIDC): void {
  if (!currentRequest().sessionEnded) return;
  const name = `${ctx.oidc.provider.cookieName('session')}=`;
  const cookies = [ctx.response.get('Set-Cookie')].flat().filter((line) => line !== '' && !line.startsWith(name));
  ctx.remove('Set-Cookie');
  if (cookies.length > 0) ctx.set('Set-Cookie', cookies);
}
