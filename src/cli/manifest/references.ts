import { keyCredential } from '../../authorization/catalogue/application-inputs.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import type { Operator } from '../rooms.ts';
import type { Mistake } from './file.ts';
import { permissionIds } from './permissions.ts';
import type { ApplicationManifest, Manifest, TenantManifest } from './schema.ts';

type Report = (path: readonly PropertyKey[], message: string) => void;

/** What the form alone does not show: names that nothing has, names that two things have, passwords that no rule allows. */
export function referenceMistakes(manifest: Manifest, passwordProblem: Operator['passwordProblem']): Mistake[] {
  const mistakes: Mistake[] = [];
  const applications = manifest.tenants.flatMap((tenant) => tenant.applications ?? []);
  requireDistinct(manifest, mistakes);
  manifest.tenants.forEach((tenant, index) => {
    const report: Report = (path, message) => mistakes.push({ path: ['tenants', index, ...path], message });
    checkUsers(tenant, passwordProblem, report);
    checkNames(tenant, report);
    checkApplications(tenant, applications, report);
  });
  return mistakes;
}

function checkUsers(tenant: TenantManifest, passwordProblem: Operator['passwordProblem'], report: Report): void {
  const domains = tenant.domains.map((domain) => domain.toLowerCase());
  const organizationWords = [tenant.displayName, ...domains];
  tenant.users?.forEach(({ userPrincipalName, displayName, password }, index) => {
    const domain = userPrincipalName.slice(userPrincipalName.lastIndexOf('@') + 1).toLowerCase();
    if (!domains.includes(domain))
      report(['users', index, 'userPrincipalName'], `${domain} is not a domain of this tenant.`);
    if (password === undefined) return;
    const problem = passwordProblem(password, { organizationWords, userWords: [userPrincipalName, displayName] });
    if (problem) report(['users', index, 'password'], problem);
  });
}

function checkNames(tenant: TenantManifest, report: Report): void {
  const people = new Set(tenant.users?.map(({ userPrincipalName }) => userPrincipalName.toLowerCase()));
  tenant.groups?.forEach(({ members = [] }, index) => {
    members.forEach((member, position) => {
      if (!people.has(member.toLowerCase()))
        report(['groups', index, 'members', position], `${member} is not a user of this tenant.`);
    });
  });
  tenant.oauth2PermissionGrants?.forEach(({ principal }, index) => {
    if (principal !== undefined && !people.has(principal.toLowerCase()))
      report(['oauth2PermissionGrants', index, 'principal'], `${principal} is not a user of this tenant.`);
  });
}

function checkOwnership(
  { domains }: TenantManifest,
  { verifiedPublisher, owners = [] }: ApplicationManifest,
  people: ReadonlySet<string>,
  report: Report,
): void {
  const known = domains.map((domain) => domain.toLowerCase());
  if (verifiedPublisher !== undefined && !known.includes(verifiedPublisher.toLowerCase()))
    report(['verifiedPublisher'], `${verifiedPublisher} is not a domain of this tenant.`);
  owners.forEach((owner, index) => {
    if (!people.has(owner.toLowerCase())) report(['owners', index], `${owner} is not a user of this tenant.`);
  });
}

function checkApplications(tenant: TenantManifest, all: readonly ApplicationManifest[], report: Report): void {
  const people = new Set(tenant.users?.map(({ userPrincipalName }) => userPrincipalName.toLowerCase()));
  tenant.applications?.forEach((application, index) => {
    checkOwnership(tenant, application, people, (path, message) => report(['applications', index, ...path], message));
    application.requiredResourceAccess?.forEach(({ resourceAppId, resourceAccess }, position) => {
      resourceAccess.forEach((permission, place) => {
        if ('value' in permission && !permissionIds(resourceAppId, all).get(`${permission.type} ${permission.value}`)) {
          const known = resourceAppId === DIRECTORY_APP_ID ? 'The directory API' : 'No application of this file';
          const path = ['applications', index, 'requiredResourceAccess', position, 'resourceAccess', place];
          report(path, `${known} publishes a ${permission.type} ${permission.value} with an id. Name it by its id.`);
        }
      });
    });
    application.keyCredentials?.forEach((key, position) => {
      const parsed = keyCredential.safeParse(key);
      if (!parsed.success)
        report(['applications', index, 'keyCredentials', position], parsed.error.issues[0]?.message ?? 'Not a key.');
    });
  });
}

/** Names that must be one thing's alone, in the deployment or in its tenant. */
function requireDistinct({ tenants }: Manifest, mistakes: Mistake[]): void {
  const seen = new Map<string, string>();
  const once = (kind: string, name: string | undefined, path: readonly PropertyKey[]) => {
    if (name === undefined) return;
    const key = `${kind} ${name.toLowerCase()}`;
    const first = seen.get(key);
    if (first !== undefined) mistakes.push({ path, message: `${name} is used before, at ${first}.` });
    else seen.set(key, path.map(String).join('.'));
  };
  tenants.forEach((tenant, at) => {
    once('tenant', tenant.id, ['tenants', at, 'id']);
    tenant.domains.forEach((domain, index) => {
      once('domain', domain, ['tenants', at, 'domains', index]);
    });
    tenant.users?.forEach(({ id, userPrincipalName }, index) => {
      once(`${at} object`, id, ['tenants', at, 'users', index, 'id']);
      once('user', userPrincipalName, ['tenants', at, 'users', index, 'userPrincipalName']);
    });
    tenant.groups?.forEach(({ id, mailNickname }, index) => {
      once(`${at} object`, id, ['tenants', at, 'groups', index, 'id']);
      once(`${at} group`, mailNickname, ['tenants', at, 'groups', index, 'mailNickname']);
    });
    tenant.applications?.forEach(({ id, appId, displayName, passwordCredentials = [] }, index) => {
      const path = ['tenants', at, 'applications', index];
      once(`${at} object`, id, [...path, 'id']);
      once('application', appId, [...path, 'appId']);
      if (appId === undefined) once(`${at} application name`, displayName, [...path, 'displayName']);
      passwordCredentials.forEach((secret, position) => {
        once(`${at} ${index} secret`, secret.displayName, [...path, 'passwordCredentials', position, 'displayName']);
      });
    });
  });
}
