import {
  commonScopes,
  type RequestedApplication,
  type RequestedScope,
  type ScopesOfApi,
} from '../../vocabulary/consent-requests.ts';
import type { ConsentReach } from '../../vocabulary/directory-roles.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import { reachNeeded } from './decision.ts';

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

/**
 * What an approval grants: to each who asked what is in both, or all that is approved to everybody. People who get the
 * same are together: many want the same, and are granted it by the same few statements.
 */
export function grantsOf(
  requesters: readonly { readonly userId: ObjectId; readonly scopes: readonly ScopesOfApi[] }[],
  approved: readonly ScopesOfApi[],
  consentType: 'AllPrincipals' | 'Principal',
): readonly { readonly principalIds?: readonly ObjectId[]; readonly scopes: readonly ScopesOfApi[] }[] {
  if (consentType === 'AllPrincipals') return [{ scopes: approved }];
  const shares = requesters.map(({ userId, scopes }) => ({ userId, scopes: commonScopes(approved, scopes) }));
  const bySame = Map.groupBy(shares, ({ scopes }) => JSON.stringify(scopes));
  return [...bySame.values()].flatMap((people) => {
    const scopes = people[0]?.scopes ?? [];
    return scopes.length > 0 ? [{ principalIds: people.map(({ userId }) => userId), scopes }] : [];
  });
}
