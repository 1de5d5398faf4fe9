import type { Permit } from '../store/permit.ts';
import type { Application, FederatedIdentityCredential } from '../vocabulary/applications.ts';
import { badRequest, notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, Written } from '../vocabulary/objects.ts';
import { lock, readApplication } from './applications.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, ORDERED } from './listable.ts';
import { publishFederatedCredentials } from './published-federated-credentials.ts';
import { type Columns, columnList, insertStatement, updateStatement } from './statements.ts';
import { raisePublishedVersion } from './versions.ts';

const MAX_CREDENTIALS = 20;
const TABLE = 'federated_identity_credentials';

const COLUMNS: Columns = {
  id: 'id',
  name: 'name',
  issuer: 'issuer',
  subject: 'subject',
  audiences: 'audiences',
  description: 'description',
};
const WRITE_COLUMNS: Columns = { ...COLUMNS, applicationId: 'application_id' };

const LISTED: Listable = {
  from: TABLE,
  where: 'application_id = $2',
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY },
    name: { sql: 'name', type: 'string', filter: ORDERED, orderBy: true, notNull: true },
    issuer: { sql: 'issuer', type: 'string', filter: EQUALITY },
    subject: { sql: 'subject', type: 'string', filter: EQUALITY },
    audiences: { sql: 'audiences', type: 'object' },
    description: { sql: 'description', type: 'string' },
  },
};

type Read = Permit<'directory/applications/standard/read' | 'directory/applications/credentials/update'>;
type Write = Permit<'directory/applications/credentials/update'>;
export type FederatedProperties = Omit<FederatedIdentityCredential, 'id'>;

/** @throws DirectoryError `Request_ResourceNotFound` for an application that is not there */
export async function listFederatedCredentials(
  permit: Permit<'directory/applications/standard/read'>,
  applicationId: ObjectId,
  query: ListQuery,
): Promise<Page<FederatedIdentityCredential>> {
  await readApplication(permit, applicationId);
  return readPage<FederatedIdentityCredential>(permit, LISTED, query, [applicationId]);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readFederatedCredential(
  permit: Read,
  applicationId: ObjectId,
  id: ObjectId,
): Promise<FederatedIdentityCredential> {
  const [credential] = await permit.query<FederatedIdentityCredential>({
    text: `select ${columnList(COLUMNS)} from ${TABLE} where tenant_id = $1 and application_id = $2 and id = $3`,
    values: [permit.tenantId, applicationId, id],
  });
  if (!credential) throw notFound();
  return credential;
}

/**
 * @throws DirectoryError `Request_ResourceNotFound`, `Request_BadRequest` beyond 20,
 *   `Request_MultipleObjectsWithSameKeyValue` for a name, or an issuer with its subject, that is there already
 */
export async function createFederatedCredential(
  permit: Write,
  applicationId: ObjectId,
  properties: FederatedProperties,
): Promise<Written<FederatedIdentityCredential>> {
  await lock(permit, applicationId);
  const application = await readApplication(permit, applicationId);
  await requireRoom(permit, applicationId);
  const row = { id: newObjectId(), applicationId, ...properties };
  await permit.query(insertStatement(TABLE, WRITE_COLUMNS, permit.tenantId, row));
  const after = await readFederatedCredential(permit, applicationId, row.id);
  await published(permit, application);
  return { value: after, changes: [changed(undefined, after)] };
}

/** @throws DirectoryError as `createFederatedCredential` */
export async function updateFederatedCredential(
  permit: Write,
  applicationId: ObjectId,
  id: ObjectId,
  properties: { readonly [Key in keyof FederatedProperties]?: FederatedProperties[Key] | undefined },
): Promise<Written<undefined>> {
  await lock(permit, applicationId);
  const application = await readApplication(permit, applicationId);
  const before = await readFederatedCredential(permit, applicationId, id);
  await permit.query(updateStatement(TABLE, COLUMNS, permit.tenantId, id, properties));
  const after = await readFederatedCredential(permit, applicationId, id);
  await published(permit, application);
  return { value: undefined, changes: [changed(before, after)] };
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function deleteFederatedCredential(
  permit: Write,
  applicationId: ObjectId,
  id: ObjectId,
): Promise<Written<undefined>> {
  await lock(permit, applicationId);
  const application = await readApplication(permit, applicationId);
  const before = await readFederatedCredential(permit, applicationId, id);
  await permit.query({
    text: `delete from ${TABLE} where tenant_id = $1 and application_id = $2 and id = $3`,
    values: [permit.tenantId, applicationId, id],
  });
  await published(permit, application);
  return { value: undefined, changes: [changed(before, undefined)] };
}

/** Whose assertions about whom, for which audience, stand for the application. */
export type TrustedIssuer = Pick<FederatedIdentityCredential, 'issuer' | 'subject' | 'audiences'>;

/** Of an application of this tenant, or of one that another tenant published. */
export async function readTrustedIssuers(
  permit: Permit<'authentication/federatedCredentials/read'>,
  appId: string,
): Promise<readonly TrustedIssuer[]> {
  return permit.query<TrustedIssuer>({
    name: 'read-trusted-issuers',
    text: `select f.issuer, f.subject, f.audiences from applications a
        join ${TABLE} f on f.tenant_id = $1 and f.application_id = a.id
        where a.tenant_id = $1 and a.app_id = $2
      union all
      select p.issuer, p.subject, p.audiences from published_${TABLE} p
        where p.app_id = $2 and not exists (select from applications where tenant_id = $1 and app_id = $2)`,
    values: [permit.tenantId, appId],
  });
}

async function published(permit: Write, { id, appId, signInAudience }: Application): Promise<void> {
  if (signInAudience !== 'AzureADMultipleOrgs') return;
  await publishFederatedCredentials(permit, id);
  await raisePublishedVersion(permit, appId);
}

async function requireRoom(permit: Write, applicationId: ObjectId): Promise<void> {
  const rows = await permit.query({
    text: `select from ${TABLE} where tenant_id = $1 and application_id = $2`,
    values: [permit.tenantId, applicationId],
  });
  if (rows.length >= MAX_CREDENTIALS)
    throw badRequest(`An application has at most ${MAX_CREDENTIALS} federated identity credentials. Remove one first.`);
}

function changed(before: FederatedIdentityCredential | undefined, after: FederatedIdentityCredential | undefined) {
  const { id = '', name = null } = after ?? before ?? {};
  return { type: 'FederatedIdentityCredential' as const, id, displayName: name, before, after };
}
