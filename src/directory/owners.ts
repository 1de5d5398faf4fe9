import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import type { Owner } from '../vocabulary/applications.ts';
import { badRequest, notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, Written } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable } from './listable.ts';
import { NAME_OF_THE_GONE } from './service-principals.ts';
import { shareTurns } from './turns.ts';

/** What can be owned, and where that stands. */
const OWNED = {
  Application: { table: 'applications', owners: 'application_owners', key: 'application_id', name: 'o.display_name' },
  ServicePrincipal: {
    table: 'service_principals',
    owners: 'service_principal_owners',
    key: 'owned_id',
    name: `coalesce((select a.display_name from applications a where a.tenant_id = o.tenant_id and a.app_id = o.app_id),
      (select p.display_name from published_applications p where p.app_id = o.app_id), '${NAME_OF_THE_GONE}')`,
  },
} as const;
export type OwnedType = keyof typeof OWNED;

/** Graph's limit. */
const MAX_OWNERS = 100;

/** Whom a link names: `directoryObjects` leaves open of which kind. */
export interface OwnerReference {
  readonly id: ObjectId;
  readonly collection: 'users' | 'servicePrincipals' | 'directoryObjects';
}

type Read = Permit<
  | 'directory/applications/owners/read'
  | 'directory/applications/owners/update'
  | 'directory/servicePrincipals/owners/read'
  | 'directory/servicePrincipals/owners/update'
>;
type Write = Permit<'directory/applications/owners/update' | 'directory/servicePrincipals/owners/update'>;

const LISTED = (type: OwnedType): Listable => ({
  from: `${OWNED[type].owners} x left join users u on u.tenant_id = x.tenant_id and u.id = x.user_id
    left join service_principals s on s.tenant_id = x.tenant_id and s.id = x.service_principal_id
    left join applications a on a.tenant_id = s.tenant_id and a.app_id = s.app_id
    left join published_applications p on p.app_id = s.app_id and a.id is null`,
  tenantId: 'x.tenant_id',
  id: 'coalesce(x.user_id, x.service_principal_id)',
  where: `x.${OWNED[type].key} = $2`,
  columns: {
    id: { sql: 'coalesce(x.user_id, x.service_principal_id)', type: 'guid', filter: EQUALITY },
    '@odata.type': {
      sql: "case when x.user_id is null then '#microsoft.graph.servicePrincipal' else '#microsoft.graph.user' end",
      type: 'string',
    },
    displayName: {
      sql: `coalesce(u.display_name, a.display_name, p.display_name, '${NAME_OF_THE_GONE}')`,
      type: 'string',
    },
    userPrincipalName: { sql: 'u.user_principal_name', type: 'string' },
    appId: { sql: 's.app_id', type: 'guid' },
  },
});
const LISTS = { Application: LISTED('Application'), ServicePrincipal: LISTED('ServicePrincipal') };

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function listOwners(permit: Read, type: OwnedType, id: ObjectId, query: ListQuery): Promise<Page<Owner>> {
  await readName(permit, type, id);
  return readPage<Owner>(permit, LISTS[type], query, [id]);
}

/**
 * @throws DirectoryError `Request_ResourceNotFound` for either, `Request_MultipleObjectsWithSameKeyValue` for one who is
 *   an owner, `Request_BadRequest` for the 101st
 */
export async function addOwner(
  permit: Write,
  type: OwnedType,
  id: ObjectId,
  { id: ownerId, collection }: OwnerReference,
): Promise<Written<undefined>> {
  await shareTurns(permit, { ids: [id, ownerId] });
  const displayName = await readName(permit, type, id, 'for no key update of o');
  const { owners, key } = OWNED[type];
  const [count] = await permit.query<{ count: number }>({
    text: `select count(*)::int as count from ${owners} where tenant_id = $1 and ${key} = $2`,
    values: [permit.tenantId, id],
  });
  if ((count?.count ?? 0) >= MAX_OWNERS) throw badRequest(`There are at most ${MAX_OWNERS} owners. Remove one first.`);
  const rows = await permit.query({
    text: `insert into ${owners} (tenant_id, id, ${key}, user_id, service_principal_id)
      select $1, $2, $3, o.user_id, o.service_principal_id from (
        select id as user_id, null::uuid as service_principal_id from users
          where tenant_id = $1 and id = $4 and $5 <> 'servicePrincipals'
        union all select null, id from service_principals where tenant_id = $1 and id = $4 and $5 <> 'users') o
      returning true as inserted`,
    values: [permit.tenantId, newObjectId(), id, ownerId, collection],
  });
  if (rows.length === 0) throw notFound();
  return { value: undefined, changes: [{ type, id, displayName, after: { owner: ownerId } }] };
}

/** @throws DirectoryError `Request_ResourceNotFound` when there is no such object or that is not its owner */
export async function removeOwner(
  permit: Write,
  type: OwnedType,
  id: ObjectId,
  ownerId: ObjectId,
): Promise<Written<undefined>> {
  const displayName = await readName(permit, type, id);
  const { owners, key } = OWNED[type];
  const rows = await permit.query({
    text: `delete from ${owners} where tenant_id = $1 and ${key} = $2 and $3 in (user_id, service_principal_id)
      returning true as deleted`,
    values: [permit.tenantId, id, ownerId],
  });
  if (rows.length === 0) throw notFound();
  return { value: undefined, changes: [{ type, id, displayName, before: { owner: ownerId } }] };
}

/** Whether the caller, a person or an application on its own behalf, owns the application. */
export async function isOwnerOf(
  permit: Permit<Action>,
  applicationId: ObjectId,
  {
    userId,
    servicePrincipalId,
  }: { readonly userId?: string | undefined; readonly servicePrincipalId?: string | undefined },
): Promise<boolean> {
  const rows = await permit.query({
    text: `select from application_owners where tenant_id = $1 and application_id = $2
      and (user_id = $3 or service_principal_id = $4)`,
    values: [permit.tenantId, applicationId, userId ?? null, servicePrincipalId ?? null],
  });
  return rows.length > 0;
}

/** Whoever makes an application by the right over his own alone, owns it. */
export async function insertFirstOwner(
  permit: Permit<'directory/applications/create'>,
  applicationId: ObjectId,
  servicePrincipalId: ObjectId,
): Promise<void> {
  await permit.query({
    text: `insert into application_owners (tenant_id, id, application_id, service_principal_id) values ($1, $2, $3, $4)`,
    values: [permit.tenantId, newObjectId(), applicationId, servicePrincipalId],
  });
}

async function readName(permit: Read, type: OwnedType, id: ObjectId, lock = ''): Promise<string> {
  const [row] = await permit.query<{ name: string }>({
    text: `select ${OWNED[type].name} as name from ${OWNED[type].table} o where o.tenant_id = $1 and o.id = $2 ${lock}`,
    values: [permit.tenantId, id],
  });
  if (!row) throw notFound();
  return row.name;
}
