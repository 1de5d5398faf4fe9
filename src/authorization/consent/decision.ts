import {
  ALL,
  type AskedRole,
  type AskedScope,
  type ConditionSet,
  type ConsentFacts,
  type ConsentPolicies,
  type ConsentVerdict,
  OWN,
} from '../../vocabulary/consent-policy.ts';
import type { ConsentReach } from '../../vocabulary/directory-roles.ts';
import { DIRECTORY_APP_ID, isPrivilegedScope } from '../../vocabulary/permissions.ts';

/**
 * Whether a person may consent to one scope for himself. A set matches when all its conditions hold; a policy allows what
 * some include matches and no exclude of its own does; one policy suffices. Two floors lie under every policy: a scope of
 * the directory API that lends an administrator's powers is for administrators, and so is a scope of type `Admin`
 * unless an include names its very id.
 */
export function mayConsentForSelf(facts: ConsentFacts): ConsentVerdict {
  const { client, resource, scope, policies } = facts;
  if (client.isPending) return { allowed: false, reason: 'pending' };
  if (resource.appId === DIRECTORY_APP_ID && isPrivilegedScope(scope.value))
    return { allowed: false, reason: 'needsAdministrator' };
  let excludedBy: string | undefined;
  for (const { id: policy, includes, excludes } of policies) {
    const set = includes.find((candidate) => includesScope(candidate, facts));
    if (!set) continue;
    if (!excludes.some((exclude) => matches(exclude, facts))) return { allowed: true, policy, set: set.id };
    excludedBy ??= policy;
  }
  if (excludedBy !== undefined) return { allowed: false, reason: 'excluded', policy: excludedBy };
  return { allowed: false, reason: scope.type === 'Admin' ? 'needsAdministrator' : 'noPolicyMatches' };
}

/** The same for a scope of a resource by its name. What the resource does not publish, nobody may. */
export function verdictOn(
  { client, resources, policies }: ConsentPolicies,
  resourceId: string,
  value: string,
): ConsentVerdict {
  const resource = resources.find((known) => known.resourceId === resourceId);
  const scope = resource?.scopes.find((known) => known.value === value);
  if (!resource || !scope) return { allowed: false, reason: 'noPolicyMatches' };
  return mayConsentForSelf({ client, resource, scope, policies });
}

/** How far an administrator's right to consent must reach for what is asked (wire.md, "Consent: one truth"). */
export function reachNeeded({
  appRoles,
}: {
  readonly scopes: readonly AskedScope[];
  readonly appRoles: readonly AskedRole[];
}): Exclude<ConsentReach, 'none'> {
  return appRoles.some(({ resourceAppId }) => resourceAppId === DIRECTORY_APP_ID) ? 'all' : 'exceptDirectoryAppRoles';
}

function includesScope(set: ConditionSet, facts: ConsentFacts): boolean {
  const { id, type } = facts.scope;
  return matches(set, facts) && (type === 'User' || set.permissions.includes(id));
}

function matches(set: ConditionSet, facts: ConsentFacts): boolean {
  return matchesPermission(set, facts) && matchesClient(set, facts);
}

function matchesPermission(set: ConditionSet, { resource, scope }: ConsentFacts): boolean {
  const { permissionType, permissionClassification, resourceApplication, permissions } = set;
  if (permissionType === 'application') return false;
  if (permissionType === 'delegatedUserConsentable' && scope.type !== 'User') return false;
  if (permissionClassification !== ALL && permissionClassification !== scope.classification) return false;
  if (resourceApplication === OWN ? !resource.isOwn : !['any', resource.appId].includes(resourceApplication))
    return false;
  return isIn(permissions, scope.id);
}

function matchesClient(set: ConditionSet, { client }: ConsentFacts): boolean {
  const { appId, homeTenantId, isOwn, verifiedPublisherDomain } = client;
  const { clientApplicationTenantIds: tenants } = set;
  if (set.clientApplicationsFromVerifiedPublisherOnly && verifiedPublisherDomain === null) return false;
  if (!isIn(tenants, homeTenantId) && !(isOwn && tenants.includes(OWN))) return false;
  return isIn(set.clientApplicationIds, appId) && isIn(set.clientApplicationPublisherIds, verifiedPublisherDomain);
}

function isIn(list: readonly string[], value: string | null): boolean {
  return list.includes(ALL) || (value !== null && list.includes(value));
}
