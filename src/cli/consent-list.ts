import { type ConsentOrigin, getConsentOrigins } from '../authorization/consent/origins.ts';
import type { AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal } from '../vocabulary/applications.ts';
import type { Consents } from './consents.ts';
import { table } from './output.ts';
import { People } from './people.ts';
import type { Tenancy } from './tenancy.ts';

/** A consent as the command line shows it. */
export interface ListedConsent {
  readonly id: string;
  readonly client: string;
  /** The client's service principal. */
  readonly clientId: string;
  readonly resource: string;
  readonly type: 'delegated' | 'application';
  readonly permission: string;
  readonly for: string;
  /** A person or an application by name, or the operator; null when the record of it is gone. */
  readonly grantedBy: string | null;
  readonly grantedDateTime: Date | null;
}

/** All consents unless narrowed: to one application, or to what one person agreed to for himself. */
export interface ConsentFilter {
  readonly client: string | undefined;
  readonly user: string | undefined;
}

/** Who granted what to which application, and when. */
export async function listConsents(
  tenancy: Tenancy,
  consents: Consents,
  { client, user }: ConsentFilter,
): Promise<ListedConsent[]> {
  const present = await consents.servicePrincipals();
  const chosen = client === undefined ? undefined : await consents.find(client);
  const people = await People.of(tenancy);
  const person = user === undefined ? undefined : people.named(user);
  const grants = (await consents.grants(chosen)).filter(({ principalId }) => !person || principalId === person.id);
  // Application permissions are nobody's own.
  const holders = person ? [] : chosen ? [chosen] : present;
  const assignments = (await Promise.all(holders.map((holder) => consents.assignments(holder)))).flat();
  const ids = [...grants, ...assignments].map(({ id }) => id);
  const origins = new Map((await tenancy.perform(getConsentOrigins, { ids })).map((origin) => [origin.id, origin]));
  const names = { present, people };
  return [
    ...grants.map((grant) => delegated(grant, names, origins.get(grant.id))),
    ...assignments.map((assignment) => application(assignment, names, origins.get(assignment.id))),
  ];
}

export function consentTable(consents: readonly ListedConsent[]): string {
  if (consents.length === 0) return 'Nothing was granted.';
  return table(
    ['APPLICATION', 'API', 'FOR', 'PERMISSION', 'GRANTED BY', 'WHEN'],
    consents.map((row) => [
      ...[row.client, row.resource, row.for, row.permission, row.grantedBy ?? '?'],
      row.grantedDateTime?.toISOString().slice(0, 16).replace('T', ' ') ?? '?',
    ]),
  );
}

interface Names {
  readonly present: readonly ServicePrincipal[];
  readonly people: People;
}

function delegated(
  { id, clientId, resourceId, principalId, scope }: OAuth2PermissionGrant,
  names: Names,
  origin: ConsentOrigin | undefined,
): ListedConsent {
  return {
    id,
    client: nameOf(names, clientId),
    clientId,
    resource: nameOf(names, resourceId),
    type: 'delegated',
    permission: scope,
    for: principalId ? names.people.nameOf(principalId) : 'everybody',
    ...grantedBy(names, origin),
  };
}

function application(
  { id, principalId, resourceId, appRoleId }: AppRoleAssignment,
  names: Names,
  origin: ConsentOrigin | undefined,
): ListedConsent {
  const roles = names.present.find((known) => known.id === resourceId)?.appRoles ?? [];
  return {
    id,
    client: nameOf(names, principalId),
    clientId: principalId,
    resource: nameOf(names, resourceId),
    type: 'application',
    permission: roles.find((role) => role.id === appRoleId)?.value ?? appRoleId,
    for: 'itself',
    ...grantedBy(names, origin),
  };
}

function nameOf({ present }: Names, id: string): string {
  return present.find((known) => known.id === id)?.displayName ?? '';
}

function grantedBy({ present, people }: Names, origin: ConsentOrigin | undefined) {
  if (!origin) return { grantedBy: null, grantedDateTime: null };
  const { user, app } = origin.initiatedBy;
  const known = present.find(({ appId }) => appId === app?.appId)?.displayName;
  const name = user ? people.nameOf(user.id) : (known ?? app?.appId ?? app?.displayName ?? null);
  return { grantedBy: name, grantedDateTime: origin.grantedDateTime };
}
