import type { Permit } from '../store/permit.ts';
import type { Application } from '../vocabulary/applications.ts';
import { DirectoryError, notFound } from '../vocabulary/errors.ts';
import { type AppId, newAppId, newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { ObjectChange, Page, Written } from '../vocabulary/objects.ts';
import { type ApplicationProperties, columnsOf, LISTED, READ_COLUMNS, WRITE_COLUMNS } from './application-columns.ts';
import { claimAppId } from './application-ids.ts';
import { readDependents } from './dependents.ts';
import { requireBoundIdentifiers, requireOwnIdentifiers } from './identifier-uris.ts';
import { readPage } from './list-statement.ts';
import { insertFirstOwner } from './owners.ts';
import { publish } from './published-applications.ts';
import { lockServicePrincipal } from './service-principals.ts';
import { columnList, insertStatement, updateStatement } from './statements.ts';
import { shareTurnOfTenant, shareTurns, takeTurn } from './turns.ts';
import { raisePublishedVersion } from './versions.ts';

type ReadPermit = Permit<
  | 'directory/applications/standard/read'
  | 'directory/applications/basic/update'
  | 'directory/applications/create'
  | 'directory/applications/delete'
  | 'directory/applications/credentials/update'
  | 'directory/applications/verification/update'
  | 'directory/applications/withdraw'
>;

export async function listApplications(
  permit: Permit<'directory/applications/standard/read'>,
  query: ListQuery,
): Promise<Page<Application>> {
  return readPage<Application>(permit, LISTED, query);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readApplication(
  permit: ReadPermit,
  id: ObjectId,
): Promise<Application & { readonly version: string }> {
  const [application] = await permit.query<Application & { version: string }>({
    name: 'read-application',
    text: `select ${columnList(READ_COLUMNS)}, xmin::text as version from applications where tenant_id = $1 and id = $2`,
    values: [permit.tenantId, id],
  });
  if (!application) throw notFound();
  return application;
}

/**
 * Makes an application and its presence in its home tenant; publishes it when it is for several organizations. One that
 * registers itself is present nowhere: it waits until an administrator consents to it.
 */
export async function createApplication(
  permit: Permit<'directory/applications/create'>,
  properties: ApplicationProperties & {
    readonly id?: ObjectId | undefined;
    readonly appId?: AppId | undefined;
    /** The service principal that makes it by the right over its own applications alone. */
    readonly firstOwner?: ObjectId | undefined;
    readonly registration?: 'dynamic' | undefined;
  },
): Promise<Written<Application>> {
  const { id = newObjectId(), appId = newAppId(), firstOwner, registration, ...rest } = properties;
  await shareTurnOfTenant(permit, 'publication');
  if (firstOwner) await shareTurns(permit, { ids: [firstOwner] });
  await claimAppId(permit, appId);
  const [domain] = await permit.query<{ name: string }>({
    text: 'select name from verified_domains where tenant_id = $1 order by is_default desc, name limit 1',
    values: [permit.tenantId],
  });
  const values = { id, appId, publisherDomain: domain?.name, ...columnsOf(rest), registration };
  await permit.query(insertStatement('applications', WRITE_COLUMNS, permit.tenantId, values));
  if (firstOwner) await insertFirstOwner(permit, id, firstOwner);
  const servicePrincipalId = registration ? undefined : await insertPresence(permit, appId);
  const { version: _, ...after } = await readApplication(permit, id);
  await requireBoundIdentifiers(permit, after);
  if (after.identifierUris.length > 0) await requireOwnIdentifiers(permit, appId);
  await publish(permit, after);
  const { displayName } = after;
  const presence = { type: 'ServicePrincipal' as const, id: servicePrincipalId ?? '', displayName, after: { appId } };
  return { value: after, changes: [changed(undefined, after), ...(servicePrincipalId ? [presence] : [])] };
}

async function insertPresence(permit: Permit<'directory/applications/create'>, appId: AppId): Promise<ObjectId> {
  const id = newObjectId();
  await permit.query({
    text: 'insert into service_principals (tenant_id, id, app_id, app_owner_organization_id) values ($1, $2, $3, $1)',
    values: [permit.tenantId, id, appId],
  });
  return id;
}

/** @throws DirectoryError `Request_ResourceNotFound`, `Request_PreconditionFailed` */
export async function updateApplication(
  permit: Permit<'directory/applications/basic/update'>,
  id: ObjectId,
  properties: ApplicationProperties,
  version?: string,
): Promise<Written<Application>> {
  await lock(permit, id);
  const { version: _, ...before } = await readApplication(permit, id);
  const rows = await permit.query(
    updateStatement('applications', WRITE_COLUMNS, permit.tenantId, id, columnsOf(properties), version),
  );
  if (rows.length === 0) throw new DirectoryError('Request_PreconditionFailed');
  const { version: _new, ...after } = await readApplication(permit, id);
  if (after.signInAudience !== before.signInAudience) await claimAppId(permit, after.appId);
  await requireBoundIdentifiers(permit, after);
  if (properties.identifierUris !== undefined) await requireOwnIdentifiers(permit, after.appId);
  await publish(permit, after, before.signInAudience);
  return { value: after, changes: [changed(before, after)] };
}

/** Deletes the application and its presence in the home tenant; other tenants keep a service principal without one. */
export async function deleteApplication(
  permit: Permit<'directory/applications/delete'>,
  id: ObjectId,
  version?: string,
): Promise<Written<undefined>> {
  await shareTurnOfTenant(permit, 'publication');
  const expected = await findPresence(permit, id);
  if (expected) await takeTurn(permit, expected);
  await lock(permit, id);
  // One that registered itself may have come to the tenant while this waited.
  const presence = await findPresence(permit, id);
  const { version: current, ...before } = await readApplication(permit, id);
  if (version !== undefined && version !== current) throw new DirectoryError('Request_PreconditionFailed');
  const dependents = presence ? await deletePresence(permit, presence) : [];
  await permit.query({
    text: 'delete from published_applications where home_tenant_id = $1 and app_id = $2',
    values: [permit.tenantId, before.appId],
  });
  await permit.query({
    text: 'delete from applications where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id],
  });
  if (before.signInAudience === 'AzureADMultipleOrgs') await raisePublishedVersion(permit, before.appId);
  return { value: undefined, changes: [changed(before, undefined), ...dependents] };
}

/** The id of the application's service principal in its home tenant. */
async function findPresence(
  permit: Permit<'directory/applications/delete'>,
  id: ObjectId,
): Promise<ObjectId | undefined> {
  const [presence] = await permit.query<{ id: ObjectId }>({
    text: `select s.id from applications a join service_principals s on s.tenant_id = a.tenant_id and s.app_id = a.app_id
      where a.tenant_id = $1 and a.id = $2`,
    values: [permit.tenantId, id],
  });
  return presence?.id;
}

async function deletePresence(permit: Permit<'directory/applications/delete'>, id: ObjectId): Promise<ObjectChange[]> {
  await lockServicePrincipal(permit, id, 'for update');
  const dependents = await readDependents(permit, 'ServicePrincipal', id);
  await permit.query({
    text: 'delete from service_principals where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id],
  });
  return dependents;
}

/** A row that somebody else is changing is waited for: limits and old values are then what they seem. */
export async function lock(permit: ReadPermit, id: ObjectId): Promise<void> {
  await shareTurnOfTenant(permit, 'publication');
  const rows = await permit.query({
    text: 'select from applications where tenant_id = $1 and id = $2 for no key update',
    values: [permit.tenantId, id],
  });
  if (rows.length === 0) throw notFound();
}

function changed(before: Application | undefined, after: Application | undefined) {
  const application = after ?? before;
  return {
    type: 'Application' as const,
    id: application?.id ?? '',
    displayName: application?.displayName ?? null,
    before,
    after,
  };
}
