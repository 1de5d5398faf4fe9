import type { Permit } from '../store/permit.ts';
import { DirectoryError, notFound } from '../vocabulary/errors.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Organization, Page, Written } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable } from './listable.ts';

const COLUMNS: Listable['columns'] = {
  id: { sql: 't.id', type: 'guid', filter: EQUALITY, notNull: true },
  displayName: { sql: 't.display_name', type: 'string' },
  createdDateTime: { sql: 't.created_at', type: 'dateTime' },
  verifiedDomains: {
    sql: `array(select jsonb_build_object('name', d.name, 'isDefault', d.is_default) from verified_domains d
      where d.tenant_id = t.id order by d.is_default desc, d.name)`,
    type: 'object',
  },
};
const LISTED: Listable = { name: 'organizations', from: 'tenants t', tenantId: 't.id', id: 't.id', columns: COLUMNS };
const SELECTED = Object.entries(COLUMNS)
  .map(([name, { sql }]) => `${sql} as "${name}"`)
  .join(', ');

type Read = Permit<'directory/organization/standard/read' | 'directory/organization/basic/update'>;
export type VersionedOrganization = Organization & { readonly version: string };

/** A list of one: the caller's own. */
export function listOrganizations(permit: Read, query: ListQuery): Promise<Page<Organization>> {
  return readPage<Organization>(permit, LISTED, query);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export function readOrganization(permit: Read, id: string): Promise<VersionedOrganization> {
  return found(permit, id, '');
}

/** @throws DirectoryError `Request_ResourceNotFound`, `Request_PreconditionFailed` */
export async function updateOrganization(
  permit: Permit<'directory/organization/basic/update'>,
  id: string,
  { displayName }: { readonly displayName: string },
  version?: string,
): Promise<Written<undefined>> {
  const before = await found(permit, id, 'for no key update');
  if (version !== undefined && version !== before.version) throw new DirectoryError('Request_PreconditionFailed');
  await permit.query({
    text: 'update tenants set display_name = $2 where id = $1',
    values: [permit.tenantId, displayName],
  });
  const change = {
    type: 'Organization' as const,
    id,
    displayName,
    before: { displayName: before.displayName },
    after: { displayName },
  };
  return { value: undefined, changes: [change] };
}

async function found(permit: Read, id: string, lock: '' | 'for no key update'): Promise<VersionedOrganization> {
  const [organization] = await permit.query<VersionedOrganization>({
    text: `select ${SELECTED}, t.xmin::text as version from tenants t where t.id = $1 and t.id = $2 ${lock}`,
    values: [permit.tenantId, id],
  });
  if (!organization) throw notFound();
  return organization;
}
