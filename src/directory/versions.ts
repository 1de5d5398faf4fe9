import type { Permit } from '../store/permit.ts';
import { ON_PRIMARY } from '../store/sql-errors.ts';
import type { Action } from '../vocabulary/actions.ts';
import { parseTenantId, type TenantId } from '../vocabulary/ids.ts';

const tenantVersion = (tenantId: string) => `(select t.version from tenant_versions t where t.tenant_id = ${tenantId})`;

const publishedVersion = (appId: string) =>
  `coalesce((select p.version from published_application_versions p where p.app_id = ${appId}), 0)`;

/**
 * The version of what may be remembered under a tenant's and an application's id, given as SQL expressions. Undefined
 * tenant: null. As look-ups by key, whatever number of rows the planner expects.
 */
const versionOf = (tenantId: string, appId: string): string =>
  `${tenantVersion(tenantId)} || '.' || ${publishedVersion(appId)}`;

/**
 * Whether that is the version still; false where there is no such tenant. For what `readVersions` gave. Held against each other as numbers: to make text of them first was an eighth of all
 * that a statement of eight records takes.
 */
export const versionMatches = (version: string, tenantId: string, appId: string): string =>
  `coalesce(split_part(${version}, '.', 1)::bigint = ${tenantVersion(tenantId)}
    and split_part(${version}, '.', 2)::bigint = ${publishedVersion(appId)}, false)`;

/** What is remembered of a client in a tenant depends on both: the tenant's rows, and what a home tenant published. */
export interface VersionKey {
  readonly tenantId: string;
  readonly appId: string | undefined;
}

/**
 * The versions of many tenants and applications in one round trip, in the order of the keys. This statement and the
 * next are the only ones that look across tenants: they see ids and numbers, and nothing that they count.
 */
export async function readVersions(
  permit: Permit<'authorization/versions/read'>,
  keys: readonly VersionKey[],
): Promise<(string | undefined)[]> {
  const rows = await permit.query<{ version: string | null }>({
    name: 'read-versions',
    // Bound to no tenant, so it must ask for itself.
    text: `select ${versionOf('k.tenant_id', 'k.app_id')} as version, ${ON_PRIMARY}
      from unnest($1::uuid[], $2::uuid[]) with ordinality as k (tenant_id, app_id, position)
      order by k.position`,
    values: [keys.map(({ tenantId }) => tenantId), keys.map(({ appId }) => appId ?? null)],
  });
  return rows.map(({ version }) => version ?? undefined);
}

/** A tenant, and a number that changes with every write of it. */
export interface TenantVersion {
  readonly id: TenantId;
  readonly version: string;
}

/** One page of all tenants, in the order of their ids. */
export async function listTenantVersions(
  permit: Permit<'authorization/versions/read'>,
  { after, top }: { readonly after: TenantId; readonly top: number },
): Promise<TenantVersion[]> {
  const rows = await permit.query<{ tenant_id: string; version: string }>({
    name: 'list-tenant-versions',
    text: 'select tenant_id, version from tenant_versions where tenant_id > $1 order by tenant_id limit $2',
    values: [after, top],
  });
  return rows.flatMap(({ tenant_id, version }) => {
    const id = parseTenantId(tenant_id);
    return id ? { id, version } : [];
  });
}

/** Makes every process forget what it remembers of the bound tenant, from the commit of this transaction on. */
export async function raiseTenantVersion(permit: Permit<Action>): Promise<void> {
  await permit.query({
    name: 'raise-tenant-version',
    text: 'update tenant_versions set version = version + 1 where tenant_id = $1',
    values: [permit.tenantId],
  });
}

/** The same for every tenant that knows this application of the bound one. */
export async function raisePublishedVersion(permit: Permit<Action>, appId: string): Promise<void> {
  await permit.query({
    name: 'raise-published-version',
    text: `insert into published_application_versions (app_id, home_tenant_id) values ($1, $2)
      on conflict (app_id) do update set version = published_application_versions.version + 1`,
    values: [appId, permit.tenantId],
  });
}
