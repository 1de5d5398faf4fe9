import type { Permit } from '../store/permit.ts';
import type { Application } from '../vocabulary/applications.ts';
import { badRequest, conflict } from '../vocabulary/errors.ts';
import { type AppId, isGuid } from '../vocabulary/ids.ts';

type Write = Permit<
  | 'directory/applications/create'
  | 'directory/applications/basic/update'
  | 'directory/servicePrincipals/create'
  | 'directory/oAuth2PermissionGrants/create'
  | 'directory/oAuth2PermissionGrants/ownConsent/create'
  | 'directory/appConsentRequests/review'
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

/**
 * Whether the application may have these names at all. `api://` and a GUID is what an application is called by anyway, so
 * it is nobody else's. What other organizations are shown must be its home's own: the application's or the tenant's id,
 * or a verified domain, of which there is one in the deployment (as Entra asks). Without that, an application that was
 * let in long ago could take the name of its host's own API, and be asked for in its place.
 * @throws DirectoryError `Request_BadRequest`
 */
export async function requireBoundIdentifiers(
  permit: Write,
  { appId, identifierUris, signInAudience }: Pick<Application, 'appId' | 'identifierUris' | 'signInAudience'>,
): Promise<void> {
  if (identifierUris.length === 0) return;
  const ids = [appId, permit.tenantId];
  const unbound = identifierUris
    .map((uri) => ({ uri, host: hostOf(uri) }))
    .filter(({ host }) => !ids.some((id) => id === host));
  const foreign = unbound.find(({ uri, host }) => uri.startsWith('api://') && isGuid(host));
  if (foreign) throw badRequest(`identifierUris: ${foreign.uri} is the name of another application.`);
  if (signInAudience !== 'AzureADMultipleOrgs' || unbound.length === 0) return;
  const rows = await permit.query<{ name: string }>({
    text: 'select name from verified_domains where tenant_id = $1',
    values: [permit.tenantId],
  });
  const stranger = unbound.find(({ host }) => !rows.some(({ name }) => host === name || host.endsWith(`.${name}`)));
  if (stranger)
    throw badRequest(
      `identifierUris: ${stranger.uri} must begin with a verified domain, the appId or the organization's id, because other organizations may add this application.`,
    );
}

function hostOf(uri: string): string {
  return new URL(uri.replace(/^api:/, 'https:')).hostname;
}
