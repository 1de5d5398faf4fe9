import {
  commonScopes,
  type RequestedApplication,
  type RequestedScope,
  type ScopesOfApi,
} from '../vocabulary/consent-requests.ts';
import type { ConsentReach } from '../vocabulary/directory-roles.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import { reachNeeded } from './consent-decision.ts';

/** What an approval depends on besides who the reviewer is. */
export interface Approvable {
  readonly application: Pick<RequestedApplication, 'isPending'>;
  readonly scopes: readonly Pick<RequestedScope, 'resourceAppId' | 'value' | 'isPrivileged'>[];
  /** The reviewer is among those who ask. */
  readonly isOwn: boolean;
}

/**
 * How far the reviewer's own right to consent must reach. Nothing: that he is a reviewer suffices, which is the
 * organization's word for whatever is not privileged. An application that registered itself, a scope that lends an
 * administrator's powers and his own wish need an administrator.
 */
export function reachToApprove({ application, scopes, isOwn }: Approvable): Exclude<ConsentReach, 'none'> | undefined {
  const isForReviewers = !application.isPending && !isOwn && !scopes.some(({ isPrivileged }) => isPrivileged);
  return isForReviewers ? undefined : reachNeeded({ scopes, appRoles: [] });
}

/** What an approval grants: to each who asked what is in both, or all that is approved to everybody. */
export function grantsOf(
  requesters: readonly { readonly userId: ObjectId; readonly scopes: readonly ScopesOfApi[] }[],
  approved: readonly ScopesOfApi[],
  consentType: 'AllPrincipals' | 'Principal',
): readonly { readonly principalId?: ObjectId; readonly scopes: readonly ScopesOfApi[] }[] {
  if (consentType === 'AllPrincipals') return [{ scopes: approved }];
  return requesters
    .map(({ userId, scopes }) => ({ principalId: userId, scopes: commonScopes(scopes, approved) }))
    .filter(({ scopes }) => scopes.length > 0);
}
