import type { Permit } from '../store/permit.ts';
import type { AdminConsentRequestPolicy } from '../vocabulary/consent-policy.ts';
import { type ConsentReviewer, parseReviewer } from '../vocabulary/consent-reviewers.ts';
import { badRequest } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import { readTenantPolicy } from './tenant-policies.ts';

type Read = Permit<
  | 'directory/appConsentRequests/standard/read'
  | 'directory/appConsentRequests/ownRequest/create'
  | 'directory/appConsentRequests/review'
  | 'directory/appConsentRequests/remind'
>;

/** However many a group has: a notice goes to so many of them. */
const MOST = 500;

/**
 * SQL: whom the policy names, among enabled members of the organization. A guest decides nothing for it, even as a member
 * of a group that reviews.
 */
const REVIEWERS = `users u where u.tenant_id = $1 and u.account_enabled and u.user_type = 'Member' and (
  u.id = any ($2::uuid[])
  or exists (select from group_members m where m.tenant_id = $1 and m.user_id = u.id and m.group_id = any ($3::uuid[]))
  or exists (select from role_assignments r where r.tenant_id = $1 and r.user_id = u.id and r.role_definition_id = any ($4::uuid[])))`;

/** Who reviews now, at most 500; nobody where people may not ask. Read at every use: a change counts from the next request on. */
export async function listReviewerIds(permit: Read): Promise<readonly ObjectId[]> {
  const values = await named(permit);
  if (!values) return [];
  const rows = await permit.query<{ id: ObjectId }>({
    text: `select u.id from ${REVIEWERS} order by u.id limit ${MOST}`,
    values,
  });
  return rows.map(({ id }) => id);
}

/** Whether a person is a reviewer now. */
export async function isConsentReviewer(permit: Read, userId: ObjectId): Promise<boolean> {
  const values = await named(permit);
  if (!values) return false;
  const rows = await permit.query({
    text: `select u.id from ${REVIEWERS} and u.id = $5`,
    values: [...values, userId],
  });
  return rows.length > 0;
}

async function named(permit: Read): Promise<readonly unknown[] | undefined> {
  const { isEnabled, reviewers } = await readTenantPolicy(permit, 'adminConsentRequestPolicy');
  if (!isEnabled || reviewers.length === 0) return undefined;
  const known = reviewers.flatMap(({ query }) => parseReviewer(query) ?? []);
  const idsOf = (wanted: ConsentReviewer['kind']) => known.filter(({ kind }) => kind === wanted).map(({ id }) => id);
  return [permit.tenantId, idsOf('user'), idsOf('group'), idsOf('role')];
}

/** A reviewer as the policy names him, with the name that he goes by; null for one who is gone. */
export interface NamedReviewer extends ConsentReviewer {
  readonly query: string;
  readonly displayName: string | null;
}

type ReadPolicy = Permit<
  'directory/adminConsentRequestPolicy/standard/read' | 'directory/adminConsentRequestPolicy/basic/update'
>;

/** Names of the users and groups among the reviewers; what a role is called is no row. */
export async function listNamedReviewers(
  permit: ReadPolicy,
  reviewers: AdminConsentRequestPolicy['reviewers'],
): Promise<readonly NamedReviewer[]> {
  const known = reviewers.flatMap(({ query }) => {
    const reviewer = parseReviewer(query);
    return reviewer ? [{ query, ...reviewer }] : [];
  });
  const rows = await permit.query<{ id: string; displayName: string }>({
    text: `select id, display_name as "displayName" from users where tenant_id = $1 and id = any ($2::uuid[])
      union all select id, display_name from groups where tenant_id = $1 and id = any ($2::uuid[])`,
    values: [permit.tenantId, known.map(({ id }) => id)],
  });
  return known.map((reviewer) => ({
    ...reviewer,
    displayName: rows.find(({ id }) => id === reviewer.id)?.displayName ?? null,
  }));
}

/**
 * For a policy that shall name them: users and groups must be there.
 * @throws DirectoryError `Request_BadRequest`
 */
export async function requireReviewers(
  permit: Permit<'directory/adminConsentRequestPolicy/basic/update'>,
  reviewers: AdminConsentRequestPolicy['reviewers'],
): Promise<void> {
  const named = await listNamedReviewers(permit, reviewers);
  const missing = named.find(({ kind, displayName }) => kind !== 'role' && displayName === null);
  if (missing) throw badRequest(`reviewers: There is no such ${missing.kind} in the organization.`);
}

/** The id of a group by its mail nickname, of which there is one: a name that somebody else can give his group too is none. */
export async function findGroupId(permit: ReadPolicy, mailNickname: string): Promise<ObjectId | undefined> {
  const [group] = await permit.query<{ id: ObjectId }>({
    text: 'select id from groups where tenant_id = $1 and lower(mail_nickname) = lower($2)',
    values: [permit.tenantId, mailNickname],
  });
  return group?.id;
}
