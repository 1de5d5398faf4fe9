import type { Permit } from '../store/permit.ts';
import type { Classification } from '../vocabulary/consent-policy.ts';
import { badRequest, notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, Written } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, selectList } from './listable.ts';

/** Microsoft Graph's `delegatedPermissionClassification`: what a tenant thinks of one scope of an API. */
export interface PermissionClassification {
  readonly id: ObjectId;
  readonly permissionId: string;
  readonly permissionName: string;
  readonly classification: Classification;
}

const LISTED: Listable = {
  from: 'delegated_permission_classifications',
  where: 'service_principal_id = $2',
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY },
    permissionId: { sql: 'permission_id', type: 'guid', filter: EQUALITY },
    permissionName: { sql: 'permission_name', type: 'string', filter: EQUALITY },
    classification: { sql: 'classification', type: 'string', filter: EQUALITY },
  },
};

type Write = Permit<'directory/servicePrincipals/delegatedPermissionClassifications/update'>;
type Read = Write | Permit<'directory/servicePrincipals/delegatedPermissionClassifications/read'>;

/** @throws DirectoryError `Request_ResourceNotFound` when the API is not present in the tenant */
export async function listClassifications(
  permit: Read,
  servicePrincipalId: ObjectId,
  query: ListQuery,
): Promise<Page<PermissionClassification>> {
  await readScopes(permit, servicePrincipalId);
  return readPage<PermissionClassification>(permit, LISTED, query, [servicePrincipalId]);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readClassification(
  permit: Read,
  servicePrincipalId: ObjectId,
  id: ObjectId,
): Promise<PermissionClassification> {
  const [row] = await permit.query<PermissionClassification & Record<string, unknown>>({
    text: `select ${selectList(LISTED.columns)} from delegated_permission_classifications
      where tenant_id = $1 and service_principal_id = $2 and id = $3`,
    values: [permit.tenantId, servicePrincipalId, id],
  });
  if (!row) throw notFound();
  return row;
}

export interface NewClassification {
  readonly permissionId: string;
  readonly permissionName?: string | undefined;
  readonly classification: Classification;
}

/**
 * Classifies a scope that the API publishes.
 * @throws DirectoryError `Request_ResourceNotFound`, `Request_BadRequest` for a scope that is not published,
 *   `Request_MultipleObjectsWithSameKeyValue` when it is classified already
 */
export async function addClassification(
  permit: Write,
  servicePrincipalId: ObjectId,
  { permissionId, permissionName, classification }: NewClassification,
): Promise<Written<PermissionClassification>> {
  const scope = (await readScopes(permit, servicePrincipalId)).find((known) => known.id === permissionId);
  if (!scope) throw badRequest('The API publishes no delegated permission of that id.');
  if (permissionName !== undefined && permissionName !== scope.value)
    throw badRequest(`The permission of that id is called "${scope.value}".`);
  const after = { id: newObjectId(), permissionId, permissionName: scope.value, classification };
  await permit.query({
    text: `insert into delegated_permission_classifications
        (tenant_id, id, service_principal_id, permission_id, permission_name, classification)
      values ($1, $2, $3, $4, $5, $6)`,
    values: [permit.tenantId, after.id, servicePrincipalId, permissionId, scope.value, classification],
  });
  return { value: after, changes: [changed(servicePrincipalId, undefined, after)] };
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function removeClassification(
  permit: Write,
  servicePrincipalId: ObjectId,
  id: ObjectId,
): Promise<Written<undefined>> {
  const before = await readClassification(permit, servicePrincipalId, id);
  const rows = await permit.query({
    text: 'delete from delegated_permission_classifications where tenant_id = $1 and id = $2 returning true as deleted',
    values: [permit.tenantId, id],
  });
  if (rows.length === 0) throw notFound();
  return { value: undefined, changes: [changed(servicePrincipalId, before, undefined)] };
}

async function readScopes(
  permit: Read,
  servicePrincipalId: ObjectId,
): Promise<readonly { id: string; value: string }[]> {
  const [row] = await permit.query<{ scopes: { id: string; value: string }[] }>({
    text: `select coalesce(a.oauth2_permission_scopes, p.oauth2_permission_scopes, '[]') as scopes from service_principals s
      left join applications a on a.tenant_id = s.tenant_id and a.app_id = s.app_id
      left join published_applications p on p.app_id = s.app_id and a.id is null
      where s.tenant_id = $1 and s.id = $2`,
    values: [permit.tenantId, servicePrincipalId],
  });
  if (!row) throw notFound();
  return row.scopes;
}

function changed(
  servicePrincipalId: ObjectId,
  before: PermissionClassification | undefined,
  after: PermissionClassification | undefined,
) {
  const state = (value: PermissionClassification | undefined) => value && { servicePrincipalId, ...value };
  const { id = '', permissionName = null } = after ?? before ?? {};
  return {
    type: 'PermissionClassification' as const,
    id,
    displayName: permissionName,
    before: state(before),
    after: state(after),
  };
}
