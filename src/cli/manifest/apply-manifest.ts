import { randomUUID } from 'node:crypto';
import { addSigningKey, listKeys } from '../../authorization/internal/signing-keys.ts';
import { addTenant, changeTenant, getTenant, NO_TENANT, resolveDomain } from '../../authorization/internal/tenants.ts';
import { newTenantId, parseTenantId, type TenantId } from '../../vocabulary/ids.ts';
import { internalPrincipal } from '../../vocabulary/principals.ts';
import type { RequestContext } from '../../vocabulary/request-context.ts';
import { CommandError, type Operator } from '../rooms.ts';
import { Tenancy } from '../tenancy.ts';
import { applyApplications } from './applications.ts';
import type { TenantReport } from './changes.ts';
import { applyConsents } from './consents.ts';
import { applyPeople } from './people.ts';
import { applyPolicies } from './policies.ts';
import type { Manifest, TenantManifest } from './schema.ts';

/**
 * Makes the deployment be as the manifest says: adds what is missing, changes what differs, takes nothing away. All
 * tenants' own objects first, so that one tenant's consents can speak of another's applications.
 * @throws DirectoryError, CommandError; what was done until then stays, and the next run goes on from there
 */
export async function applyManifest(operator: Operator, manifest: Manifest): Promise<TenantReport[]> {
  const context: RequestContext = { correlationId: randomUUID() };
  const applications = manifest.tenants.flatMap((tenant) => tenant.applications ?? []);
  const opened: { tenancy: Tenancy; tenant: TenantManifest; report: TenantReport }[] = [];
  for (const tenant of manifest.tenants) {
    const { tenancy, report } = await openTenant(operator, tenant, context);
    opened.push({ tenancy, tenant, report });
    await applyPeople(tenancy, tenant, report.changes);
    await applyApplications(tenancy, tenant, applications, report.changes);
  }
  for (const { tenancy, tenant, report } of opened) {
    await applyConsents(tenancy, tenant, report.changes);
    await applyPolicies(tenancy, tenant, report.changes);
  }
  return opened.map(({ report }) => report);
}

/** Finds or makes the tenant, with its domains and keys. */
async function openTenant(operator: Operator, tenant: TenantManifest, context: RequestContext) {
  const tenantId = await idOf(operator, tenant);
  const tenancy = new Tenancy(operator.authorization, tenantId, context);
  const { displayName } = tenant;
  const domains = tenant.domains.map((domain) => domain.toLowerCase());
  const report: TenantReport = { id: tenantId, displayName, domains, changes: [] };
  const named = { type: 'Organization', id: tenantId, name: displayName } as const;
  const existing = await tenancy.performInternal(getTenant, undefined);
  if (!existing) {
    await tenancy.performInternal(addTenant, { displayName, domains });
    report.changes.push({ change: 'created', ...named });
  } else {
    const missing = domains.filter((domain) => !existing.domains.includes(domain));
    if (missing.length > 0 || existing.displayName !== displayName) {
      await tenancy.performInternal(changeTenant, { displayName, domains: missing });
      report.changes.push({ change: 'updated', ...named });
    }
  }
  await ensureKeys(operator, tenancy);
  return { tenancy, report };
}

/** ES256 keys; those for RS256 are made at the first token that needs one. */
async function ensureKeys({ makeSigningKey }: Operator, tenancy: Tenancy): Promise<void> {
  const keys = await tenancy.performInternal(listKeys, undefined);
  for (const slot of ['current', 'next'] as const) {
    if (keys.some((key) => key.algorithm === 'ES256' && key.slot === slot)) continue;
    await tenancy.performInternal(addSigningKey, await makeSigningKey('ES256', slot));
  }
}

async function idOf({ authorization }: Operator, { id, domains }: TenantManifest): Promise<TenantId> {
  const fixed = id === undefined ? undefined : parseTenantId(id);
  const operator = internalPrincipal('operator', NO_TENANT);
  const holders = new Set<TenantId>();
  for (const domain of domains) {
    const holder = await authorization.performInternal(operator, resolveDomain, domain.toLowerCase());
    if (holder && fixed && holder !== fixed)
      throw new CommandError(`${domain} belongs to another organization, ${holder}.`);
    if (holder) holders.add(holder);
  }
  if (holders.size > 1) throw new CommandError(`${domains.join(', ')} belong to different organizations.`);
  return fixed ?? [...holders][0] ?? newTenantId();
}
