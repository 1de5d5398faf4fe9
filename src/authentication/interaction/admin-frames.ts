import { getConsentRequests, getMyConsentRequestStanding } from '../../authorization/catalogue/consent-requests.ts';
import type { Account } from '../../authorization/internal/accounts.ts';
import type { DirectoryAction } from '../../vocabulary/actions.ts';
import { actionsOf } from '../../vocabulary/directory-roles.ts';
import { DirectoryError, notFound } from '../../vocabulary/errors.ts';
import type { Filter } from '../../vocabulary/list-query.ts';
import { ADMIN_AREAS, type AdminArea, type AdminFrame } from '../pages/admin-frame.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import { type PageCall, principalOf } from './visit.ts';

export const ADMIN = '/admin';

export const WAITING: Filter = {
  ...{ kind: 'comparison', operator: 'eq', property: { path: 'status' } },
  literal: { type: 'string', value: 'InProgress' },
};

/** By which action of a directory role an area is offered. What is done there is decided by each operation anew. */
const OFFERED: Readonly<Record<AdminArea, DirectoryAction>> = {
  applications: 'directory/servicePrincipals/tokenDecisions/read',
  requests: 'directory/appConsentRequests/standard/read',
  policies: 'directory/authorizationPolicy/standard/read',
  explain: 'directory/servicePrincipals/tokenDecisions/read',
  report: 'directory/servicePrincipals/tokenDecisions/read',
};

/** The administrator at this browser, what he may do, and the frame of his pages. */
export interface AdminVisit {
  readonly call: PageCall;
  readonly account: Account;
  readonly frame: AdminFrame;
  may(action: DirectoryAction): boolean;
}

/**
 * Nothing when the browser is on its way to sign in.
 * @param below what is wanted, of which area; of none: whatever there is for him
 * @throws DirectoryError `Authorization_RequestDenied` for whom this area is not; of requests he is not told that there is one
 */
export async function adminVisit(
  pages: SignedInPages,
  call: PageCall,
  area: AdminArea | undefined,
  below = '',
): Promise<AdminVisit | undefined> {
  const account = await pages.account(call, `${ADMIN}${area === undefined ? '' : `/${area}`}${below}`);
  if (!account) return undefined;
  const actions = actionsOf(account.directoryRoles);
  const isReviewer = await reviews(pages, call);
  const areas = ADMIN_AREAS.filter((one) => actions.has(OFFERED[one]) || (one === 'requests' && isReviewer));
  if (area === 'requests' && !areas.includes(area)) throw notFound();
  if (area === undefined ? areas.length === 0 : !areas.includes(area))
    throw new DirectoryError('Authorization_RequestDenied');
  const frame = {
    layout: pages.parts.writer.layoutOf(call.tenant),
    base: pages.path(call, ADMIN),
    accountHref: pages.path(call, '/account'),
    areas,
    waiting: areas.includes('requests') ? await countWaiting(pages, call) : 0,
  };
  return { call, account, frame, may: (action) => actions.has(action) };
}

/** Whether the organization named him as one who decides on requests, whatever his roles. */
export async function reviews({ parts }: SignedInPages, call: PageCall): Promise<boolean> {
  const { context } = call.tenancy;
  return (await parts.authorization.perform(principalOf(call), getMyConsentRequestStanding, {}, context)).isReviewer;
}

async function countWaiting({ parts }: SignedInPages, call: PageCall): Promise<number> {
  const query = { top: 1, count: true, filter: WAITING };
  const { count = 0 } = await parts.authorization.perform(
    principalOf(call),
    getConsentRequests,
    { query },
    call.tenancy.context,
  );
  return count;
}
