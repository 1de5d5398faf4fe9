import type { Permit } from '../store/permit.ts';
import {
  assignedPolicies,
  BUILT_IN_GRANT_POLICIES,
  type ConsentFacts,
  type ConsentPolicies,
  type GrantPolicy,
} from '../vocabulary/consent-policy.ts';
import { BUILT_IN, POLICIES } from './permission-grant-policies.ts';
import { readTenantPolicy } from './tenant-policies.ts';

export type ConsentFactsPermit = Permit<
  | 'authentication/tokens/read'
  | 'directory/oAuth2PermissionGrants/create'
  | 'directory/oAuth2PermissionGrants/ownConsent/create'
  | 'directory/appConsentRequests/ownRequest/create'
  | 'directory/appConsentRequests/review'
>;

/**
 * Everything on which it depends who may consent to what of these resources for an application, which need not be
 * present. Binds the transaction to the application's id.
 */
export async function readConsentPolicies(
  permit: ConsentFactsPermit,
  appId: string,
  resourceIds: readonly string[],
): Promise<ConsentPolicies> {
  return {
    client: await readClient(permit, appId),
    resources: await readResources(permit, resourceIds),
    policies: await readAssigned(permit),
  };
}

async function readClient(permit: ConsentFactsPermit, appId: string): Promise<ConsentFacts['client']> {
  await permit.query({ text: `select from set_config('bailiwick.app_id', $1, true)`, values: [appId] });
  const [row] = await permit.query<Omit<ConsentFacts['client'], 'appId'> & Record<string, unknown>>({
    text: `select coalesce(a.tenant_id, p.home_tenant_id) as "homeTenantId", a.id is not null as "isOwn",
        coalesce(a.verified_publisher_domain, p.verified_publisher_domain) as "verifiedPublisherDomain",
        coalesce(a.registration, p.registration) is not distinct from 'dynamic' and s.id is null as "isPending"
      from tenants t
      left join applications a on a.tenant_id = t.id and a.app_id = $2
      left join published_applications p on p.app_id = $2 and a.id is null
      left join service_principals s on s.tenant_id = t.id and s.app_id = $2
      where t.id = $1`,
    values: [permit.tenantId, appId],
  });
  return { appId, ...(row ?? { homeTenantId: null, isOwn: false, verifiedPublisherDomain: null, isPending: true }) };
}

async function readResources(
  permit: ConsentFactsPermit,
  resourceIds: readonly string[],
): Promise<ConsentPolicies['resources']> {
  return permit.query<ConsentPolicies['resources'][number] & Record<string, unknown>>({
    text: `select s.id as "resourceId", s.app_id as "appId", a.id is not null as "isOwn",
        coalesce((select jsonb_agg(jsonb_build_object('id', e ->> 'id', 'value', e ->> 'value',
            'type', case e ->> 'type' when 'User' then 'User' else 'Admin' end, 'classification', c.classification))
          from jsonb_array_elements(coalesce(a.oauth2_permission_scopes, p.oauth2_permission_scopes)) e
          left join delegated_permission_classifications c
            on c.tenant_id = s.tenant_id and c.service_principal_id = s.id and c.permission_id::text = e ->> 'id'), '[]') as scopes
      from service_principals s
      left join applications a on a.tenant_id = s.tenant_id and a.app_id = s.app_id
      left join published_applications p on p.app_id = s.app_id and a.id is null
      where s.tenant_id = $1 and s.id = any ($2)`,
    values: [permit.tenantId, resourceIds],
  });
}

/** In the order in which they are assigned. */
async function readAssigned(permit: ConsentFactsPermit): Promise<readonly GrantPolicy[]> {
  const ids = assignedPolicies(await readTenantPolicy(permit, 'authorizationPolicy'));
  const isBuiltIn = ids.every((id) => BUILT_IN_GRANT_POLICIES.some((policy) => policy.id === id));
  const known = isBuiltIn
    ? BUILT_IN_GRANT_POLICIES
    : await permit.query<GrantPolicy & Record<string, unknown>>({
        text: `select x.id, x.display_name as "displayName", x.description, x.includes, x.excludes from ${POLICIES}
          where x.tenant_id = $1 and x.id = any ($3)`,
        values: [permit.tenantId, BUILT_IN, ids],
      });
  return ids.flatMap((id) => known.find((policy) => policy.id === id) ?? []);
}
