import { patchServicePrincipal } from '../../authorization/catalogue/service-principals.ts';
import { getUsers } from '../../authorization/catalogue/users.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import { Consents, type Outcome } from '../consents.ts';
import type { Tenancy } from '../tenancy.ts';
import type { Change } from './changes.ts';
import { differenceOf } from './difference.ts';
import type { AssignmentManifest, GrantManifest, TenantManifest } from './schema.ts';

/** Which applications are present in the tenant, and what they were granted there. */
export async function applyConsents(tenancy: Tenancy, tenant: TenantManifest, changes: Change[]): Promise<void> {
  const { servicePrincipals = [], oauth2PermissionGrants = [], appRoleAssignments = [] } = tenant;
  const consents = new Consents(tenancy);
  for (const { appId, ...properties } of servicePrincipals) {
    const servicePrincipal = await present(consents, appId, changes);
    const body = differenceOf(properties, servicePrincipal);
    if (Object.keys(body).length === 0) continue;
    await tenancy.perform(patchServicePrincipal, { id: servicePrincipal.id, body });
    changes.push({
      change: 'updated',
      type: 'ServicePrincipal',
      id: servicePrincipal.id,
      name: servicePrincipal.displayName,
    });
  }
  const people = oauth2PermissionGrants.some(({ principal }) => principal !== undefined)
    ? new Map((await tenancy.list(getUsers)).map((user) => [user.userPrincipalName.toLowerCase(), user.id]))
    : new Map<string, ObjectId>();
  for (const grant of oauth2PermissionGrants) await applyGrant(consents, grant, people, changes);
  for (const assignment of appRoleAssignments) await applyAssignment(consents, assignment, changes);
}

async function applyGrant(
  consents: Consents,
  { clientAppId, resourceAppId, principal, scope }: GrantManifest,
  people: ReadonlyMap<string, ObjectId>,
  changes: Change[],
): Promise<void> {
  const client = await present(consents, clientAppId, changes);
  const resource = await present(consents, resourceAppId, changes);
  const principalId = principal === undefined ? undefined : people.get(principal.toLowerCase());
  const outcome = await consents.grant({ client, resource, scopes: scope.split(/ +/), principalId });
  const whom = principal ?? 'everybody';
  record(changes, outcome, 'OAuth2PermissionGrant', client.id, `${scope} to ${client.displayName} for ${whom}`);
}

async function applyAssignment(
  consents: Consents,
  { clientAppId, resourceAppId, appRole }: AssignmentManifest,
  changes: Change[],
): Promise<void> {
  const client = await present(consents, clientAppId, changes);
  const resource = await present(consents, resourceAppId, changes);
  const outcome = await consents.assign(client, resource, appRole);
  record(changes, outcome, 'AppRoleAssignment', client.id, `${appRole} to ${client.displayName}`);
}

async function present(consents: Consents, appId: string, changes: Change[]) {
  const { servicePrincipal, isNew } = await consents.ensure(appId);
  const { id, displayName } = servicePrincipal;
  if (isNew) changes.push({ change: 'created', type: 'ServicePrincipal', id, name: displayName, appId });
  return servicePrincipal;
}

function record(changes: Change[], outcome: Outcome, type: Change['type'], id: string, name: string): void {
  if (outcome !== 'unchanged') changes.push({ change: 'granted', type, id, name });
}
