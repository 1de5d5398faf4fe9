import type { Permit } from '../store/permit.ts';
import type { Application, Compatibility } from '../vocabulary/applications.ts';
import { DirectoryError, notFound } from '../vocabulary/errors.ts';
import { type AppId, newAppId, newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, Written } from '../vocabulary/objects.ts';
import { readDependents } from './dependents.ts';
import { requireBoundIdentifiers, requireOwnIdentifiers } from './identifier-uris.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, ORDERED, PREFIX } from './listable.ts';
import { publish } from './published-applications.ts';
import { type Columns, columnList, insertStatement, updateStatement } from './statements.ts';
import { raisePublishedVersion } from './versions.ts';

const SECRETS = `(select coalesce(jsonb_agg(jsonb_build_object('keyId', s.key_id, 'displayName', s.display_name, 'hint', s.hint,
    'startDateTime', s.start_at, 'endDateTime', s.end_at, 'lastUsedDateTime', s.last_used_at) order by s.start_at, s.key_id), '[]')
  from password_credentials s where s.tenant_id = applications.tenant_id and s.application_id = applications.id)`;

const READ_COLUMNS: Columns = {
  id: 'id',
  appId: 'app_id',
  displayName: 'display_name',
  description: 'description',
  signInAudience: 'sign_in_audience',
  publisherDomain: 'publisher_domain',
  identifierUris: 'identifier_uris',
  web: "jsonb_build_object('redirectUris', web_redirect_uris, 'logoutUrl', web_logout_url)",
  spa: "jsonb_build_object('redirectUris', spa_redirect_uris)",
  publicClient: "jsonb_build_object('redirectUris', public_client_redirect_uris)",
  isFallbackPublicClient: 'is_fallback_public_client',
  api: "jsonb_build_object('oauth2PermissionScopes', oauth2_permission_scopes)",
  appRoles: 'app_roles',
  requiredResourceAccess: 'required_resource_access',
  keyCredentials: 'key_credentials',
  compatibility: 'compatibility',
  passwordCredentials: SECRETS,
  createdDateTime: 'created_at',
};

const WRITE_COLUMNS: Columns = {
  id: 'id',
  appId: 'app_id',
  displayName: 'display_name',
  description: 'description',
  signInAudience: 'sign_in_audience',
  publisherDomain: 'publisher_domain',
  identifierUris: 'identifier_uris',
  webRedirectUris: 'web_redirect_uris',
  webLogoutUrl: 'web_logout_url',
  spaRedirectUris: 'spa_redirect_uris',
  publicClientRedirectUris: 'public_client_redirect_uris',
  isFallbackPublicClient: 'is_fallback_public_client',
  oauth2PermissionScopes: 'oauth2_permission_scopes',
  appRoles: 'app_roles',
  requiredResourceAccess: 'required_resource_access',
  keyCredentials: 'key_credentials',
  compatibility: 'compatibility',
};

const LISTED: Listable = {
  name: 'applications',
  from: 'applications',
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY },
    appId: { sql: 'app_id', type: 'guid', filter: EQUALITY },
    displayName: { sql: 'display_name', type: 'string', filter: PREFIX, caseInsensitive: true, orderBy: true },
    createdDateTime: { sql: 'created_at', type: 'dateTime', filter: ORDERED, orderBy: true },
    signInAudience: { sql: 'sign_in_audience', type: 'string', filter: EQUALITY },
    ...Object.fromEntries(
      ['description', 'publisherDomain'].map((name) => [
        name,
        { sql: READ_COLUMNS[name] ?? '', type: 'string' as const },
      ]),
    ),
    ...Object.fromEntries(
      [
        ...['identifierUris', 'web', 'spa', 'publicClient', 'isFallbackPublicClient', 'api', 'appRoles'],
        ...['requiredResourceAccess', 'keyCredentials', 'passwordCredentials', 'compatibility'],
      ].map((name) => [name, { sql: READ_COLUMNS[name] ?? '', type: 'object' as const }]),
    ),
  },
};

/** What may be set of an application; absent properties keep their value or take the default. */
export interface ApplicationProperties {
  readonly displayName?: string | undefined;
  readonly description?: string | null | undefined;
  readonly signInAudience?: Application['signInAudience'] | undefined;
  readonly identifierUris?: readonly string[] | undefined;
  readonly web?:
    | { readonly redirectUris?: readonly string[] | undefined; readonly logoutUrl?: string | null | undefined }
    | undefined;
  readonly spa?: { readonly redirectUris?: readonly string[] | undefined } | undefined;
  readonly publicClient?: { readonly redirectUris?: readonly string[] | undefined } | undefined;
  readonly isFallbackPublicClient?: boolean | undefined;
  readonly api?: { readonly oauth2PermissionScopes?: readonly object[] | undefined } | undefined;
  readonly appRoles?: readonly object[] | undefined;
  readonly requiredResourceAccess?: readonly object[] | undefined;
  readonly keyCredentials?: readonly object[] | undefined;
  readonly compatibility?: Compatibility | undefined;
}

type ReadPermit = Permit<
  | 'directory/applications/standard/read'
  | 'directory/applications/basic/update'
  | 'directory/applications/create'
  | 'directory/applications/delete'
  | 'directory/applications/credentials/update'
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

/** Makes an application and its presence in its home tenant; publishes it when it is for several organizations. */
export async function createApplication(
  permit: Permit<'directory/applications/create'>,
  properties: ApplicationProperties & { readonly id?: ObjectId | undefined; readonly appId?: AppId | undefined },
): Promise<Written<Application>> {
  const { id = newObjectId(), appId = newAppId(), ...rest } = properties;
  const [domain] = await permit.query<{ name: string }>({
    text: 'select name from verified_domains where tenant_id = $1 order by is_default desc, name limit 1',
    values: [permit.tenantId],
  });
  const values = { id, appId, publisherDomain: domain?.name, ...columnsOf(rest) };
  await permit.query(insertStatement('applications', WRITE_COLUMNS, permit.tenantId, values));
  const servicePrincipalId = newObjectId();
  await permit.query({
    text: 'insert into service_principals (tenant_id, id, app_id, app_owner_organization_id) values ($1, $2, $3, $1)',
    values: [permit.tenantId, servicePrincipalId, appId],
  });
  const { version: _, ...after } = await readApplication(permit, id);
  await requireBoundIdentifiers(permit, after);
  if (after.identifierUris.length > 0) await requireOwnIdentifiers(permit, appId);
  await publish(permit, after);
  const presence = {
    type: 'ServicePrincipal' as const,
    id: servicePrincipalId,
    displayName: after.displayName,
    after: { appId },
  };
  return { value: after, changes: [changed(undefined, after), presence] };
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
  await lock(permit, id);
  const { version: current, ...before } = await readApplication(permit, id);
  if (version !== undefined && version !== current) throw new DirectoryError('Request_PreconditionFailed');
  const where = { values: [permit.tenantId, before.appId] };
  const [presence] = await permit.query<{ id: ObjectId }>({
    text: 'select id from service_principals where tenant_id = $1 and app_id = $2',
    ...where,
  });
  const dependents = presence ? await readDependents(permit, 'ServicePrincipal', presence.id) : [];
  await permit.query({ text: 'delete from service_principals where tenant_id = $1 and app_id = $2', ...where });
  await permit.query({
    text: 'delete from published_applications where home_tenant_id = $1 and app_id = $2',
    ...where,
  });
  await permit.query({
    text: 'delete from applications where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id],
  });
  if (before.signInAudience === 'AzureADMultipleOrgs') await raisePublishedVersion(permit, before.appId);
  return { value: undefined, changes: [changed(before, undefined), ...dependents] };
}

/** A row that somebody else is changing is waited for: limits and old values are then what they seem. */
export async function lock(permit: ReadPermit, id: ObjectId): Promise<void> {
  const rows = await permit.query({
    text: 'select from applications where tenant_id = $1 and id = $2 for update',
    values: [permit.tenantId, id],
  });
  if (rows.length === 0) throw notFound();
}

/** Nested wire properties as columns; composed values as JSON, because pg would write an array as a Postgres array. */
function columnsOf({ web, spa, publicClient, api, ...properties }: ApplicationProperties): Record<string, unknown> {
  const json = (value: readonly object[] | undefined) => (value === undefined ? undefined : JSON.stringify(value));
  return {
    ...properties,
    webRedirectUris: web?.redirectUris,
    webLogoutUrl: web?.logoutUrl,
    spaRedirectUris: spa?.redirectUris,
    publicClientRedirectUris: publicClient?.redirectUris,
    oauth2PermissionScopes: json(api?.oauth2PermissionScopes),
    appRoles: json(properties.appRoles),
    requiredResourceAccess: json(properties.requiredResourceAccess),
    keyCredentials: json(properties.keyCredentials),
  };
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
