import type { Permit } from '../store/permit.ts';
import type { ConditionSet } from '../vocabulary/consent-policy.ts';
import { badRequest, notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, Written } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable } from './listable.ts';
import {
  BUILT_IN,
  lockGrantPolicy,
  POLICIES,
  policyChange,
  type ReadPolicies,
  readGrantPolicy,
} from './permission-grant-policies.ts';

export type SetKind = 'includes' | 'excludes';
export type Conditions = Omit<ConditionSet, 'id'>;
type Patch = { readonly [Name in keyof Conditions]?: Conditions[Name] | undefined };
type Write = Permit<'directory/permissionGrantPolicies/basic/update'>;

/** Of each kind, in one policy. */
const MAX_SETS = 100;

const LISTED = (kind: SetKind): Listable => ({
  from: `(select x.tenant_id, s.* from ${POLICIES} cross join lateral jsonb_to_recordset(x.${kind}) as s (id uuid,
      "permissionType" text, "permissionClassification" text, "resourceApplication" text, permissions jsonb,
      "clientApplicationIds" jsonb, "clientApplicationTenantIds" jsonb, "clientApplicationPublisherIds" jsonb,
      "clientApplicationsFromVerifiedPublisherOnly" boolean) where x.id = $3) y`,
  tenantId: 'y.tenant_id',
  id: 'y.id',
  columns: {
    id: { sql: 'y.id', type: 'guid', filter: EQUALITY },
    permissionType: { sql: 'y."permissionType"', type: 'string', filter: EQUALITY },
    permissionClassification: { sql: 'y."permissionClassification"', type: 'string', filter: EQUALITY },
    resourceApplication: { sql: 'y."resourceApplication"', type: 'string', filter: EQUALITY },
    permissions: { sql: 'y.permissions', type: 'object' },
    clientApplicationIds: { sql: 'y."clientApplicationIds"', type: 'object' },
    clientApplicationTenantIds: { sql: 'y."clientApplicationTenantIds"', type: 'object' },
    clientApplicationPublisherIds: { sql: 'y."clientApplicationPublisherIds"', type: 'object' },
    clientApplicationsFromVerifiedPublisherOnly: {
      sql: 'y."clientApplicationsFromVerifiedPublisherOnly"',
      type: 'boolean',
      filter: EQUALITY,
    },
  },
});
const OF_KIND = { includes: LISTED('includes'), excludes: LISTED('excludes') };

const COLUMNS = {
  permissionType: 'permission_type',
  permissionClassification: 'permission_classification',
  resourceApplication: 'resource_application',
  permissions: 'permissions',
  clientApplicationIds: 'client_application_ids',
  clientApplicationTenantIds: 'client_application_tenant_ids',
  clientApplicationPublisherIds: 'client_application_publisher_ids',
  clientApplicationsFromVerifiedPublisherOnly: 'client_applications_from_verified_publisher_only',
} as const satisfies Record<keyof Conditions, string>;
const NAMES = Object.values(COLUMNS);

/** @throws DirectoryError `Request_ResourceNotFound` when there is no such policy */
export async function listConditionSets(
  permit: ReadPolicies,
  policyId: string,
  kind: SetKind,
  query: ListQuery,
): Promise<Page<ConditionSet>> {
  await readGrantPolicy(permit, policyId);
  return readPage<ConditionSet>(permit, OF_KIND[kind], query, [BUILT_IN, policyId]);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readConditionSet(
  permit: ReadPolicies,
  policyId: string,
  kind: SetKind,
  id: string,
): Promise<ConditionSet> {
  const set = (await readGrantPolicy(permit, policyId))[kind].find((known) => known.id === id);
  if (!set) throw notFound();
  return set;
}

export async function addConditionSet(
  permit: Write,
  policyId: string,
  kind: SetKind,
  conditions: Conditions,
): Promise<Written<ConditionSet>> {
  const before = await lockGrantPolicy(permit, policyId);
  if (before[kind].length >= MAX_SETS) throw badRequest(`A policy has at most ${MAX_SETS} ${kind}.`);
  const id = newObjectId();
  await permit.query({
    text: `insert into permission_grant_condition_sets (tenant_id, id, policy_id, kind, ${NAMES.join(', ')})
      values ($1, $2, $3, $4, ${NAMES.map((_, index) => `$${index + 5}`).join(', ')})`,
    values: [permit.tenantId, id, policyId, kind, ...valuesOf(conditions)],
  });
  return { value: { id, ...conditions }, changes: [policyChange(before, await readGrantPolicy(permit, policyId))] };
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function updateConditionSet(
  permit: Write,
  policyId: string,
  kind: SetKind,
  id: ObjectId,
  patch: Patch,
): Promise<Written<undefined>> {
  const before = await lockGrantPolicy(permit, policyId);
  const known = await readConditionSet(permit, policyId, kind, id);
  await permit.query({
    text: `update permission_grant_condition_sets set ${NAMES.map((name, index) => `${name} = $${index + 4}`).join(', ')}
      where tenant_id = $1 and id = $2 and policy_id = $3`,
    values: [permit.tenantId, id, policyId, ...valuesOf(known).map((value, index) => valuesOf(patch)[index] ?? value)],
  });
  return { value: undefined, changes: [policyChange(before, await readGrantPolicy(permit, policyId))] };
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function removeConditionSet(
  permit: Write,
  policyId: string,
  kind: SetKind,
  id: ObjectId,
): Promise<Written<undefined>> {
  const before = await lockGrantPolicy(permit, policyId);
  await readConditionSet(permit, policyId, kind, id);
  await permit.query({
    text: 'delete from permission_grant_condition_sets where tenant_id = $1 and id = $2 and policy_id = $3',
    values: [permit.tenantId, id, policyId],
  });
  return { value: undefined, changes: [policyChange(before, await readGrantPolicy(permit, policyId))] };
}

function valuesOf(conditions: Patch): unknown[] {
  return Object.keys(COLUMNS).map((name) => conditions[name as keyof Conditions]); // its own keys
}
