import type { Permit } from '../store/permit.ts';
import { DirectoryError, notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { ObjectChange, Written } from '../vocabulary/objects.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import type { RemovedAccess, RemovedAppRole, RemovedGrants } from '../vocabulary/removed-access.ts';
import { readDependents } from './dependents.ts';
import { NAME_OF_THE_GONE } from './service-principals.ts';
import { takeTurn } from './turns.ts';

type Revoke = Permit<'directory/servicePrincipals/access/revoke' | 'directory/servicePrincipals/ownAccess/revoke'>;

/** Whose access ends: an application's for one person, or (without one) for the whole organization. */
export interface AccessToRevoke {
  /** Its service principal. */
  readonly clientId: ObjectId;
  readonly principalId?: ObjectId | undefined;
  /** For the whole organization: the application itself goes too. */
  readonly remove?: boolean | undefined;
}

/** Of a record: an application that thousands consented to is not written down whole. */
const MAX_RECORDED = 1_000;

/**
 * Ends an application's access in one act: grants, marks against their coming back, the permissions of its own, token
 * families with their codes and refresh tokens, and those that came of them by exchange. By its turn no consent and no
 * sign-in slips in meanwhile. For one person, what was granted for everybody stays.
 * @throws DirectoryError `Request_ResourceNotFound`; `Authorization_RequestDenied` for the directory API itself
 */
export async function revokeAccess(
  permit: Revoke,
  { clientId, principalId, remove = false }: AccessToRevoke,
): Promise<Written<RemovedAccess>> {
  // Of one person's access the sign-ins of all others are no concern, and each of theirs would have to be waited for.
  await takeTurn(permit, principalId ?? clientId);
  const client = await lockClient(permit, clientId, principalId === undefined ? 'for update' : 'for no key update');
  if (principalId !== undefined) await requireUser(permit, principalId);
  // Read before: Postgres deletes roles and memberships of what is removed along with it.
  const dependents = remove ? await readDependents(permit, 'ServicePrincipal', clientId) : [];
  const whose = [clientId, principalId ?? null];
  const grants = await deleteGrants(permit, whose);
  const assignments = principalId === undefined ? await deleteAssignments(permit, clientId) : [];
  const families = await endFamilies(permit, whose, remove ? 'applicationRemoved' : 'accessRevoked');
  const stillGrantedForEverybody = principalId !== undefined && (await isGrantedForEverybody(permit, clientId));
  if (remove) await deleteClient(permit, clientId);
  const users = new Set([...grants.flatMap((grant) => grant.principalId ?? []), ...families]);
  const value = {
    grants: summarized(grants),
    appRoleAssignments: assignments.map(({ change: _change, ...role }) => role),
    tokenFamilies: families.length,
    users: users.size,
    stillGrantedForEverybody,
    removed: remove,
  };
  const presence = { type: 'ServicePrincipal' as const, id: clientId, displayName: client.displayName };
  const changes = remove
    ? [{ ...presence, before: client }, ...dependents]
    : [{ ...presence, ...ended(value) }, ...changesOf(grants, assignments)];
  return { value, changes };
}

/** Whether a person has anything to take back: a grant of his own, or a sign-in that lives. */
export async function isUsedBy(permit: Revoke, clientId: ObjectId, userId: ObjectId): Promise<boolean> {
  const rows = await permit.query({
    text: `select from oauth2_permission_grants where tenant_id = $1 and client_id = $2 and principal_id = $3
      union all
      select from token_families where tenant_id = $1 and service_principal_id = $2 and user_id = $3
        and revoked_at is null and expires_at > now()
      limit 1`,
    values: [permit.tenantId, clientId, userId],
  });
  return rows.length > 0;
}

async function lockClient(
  permit: Revoke,
  id: ObjectId,
  lock: 'for update' | 'for no key update',
): Promise<{ appId: string; displayName: string }> {
  const [locked] = await permit.query<{ appId: string }>({
    text: `select app_id as "appId" from service_principals where tenant_id = $1 and id = $2 ${lock}`,
    values: [permit.tenantId, id],
  });
  if (!locked) throw notFound();
  if (locked.appId === DIRECTORY_APP_ID)
    throw new DirectoryError('Authorization_RequestDenied', 'The directory API itself can not be removed.');
  const [named] = await permit.query<{ displayName: string }>({
    text: `select ${NAME_OF('s')} as "displayName" from service_principals s where s.tenant_id = $1 and s.id = $2`,
    values: [permit.tenantId, id],
  });
  return { appId: locked.appId, displayName: named?.displayName ?? NAME_OF_THE_GONE };
}

const NAME_OF = (alias: string) => `coalesce(
  (select a.display_name from applications a where a.tenant_id = $1 and a.app_id = ${alias}.app_id),
  (select p.display_name from published_applications p where p.app_id = ${alias}.app_id), '${NAME_OF_THE_GONE}')`;

async function requireUser(permit: Revoke, id: ObjectId): Promise<void> {
  const rows = await permit.query({
    text: 'select from users where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id],
  });
  if (rows.length === 0) throw notFound();
}

interface DeletedGrant {
  readonly id: ObjectId;
  readonly clientId: ObjectId;
  readonly resourceId: ObjectId;
  readonly principalId: ObjectId | null;
  readonly scope: readonly string[];
  readonly resourceDisplayName: string;
}

/** What was taken away does not come back to who held it, even if it is granted again (wire.md, "Refresh"). */
async function deleteGrants(permit: Revoke, whose: readonly unknown[]): Promise<DeletedGrant[]> {
  return permit.query<DeletedGrant & Record<string, unknown>>({
    text: `with gone as (
        delete from oauth2_permission_grants
        where tenant_id = $1 and client_id = $2 and ($3::uuid is null or principal_id = $3) returning *
      ), marked as (
        insert into revoked_scopes (tenant_id, client_id, resource_id, principal_id, scope)
        select g.tenant_id, g.client_id, g.resource_id, g.principal_id, s from gone g cross join unnest(g.scope) s
      )
      select g.id, g.client_id as "clientId", g.resource_id as "resourceId", g.principal_id as "principalId", g.scope,
        ${NAME_OF('r')} as "resourceDisplayName"
      from gone g join service_principals r on r.tenant_id = $1 and r.id = g.resource_id order by 6, g.id`,
    values: [permit.tenantId, ...whose],
  });
}

async function isGrantedForEverybody(permit: Revoke, clientId: ObjectId): Promise<boolean> {
  const rows = await permit.query({
    text: 'select from oauth2_permission_grants where tenant_id = $1 and client_id = $2 and principal_id is null limit 1',
    values: [permit.tenantId, clientId],
  });
  return rows.length > 0;
}

interface DeletedAssignment extends RemovedAppRole {
  readonly change: ObjectChange;
}

async function deleteAssignments(permit: Revoke, clientId: ObjectId): Promise<DeletedAssignment[]> {
  const rows = await permit.query<RemovedAppRole & { id: ObjectId }>({
    text: `with gone as (
        delete from app_role_assignments where tenant_id = $1 and service_principal_id = $2 returning *
      )
      select g.id, g.resource_id as "resourceId", g.app_role_id as "appRoleId", ${NAME_OF('r')} as "resourceDisplayName",
        (select e ->> 'value' from jsonb_array_elements(coalesce(a.app_roles, p.app_roles)) e
          where e ->> 'id' = g.app_role_id::text limit 1) as value
      from gone g
      join service_principals r on r.tenant_id = $1 and r.id = g.resource_id
      left join applications a on a.tenant_id = $1 and a.app_id = r.app_id
      left join published_applications p on p.app_id = r.app_id and a.id is null
      order by 4, 5`,
    values: [permit.tenantId, clientId],
  });
  return rows.map(({ id, ...role }) => {
    const { resourceId, appRoleId, resourceDisplayName } = role;
    const before = { principalId: clientId, resourceId, appRoleId };
    return { ...role, change: { type: 'AppRoleAssignment', id, displayName: resourceDisplayName, before } };
  });
}

/** Whose families ended, one entry for each. Tokens that APIs got in exchange for theirs end with them. */
async function endFamilies(permit: Revoke, whose: readonly unknown[], reason: string): Promise<string[]> {
  const rows = await permit.query<{ userId: string }>({
    text: `with recursive ending as (
        select id from token_families where tenant_id = $1 and service_principal_id = $2 and ($3::uuid is null or user_id = $3)
        union
        select f.id from token_families f join ending e on f.tenant_id = $1 and f.parent_id = e.id
      )
      update token_families f set revoked_at = clock_timestamp(), revoked_reason = $4
      from ending e where f.tenant_id = $1 and f.id = e.id and f.revoked_at is null and f.expires_at > now()
      returning f.user_id as "userId"`,
    values: [permit.tenantId, ...whose, reason],
  });
  return rows.map(({ userId }) => userId);
}

async function deleteClient(permit: Revoke, id: ObjectId): Promise<void> {
  await permit.query({
    text: 'delete from service_principals where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id],
  });
}

/** One line for each API and kind of consent, with all scopes that were in any of its grants. */
function summarized(grants: readonly DeletedGrant[]): RemovedGrants[] {
  const lines = new Map<string, { -readonly [Key in keyof RemovedGrants]: RemovedGrants[Key] }>();
  for (const { resourceId, resourceDisplayName, principalId, scope } of grants) {
    const consentType = principalId === null ? 'AllPrincipals' : 'Principal';
    const key = `${consentType} ${resourceId}`;
    const line = lines.get(key) ?? { resourceId, resourceDisplayName, consentType, scopes: [], count: 0 };
    lines.set(key, { ...line, scopes: [...new Set([...line.scopes, ...scope])], count: line.count + 1 });
  }
  return [...lines.values()];
}

function ended({ tokenFamilies, users }: RemovedAccess) {
  return { before: { tokenFamilies, users }, after: { tokenFamilies: 0, users: 0 } };
}

function changesOf(grants: readonly DeletedGrant[], assignments: readonly DeletedAssignment[]): ObjectChange[] {
  const ofGrants = grants.map(({ id, clientId, resourceId, principalId, scope }) => ({
    type: 'OAuth2PermissionGrant' as const,
    id,
    displayName: null,
    before: { clientId, resourceId, principalId, scope: scope.join(' ') },
  }));
  return [...ofGrants, ...assignments.map(({ change }) => change)].slice(0, MAX_RECORDED);
}
