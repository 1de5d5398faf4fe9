import type { TenantRoute } from '../authentication-server.ts';
import { type InteractionParts, serve } from '../interaction/interaction-routes.ts';

const MAX_LENGTH = 32;

/** `/{tenant}/device`: where a device sends its owner (RFC 8628, sections 3.3 and 3.3.1). */
export function deviceRoute(parts: InteractionParts): TenantRoute {
  return {
    method: 'GET',
    path: /^\/device$/,
    handle: (request, response, tenancy) =>
      serve(parts, request, response, tenancy, async (call) => {
        const userCode = new URLSearchParams(request.url?.split('?')[1]).get('user_code')?.slice(0, MAX_LENGTH);
        const params = userCode ? { user_code: userCode } : {};
        const returnTo = `/${tenancy.tenantId}/account`;
        parts.writer.redirect(response, await parts.interactions.begin(call, 'device', { params, returnTo }));
      }),
  };
}
