import type { Account } from '../../authorization/internal/accounts.ts';
import type { DirectoryAction } from '../../vocabulary/actions.ts';
import { actionsOf } from '../../vocabulary/directory-roles.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import { ADMIN_AREAS, type AdminArea, type AdminFrame } from '../pages/admin-frame.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import type { PageCall } from './visit.ts';

export const ADMIN = '/admin';

/** By which action of a directory role an area is offered. What is done there is decided by each operation anew. */
const OFFERED: Partial<Record<AdminArea, DirectoryAction>> = {
  applications: 'directory/servicePrincipals/tokenDecisions/read',
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
 * @throws DirectoryError `Authorization_RequestDenied` for who has nothing to do at these pages
 */
export async function adminVisit(pages: SignedInPages, call: PageCall, below: string): Promise<AdminVisit | undefined> {
  const account = await pages.account(call, `${ADMIN}${below}`);
  if (!account) return undefined;
  const actions = actionsOf(account.directoryRoles);
  const areas = ADMIN_AREAS.filter((area) => {
    const action = OFFERED[area];
    return action !== undefined && actions.has(action);
  });
  if (areas.length === 0) throw new DirectoryError('Authorization_RequestDenied');
  const frame = {
    layout: pages.parts.writer.layoutOf(call.tenant),
    base: pages.path(call, ADMIN),
    accountHref: pages.path(call, '/account'),
    areas,
  };
  return { call, account, frame, may: (action) => actions.has(action) };
}
