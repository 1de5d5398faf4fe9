import type { Permit } from '../store/permit.ts';
import type { AppRoleAssignment } from '../vocabulary/applications.ts';
import { badRequest, notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, Written } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, selectList } from './listable.ts';
import { NAME_OF_THE_GONE } from './service-principals.ts';

type Read = Permit<
  'directory/servicePrincipals/appRoleAssignments/read' | 'directory/servicePrincipals/appRoleAssignments/update'
>;
type Write = Permit<'directory/servicePrincipals/appRoleAssignments/update'>;

const NAME = (
  alias: string,
) => `(select coalesce(a.display_name, p.display_name, '${NAME_OF_THE_GONE}') from service_principals n
  left join applications a on a.tenant_id = n.tenant_id and a.app_id = n.app_id
  left join published_applications p on p.app_id = n.app_id and a.id is null
  where n.tenant_id = x.tenant_id and n.id = ${alias})`;

const COLUMNS: Listable['columns'] = {
  id: { sql: 'x.id', type: 'guid', filter: EQUALITY },
  appRoleId: { sql: 'x.app_role_id', type: 'guid', filter: EQUALITY },
  principalId: { sql: 'coalesce(x.service_principal_id, x.user_id, x.group_id)', type: 'guid', filter: EQUALITY },
  principalType: { sql: 'x.principal_type', type: 'string', filter: EQUALITY },
  principalDisplayName: {
    sql: `case x.principal_type
      when 'User' then (select u.display_name from users u where u.tenant_id = x.tenant_id and u.id = x.user_id)
      when 'Group' then (select g.display_name from groups g where g.tenant_id = x.tenant_id and g.id = x.group_id)
      else ${NAME('x.service_principal_id')} end`,
    type: 'string',
  },
  resourceId: { sql: 'x.resource_id', type: 'guid', filter: EQUALITY },
  resourceDisplayName: { sql: NAME('x.resource_id'), type: 'string' },
  createdDateTime: { sql: 'x.created_at', type: 'dateTime' },
};

const TABLE = { from: 'app_role_assignments x', tenantId: 'x.tenant_id', id: 'x.id', columns: COLUMNS };
/** What a principal was given. */
const GIVEN: Listable = { ...TABLE, where: '$2 in (x.service_principal_id, x.user_id, x.group_id)' };
/** To whom a resource's roles were given. */
const OF_RESOURCE: Listable = { ...TABLE, where: 'x.resource_id = $2' };

const SELECTED = selectList(COLUMNS);

export async function listAssignmentsGiven(
  permit: Read,
  principalId: ObjectId,
  query: ListQuery,
  principalType: PrincipalType = 'ServicePrincipal',
): Promise<Page<AppRoleAssignment>> {
  await requirePrincipal(permit, principalId, principalType);
  return readPage<AppRoleAssignment>(permit, GIVEN, query, [principalId]);
}

export async function listAssignmentsOfResource(
  permit: Read,
  resourceId: ObjectId,
  query: ListQuery,
): Promise<Page<AppRoleAssignment>> {
  await requirePrincipal(permit, resourceId, 'ServicePrincipal');
  return readPage<AppRoleAssignment>(permit, OF_RESOURCE, query, [resourceId]);
}

export type PrincipalType = AppRoleAssignment['principalType'];

/** "Default access": assigned where an application publishes no role for people. */
const NO_APP_ROLE = '00000000-0000-0000-0000-000000000000';
const TABLES = { ServicePrincipal: 'service_principals', User: 'users', Group: 'groups' } as const;
const KEYS = { ServicePrincipal: 'service_principal_id', User: 'user_id', Group: 'group_id' } as const;

/** The app id of a resource, and for which kinds of members it publishes the role: facts that decide who may assign it. */
export async function readAssignable(
  permit:
    | Read
    | Permit<
        | 'directory/oAuth2PermissionGrants/create'
        | 'directory/oAuth2PermissionGrants/ownConsent/create'
        | 'directory/appConsentRequests/review'
      >,
  resourceId: ObjectId,
  appRoleId: string,
): Promise<{ appId: string; memberTypes: readonly string[] }> {
  const [row] = await permit.query<{ appId: string; memberTypes: readonly string[] }>({
    text: `select s.app_id as "appId", coalesce((select r -> 'allowedMemberTypes'
        from jsonb_array_elements(coalesce(a.app_roles, p.app_roles)) r
        where r ->> 'id' = lower($3) and coalesce((r ->> 'isEnabled')::boolean, true) limit 1), '[]') as "memberTypes"
      from service_principals s
      left join applications a on a.tenant_id = s.tenant_id and a.app_id = s.app_id
      left join published_applications p on p.app_id = s.app_id and a.id is null
      where s.tenant_id = $1 and s.id = $2`,
    values: [permit.tenantId, resourceId, appRoleId],
  });
  if (!row) throw notFound();
  return row;
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readPrincipalType(permit: Write, id: ObjectId): Promise<PrincipalType> {
  const kinds = Object.entries(TABLES).map(
    ([type, table]) => `select '${type}' as type from ${table} where tenant_id = $1 and id = $2`,
  );
  const [row] = await permit.query<{ type: PrincipalType }>({
    text: kinds.join(' union all '),
    values: [permit.tenantId, id],
  });
  if (!row) throw notFound();
  return row.type;
}

export interface NewAssignment {
  readonly principalId: ObjectId;
  readonly resourceId: ObjectId;
  readonly appRoleId: string;
  /** An application permission goes to a service principal; a role of people to a user or a group. */
  readonly principalType?: PrincipalType;
  /** The user or service principal who assigns; absent: the operator. */
  readonly by?: ObjectId | undefined;
}

/**
 * Assigns an app role of a resource.
 * @throws DirectoryError `Request_ResourceNotFound`, `Request_BadRequest` for a role that the resource does not publish
 *   for such members, `Request_MultipleObjectsWithSameKeyValue`
 */
export async function assignAppRole(
  permit: Write,
  { principalId, resourceId, appRoleId, principalType = 'ServicePrincipal', by }: NewAssignment,
): Promise<Written<AppRoleAssignment>> {
  await requirePrincipal(permit, principalId, principalType);
  const { memberTypes } = await readAssignable(permit, resourceId, appRoleId);
  const isPerson = principalType !== 'ServicePrincipal';
  if (!memberTypes.includes(isPerson ? 'User' : 'Application') && !(isPerson && appRoleId === NO_APP_ROLE))
    throw badRequest(`The resource publishes no such ${isPerson ? 'role for people' : 'application permission'}.`);
  const id = newObjectId();
  await permit.query({
    text: `insert into app_role_assignments (tenant_id, id, principal_type, ${KEYS[principalType]}, resource_id, app_role_id, granted_by)
      values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [permit.tenantId, id, principalType, principalId, resourceId, appRoleId, by ?? null],
  });
  const after = await readAssignment(permit, id);
  return { value: after, changes: [changed(undefined, after)] };
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function removeAppRole(permit: Write, principalId: ObjectId, id: ObjectId): Promise<Written<undefined>> {
  const before = await readAssignment(permit, id);
  if (before.principalId !== principalId && before.resourceId !== principalId) throw notFound();
  const rows = await permit.query({
    text: 'delete from app_role_assignments where tenant_id = $1 and id = $2 returning true as deleted',
    values: [permit.tenantId, id],
  });
  if (rows.length === 0) throw notFound();
  return { value: undefined, changes: [changed(before, undefined)] };
}

async function readAssignment(permit: Read, id: ObjectId): Promise<AppRoleAssignment> {
  const [assignment] = await permit.query<AppRoleAssignment>({
    text: `select ${SELECTED} from app_role_assignments x where x.tenant_id = $1 and x.id = $2`,
    values: [permit.tenantId, id],
  });
  if (!assignment) throw notFound();
  return assignment;
}

async function requirePrincipal(permit: Read, id: ObjectId, type: PrincipalType): Promise<void> {
  const rows = await permit.query({
    text: `select from ${TABLES[type]} where tenant_id = $1 and id = $2`,
    values: [permit.tenantId, id],
  });
  if (rows.length === 0) throw notFound();
}

function changed(before: AppRoleAssignment | undefined, after: AppRoleAssignment | undefined) {
  const assignment = after ?? before;
  return {
    type: 'AppRoleAssignment' as const,
    id: assignment?.id ?? '',
    displayName: assignment?.principalDisplayName ?? null,
    before,
    after,
  };
}
