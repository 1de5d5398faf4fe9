import type { Permit } from '../store/permit.ts';
import { assignedPolicies, BUILT_IN_GRANT_POLICIES, type GrantPolicy } from '../vocabulary/consent-policy.ts';
import { badRequest, DirectoryError, notFound } from '../vocabulary/errors.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { ObjectChange, Page, Written } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, selectList } from './listable.ts';
import { lockTenantPolicy, readTenantPolicy } from './tenant-policies.ts';

/** A policy's sets of one kind, as an array of Graph's `permissionGrantConditionSet`. */
const SETS = (kind: 'includes' | 'excludes') => `coalesce((select jsonb_agg(jsonb_build_object('id', s.id,
    'permissionType', s.permission_type, 'permissionClassification', s.permission_classification,
    'resourceApplication', s.resource_application, 'permissions', s.permissions,
    'clientApplicationIds', s.client_application_ids, 'clientApplicationTenantIds', s.client_application_tenant_ids,
    'clientApplicationPublisherIds', s.client_application_publisher_ids,
    'clientApplicationsFromVerifiedPublisherOnly', s.client_applications_from_verified_publisher_only)
    order by s.created_at, s.id)
  from permission_grant_condition_sets s
  where s.tenant_id = p.tenant_id and s.policy_id = p.id and s.kind = '${kind}'), '[]')`;

/** Built-in policies stand in no table: they come as `$2`. */
export const POLICIES = `(select p.tenant_id, p.id, p.display_name, p.description, ${SETS('includes')} as includes, ${SETS('excludes')} as excludes
    from permission_grant_policies p
  union all select $1::uuid, b.id, b."displayName", b.description, b.includes, b.excludes
    from jsonb_to_recordset($2::jsonb) as b (id text, "displayName" text, description text, includes jsonb, excludes jsonb)) x`;
const LISTED: Listable = {
  from: POLICIES,
  tenantId: 'x.tenant_id',
  id: 'x.id',
  columns: {
    id: { sql: 'x.id', type: 'string', filter: EQUALITY, orderBy: true, notNull: true },
    displayName: { sql: 'x.display_name', type: 'string', filter: EQUALITY },
    description: { sql: 'x.description', type: 'string' },
    includes: { sql: 'x.includes', type: 'object' },
    excludes: { sql: 'x.excludes', type: 'object' },
  },
  orderBy: [{ path: 'id', direction: 'asc' }],
};
export const BUILT_IN = JSON.stringify(BUILT_IN_GRANT_POLICIES);
const builtIn = new Map(BUILT_IN_GRANT_POLICIES.map((policy) => [policy.id, policy]));

export type ReadPolicies = Permit<
  | 'directory/permissionGrantPolicies/standard/read'
  | 'directory/permissionGrantPolicies/create'
  | 'directory/permissionGrantPolicies/basic/update'
  | 'directory/permissionGrantPolicies/delete'
>;

export function listGrantPolicies(permit: ReadPolicies, query: ListQuery): Promise<Page<GrantPolicy>> {
  return readPage<GrantPolicy>(permit, LISTED, query, [BUILT_IN]);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readGrantPolicy(permit: ReadPolicies, id: string): Promise<GrantPolicy> {
  const [policy] = await permit.query<GrantPolicy & Record<string, unknown>>({
    text: `select ${selectList(LISTED.columns)} from ${POLICIES} where x.tenant_id = $1 and x.id = $3`,
    values: [permit.tenantId, BUILT_IN, id],
  });
  if (!policy) throw notFound();
  return policy;
}

/** Whether people consent for themselves under this policy now: who changes it changes what they may. */
export async function isPolicyAssigned(permit: ReadPolicies, id: string): Promise<boolean> {
  return assignedPolicies(await readTenantPolicy(permit, 'authorizationPolicy')).includes(id);
}

export interface NewPolicy {
  readonly id: string;
  readonly displayName: string;
  readonly description?: string | null | undefined;
}

/** @throws DirectoryError `Request_MultipleObjectsWithSameKeyValue` */
export async function createGrantPolicy(
  permit: Permit<'directory/permissionGrantPolicies/create'>,
  { id, displayName, description }: NewPolicy,
): Promise<Written<GrantPolicy>> {
  await permit.query({
    text: 'insert into permission_grant_policies (tenant_id, id, display_name, description) values ($1, $2, $3, $4)',
    values: [permit.tenantId, id, displayName, description ?? null],
  });
  const after = await readGrantPolicy(permit, id);
  return { value: after, changes: [policyChange(undefined, after)] };
}

export async function updateGrantPolicy(
  permit: Permit<'directory/permissionGrantPolicies/basic/update'>,
  id: string,
  patch: { readonly displayName?: string | undefined; readonly description?: string | null | undefined },
): Promise<Written<undefined>> {
  const before = await lockGrantPolicy(permit, id);
  await permit.query({
    text: 'update permission_grant_policies set display_name = $3, description = $4 where tenant_id = $1 and id = $2',
    values: [
      permit.tenantId,
      id,
      patch.displayName ?? before.displayName,
      patch.description === undefined ? before.description : patch.description,
    ],
  });
  return { value: undefined, changes: [policyChange(before, await readGrantPolicy(permit, id))] };
}

/** @throws DirectoryError `Request_BadRequest` while people consent under it */
export async function deleteGrantPolicy(
  permit: Permit<'directory/permissionGrantPolicies/delete'>,
  id: string,
): Promise<Written<undefined>> {
  // First of all, as whoever assigns a policy does.
  const assigned = assignedPolicies(await lockTenantPolicy(permit, 'authorizationPolicy'));
  const before = await lockGrantPolicy(permit, id);
  if (assigned.includes(id)) throw badRequest('The policy is in use: take it out of the authorization policy first.');
  await permit.query({
    text: 'delete from permission_grant_policies where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id],
  });
  return { value: undefined, changes: [policyChange(before, undefined)] };
}

/**
 * The tenant's own policy, locked until the transaction ends.
 * @throws DirectoryError `Authorization_RequestDenied` for a built-in one, `Request_ResourceNotFound`
 */
export async function lockGrantPolicy(permit: ReadPolicies, id: string): Promise<GrantPolicy> {
  if (builtIn.has(id)) throw new DirectoryError('Authorization_RequestDenied', 'Built-in policies can not be changed.');
  await permit.query({
    text: 'select from permission_grant_policies where tenant_id = $1 and id = $2 for update',
    values: [permit.tenantId, id],
  });
  return readGrantPolicy(permit, id);
}

/** The record of a change to a policy, or to one of its sets. */
export function policyChange(before: GrantPolicy | undefined, after: GrantPolicy | undefined): ObjectChange {
  const { id = '', displayName = null } = after ?? before ?? {};
  return { type: 'PermissionGrantPolicy', id, displayName, before, after };
}

/**
 * For policies that people shall consent under: all must be there. Its caller has locked the authorization policy.
 * @throws DirectoryError `Request_BadRequest`
 */
export async function requireGrantPolicies(
  permit: Permit<'directory/authorizationPolicy/basic/update'>,
  ids: readonly string[],
): Promise<void> {
  const rows = await permit.query<{ id: string }>({
    text: 'select id from permission_grant_policies where tenant_id = $1 and id = any ($2)',
    values: [permit.tenantId, ids],
  });
  const missing = ids.find((id) => !builtIn.has(id) && !rows.some((row) => row.id === id));
  if (missing !== undefined) throw badRequest(`There is no policy "${missing}".`);
}
