/**
 * SQL: the scopes that a client holds on an API for a person in a sign-in: granted for everybody or for him, and not taken
 * away since that began, even if granted anew (wire.md, "Refresh"). `$1` is the tenant.
 */
export const GRANTED_SCOPES = (client: string, resource: string, user: string, began: string) => `
  select distinct s from oauth2_permission_grants g cross join unnest(g.scope) s
  where g.tenant_id = $1 and g.client_id = ${client} and g.resource_id = ${resource}
    and (g.principal_id is null or g.principal_id = ${user})
    and not exists (select from revoked_scopes v where v.tenant_id = $1 and v.client_id = ${client}
      and v.resource_id = ${resource} and v.scope = s
      and (v.principal_id is null or v.principal_id = ${user}) and v.revoked_at > ${began})`;
