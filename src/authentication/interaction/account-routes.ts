import type { TenantRoute } from '../authentication-server.ts';
import type { AccountPages } from './account-pages.ts';
import { type InteractionParts, serve } from './interaction-routes.ts';
import type { PageCall } from './visit.ts';

const ID = '([0-9a-f-]{36})';

type Show = (pages: AccountPages, call: PageCall, match: RegExpExecArray) => Promise<void>;

const ROUTES: readonly (readonly ['GET' | 'POST', string, Show])[] = [
  ['GET', '', (pages, call) => pages.show(call)],
  ['GET', '/password', (pages, call) => pages.showPassword(call)],
  ['POST', '/password', (pages, call) => pages.changePassword(call)],
  ['POST', '/sign-out', (pages, call) => pages.signOut(call)],
  ['POST', '/sign-out-everywhere', (pages, call) => pages.signOutEverywhere(call)],
  ['POST', `/applications/${ID}/revoke`, (pages, call, match) => pages.revoke(call, match[1] ?? '')],
];

/** `/{tenant}/account` */
export function accountRoutes(parts: InteractionParts & { readonly accountPages: AccountPages }): TenantRoute[] {
  return ROUTES.map(([method, below, show]) => ({
    method,
    path: new RegExp(`^/account${below}$`),
    handle: (request, response, tenancy, match) =>
      serve(parts, request, response, tenancy, (call) => show(parts.accountPages, call, match)),
  }));
}
