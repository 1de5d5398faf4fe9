import { createTenant, findTenantByDomain, readTenant } from '../../directory/tenants.ts';
import { parseTenantId, type TenantId } from '../../vocabulary/ids.ts';
import { internalOperation } from '../operation.ts';

export type { Tenant } from '../../directory/tenants.ts';

export const addTenant = internalOperation({
  action: 'directory/tenants/create',
  access: 'write',
  short: false,
  run: (permit, tenant: { readonly displayName: string; readonly domains: readonly string[] }) =>
    createTenant(permit, tenant),
});

export const getTenant = internalOperation({
  action: 'authentication/tenants/resolve',
  access: 'read',
  short: true,
  run: (permit, _input: undefined) => readTenant(permit),
});

export const resolveDomain = internalOperation({
  action: 'authentication/tenants/resolve',
  access: 'read',
  short: true,
  binding: (domain: string) => ({ domain }),
  run: (permit, domain: string) => findTenantByDomain(permit, domain),
});

/** For acts that are bound to no tenant yet: row level security shows nobody's rows for it. */
export const NO_TENANT = parseTenantId('00000000-0000-0000-0000-000000000000') as TenantId; // a GUID as it stands
