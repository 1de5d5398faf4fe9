import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import { DEFAULT_POLICIES, type TenantPolicies } from '../vocabulary/consent-policy.ts';
import type { Written } from '../vocabulary/objects.ts';

type PolicyId = keyof TenantPolicies;

/** The policy as the tenant set it; the default for what it did not set. */
export async function readTenantPolicy<Id extends PolicyId>(
  permit: Permit<Action>,
  id: Id,
): Promise<TenantPolicies[Id]> {
  const [row] = await permit.query<{ settings: Partial<TenantPolicies[Id]> }>({
    text: 'select settings from tenant_policies where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id],
  });
  return { ...DEFAULT_POLICIES[id], ...row?.settings };
}

/** The same, for a change of it or of what it refers to: whoever else means to change it waits until the transaction ends. */
export async function lockTenantPolicy<Id extends PolicyId>(
  permit: Permit<Action>,
  id: Id,
): Promise<TenantPolicies[Id]> {
  // A row that does not exist can not be locked.
  await permit.query({
    text: `insert into tenant_policies (tenant_id, id, settings) values ($1, $2, '{}') on conflict do nothing`,
    values: [permit.tenantId, id],
  });
  await permit.query({
    text: 'select from tenant_policies where tenant_id = $1 and id = $2 for update',
    values: [permit.tenantId, id],
  });
  return readTenantPolicy(permit, id);
}

/** Sets the given properties of the policy. */
export async function writeTenantPolicy<Id extends PolicyId>(
  permit: Permit<Action>,
  id: Id,
  settings: Partial<TenantPolicies[Id]>,
): Promise<Written<TenantPolicies[Id]>> {
  const before = await lockTenantPolicy(permit, id);
  const after = { ...before, ...settings };
  await permit.query({
    text: 'update tenant_policies set settings = $3, updated_at = now() where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id, JSON.stringify(after)],
  });
  return { value: after, changes: [{ type: 'Policy', id, displayName: null, before, after }] };
}
