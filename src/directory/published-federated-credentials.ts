import type { Permit } from '../store/permit.ts';

/**
 * Writes anew what other tenants must know of the credentials of the tenant's published applications.
 * @param applicationId one of them; all of them when absent
 */
export async function publishFederatedCredentials(
  permit: Permit<
    | 'directory/applications/create'
    | 'directory/applications/basic/update'
    | 'directory/applications/credentials/update'
    | 'directory/applications/verification/update'
    | 'directory/tenants/basic/update'
  >,
  applicationId?: string,
): Promise<void> {
  const values = [permit.tenantId, applicationId ?? null];
  const isMeant = `home_tenant_id = $1 and app_id in
    (select app_id from applications where tenant_id = $1 and ($2::uuid is null or id = $2))`;
  await permit.query({ text: `delete from published_federated_identity_credentials where ${isMeant}`, values });
  await permit.query({
    text: `insert into published_federated_identity_credentials (app_id, id, home_tenant_id, issuer, subject, audiences)
      select a.app_id, f.id, $1, f.issuer, f.subject, f.audiences
      from federated_identity_credentials f
      join applications a on a.tenant_id = $1 and a.id = f.application_id
      join published_applications p on p.home_tenant_id = $1 and p.app_id = a.app_id
      where f.tenant_id = $1 and ($2::uuid is null or a.id = $2)`,
    values,
  });
}
