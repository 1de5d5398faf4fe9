import {
  getAuthorizationPolicy,
  patchAuthorizationPolicy,
} from '../../authorization/catalogue/authorization-policy.ts';
import {
  classifyPermission,
  declassifyPermission,
  getClassifications,
} from '../../authorization/catalogue/classifications.ts';
import {
  addExclude,
  addGrantPolicy,
  addInclude,
  getGrantPolicies,
  patchGrantPolicy,
  removeExclude,
  removeInclude,
} from '../../authorization/catalogue/permission-grant-policies.ts';
import { BUILT_IN_GRANT_POLICIES, type ConditionSet, type GrantPolicy } from '../../vocabulary/consent-policy.ts';
import { Consents } from '../consents.ts';
import { CommandError } from '../rooms.ts';
import type { Tenancy } from '../tenancy.ts';
import type { Change } from './changes.ts';
import { applyRequestPolicy, requestPolicyOf } from './consent-requests.ts';
import { differenceOf } from './difference.ts';
import type { PolicyManifest, PolicyParts } from './policy-schema.ts';

const builtIn = new Set(BUILT_IN_GRANT_POLICIES.map(({ id }) => id));
const KINDS = {
  includes: { add: addInclude, remove: removeInclude },
  excludes: { add: addExclude, remove: removeExclude },
} as const;

/** Policies first, so that the authorization policy can name them. */
export async function applyPolicies(tenancy: Tenancy, tenant: PolicyParts, changes: Change[]): Promise<void> {
  const { permissionGrantPolicies = [], authorizationPolicy, delegatedPermissionClassifications = [] } = tenant;
  const { adminConsentRequestPolicy } = tenant;
  for (const wanted of permissionGrantPolicies) await applyPolicy(tenancy, wanted, changes);
  await applyClassifications(tenancy, delegatedPermissionClassifications, changes);
  if (adminConsentRequestPolicy) await applyRequestPolicy(tenancy, adminConsentRequestPolicy, changes);
  if (!authorizationPolicy) return;
  const body = differenceOf(authorizationPolicy, await tenancy.perform(getAuthorizationPolicy, {}));
  if (Object.keys(body).length === 0) return;
  await tenancy.perform(patchAuthorizationPolicy, { body });
  changes.push({ change: 'updated', type: 'Policy', id: 'authorizationPolicy', name: 'authorizationPolicy' });
}

/** Makes the policy be as it is written, its sets included. Says what that came to. */
export async function applyPolicy(
  tenancy: Tenancy,
  { includes, excludes, ...wanted }: PolicyManifest,
  changes: Change[],
): Promise<void> {
  const named = { type: 'PermissionGrantPolicy', id: wanted.id, name: wanted.displayName } as const;
  const existing = (await tenancy.list(getGrantPolicies)).find(({ id }) => id === wanted.id);
  if (!existing) await tenancy.perform(addGrantPolicy, { body: wanted });
  const { id: _, ...body } = differenceOf(wanted, existing ?? wanted);
  const isRenamed = Object.keys(body).length > 0;
  if (isRenamed) await tenancy.perform(patchGrantPolicy, { id: wanted.id, body });
  const known = existing ?? { includes: [], excludes: [] };
  const areSetsChanged = [
    await applySets(tenancy, wanted.id, 'includes', includes, known.includes),
    await applySets(tenancy, wanted.id, 'excludes', excludes, known.excludes),
  ].some(Boolean);
  if (!existing) changes.push({ change: 'created', ...named });
  else if (isRenamed || areSetsChanged) changes.push({ change: 'updated', ...named });
}

/** A set that is not wanted makes it another policy: it is removed, after the new ones are there and never before. */
async function applySets(
  tenancy: Tenancy,
  id: string,
  kind: 'includes' | 'excludes',
  wanted: readonly Omit<ConditionSet, 'id'>[] | undefined,
  existing: readonly ConditionSet[],
): Promise<boolean> {
  if (!wanted) return false;
  const { add, remove } = KINDS[kind];
  const isSame = (set: object, known: object) => Object.keys(differenceOf(set, known)).length === 0;
  const missing = wanted.filter((set) => !existing.some((known) => isSame(set, known)));
  const extra = existing.filter((known) => !wanted.some((set) => isSame(set, known)));
  for (const set of missing) await tenancy.perform(add, { id, body: conditionsOf(set) });
  for (const { id: setId } of extra) await tenancy.perform(remove, { id, setId });
  return missing.length > 0 || extra.length > 0;
}

async function applyClassifications(
  tenancy: Tenancy,
  wanted: NonNullable<PolicyParts['delegatedPermissionClassifications']>,
  changes: Change[],
): Promise<void> {
  const consents = new Consents(tenancy);
  for (const { resourceAppId, permission, classification } of wanted) {
    const { id, displayName, oauth2PermissionScopes } = await consents.find(resourceAppId);
    const scope = oauth2PermissionScopes.find(({ value }) => value === permission);
    if (!scope) throw new CommandError(`${displayName} publishes no delegated permission "${permission}".`);
    const known = (await tenancy.list(getClassifications, { id })).find(
      ({ permissionId }) => permissionId === scope.id,
    );
    if (known?.classification === classification) continue;
    if (known) await tenancy.perform(declassifyPermission, { id, classificationId: known.id });
    const made = await tenancy.perform(classifyPermission, { id, body: { permissionId: scope.id, classification } });
    const name = `${permission} of ${displayName}: ${classification}`;
    changes.push({ change: known ? 'updated' : 'created', type: 'PermissionClassification', id: made.id, name });
  }
}

/** The tenant's policies in the form that `apply` reads. */
export async function policiesOf(tenancy: Tenancy): Promise<PolicyParts> {
  const policies = (await tenancy.list(getGrantPolicies)).filter(({ id }) => !builtIn.has(id));
  const { id: _, ...settings } = await tenancy.perform(getAuthorizationPolicy, {});
  const { permissionGrantPoliciesAssigned } = settings.defaultUserRolePermissions;
  return {
    permissionGrantPolicies: policies.map(policyOf),
    authorizationPolicy: {
      ...settings,
      defaultUserRolePermissions: { permissionGrantPoliciesAssigned: [...permissionGrantPoliciesAssigned] },
    },
    adminConsentRequestPolicy: await requestPolicyOf(tenancy),
    delegatedPermissionClassifications: await classificationsOf(tenancy),
  };
}

function policyOf({ id, displayName, description, includes, excludes }: GrantPolicy): PolicyManifest {
  return {
    ...{ id, displayName, description },
    includes: includes.map(conditionsOf),
    excludes: excludes.map(conditionsOf),
  };
}

function conditionsOf(set: Omit<ConditionSet, 'id'>) {
  const { permissionType, permissionClassification, resourceApplication } = set;
  return {
    ...{ permissionType, permissionClassification, resourceApplication },
    permissions: [...set.permissions],
    clientApplicationIds: [...set.clientApplicationIds],
    clientApplicationTenantIds: [...set.clientApplicationTenantIds],
    clientApplicationPublisherIds: [...set.clientApplicationPublisherIds],
    clientApplicationsFromVerifiedPublisherOnly: set.clientApplicationsFromVerifiedPublisherOnly,
  };
}

async function classificationsOf(tenancy: Tenancy) {
  const classified = [];
  for (const { id, appId } of await new Consents(tenancy).servicePrincipals())
    for (const { permissionName, classification } of await tenancy.list(getClassifications, { id }))
      classified.push({ resourceAppId: appId, permission: permissionName, classification });
  return classified;
}
