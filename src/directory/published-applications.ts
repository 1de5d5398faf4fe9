import type { Permit } from '../store/permit.ts';
import type { Application } from '../vocabulary/applications.ts';
import { raisePublishedVersion } from './versions.ts';

/** All columns of an application that other tenants see; a test compares them with the table. */
export const COPIED = [
  ...['display_name', 'sign_in_audience', 'publisher_domain', 'identifier_uris', 'web_redirect_uris', 'web_logout_url'],
  ...['spa_redirect_uris', 'public_client_redirect_uris', 'is_fallback_public_client', 'oauth2_permission_scopes'],
  ...['app_roles', 'required_resource_access', 'key_credentials', 'compatibility'],
  ...['verified_publisher_domain', 'verified_publisher_added_at', 'home_page_url', 'terms_of_service_url'],
  ...['privacy_statement_url', 'support_url', 'logo', 'logo_type', 'logo_hash', 'is_disabled', 'registration'],
  ...['pre_authorized_applications', 'optional_claims', 'group_membership_claims', 'access_token_seconds', 'jwks_uri'],
];
const MULTI_TENANT = 'AzureADMultipleOrgs';

// What a tenant publishes that is closed, nobody else sees.
const PUBLISH = `insert into published_applications (app_id, home_tenant_id, ${COPIED.join(', ')})
  select app_id, tenant_id, ${COPIED.join(', ')} from applications
  where tenant_id = $1 and ($2::uuid is null or id = $2) and sign_in_audience = '${MULTI_TENANT}'
    and exists (select from tenants t where t.id = $1 and t.is_enabled)
  on conflict (app_id) do update set ${COPIED.map((column) => `${column} = excluded.${column}`).join(', ')}
  returning app_id as "appId", (select a.id from applications a where a.tenant_id = $1 and a.app_id = published_applications.app_id) as id`;

/**
 * Writes what other tenants must know of a multi-tenant application, in the home tenant's own transaction; takes it
 * back when the application is for its own organization alone.
 */
export async function publish(
  permit: Permit<'directory/applications/create' | 'directory/applications/basic/update'>,
  { id, appId, signInAudience }: Application,
  before?: Application['signInAudience'],
): Promise<void> {
  if (signInAudience === MULTI_TENANT) {
    await permit.query({ text: PUBLISH, values: [permit.tenantId, id] });
    await publishSecrets(permit, id);
  } else if (before === MULTI_TENANT) {
    await permit.query({
      text: 'delete from published_applications where home_tenant_id = $1 and app_id = $2',
      values: [permit.tenantId, appId],
    });
  } else return;
  await raisePublishedVersion(permit, appId);
}

/** All that a tenant has for others, when it is opened again. */
export async function publishAll(permit: Permit<'directory/tenants/basic/update'>): Promise<void> {
  const published = await permit.query<{ appId: string; id: string }>({
    text: PUBLISH,
    values: [permit.tenantId, null],
  });
  for (const { id, appId } of published) {
    await publishSecrets(permit, id);
    await raisePublishedVersion(permit, appId);
  }
}

/** Takes it back, when the tenant is closed: its applications act in no other organization either. */
export async function unpublishAll(permit: Permit<'directory/tenants/basic/update'>): Promise<void> {
  const taken = await permit.query<{ appId: string }>({
    text: 'delete from published_applications where home_tenant_id = $1 returning app_id as "appId"',
    values: [permit.tenantId],
  });
  for (const { appId } of taken) await raisePublishedVersion(permit, appId);
}

/** By a function of the owner's: this login can not read a secret's HMAC. */
async function publishSecrets(
  permit: Permit<
    'directory/applications/create' | 'directory/applications/basic/update' | 'directory/tenants/basic/update'
  >,
  applicationId: string,
): Promise<void> {
  await permit.query({ text: 'select publish_password_credentials($1, $2)', values: [permit.tenantId, applicationId] });
}
