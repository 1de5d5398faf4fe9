import type { TenantRoute } from '../authentication-server.ts';
import type { AdminApplicationsPages } from './admin-applications-pages.ts';
import { ADMIN, adminVisit } from './admin-frames.ts';
import type { AdminPoliciesPages } from './admin-policies-pages.ts';
import type { AdminRequestsPages } from './admin-requests-pages.ts';
import { showExplanation } from './explain-page.ts';
import { type InteractionParts, serve } from './interaction-routes.ts';
import { showReport } from './report-page.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import type { PageCall } from './visit.ts';

export interface AdminRoutesParts extends InteractionParts {
  readonly signedInPages: SignedInPages;
  readonly adminApplications: AdminApplicationsPages;
  readonly adminRequests: AdminRequestsPages;
  readonly adminPolicies: AdminPoliciesPages;
}

type Show = (parts: AdminRoutesParts, call: PageCall, id: string) => Promise<void>;

const ID = '/([0-9a-f-]{36})';

const ROUTES: readonly (readonly ['GET' | 'POST', string, Show])[] = [
  ['GET', '', (parts, call) => showFirst(parts, call)],
  ['GET', '/applications', ({ adminApplications }, call) => adminApplications.list(call)],
  ['GET', `/applications${ID}`, ({ adminApplications }, call, id) => adminApplications.show(call, id)],
  ['POST', `/applications${ID}/enabled`, ({ adminApplications }, call, id) => adminApplications.setEnabled(call, id)],
  ['POST', `/applications${ID}/revoke`, ({ adminApplications }, call, id) => adminApplications.revoke(call, id, false)],
  ['POST', `/applications${ID}/remove`, ({ adminApplications }, call, id) => adminApplications.revoke(call, id, true)],
  ['GET', '/requests', ({ adminRequests }, call) => adminRequests.list(call)],
  ['GET', `/requests${ID}`, ({ adminRequests }, call, id) => adminRequests.show(call, id)],
  ['POST', `/requests${ID}/decide`, ({ adminRequests }, call, id) => adminRequests.decide(call, id)],
  ['GET', '/policies', ({ adminPolicies }, call) => adminPolicies.show(call)],
  ['POST', '/policies/consent', ({ adminPolicies }, call) => adminPolicies.setConsent(call)],
  ['POST', '/policies/requests', ({ adminPolicies }, call) => adminPolicies.setRequests(call)],
  ['GET', '/explain', ({ signedInPages }, call) => showExplanation(signedInPages, call)],
  ['GET', '/report', ({ signedInPages }, call) => showReport(signedInPages, call)],
];

/** `/{tenant}/admin` */
export function adminRoutes(parts: AdminRoutesParts): TenantRoute[] {
  return ROUTES.map(([method, below, show]) => ({
    method,
    path: new RegExp(`^${ADMIN}${below}$`),
    handle: (request, response, tenancy, match) =>
      serve(parts, request, response, tenancy, (call) => show(parts, call, match[1] ?? '')),
  }));
}

/** The first area that there is for the person. */
async function showFirst({ signedInPages, writer }: AdminRoutesParts, call: PageCall): Promise<void> {
  const visit = await adminVisit(signedInPages, call, undefined);
  if (visit) writer.redirect(call.response, `${visit.frame.base}/${visit.frame.areas[0]}`);
}
