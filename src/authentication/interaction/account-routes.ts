import type { TenantRoute } from '../authentication-server.ts';
import type { AccountPages } from './account-pages.ts';
import { type InteractionParts, serve } from './interaction-routes.ts';
import type { PageCall } from './visit.ts';

type Show = (pages: AccountPages, call: PageCall) => Promise<void>;

const ROUTES: readonly (readonly ['GET' | 'POST', string, Show])[] = [
  ['GET', '', (pages, call) => pages.show(call)],
  ['GET', '/password', (pages, call) => pages.showPassword(call)],
  ['POST', '/password', (pages, call) => pages.changePassword(call)],
  ['POST', '/sign-out', (pages, call) => pages.signOut(call)],
  ['POST', '/sign-out-everywhere', (pages, call) => pages.signOutEverywhere(call)],
];

/** `/{tenant}/account` */
export function accountRoutes(parts: InteractionParts & { readonly accountPages: AccountPages }): TenantRoute[] {
  return ROUTES.map(([method, below, show]) => ({
    method,
    path: new RegExp(`^/account${below}$`),
    handle: (request, response, tenancy) =>
      serve(parts, request, response, tenancy, (call) => show(parts.accountPages, call)),
  }));
}
