import {
  getAdminConsentRequestPolicy,
  putAdminConsentRequestPolicy,
} from '../../authorization/catalogue/consent-request-policy.ts';
import { getGroups } from '../../authorization/catalogue/groups.ts';
import type { AdminConsentRequestPolicy } from '../../vocabulary/consent-policy.ts';
import { parseReviewer, reviewerQuery } from '../../vocabulary/consent-reviewers.ts';
import { directoryRole, directoryRoleNamed } from '../../vocabulary/directory-roles.ts';
import type { Group } from '../../vocabulary/objects.ts';
import { People } from '../people.ts';
import { CommandError } from '../rooms.ts';
import type { Tenancy } from '../tenancy.ts';
import type { Change } from './changes.ts';
import { differenceOf } from './difference.ts';
import type { RequestPolicyManifest, ReviewerManifest } from './policy-schema.ts';

const ID = 'adminConsentRequestPolicy';

/** Makes the policy of requests be as it is written; what is not written stays. */
export async function applyRequestPolicy(
  tenancy: Tenancy,
  { reviewers, ...settings }: RequestPolicyManifest,
  changes: Change[],
): Promise<void> {
  const { id: _, ...existing } = await tenancy.perform(getAdminConsentRequestPolicy, {});
  const wanted = { ...settings, ...(reviewers ? { reviewers: await queriesOf(tenancy, reviewers) } : {}) };
  const difference = differenceOf(wanted, existing);
  if (Object.keys(difference).length === 0) return;
  const merged = { ...existing, ...difference } as typeof existing; // a difference has no undefined
  const { reviewers: named, ...others } = merged;
  await tenancy.perform(putAdminConsentRequestPolicy, { body: { ...others, reviewers: [...named] } });
  changes.push({ change: 'updated', type: 'Policy', id: ID, name: ID });
}

/** @throws CommandError for somebody who is not there */
async function queriesOf(tenancy: Tenancy, reviewers: readonly ReviewerManifest[]) {
  const people = await People.of(tenancy);
  const groups = await tenancy.list(getGroups);
  return reviewers.map((reviewer) => {
    const query = reviewerQuery(reviewerOf(reviewer, people, groups));
    return { query, queryType: 'MicrosoftGraph' as const };
  });
}

function reviewerOf(reviewer: ReviewerManifest, people: People, groups: readonly Group[]) {
  if ('user' in reviewer) return { kind: 'user', id: people.named(reviewer.user).id } as const;
  if ('directoryRole' in reviewer)
    return { kind: 'role', id: directoryRoleNamed(reviewer.directoryRole)?.id ?? '' } as const;
  const wanted = reviewer.group.toLowerCase();
  const group = groups.find(({ mailNickname }) => mailNickname.toLowerCase() === wanted);
  if (!group) throw new CommandError(`There is no group ${reviewer.group} in this organization.`);
  return { kind: 'group', id: group.id } as const;
}

/** The policy of requests in the form that `apply` reads. A reviewer who is gone is left out. */
export async function requestPolicyOf(tenancy: Tenancy): Promise<RequestPolicyManifest> {
  const { id: _, reviewers, ...settings } = await tenancy.perform(getAdminConsentRequestPolicy, {});
  return { ...settings, reviewers: await namedReviewers(tenancy, reviewers) };
}

async function namedReviewers(
  tenancy: Tenancy,
  reviewers: AdminConsentRequestPolicy['reviewers'],
): Promise<ReviewerManifest[]> {
  if (reviewers.length === 0) return [];
  const people = await People.of(tenancy);
  const groups = await tenancy.list(getGroups);
  return reviewers.flatMap(({ query }): ReviewerManifest[] => {
    const reviewer = parseReviewer(query);
    if (reviewer?.kind === 'user') {
      const user = people.nameOf(reviewer.id);
      return user === reviewer.id ? [] : [{ user }];
    }
    if (reviewer?.kind === 'group')
      return groups.filter(({ id }) => id === reviewer.id).map(({ mailNickname }) => ({ group: mailNickname }));
    const role = reviewer && directoryRole(reviewer.id);
    return role ? [{ directoryRole: role.displayName }] : [];
  });
}
