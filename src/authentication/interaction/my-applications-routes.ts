import type { TenantRoute } from '../authentication-server.ts';
import { type InteractionParts, serve } from './interaction-routes.ts';
import type { MyApplicationsPages } from './my-applications-pages.ts';
import type { PageCall } from './visit.ts';

type Show = (pages: MyApplicationsPages, call: PageCall, appId: string) => Promise<void>;

const APP_ID = '/([0-9a-f-]{36})';

const ROUTES: readonly (readonly ['GET' | 'POST', string, Show])[] = [
  ['GET', '', (pages, call) => pages.list(call)],
  ['GET', APP_ID, (pages, call, appId) => pages.show(call, appId)],
  ['POST', `${APP_ID}/revoke`, (pages, call, appId) => pages.revoke(call, appId)],
];

/** `/{tenant}/my-applications` */
export function myApplicationsRoutes(
  parts: InteractionParts & { readonly myApplicationsPages: MyApplicationsPages },
): TenantRoute[] {
  return ROUTES.map(([method, below, show]) => ({
    method,
    path: new RegExp(`^/my-applications${below}$`),
    handle: (request, response, tenancy, match) =>
      serve(parts, request, response, tenancy, (call) => show(parts.myApplicationsPages, call, match[1] ?? '')),
  }));
}
