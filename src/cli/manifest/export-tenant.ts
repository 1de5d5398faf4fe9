import { getApplications } from '../../authorization/catalogue/applications.ts';
import { getGroups, getMembers } from '../../authorization/catalogue/groups.ts';
import { getRoleAssignments } from '../../authorization/catalogue/role-management.ts';
import { getUsers } from '../../authorization/catalogue/users.ts';
import { getTenant } from '../../authorization/internal/tenants.ts';
import type { Application } from '../../vocabulary/applications.ts';
import { directoryRole } from '../../vocabulary/directory-roles.ts';
import type { User } from '../../vocabulary/objects.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import { Consents } from '../consents.ts';
import { CommandError } from '../rooms.ts';
import type { Tenancy } from '../tenancy.ts';
import { policiesOf } from './policies.ts';
import type { ApplicationManifest, TenantManifest } from './schema.ts';

/** The tenant in the form that `apply` reads. Nothing in it is secret. */
export async function exportTenant(tenancy: Tenancy): Promise<TenantManifest> {
  const tenant = await tenancy.performInternal(getTenant, undefined);
  if (!tenant) throw new CommandError('There is no such organization.');
  const people = await tenancy.list(getUsers);
  const applications = await tenancy.list(getApplications);
  return {
    id: tenant.id,
    displayName: tenant.displayName,
    domains: [...tenant.domains],
    users: await usersOf(tenancy, people),
    groups: await groupsOf(tenancy),
    applications: applications.map(applicationOf),
    ...(await consentsOf(tenancy, people, new Set(applications.map(({ appId }) => appId)))),
    ...(await policiesOf(tenancy)),
  };
}

async function usersOf(tenancy: Tenancy, people: readonly User[]) {
  const roles = await tenancy.list(getRoleAssignments);
  return people.map(({ id, userPrincipalName, displayName, givenName, surname, mail, jobTitle, accountEnabled }) => {
    const held = roles.filter(({ principalId }) => principalId === id);
    const directoryRoles = held.flatMap(({ roleDefinitionId }) => directoryRole(roleDefinitionId)?.displayName ?? []);
    return withoutNulls({
      ...{ id, userPrincipalName, displayName, givenName, surname, mail, jobTitle, accountEnabled },
      ...(directoryRoles.length > 0 ? { directoryRoles } : {}),
    });
  });
}

async function groupsOf(tenancy: Tenancy) {
  const groups = [];
  for (const { id, displayName, mailNickname, description } of await tenancy.list(getGroups)) {
    const members = (await tenancy.list(getMembers, { id })).map(({ userPrincipalName }) => userPrincipalName);
    groups.push(withoutNulls({ id, displayName, mailNickname, description, members }));
  }
  return groups;
}

function applicationOf(application: Application): ApplicationManifest {
  const { keyCredentials, passwordCredentials, createdDateTime: _, publisherDomain: __, ...properties } = application;
  return {
    ...properties,
    identifierUris: [...properties.identifierUris],
    web: { ...properties.web, redirectUris: [...properties.web.redirectUris] },
    spa: { redirectUris: [...properties.spa.redirectUris] },
    publicClient: { redirectUris: [...properties.publicClient.redirectUris] },
    api: { oauth2PermissionScopes: [...properties.api.oauth2PermissionScopes] },
    appRoles: properties.appRoles.map((role) => ({ ...role, allowedMemberTypes: [...role.allowedMemberTypes] })),
    requiredResourceAccess: properties.requiredResourceAccess.map(({ resourceAppId, resourceAccess }) => ({
      resourceAppId,
      resourceAccess: [...resourceAccess],
    })),
    keyCredentials: keyCredentials.map(({ displayName, publicJwk }) => ({ displayName, key: { ...publicJwk } })),
    passwordCredentials: passwordCredentials.map(({ displayName, keyId, endDateTime }) => ({
      displayName: displayName ?? keyId,
      endDateTime: new Date(endDateTime).toISOString(),
    })),
  };
}

async function consentsOf(tenancy: Tenancy, people: readonly User[], own: ReadonlySet<string>) {
  const consents = new Consents(tenancy);
  const present = await consents.servicePrincipals();
  const appIdOf = (id: string) => present.find((known) => known.id === id)?.appId ?? id;
  const nameOf = (id: string) => people.find((user) => user.id === id)?.userPrincipalName ?? id;
  const grants = (await consents.grants()).map(({ clientId, resourceId, consentType, principalId, scope }) => ({
    clientAppId: appIdOf(clientId),
    resourceAppId: appIdOf(resourceId),
    consentType,
    ...(principalId === null ? {} : { principal: nameOf(principalId) }),
    scope,
  }));
  const assignments = [];
  for (const client of present) {
    for (const { resourceId, appRoleId, principalType } of await consents.assignments(client)) {
      const resource = present.find(({ id }) => id === resourceId);
      const role = resource?.appRoles.find(({ id }) => id === appRoleId);
      if (principalType !== 'ServicePrincipal' || !resource || !role) continue;
      assignments.push({ clientAppId: client.appId, resourceAppId: resource.appId, appRole: role.value });
    }
  }
  const foreign = present.filter(({ appId }) => appId !== DIRECTORY_APP_ID && !own.has(appId));
  const changed = present.filter(
    (known) => own.has(known.appId) && (!known.accountEnabled || known.appRoleAssignmentRequired),
  );
  return {
    servicePrincipals: [...foreign, ...changed].map(({ appId, accountEnabled, appRoleAssignmentRequired }) => ({
      appId,
      accountEnabled,
      appRoleAssignmentRequired,
    })),
    oauth2PermissionGrants: grants,
    appRoleAssignments: assignments,
  };
}

function withoutNulls<Properties extends object>(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== null)) as Properties; // nulls are optional
}
