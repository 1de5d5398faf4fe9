import { parseTenantId, type TenantId } from '../vocabulary/ids.ts';

const NAME = /(?:^|; ?)(?:__Host-)?bailiwick-session-([0-9a-f-]{36})=[^;]/g;

/** One for each tenant, pinned to this host (RFC 6265bis) wherever there is https. */
export function sessionCookieName(tenantId: string, secure: boolean): string {
  return `${secure ? '__Host-' : ''}bailiwick-session-${tenantId}`;
}

/** Where a browser says that it is signed in. Whether it still is, each tenant's own rows say. */
export function tenantsOfSessions(cookies: string | undefined): ReadonlySet<TenantId> {
  const ids = [...(cookies ?? '').matchAll(NAME)].flatMap(([, id = '']) => parseTenantId(id) ?? []);
  return new Set(ids);
}
