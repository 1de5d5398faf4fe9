import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import type { ServicePrincipal } from '../vocabulary/applications.ts';
import { badRequest, DirectoryError, notFound } from '../vocabulary/errors.ts';
import { type AppId, newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, Written } from '../vocabulary/objects.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import { VERIFIED_PUBLISHER } from './application-columns.ts';
import { readDependents } from './dependents.ts';
import { requireOwnIdentifiers } from './identifier-uris.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, ORDERED, PREFIX, selectList } from './listable.ts';
import { WITHDRAWN } from './offered-applications.ts';
import { updateStatement } from './statements.ts';
import { takeTurn } from './turns.ts';

const FROM = `service_principals s
  left join applications a on a.tenant_id = s.tenant_id and a.app_id = s.app_id
  left join published_applications p on p.app_id = s.app_id and a.id is null`;

/** What is left of an application that its home has deleted or unpublished: its presence, which can be removed. */
export const NAME_OF_THE_GONE = 'Removed application';

const LISTED: Listable = {
  name: 'service-principals',
  from: FROM,
  tenantId: 's.tenant_id',
  id: 's.id',
  columns: {
    id: { sql: 's.id', type: 'guid', filter: EQUALITY },
    appId: { sql: 's.app_id', type: 'guid', filter: EQUALITY },
    displayName: {
      sql: `coalesce(a.display_name, p.display_name, '${NAME_OF_THE_GONE}')`,
      type: 'string',
      filter: PREFIX,
      caseInsensitive: true,
      orderBy: true,
    },
    appOwnerOrganizationId: { sql: 's.app_owner_organization_id', type: 'guid', filter: EQUALITY },
    accountEnabled: { sql: 's.account_enabled', type: 'boolean', filter: EQUALITY },
    appRoleAssignmentRequired: { sql: 's.app_role_assignment_required', type: 'boolean', filter: EQUALITY },
    servicePrincipalType: { sql: "'Application'::text", type: 'string' },
    createdDateTime: { sql: 's.created_at', type: 'dateTime', filter: ORDERED, orderBy: true },
    tags: { sql: 's.tags', type: 'object' },
    notes: { sql: 's.notes', type: 'string' },
    verifiedPublisher: {
      sql: `case when a.id is not null then ${VERIFIED_PUBLISHER('a.')} else ${VERIFIED_PUBLISHER('p.')} end`,
      type: 'object',
    },
    identifierUris: { sql: `coalesce(a.identifier_uris, p.identifier_uris, '{}')`, type: 'object' },
    oauth2PermissionScopes: {
      sql: `coalesce(a.oauth2_permission_scopes, p.oauth2_permission_scopes, '[]')`,
      type: 'object',
    },
    appRoles: { sql: `coalesce(a.app_roles, p.app_roles, '[]')`, type: 'object' },
  },
};

const WRITE_COLUMNS = {
  accountEnabled: 'account_enabled',
  appRoleAssignmentRequired: 'app_role_assignment_required',
  tags: 'tags',
  notes: 'notes',
};

const SELECTED = selectList(LISTED.columns);

type CreatePermit = Permit<
  | 'directory/servicePrincipals/create'
  | 'directory/oAuth2PermissionGrants/create'
  | 'directory/oAuth2PermissionGrants/ownConsent/create'
  | 'directory/appConsentRequests/review'
>;
type ReadPermit =
  | CreatePermit
  | Permit<
      | 'directory/servicePrincipals/standard/read'
      | 'directory/servicePrincipals/basic/update'
      | 'directory/servicePrincipals/delete'
    >;

export async function listServicePrincipals(
  permit: Permit<'directory/servicePrincipals/standard/read'>,
  query: ListQuery,
): Promise<Page<ServicePrincipal>> {
  return readPage<ServicePrincipal>(permit, LISTED, query);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readServicePrincipal(permit: ReadPermit, id: ObjectId): Promise<ServicePrincipal> {
  const [principal] = await permit.query<ServicePrincipal>({
    name: 'read-service-principal',
    text: `select ${SELECTED} from ${FROM} where s.tenant_id = $1 and s.id = $2`,
    values: [permit.tenantId, id],
  });
  if (!principal) throw notFound();
  return principal;
}

/** The presence of an application in the tenant, or nothing. */
export async function findServicePrincipal(permit: ReadPermit, appId: AppId): Promise<ServicePrincipal | undefined> {
  const [principal] = await permit.query<ServicePrincipal>({
    text: `select ${SELECTED} from ${FROM} where s.tenant_id = $1 and s.app_id = $2`,
    values: [permit.tenantId, appId],
  });
  return principal;
}

/**
 * Adds an application to the tenant: its own, or one that another tenant published. The permit is bound to the app id.
 * @throws DirectoryError `Request_BadRequest` when there is no such application, `Request_MultipleObjectsWithSameKeyValue`
 */
export async function createServicePrincipal(permit: CreatePermit, appId: AppId): Promise<Written<ServicePrincipal>> {
  const id = newObjectId();
  const rows = await permit.query({
    text: `with shown as materialized (select set_config('bailiwick.app_id', $3, true))
      insert into service_principals (tenant_id, id, app_id, app_owner_organization_id)
      select $1, $2, x.app_id, x.home from shown, lateral (
        select app_id, tenant_id as home from applications where tenant_id = $1 and app_id = $3::uuid
        union select app_id, home_tenant_id from published_applications
          where app_id = $3::uuid and not ${WITHDRAWN('$3::uuid')} limit 1) x
      returning true as inserted`,
    values: [permit.tenantId, id, appId],
  });
  if (rows.length === 0)
    throw badRequest('There is no application of that appId, or it is for its own organization alone.');
  await requireOwnIdentifiers(permit, appId);
  const after = await readServicePrincipal(permit, id);
  return { value: after, changes: [changed(undefined, after)] };
}

export interface ServicePrincipalPatch {
  readonly accountEnabled?: boolean | undefined;
  readonly appRoleAssignmentRequired?: boolean | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly notes?: string | null | undefined;
}

export async function updateServicePrincipal(
  permit: Permit<'directory/servicePrincipals/basic/update'>,
  id: ObjectId,
  patch: ServicePrincipalPatch,
): Promise<Written<ServicePrincipal>> {
  await lockServicePrincipal(permit, id, 'for no key update');
  const before = await readServicePrincipal(permit, id);
  if (patch.accountEnabled === false || patch.appRoleAssignmentRequired === true) forbidForDirectory(before);
  await permit.query(updateStatement('service_principals', WRITE_COLUMNS, permit.tenantId, id, patch));
  const after = await readServicePrincipal(permit, id);
  return { value: after, changes: [changed(before, after)] };
}

/** Removes the application from the tenant, and with it every grant, assignment and token family that it had here. */
export async function deleteServicePrincipal(
  permit: Permit<'directory/servicePrincipals/delete'>,
  id: ObjectId,
): Promise<Written<undefined>> {
  await takeTurn(permit, id);
  await lockServicePrincipal(permit, id, 'for update');
  const before = await readServicePrincipal(permit, id);
  forbidForDirectory(before);
  const dependents = await readDependents(permit, 'ServicePrincipal', id);
  await permit.query({
    text: 'delete from service_principals where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id],
  });
  return { value: undefined, changes: [changed(before, undefined), ...dependents] };
}

/** For its deletion, so that no right which goes along with it comes in between, or for a change, which need wait for none. */
export async function lockServicePrincipal(
  permit: Permit<Action>,
  id: ObjectId,
  lock: 'for update' | 'for no key update',
): Promise<void> {
  const values = [permit.tenantId, id];
  const text = `select from service_principals where tenant_id = $1 and id = $2 ${lock}`;
  await permit.query({ text, values });
}

/** Without the directory API, or assigned to it by nobody, no administrator could undo this, and everybody’s consents to it would be gone. */
function forbidForDirectory({ appId }: ServicePrincipal): void {
  if (appId === DIRECTORY_APP_ID) {
    throw new DirectoryError(
      'Authorization_RequestDenied',
      'The directory API itself can be neither disabled, nor removed, nor kept for the few who are assigned to it.',
    );
  }
}

function changed(before: ServicePrincipal | undefined, after: ServicePrincipal | undefined) {
  const principal = after ?? before;
  const state = (value: ServicePrincipal | undefined) =>
    value && {
      appId: value.appId,
      accountEnabled: value.accountEnabled,
      appRoleAssignmentRequired: value.appRoleAssignmentRequired,
      tags: value.tags,
      notes: value.notes,
    };
  return {
    type: 'ServicePrincipal' as const,
    id: principal?.id ?? '',
    displayName: principal?.displayName ?? null,
    before: state(before),
    after: state(after),
  };
}
