import type { Permit } from '../store/permit.ts';
import { notFound } from '../vocabulary/errors.ts';
import { newObjectId, parseTenantId, type TenantId } from '../vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import { publishAll, unpublishAll } from './published-applications.ts';
import { takeTurnOfTenant } from './turns.ts';

export interface Tenant {
  readonly id: TenantId;
  readonly displayName: string;
  readonly isEnabled: boolean;
  readonly domains: readonly string[];
}

/**
 * Makes the tenant that the permit is bound to, its operator-verified domains (the first is the default one) and the
 * presence of the directory API in it.
 * @throws DirectoryError `Request_MultipleObjectsWithSameKeyValue` for an id or domain that is taken
 */
export async function createTenant(
  permit: Permit<'directory/tenants/create'>,
  { displayName, domains }: { readonly displayName: string; readonly domains: readonly string[] },
): Promise<void> {
  const { tenantId } = permit;
  await permit.query({
    text: 'insert into tenants (id, display_name) values ($1, $2)',
    values: [tenantId, displayName],
  });
  await permit.query({ text: 'insert into tenant_versions (tenant_id) values ($1)', values: [tenantId] });
  await permit.query({
    text: `insert into verified_domains (name, tenant_id, is_default)
      select lower(name), $1, position = 1 from unnest($2::text[]) with ordinality as domain (name, position)`,
    values: [tenantId, domains],
  });
  await permit.query({
    text: 'insert into service_principals (tenant_id, id, app_id) values ($1, $2, $3)',
    values: [tenantId, newObjectId(), DIRECTORY_APP_ID],
  });
}

export type TenantState = Pick<Tenant, 'displayName' | 'isEnabled'>;

export interface TenantChange {
  readonly displayName?: string | undefined;
  /** Further domains, verified on the operator's word. */
  readonly domains?: readonly string[] | undefined;
  /** False: nobody signs in, no token of the tenant is worth anything, and its applications act nowhere from the commit on. */
  readonly isEnabled?: boolean | undefined;
}

/**
 * Renames the tenant, gives it further domains, or closes and opens it.
 * @returns what was there before
 * @throws DirectoryError `Request_MultipleObjectsWithSameKeyValue` for a domain that is taken
 */
export async function updateTenant(
  permit: Permit<'directory/tenants/basic/update'>,
  { displayName, domains = [], isEnabled }: TenantChange,
): Promise<TenantState> {
  // What is being published, or taken back, is waited for: all of it is then in what follows.
  if (isEnabled !== undefined) await takeTurnOfTenant(permit, 'publication');
  const [before] = await permit.query<TenantState & Record<string, unknown>>({
    text: `update tenants t set display_name = coalesce($2, t.display_name), is_enabled = coalesce($3, t.is_enabled)
      from (select id, display_name, is_enabled from tenants where id = $1 for no key update) old
      where t.id = $1 and old.id = t.id returning old.display_name as "displayName", old.is_enabled as "isEnabled"`,
    values: [permit.tenantId, displayName ?? null, isEnabled ?? null],
  });
  if (!before) throw notFound();
  if (isEnabled === true && !before.isEnabled) await publishAll(permit);
  if (isEnabled === false) await unpublishAll(permit);
  await permit.query({
    text: 'insert into verified_domains (name, tenant_id) select lower(name), $1 from unnest($2::text[]) as domain (name)',
    values: [permit.tenantId, domains],
  });
  return before;
}

/** The bound tenant, or nothing. */
export async function readTenant(
  permit: Permit<'authentication/tenants/resolve' | 'directory/organization/standard/read'>,
): Promise<Tenant | undefined> {
  const [tenant] = await permit.query<Tenant>({
    name: 'read-tenant',
    text: `select id, display_name as "displayName", is_enabled as "isEnabled",
        array(select d.name from verified_domains d where d.tenant_id = t.id order by d.is_default desc, d.name) as domains
      from tenants t where id = $1`,
    values: [permit.tenantId],
  });
  return tenant;
}

/** The tenant of a verified domain. The permit is bound to that domain, not to a tenant. */
export async function findTenantByDomain(
  permit: Permit<'authentication/tenants/resolve'>,
  domain: string,
): Promise<TenantId | undefined> {
  const [row] = await permit.query<{ tenant_id: string }>({
    name: 'find-tenant-by-domain',
    text: 'select tenant_id from verified_domains where name = $1',
    values: [domain],
  });
  return row && parseTenantId(row.tenant_id);
}
