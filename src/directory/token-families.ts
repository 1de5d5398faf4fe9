import type { Permit } from '../store/permit.ts';
import type { TokenFacts } from '../vocabulary/token-decision.ts';
import { ANCESTORS_LIVE } from './family-chain.ts';
import { CLIENT_DEFINITION, FACTS, type FactsRow, factsOf } from './token-facts.ts';
import { shareTurns } from './turns.ts';

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
  /** The family of the token that was exchanged. Session, sign-in and end are that one's then. */
  readonly parentId?: string | undefined;
  /** Who acts for the person, outermost first. */
  readonly actor?: readonly Actor[] | undefined;
}

/** An application that acts for a person because it was called in his name (RFC 8693, section 4.1). */
export interface Actor {
  /** Of its service principal. */
  readonly sub: string;
  readonly clientId: string;
}

/** As which of its kinds the client began the family. */
export type FamilyPlatform = 'web' | 'spa' | 'publicClient';

/** The beginning of a family. Its client and its person are in the tenant, or nothing happens and the result is false. */
export async function insertFamily(
  permit: Permit<'authentication/tokens/issue'>,
  family: TokenFamily,
): Promise<boolean> {
  await shareTurns(permit, { ids: [family.userId], appIds: [family.appId] });
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

/**
 * The same by exchange: only while the family that it comes of lives. Nothing keeps that from ending meanwhile: the row that is
 * left then is dead from the beginning (`family-chain.ts`).
 */
export async function insertChildFamily(
  permit: Permit<'authentication/tokens/issue'>,
  { id, userId, appId, platform, parentId, actor = [] }: TokenFamily,
): Promise<boolean> {
  // With the service principal of a parent goes the parent, and with that this one.
  const parents = await permit.query<{ servicePrincipalId: string }>({
    name: 'read-parent-families',
    text: `with recursive parents as (
        select parent_id, service_principal_id from token_families where tenant_id = $1 and id = $2
        union all
        select f.parent_id, f.service_principal_id from parents p join token_families f on f.tenant_id = $1 and f.id = p.parent_id
      ) select service_principal_id as "servicePrincipalId" from parents`,
    values: [permit.tenantId, parentId],
  });
  const ids = [userId, ...parents.map(({ servicePrincipalId }) => servicePrincipalId)];
  await shareTurns(permit, { ids, appIds: [appId] });
  const rows = await permit.query({
    name: 'insert-child-family',
    text: `insert into token_families (tenant_id, id, user_id, service_principal_id, session_uid, platform, expires_at,
        authenticated_at, parent_id, actor)
      select $1, $2, $3, s.id, f.session_uid, $5, f.expires_at, f.authenticated_at, f.id, $7::jsonb
      from token_families f
      join service_principals s on s.tenant_id = $1 and s.app_id = $4 and s.account_enabled
      join users u on u.tenant_id = $1 and u.id = f.user_id and u.account_enabled
        and f.authenticated_at >= u.sign_in_sessions_valid_from
      where f.tenant_id = $1 and f.id = $6 and f.user_id = $3 and f.revoked_at is null and f.expires_at > now()
        and ${ANCESTORS_LIVE('f')}
      returning true as inserted`,
    values: [permit.tenantId, id, userId, appId, platform, parentId, JSON.stringify(actor)],
  });
  return rows.length === 1;
}

/** A family with all that its tokens depend on; whether it still lives is one of the facts. */
export interface LiveFamily {
  readonly userId: string;
  readonly appId: string;
  readonly sessionUid: string | null;
  readonly platform: FamilyPlatform;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly actor: readonly Actor[];
  readonly facts: TokenFacts;
}

const READ_FAMILY = {
  name: 'read-live-family',
  text: `select f.user_id as "userId", c.app_id as "appId", f.session_uid as "sessionUid", f.platform, f.actor,
      extract(epoch from f.created_at)::float8 as "createdAt", extract(epoch from f.expires_at)::float8 as "expiresAt",
      ${FACTS('c.app_id', '$3::uuid[]')}
    from token_families f
    join tenants t on t.id = f.tenant_id
    join users u on u.tenant_id = $1 and u.id = f.user_id
    join service_principals c on c.tenant_id = $1 and c.id = f.service_principal_id
    ${CLIENT_DEFINITION('c.app_id')}
    where f.tenant_id = $1 and f.id = $2`,
};

/** A family, alive or not, with its facts. */
export async function readLiveFamily(
  permit: Permit<'authentication/tokens/read'>,
  id: string,
): Promise<LiveFamily | undefined> {
  const [row] = await permit.query<Omit<LiveFamily, 'facts'> & FactsRow>({
    ...READ_FAMILY,
    values: [permit.tenantId, id, []],
  });
  if (!row) return undefined;
  const { userId, appId, sessionUid, platform, createdAt, expiresAt, actor } = row;
  return { userId, appId, sessionUid, platform, createdAt, expiresAt, actor, facts: factsOf(appId, row) };
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
