import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import type { ApplicationPrincipal, DelegatedPrincipal, SessionPrincipal } from '../vocabulary/principals.ts';
import { ANCESTORS_LIVE } from './family-chain.ts';
import { GRANTED_SCOPES } from './granted-scopes.ts';
import { OFFERED } from './offered-applications.ts';
import { OPEN_TO } from './user-assignments.ts';

/** What the rows say of a principal right now. Read at every call; a token's word for any of it is not asked. */
export interface LiveState {
  readonly tenantEnabled: boolean;
  /** The person exists and is enabled (true for an application, which has none). */
  readonly userEnabled: boolean;
  readonly isGuest: boolean;
  /** The application exists, and its service principal in this tenant; that is enabled, and open to the person. */
  readonly clientEnabled: boolean;
  /** The key that signed the token is still published. */
  readonly keyKnown: boolean;
  /** The session, token family or token was not revoked. */
  readonly sessionAlive: boolean;
  /** Role definition ids. */
  readonly directoryRoles: readonly string[];
  /** Delegated scopes or app roles of the directory API that are granted now. */
  readonly permissions: readonly string[];
}

const DELEGATED = {
  name: 'live-state-delegated',
  text: `
    select t.is_enabled as "tenantEnabled",
      coalesce(u.account_enabled, false) as "userEnabled",
      coalesce(u.user_type = 'Guest', false) as "isGuest",
      coalesce(c.account_enabled and ${OFFERED('c.app_id')} and ${OPEN_TO('c', 'u.id')}, false) as "clientEnabled",
      exists (select from signing_keys k where k.tenant_id = $1 and k.kid = $4) as "keyKnown",
      coalesce(f.revoked_at is null and f.expires_at > now() and f.authenticated_at >= u.sign_in_sessions_valid_from
        and ${ANCESTORS_LIVE('f')}, false) as "sessionAlive",
      array(select a.role_definition_id from role_assignments a where a.tenant_id = $1 and a.user_id = u.id) as "directoryRoles",
      array(${GRANTED_SCOPES('c.id', 'r.id', 'u.id', 'f.created_at')}) as "permissions"
    from tenants t
    left join users u on u.tenant_id = t.id and u.id = $2
    left join service_principals c on c.tenant_id = t.id and c.app_id = $3
    left join service_principals r on r.tenant_id = t.id and r.app_id = $6 and r.account_enabled
    left join token_families f on f.tenant_id = t.id and f.id = $5 and f.user_id = u.id and f.service_principal_id = c.id
    where t.id = $1`,
};

const APPLICATION = {
  name: 'live-state-application',
  text: `
    select t.is_enabled as "tenantEnabled", true as "userEnabled", false as "isGuest",
      coalesce(c.account_enabled and ${OFFERED('c.app_id')}, false) as "clientEnabled",
      exists (select from signing_keys k where k.tenant_id = $1 and k.kid = $4) as "keyKnown",
      not exists (select from revoked_tokens v where v.tenant_id = $1 and v.token_id = $5) as "sessionAlive",
      array(select a.role_definition_id from role_assignments a
        where a.tenant_id = $1 and a.service_principal_id = c.id) as "directoryRoles",
      array(select role ->> 'value' from app_role_assignments a
        join published_applications p on p.app_id = $6
        cross join jsonb_array_elements(p.app_roles) role
        where a.tenant_id = $1 and a.service_principal_id = c.id and a.resource_id = r.id
          and role ->> 'id' = a.app_role_id::text) as "permissions"
    from tenants t
    left join service_principals c on c.tenant_id = t.id and c.id = $2 and c.app_id = $3
    left join service_principals r on r.tenant_id = t.id and r.app_id = $6 and r.account_enabled
    where t.id = $1`,
};

const SESSION = {
  name: 'live-state-session',
  text: `
    select t.is_enabled as "tenantEnabled", coalesce(u.account_enabled, false) as "userEnabled",
      coalesce(u.user_type = 'Guest', false) as "isGuest", true as "clientEnabled", true as "keyKnown",
      coalesce(to_timestamp($3) >= u.sign_in_sessions_valid_from, false) as "sessionAlive",
      array(select a.role_definition_id from role_assignments a where a.tenant_id = $1 and a.user_id = u.id) as "directoryRoles",
      '{}'::text[] as "permissions"
    from tenants t left join users u on u.tenant_id = t.id and u.id = $2
    where t.id = $1`,
};

/** The live state of a principal, for the directory API as the resource; nothing when its tenant is gone. */
export async function readLiveState(
  permit: Permit<Action>,
  principal: DelegatedPrincipal | ApplicationPrincipal | SessionPrincipal,
  directoryAppId: string,
): Promise<LiveState | undefined> {
  const [state] = await permit.query<LiveState>(statementOf(principal, directoryAppId));
  return state;
}

function statementOf(principal: DelegatedPrincipal | ApplicationPrincipal | SessionPrincipal, directoryAppId: string) {
  const { tenantId } = principal;
  if (principal.kind === 'session')
    return { ...SESSION, values: [tenantId, principal.userId, principal.authenticatedAt] };
  if (principal.kind === 'application') {
    const { servicePrincipalId, appId, keyId, tokenId } = principal;
    return { ...APPLICATION, values: [tenantId, servicePrincipalId, appId, keyId, tokenId, directoryAppId] };
  }
  const { userId, appId, keyId, familyId } = principal;
  return { ...DELEGATED, values: [tenantId, userId, appId, keyId, familyId, directoryAppId] };
}
