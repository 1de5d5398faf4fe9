import type { Permit } from '../store/permit.ts';
import { conflict } from '../vocabulary/errors.ts';
import type { AppId } from '../vocabulary/ids.ts';

type Write = Permit<
  | 'directory/applications/create'
  | 'directory/applications/basic/update'
  | 'directory/servicePrincipals/create'
  | 'directory/oAuth2PermissionGrants/create'
  | 'directory/oAuth2PermissionGrants/ownConsent/create'
>;

/**
 * Call after an application got its identifier URIs, or came into the tenant. An identifier URI names one resource in a
 * tenant, or a token could be asked for one API and issued for another. All who change them wait for one another at the
 * tenant's version, so that of twenty at once one wins (RAC-18).
 * @throws DirectoryError `Request_MultipleObjectsWithSameKeyValue`
 */
export async function requireOwnIdentifiers(permit: Write, appId: AppId): Promise<void> {
  await permit.query({
    text: 'select from tenant_versions where tenant_id = $1 for update',
    values: [permit.tenantId],
  });
  const rows = await permit.query({
    text: `with present as (
        select s.app_id, coalesce(a.identifier_uris, p.identifier_uris) as uris from service_principals s
        left join applications a on a.tenant_id = s.tenant_id and a.app_id = s.app_id
        left join published_applications p on p.app_id = s.app_id and a.id is null
        where s.tenant_id = $1)
      select from present mine join present other on other.app_id <> mine.app_id and other.uris && mine.uris
      where mine.app_id = $2 limit 1`,
    values: [permit.tenantId, appId],
  });
  if (rows.length > 0) throw conflict('Another application in the organization has the same identifier URI.');
}
