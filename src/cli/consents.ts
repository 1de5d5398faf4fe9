import { revokeApplicationAccess } from '../authorization/catalogue/access-revocation.ts';
import {
  addAppRoleAssignment,
  getAppRoleAssignments,
  removeAppRoleAssignment,
} from '../authorization/catalogue/app-role-assignments.ts';
import {
  addGrant,
  getGrants,
  getGrantsOfClient,
  patchGrant,
  removeGrant,
} from '../authorization/catalogue/permission-grants.ts';
import { addServicePrincipal, getServicePrincipals } from '../authorization/catalogue/service-principals.ts';
import type { AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal } from '../vocabulary/applications.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { RemovedAccess } from '../vocabulary/removed-access.ts';
import { CommandError } from './rooms.ts';
import type { Tenancy } from './tenancy.ts';

/** Delegated permissions of one resource, for everybody or for one person. */
export interface Delegation {
  readonly client: ServicePrincipal;
  readonly resource: ServicePrincipal;
  readonly scopes: readonly string[];
  readonly principalId?: ObjectId | undefined;
}

/** What an act came to; `unchanged` when it was so already. */
export type Outcome = 'created' | 'updated' | 'removed' | 'unchanged';

/** The consents of one tenant: what its applications were granted, and by which acts that changes. */
export class Consents {
  readonly #tenancy: Tenancy;
  #servicePrincipals: ServicePrincipal[] | undefined;

  constructor(tenancy: Tenancy) {
    this.#tenancy = tenancy;
  }

  async servicePrincipals(): Promise<readonly ServicePrincipal[]> {
    this.#servicePrincipals ??= await this.#tenancy.list(getServicePrincipals);
    return this.#servicePrincipals;
  }

  /** The application's presence in the tenant. @throws CommandError */
  async find(appId: string): Promise<ServicePrincipal> {
    const found = (await this.servicePrincipals()).find((known) => known.appId === appId.toLowerCase());
    if (!found) throw new CommandError(`The application ${appId} is not present in this organization.`);
    return found;
  }

  /** The same; an application that is not present is added. */
  async ensure(appId: string): Promise<{ readonly servicePrincipal: ServicePrincipal; readonly isNew: boolean }> {
    const known = (await this.servicePrincipals()).find((present) => present.appId === appId.toLowerCase());
    if (known) return { servicePrincipal: known, isNew: false };
    const servicePrincipal = await this.#tenancy.perform(addServicePrincipal, { body: { appId } });
    this.#servicePrincipals?.push(servicePrincipal);
    return { servicePrincipal, isNew: true };
  }

  /** Ends all access of an application in one act: for everybody, for one person, or with the application itself. */
  async end(
    { id }: ServicePrincipal,
    body: { readonly principalId?: ObjectId | undefined; readonly remove?: boolean },
  ): Promise<RemovedAccess> {
    this.#servicePrincipals = undefined;
    return this.#tenancy.perform(revokeApplicationAccess, { id, body });
  }

  grants(client?: ServicePrincipal): Promise<OAuth2PermissionGrant[]> {
    return client ? this.#tenancy.list(getGrantsOfClient, { id: client.id }) : this.#tenancy.list(getGrants);
  }

  assignments(client: ServicePrincipal): Promise<AppRoleAssignment[]> {
    return this.#tenancy.list(getAppRoleAssignments, { id: client.id });
  }

  /** Adds scopes to what is granted; takes none away. */
  async grant(delegation: Delegation): Promise<Outcome> {
    const { client, resource, scopes, principalId } = delegation;
    const existing = await this.#findGrant(delegation);
    if (!existing) {
      const consentType = principalId ? 'Principal' : 'AllPrincipals';
      const ids = { clientId: client.id, resourceId: resource.id, principalId: principalId ?? null };
      await this.#tenancy.perform(addGrant, { body: { ...ids, consentType, scope: scopes.join(' ') } });
      return 'created';
    }
    const all = new Set([...existing.scope.split(' '), ...scopes]);
    if (all.size === existing.scope.split(' ').length) return 'unchanged';
    await this.#tenancy.perform(patchGrant, { id: existing.id, body: { scope: [...all].join(' ') } });
    return 'updated';
  }

  async revoke(delegation: Delegation): Promise<Outcome> {
    const existing = await this.#findGrant(delegation);
    const held = existing?.scope.split(' ') ?? [];
    const left = held.filter((scope) => !delegation.scopes.includes(scope));
    if (!existing || left.length === held.length) return 'unchanged';
    if (left.length === 0) await this.#tenancy.perform(removeGrant, { id: existing.id });
    else await this.#tenancy.perform(patchGrant, { id: existing.id, body: { scope: left.join(' ') } });
    return left.length === 0 ? 'removed' : 'updated';
  }

  async assign(client: ServicePrincipal, resource: ServicePrincipal, appRole: string): Promise<Outcome> {
    const appRoleId = appRoleIdOf(resource, appRole);
    if (await this.#findAssignment(client, resource, appRoleId)) return 'unchanged';
    const body = { principalId: client.id, resourceId: resource.id, appRoleId };
    await this.#tenancy.perform(addAppRoleAssignment, { id: client.id, body });
    return 'created';
  }

  async unassign(client: ServicePrincipal, resource: ServicePrincipal, appRole: string): Promise<Outcome> {
    const assignment = await this.#findAssignment(client, resource, appRoleIdOf(resource, appRole));
    if (!assignment) return 'unchanged';
    await this.#tenancy.perform(removeAppRoleAssignment, { id: client.id, assignmentId: assignment.id });
    return 'removed';
  }

  async #findGrant({ client, resource, principalId }: Delegation): Promise<OAuth2PermissionGrant | undefined> {
    const grants = await this.grants(client);
    return grants.find((known) => known.resourceId === resource.id && known.principalId === (principalId ?? null));
  }

  async #findAssignment(client: ServicePrincipal, resource: ServicePrincipal, appRoleId: string) {
    const assignments = await this.assignments(client);
    return assignments.find((known) => known.resourceId === resource.id && known.appRoleId === appRoleId);
  }
}

function appRoleIdOf({ appRoles, displayName }: ServicePrincipal, value: string): string {
  const role = appRoles.find((known) => known.value === value && known.allowedMemberTypes.includes('Application'));
  if (!role) throw new CommandError(`${displayName} publishes no application permission "${value}".`);
  return role.id;
}
