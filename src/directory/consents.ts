import type { Permit } from '../store/permit.ts';
import type { OAuth2PermissionGrant } from '../vocabulary/applications.ts';
import { badRequest } from '../vocabulary/errors.ts';
import { type AppId, newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ObjectChange, Written } from '../vocabulary/objects.ts';
import { readAssignable } from './app-role-assignments.ts';
import { ORIGINS, originsOf } from './grant-origins.ts';
import { findGrantsOf, requirePublished } from './permission-grants.ts';
import { createServicePrincipal, findServicePrincipal } from './service-principals.ts';
import { shareTurns } from './turns.ts';

/** What a person agreed to on a page: delegated scopes, and app roles where an administrator decides for all. */
export interface Consent {
  readonly appId: AppId;
  /** The people for whom alone it counts; absent: for everybody. */
  readonly principalIds?: readonly ObjectId[] | undefined;
  readonly scopes: readonly ConsentedScopes[];
  readonly appRoles: readonly ConsentedAppRole[];
  /** The user or service principal who decided; absent: the operator. */
  readonly by?: ObjectId | undefined;
  /** The request for consent that was approved. */
  readonly requestId?: ObjectId | undefined;
}

export interface ConsentedScopes {
  readonly resourceId: ObjectId;
  readonly values: readonly string[];
  /** The policy under which a person allowed a scope himself. */
  policyOf?(value: string): string | undefined;
}

export interface ConsentedAppRole {
  readonly resourceId: ObjectId;
  readonly appRoleId: string;
}

export type ConsentPermit = Permit<
  | 'directory/oAuth2PermissionGrants/create'
  | 'directory/oAuth2PermissionGrants/ownConsent/create'
  | 'directory/appConsentRequests/review'
>;

/**
 * Records a consent: the application becomes present in the tenant if it was not, scopes and app roles are added to
 * what was granted before, and nothing is taken away.
 * @throws DirectoryError `Request_BadRequest` for a scope or role that the resource does not publish, `Request_ResourceNotFound`
 */
export async function recordConsent(permit: ConsentPermit, consent: Consent): Promise<Written<undefined>> {
  const resourceIds = [...consent.scopes, ...consent.appRoles].map(({ resourceId }) => resourceId);
  await shareTurns(permit, { ids: [...(consent.principalIds ?? []), ...resourceIds], appIds: [consent.appId] });
  const changes: ObjectChange[] = [];
  let clientId = (await findServicePrincipal(permit, consent.appId))?.id;
  if (clientId === undefined) {
    const created = await createServicePrincipal(permit, consent.appId);
    clientId = created.value.id;
    changes.push(...created.changes);
  }
  for (const scopes of consent.scopes) changes.push(...(await addScopes(permit, clientId, consent, scopes)));
  for (const appRole of consent.appRoles) changes.push(...(await addAppRole(permit, clientId, appRole, consent.by)));
  return { value: undefined, changes };
}

/**
 * Adds scopes to what an application was granted on one resource, for everybody or for some people.
 * @throws DirectoryError `Request_BadRequest` for a scope that the resource does not publish, `Request_ResourceNotFound`
 */
export async function addScopes(
  permit: ConsentPermit | Permit<'authentication/consents/preAuthorize'>,
  clientId: ObjectId,
  { principalIds, by, requestId }: Pick<Consent, 'principalIds' | 'by' | 'requestId'>,
  { resourceId, values, policyOf }: ConsentedScopes,
): Promise<ObjectChange[]> {
  await requirePublished(permit, resourceId, values);
  const principals = principalIds ?? [null];
  const which = { clientId, resourceId, principals };
  const grantOf = (grants: readonly OAuth2PermissionGrant[], whose: ObjectId | null) =>
    grants.find(({ principalId }) => principalId === whose);
  const before = await findGrantsOf(permit, which);
  const rows = principals.map((principal) => {
    const held = new Set(grantOf(before, principal)?.scope.split(' '));
    const fresh = values.filter((value) => !held.has(value));
    return { id: newObjectId(), principal, origins: originsOf(fresh, by, policyOf, requestId) };
  });
  await permit.query({
    text: `insert into oauth2_permission_grants as g
        (tenant_id, id, client_id, resource_id, consent_type, principal_id, scope, origins)
      select $1, w.id, $2, $3, $4, w.principal, $5, ${ORIGINS('w.origins')}
      from jsonb_to_recordset($6) as w (id uuid, principal uuid, origins jsonb)
      on conflict (tenant_id, client_id, resource_id, principal_id) do update
        set origins = g.origins || excluded.origins, scope = g.scope || array(select s from unnest(excluded.scope) s where s <> all (g.scope))`,
    values: [
      ...[permit.tenantId, clientId, resourceId, principalIds ? 'Principal' : 'AllPrincipals'],
      ...[[...new Set(values)], JSON.stringify(rows)],
    ],
  });
  const after = await findGrantsOf(permit, which);
  return after.map((grant) => ({
    ...({ type: 'OAuth2PermissionGrant', id: grant.id, displayName: null } as const),
    ...{ before: grantOf(before, grant.principalId), after: grant },
  }));
}

async function addAppRole(
  permit: ConsentPermit,
  clientId: ObjectId,
  { resourceId, appRoleId }: ConsentedAppRole,
  by: ObjectId | undefined,
): Promise<ObjectChange[]> {
  const { memberTypes } = await readAssignable(permit, resourceId, appRoleId);
  if (!memberTypes.includes('Application')) throw badRequest('The resource publishes no such application permission.');
  const [row] = await permit.query<{ id: string }>({
    text: `insert into app_role_assignments
        (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id, granted_by)
      values ($1, $2, 'ServicePrincipal', $3, $4, $5, $6) on conflict do nothing returning id`,
    values: [permit.tenantId, newObjectId(), clientId, resourceId, appRoleId, by ?? null],
  });
  const after = { principalId: clientId, resourceId, appRoleId };
  return row ? [{ type: 'AppRoleAssignment', id: row.id, displayName: null, after }] : [];
}

/** What an application was granted on one resource, for everybody and for one person. */
export interface GrantedScopes {
  readonly resourceAppId: string;
  readonly forEverybody: readonly string[];
  readonly forUser: readonly string[];
}

export async function readGrantedScopes(
  permit: Permit<'authentication/tokens/read'>,
  { appId, userId }: { readonly appId: string; readonly userId: string },
): Promise<readonly GrantedScopes[]> {
  return permit.query<GrantedScopes & Record<string, unknown>>({
    name: 'read-granted-scopes',
    text: `select r.app_id as "resourceAppId",
        coalesce(array_agg(s) filter (where g.principal_id is null), '{}') as "forEverybody",
        coalesce(array_agg(s) filter (where g.principal_id is not null), '{}') as "forUser"
      from service_principals c
      join oauth2_permission_grants g on g.tenant_id = $1 and g.client_id = c.id and (g.principal_id is null or g.principal_id = $3)
      join service_principals r on r.tenant_id = $1 and r.id = g.resource_id
      cross join unnest(g.scope) s
      where c.tenant_id = $1 and c.app_id = $2
      group by 1`,
    values: [permit.tenantId, appId, userId],
  });
}
