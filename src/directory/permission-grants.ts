import type { Permit } from '../store/permit.ts';
import type { OAuth2PermissionGrant } from '../vocabulary/applications.ts';
import { badRequest, notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, Written } from '../vocabulary/objects.ts';
import { ORIGINS, originsOf } from './grant-origins.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, selectList } from './listable.ts';
import { shareTurns } from './turns.ts';

const COLUMNS: Listable['columns'] = {
  id: { sql: 'id', type: 'guid', filter: EQUALITY },
  clientId: { sql: 'client_id', type: 'guid', filter: EQUALITY },
  resourceId: { sql: 'resource_id', type: 'guid', filter: EQUALITY },
  consentType: { sql: 'consent_type', type: 'string', filter: EQUALITY },
  principalId: { sql: 'principal_id', type: 'guid', filter: EQUALITY },
  scope: { sql: "array_to_string(scope, ' ')", type: 'string' },
};
const LISTED: Listable = { name: 'permission-grants', from: 'oauth2_permission_grants', columns: COLUMNS };
const OF_CLIENT: Listable = { from: 'oauth2_permission_grants', columns: COLUMNS, where: 'client_id = $2' };
const OF_PRINCIPAL: Listable = { from: 'oauth2_permission_grants', columns: COLUMNS, where: 'principal_id = $2' };
const SELECTED = selectList(COLUMNS);

type Read = Permit<
  | 'authentication/consents/preAuthorize'
  | 'directory/oAuth2PermissionGrants/standard/read'
  | 'directory/oAuth2PermissionGrants/create'
  | 'directory/oAuth2PermissionGrants/ownConsent/create'
  | 'directory/appConsentRequests/ownRequest/create'
  | 'directory/appConsentRequests/review'
  | 'directory/oAuth2PermissionGrants/basic/update'
  | 'directory/oAuth2PermissionGrants/delete'
>;

export function listGrants(permit: Read, query: ListQuery): Promise<Page<OAuth2PermissionGrant>> {
  return readPage<OAuth2PermissionGrant>(permit, LISTED, query);
}

export async function listGrantsOfClient(
  permit: Read,
  clientId: ObjectId,
  query: ListQuery,
): Promise<Page<OAuth2PermissionGrant>> {
  await requireRow(permit, 'service_principals', clientId);
  return readPage<OAuth2PermissionGrant>(permit, OF_CLIENT, query, [clientId]);
}

export async function listGrantsOfUser(
  permit: Read,
  userId: ObjectId,
  query: ListQuery,
): Promise<Page<OAuth2PermissionGrant>> {
  await requireRow(permit, 'users', userId);
  return readPage<OAuth2PermissionGrant>(permit, OF_PRINCIPAL, query, [userId]);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readGrant(permit: Read, id: ObjectId): Promise<OAuth2PermissionGrant> {
  const [grant] = await permit.query<OAuth2PermissionGrant>({
    text: `select ${SELECTED} from oauth2_permission_grants where tenant_id = $1 and id = $2`,
    values: [permit.tenantId, id],
  });
  if (!grant) throw notFound();
  return grant;
}

/** The grants of a client on a resource, for these people or (null) for everybody; locked until the transaction ends. */
export async function findGrantsOf(
  permit: Read,
  which: {
    readonly clientId: ObjectId;
    readonly resourceId: ObjectId;
    readonly principals: readonly (ObjectId | null)[];
  },
): Promise<readonly OAuth2PermissionGrant[]> {
  return permit.query<OAuth2PermissionGrant & Record<string, unknown>>({
    text: `select ${SELECTED} from oauth2_permission_grants
      where tenant_id = $1 and client_id = $2 and resource_id = $3
        and (principal_id = any ($4::uuid[]) or principal_id is null and $5) order by id for update`,
    values: [permit.tenantId, which.clientId, which.resourceId, which.principals, which.principals.includes(null)],
  });
}

/** Whether the grant is that person's own: false also when there is none, so that nobody learns of others' grants. */
export async function isGrantOf(permit: Read, id: ObjectId, userId: ObjectId | undefined): Promise<boolean> {
  const rows = await permit.query({
    text: 'select from oauth2_permission_grants where tenant_id = $1 and id = $2 and principal_id = $3',
    values: [permit.tenantId, id, userId ?? null],
  });
  return rows.length > 0;
}

/** Holds what a client was granted for a person and for everybody until the transaction ends. */
export async function lockGrants(
  permit: Permit<'authentication/consents/preAuthorize'>,
  { appId, userId }: { readonly appId: string; readonly userId: string },
): Promise<void> {
  await permit.query({
    text: `select from oauth2_permission_grants where tenant_id = $1 and (principal_id is null or principal_id = $3)
      and client_id = (select id from service_principals where tenant_id = $1 and app_id = $2) order by id for update`,
    values: [permit.tenantId, appId, userId],
  });
}

export interface NewGrant {
  readonly clientId: ObjectId;
  readonly resourceId: ObjectId;
  readonly principalId?: ObjectId | undefined;
  readonly scopes: readonly string[];
  /** The user or service principal who grants; absent: the operator. */
  readonly by?: ObjectId | undefined;
}

/**
 * Grants delegated permissions, for all people of the tenant or for one.
 * @throws DirectoryError `Request_ResourceNotFound`, `Request_BadRequest` for a scope that the resource does not publish,
 *   `Request_MultipleObjectsWithSameKeyValue` when there is such a grant already
 */
export async function createGrant(
  permit: Permit<'directory/oAuth2PermissionGrants/create'>,
  { clientId, resourceId, principalId, scopes, by }: NewGrant,
): Promise<Written<OAuth2PermissionGrant>> {
  await shareTurns(permit, { ids: principalId ? [clientId, resourceId, principalId] : [clientId, resourceId] });
  await requirePublished(permit, resourceId, scopes);
  const id = newObjectId();
  await permit.query({
    text: `insert into oauth2_permission_grants
        (tenant_id, id, client_id, resource_id, consent_type, principal_id, scope, origins)
      values ($1, $2, $3, $4, $5, $6, $7, ${ORIGINS('$8')})`,
    values: [
      permit.tenantId,
      id,
      clientId,
      resourceId,
      principalId ? 'Principal' : 'AllPrincipals',
      principalId ?? null,
      unique(scopes),
      JSON.stringify(originsOf(scopes, by)),
    ],
  });
  const after = await readGrant(permit, id);
  return { value: after, changes: [changed(undefined, after)] };
}

/** Replaces the scopes of a grant. What is no longer in it is revoked for every token family that began before. */
export async function updateGrant(
  permit: Permit<'directory/oAuth2PermissionGrants/basic/update'>,
  id: ObjectId,
  scopes: readonly string[],
  by?: ObjectId,
): Promise<Written<OAuth2PermissionGrant>> {
  const before = await lockGrant(permit, id);
  await requirePublished(permit, before.resourceId, scopes);
  const held = before.scope.split(' ');
  const origins = originsOf(
    scopes.filter((scope) => !held.includes(scope)),
    by,
  );
  await permit.query({
    text: `update oauth2_permission_grants set scope = $3, origins = origins || ${ORIGINS('$4')} where tenant_id = $1 and id = $2`,
    values: [permit.tenantId, id, unique(scopes), JSON.stringify(origins)],
  });
  await recordRevoked(
    permit,
    before,
    held.filter((scope) => !scopes.includes(scope)),
  );
  const after = await readGrant(permit, id);
  return { value: after, changes: [changed(before, after)] };
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function deleteGrant(
  permit: Permit<'directory/oAuth2PermissionGrants/delete'>,
  id: ObjectId,
): Promise<Written<undefined>> {
  const before = await lockGrant(permit, id);
  await permit.query({
    text: 'delete from oauth2_permission_grants where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id],
  });
  await recordRevoked(permit, before, before.scope.split(' '));
  return { value: undefined, changes: [changed(before, undefined)] };
}

async function requireRow(permit: Read, table: 'users' | 'service_principals', id: ObjectId): Promise<void> {
  const rows = await permit.query({
    text: `select from ${table} where tenant_id = $1 and id = $2`,
    values: [permit.tenantId, id],
  });
  if (rows.length === 0) throw notFound();
}

async function lockGrant(permit: Read, id: ObjectId): Promise<OAuth2PermissionGrant> {
  await permit.query({
    text: 'select from oauth2_permission_grants where tenant_id = $1 and id = $2 for update',
    values: [permit.tenantId, id],
  });
  return readGrant(permit, id);
}

/** What was taken away does not come back to who held it, even if it is granted again (wire.md, "Refresh"). */
async function recordRevoked(permit: Read, grant: OAuth2PermissionGrant, scopes: readonly string[]): Promise<void> {
  if (scopes.length === 0) return;
  await permit.query({
    text: `insert into revoked_scopes (tenant_id, client_id, resource_id, principal_id, scope)
      select $1, $2, $3, $4, unnest($5::text[])`,
    values: [permit.tenantId, grant.clientId, grant.resourceId, grant.principalId, scopes],
  });
}

/** @throws DirectoryError `Request_ResourceNotFound`, `Request_BadRequest` for a scope that the resource does not publish */
export async function requirePublished(permit: Read, resourceId: ObjectId, scopes: readonly string[]): Promise<void> {
  const [row] = await permit.query<{ published: string[] }>({
    text: `select array(select e ->> 'value' from jsonb_array_elements(coalesce(a.oauth2_permission_scopes, p.oauth2_permission_scopes)) e
        where coalesce((e ->> 'isEnabled')::boolean, true)) as published
      from service_principals s
      left join applications a on a.tenant_id = s.tenant_id and a.app_id = s.app_id
      left join published_applications p on p.app_id = s.app_id and a.id is null
      where s.tenant_id = $1 and s.id = $2`,
    values: [permit.tenantId, resourceId],
  });
  if (!row) throw notFound();
  const unknown = scopes.find((scope) => !row.published.includes(scope));
  if (unknown !== undefined) throw badRequest(`The resource publishes no scope "${unknown.slice(0, 120)}".`);
}

function unique(scopes: readonly string[]): string[] {
  return [...new Set(scopes)];
}

function changed(before: OAuth2PermissionGrant | undefined, after: OAuth2PermissionGrant | undefined) {
  return { type: 'OAuth2PermissionGrant' as const, id: (after ?? before)?.id ?? '', displayName: null, before, after };
}
