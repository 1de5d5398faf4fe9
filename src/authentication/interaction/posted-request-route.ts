import type { TenantRoute } from '../authentication-server.ts';
import { type InteractionParts, serve } from './interaction-routes.ts';
import { bodyOf } from './submitted-form.ts';

/**
 * A request of another site by POST (OpenID Connect Core, section 3.1.2.1; RP-Initiated Logout, section 2). It brings no
 * `SameSite=Lax` cookie, so nobody would be signed in: the browser is sent on to ask the same by GET.
 */
export function postedRequestRoute(parts: InteractionParts): TenantRoute {
  return {
    method: 'POST',
    path: /^\/oauth2\/v2\.0\/(authorize|logout)$/,
    handle: (request, response, tenancy, [path]) =>
      serve(parts, request, response, tenancy, async () => {
        const asked = new URLSearchParams(request.url?.split('?')[1]);
        // Both are kept where a parameter stands in both: doubled, it is refused.
        for (const [name, value] of new URLSearchParams(await bodyOf(request))) asked.append(name, value);
        parts.writer.redirect(response, `/${tenancy.tenantId}${path}?${asked}`);
      }),
  };
}
