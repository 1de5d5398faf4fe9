import type { Permit } from '../store/permit.ts';
import { OPEN_TO } from './user-assignments.ts';

/**
 * A token family begins with one authorization code and holds every token that descends from it. It is bound to tenant,
 * person, client and session, not to one resource (wire.md, "Refresh").
 */
export interface TokenFamily {
  readonly id: string;
  readonly userId: string;
  readonly appId: string;
  readonly sessionUid: string | undefined;
  /** Seconds since the epoch, with their fraction: when the person of the session proved who he is. */
  readonly authenticatedAt: number;
  readonly platform: FamilyPlatform;
  /** Seconds to live at most. */
  readonly expiresIn: number;
}

/** As which of its kinds the client began the family. */
export type FamilyPlatform = 'web' | 'spa' | 'publicClient';

/** What a family may have now: scopes by resource, as granted this moment and never taken away since it began. */
export interface LiveConsent {
  readonly resourceAppId: string;
  readonly identifierUris: readonly string[];
  readonly scopes: readonly string[];
}

/** The beginning of a family. Its client and its person are in the tenant, or nothing happens and the result is false. */
export async function insertFamily(
  permit: Permit<'authentication/tokens/issue'>,
  family: TokenFamily,
): Promise<boolean> {
  const rows = await permit.query({
    name: 'insert-family',
    text: `insert into token_families (tenant_id, id, user_id, service_principal_id, session_uid, platform, expires_at, authenticated_at)
      select $1, $2, $3, s.id, $5, $6, now() + make_interval(secs => $7), to_timestamp($8)
      from service_principals s join users u on u.tenant_id = $1 and u.id = $3 and u.account_enabled
      where s.tenant_id = $1 and s.app_id = $4 and s.account_enabled returning true as inserted`,
    values: [
      permit.tenantId,
      family.id,
      family.userId,
      family.appId,
      family.sessionUid ?? null,
      family.platform,
      family.expiresIn,
      family.authenticatedAt,
    ],
  });
  return rows.length === 1;
}

export interface LiveFamily {
  readonly userId: string;
  readonly appId: string;
  readonly sessionUid: string | null;
  readonly platform: FamilyPlatform;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly consents: readonly LiveConsent[];
}

const CONSENTS = (client: string, user: string, since: string) => `
  coalesce((select jsonb_agg(jsonb_build_object('resourceAppId', q.app_id, 'identifierUris', q.identifier_uris, 'scopes', q.scopes))
    from (
      select r.app_id, coalesce(a.identifier_uris, p.identifier_uris) as identifier_uris, array_agg(distinct s) as scopes
      from oauth2_permission_grants g
      join service_principals r on r.tenant_id = $1 and r.id = g.resource_id and r.account_enabled
        and ${OPEN_TO('r', user)}
      left join applications a on a.tenant_id = $1 and a.app_id = r.app_id
      left join published_applications p on p.app_id = r.app_id and a.id is null
      cross join unnest(g.scope) s
      where g.tenant_id = $1 and g.client_id = ${client} and (g.principal_id is null or g.principal_id = ${user})
        and exists (select from jsonb_array_elements(coalesce(a.oauth2_permission_scopes, p.oauth2_permission_scopes)) e
          where e ->> 'value' = s and coalesce((e ->> 'isEnabled')::boolean, true))
        and not exists (select from revoked_scopes x where x.tenant_id = $1 and x.client_id = g.client_id
          and x.resource_id = g.resource_id and x.scope = s and (x.principal_id is null or x.principal_id = ${user})
          and x.revoked_at > ${since})
      group by 1, 2
    ) q), '[]') as consents`;

/** A family that lives: not revoked, its person, client, tenant and session as they were when it began. */
export async function readLiveFamily(
  permit: Permit<'authentication/tokens/read'>,
  id: string,
): Promise<LiveFamily | undefined> {
  const [family] = await permit.query<LiveFamily>({
    name: 'read-live-family',
    text: `select f.user_id as "userId", c.app_id as "appId", f.session_uid as "sessionUid", f.platform,
        extract(epoch from f.created_at)::float8 as "createdAt", extract(epoch from f.expires_at)::float8 as "expiresAt",
        ${CONSENTS('f.service_principal_id', 'f.user_id', 'f.created_at')}
      from token_families f
      join tenants t on t.id = f.tenant_id and t.is_enabled
      join users u on u.tenant_id = $1 and u.id = f.user_id and u.account_enabled
      join service_principals c on c.tenant_id = $1 and c.id = f.service_principal_id and c.account_enabled
        and ${OPEN_TO('c', 'f.user_id')}
      where f.tenant_id = $1 and f.id = $2 and f.revoked_at is null and f.expires_at > now()
        and f.authenticated_at >= u.sign_in_sessions_valid_from`,
    values: [permit.tenantId, id],
  });
  return family;
}

/** What a person's client may have now, before a family begins. */
export async function readLiveConsents(
  permit: Permit<'authentication/tokens/read'>,
  { userId, appId }: { readonly userId: string; readonly appId: string },
): Promise<LiveConsent[]> {
  const [row] = await permit.query<{ consents: LiveConsent[] }>({
    name: 'read-live-consents',
    text: `select ${CONSENTS('c.id', '$3', 'now()')} from service_principals c
      where c.tenant_id = $1 and c.app_id = $2 and c.account_enabled`,
    values: [permit.tenantId, appId, userId],
  });
  return row?.consents ?? [];
}

/** Ends families. A fact, not a part of other work: it commits even when the request that found it out is refused. */
export async function revokeFamilies(
  permit: Permit<'authentication/families/revoke'>,
  which: { readonly id?: string; readonly sessionUid?: string; readonly reason: string },
): Promise<void> {
  await permit.query({
    text: `update token_families set revoked_at = clock_timestamp(), revoked_reason = $4
      where tenant_id = $1 and (id = $2 or session_uid = $3) and revoked_at is null`,
    values: [permit.tenantId, which.id ?? null, which.sessionUid ?? null, which.reason],
  });
}

/** Ends an app-only token before its time (RFC 7009). */
export async function revokeToken(
  permit: Permit<'authentication/families/revoke'>,
  { tokenId, expiresAt }: { readonly tokenId: string; readonly expiresAt: number },
): Promise<void> {
  await permit.query({
    text: 'insert into revoked_tokens (tenant_id, token_id, expires_at) values ($1, $2, to_timestamp($3)) on conflict do nothing',
    values: [permit.tenantId, tokenId, expiresAt],
  });
}

/** Whether an app-only token was ended before its time. */
export async function isTokenRevoked(permit: Permit<'authentication/tokens/read'>, tokenId: string): Promise<boolean> {
  const rows = await permit.query({
    name: 'is-token-revoked',
    text: 'select true as revoked from revoked_tokens where tenant_id = $1 and token_id = $2',
    values: [permit.tenantId, tokenId],
  });
  return rows.length > 0;
}
