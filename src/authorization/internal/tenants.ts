import {
  createTenant,
  findTenantByDomain,
  readTenant,
  type TenantChange,
  type TenantState,
  updateTenant,
} from '../../directory/tenants.ts';
import { parseTenantId, type TenantId } from '../../vocabulary/ids.ts';
import { internalOperation } from '../operation.ts';

export type { Tenant } from '../../directory/tenants.ts';

interface NewTenant {
  readonly displayName: string;
  readonly domains: readonly string[];
}

export const addTenant = internalOperation({
  action: 'directory/tenants/create',
  access: 'write',
  short: false,
  audit: { activity: 'Create organization', category: 'DirectoryManagement', type: 'Add', object: 'Organization' },
  changes: (tenant: NewTenant, _result, tenantId) => [
    { type: 'Organization', id: tenantId, displayName: tenant.displayName, after: tenant },
  ],
  run: (permit, tenant: NewTenant) => createTenant(permit, tenant),
});

export const changeTenant = internalOperation({
  action: 'directory/tenants/basic/update',
  access: 'write',
  short: false,
  raisesVersion: true,
  audit: { activity: 'Update organization', category: 'DirectoryManagement', type: 'Update', object: 'Organization' },
  changes: (after: TenantChange, before: TenantState, tenantId) => [
    {
      type: 'Organization',
      id: tenantId,
      displayName: after.displayName ?? before.displayName,
      before,
      after: { ...before, ...after },
    },
  ],
  run: (permit, change: TenantChange): Promise<TenantState> => updateTenant(permit, change),
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
