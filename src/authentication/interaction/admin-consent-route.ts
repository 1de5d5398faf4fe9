import { parseAppId } from '../../vocabulary/ids.ts';
import type { TenantRoute } from '../authentication-server.ts';
import type { Trouble } from './error-pages.ts';
import { type InteractionParts, serve } from './interaction-routes.ts';
import { isRegistered, type PageCall } from './visit.ts';

const PARAMETERS = ['client_id', 'scope', 'redirect_uri', 'state'] as const;
type AdminConsentRequest = { readonly [Name in (typeof PARAMETERS)[number]]?: string };
const MAX_LENGTH = 4_096;

/** `/{tenant}/v2.0/adminconsent`: an application, or a link that somebody passed on, asks for the organization's consent. */
export function adminConsentRoute(parts: InteractionParts): TenantRoute {
  return {
    method: 'GET',
    path: /^\/v2\.0\/adminconsent$/,
    handle: (request, response, tenancy) =>
      serve(parts, request, response, tenancy, async (call) => {
        const params = parametersOf(request.url ?? '');
        const trouble = params ? await troubleWith(parts, call, params) : 'request';
        const { tenant } = call;
        if (!params || trouble) {
          const reason = `adminconsent: ${trouble ?? 'request'}`;
          parts.onRefusal({ tenantId: tenancy.tenantId, reason }, tenancy.context);
          return parts.errorPages.send(response, trouble ?? 'request', {
            status: 400,
            context: tenancy.context,
            tenant,
          });
        }
        const returnTo = `/${tenancy.tenantId}/account`;
        parts.writer.redirect(response, await parts.interactions.begin(call, 'admin_consent', { params, returnTo }));
      }),
  };
}

/** Nothing for a doubled or oversized parameter; what we do not know is left out. */
function parametersOf(url: string): Record<string, string> | undefined {
  const query = new URLSearchParams(url.split('?')[1]);
  const params: Record<string, string> = {};
  for (const name of PARAMETERS) {
    const [value, second] = query.getAll(name);
    if (second !== undefined || (value?.length ?? 0) > MAX_LENGTH) return undefined;
    if (value !== undefined && value !== '') params[name] = value;
  }
  return params;
}

/** Who asks must be known, and so must the address of the answer: nobody is sent anywhere else (CON-24). */
async function troubleWith(
  { clients }: InteractionParts,
  { tenancy }: PageCall,
  { client_id, redirect_uri, state }: AdminConsentRequest,
): Promise<Trouble | undefined> {
  const appId = parseAppId(client_id ?? '');
  if (!appId || !(await clients.find(appId))) return 'application';
  if (redirect_uri === undefined) return undefined;
  if (!isRegistered(tenancy.definition, redirect_uri)) return 'redirect';
  return state === undefined ? 'request' : undefined;
}
