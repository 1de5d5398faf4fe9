import type { Permit } from '../store/permit.ts';
import { DirectoryError, notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { Written } from '../vocabulary/objects.ts';
import { NAME_OF_THE_GONE } from './service-principals.ts';

/** Seconds since the epoch, with their fraction: a session that began before is over. */
export interface SessionsEnded {
  readonly validFrom: number;
}

/**
 * Sets a person's own new password and ends all sessions that began before.
 * @param passwordVersion of the password that was verified; another one meanwhile: `Request_PreconditionFailed`
 */
export async function changeOwnPassword(
  permit: Permit<'directory/users/ownPassword/update'>,
  userId: ObjectId,
  { passwordHash, passwordVersion }: { readonly passwordHash: string; readonly passwordVersion: string },
): Promise<Written<SessionsEnded>> {
  const rows = await permit.query({
    text: `update user_passwords set password_hash = $3, force_change_next_sign_in = false, changed_at = clock_timestamp()
      where tenant_id = $1 and user_id = $2 and changed_at = $4::timestamptz returning true as changed`,
    values: [permit.tenantId, userId, passwordHash, passwordVersion],
  });
  if (rows.length === 0) throw new DirectoryError('Request_PreconditionFailed');
  await permit.query({
    text: 'update users set last_password_change_at = now() where tenant_id = $1 and id = $2',
    values: [permit.tenantId, userId],
  });
  return endSessions(permit, userId);
}

/** Ends every session and token family of a person that began before. */
export async function endSessions(
  permit: Permit<
    | 'directory/users/ownPassword/update'
    | 'directory/users/signInSessions/revoke'
    | 'directory/users/password/update'
    | 'directory/users/basic/update'
  >,
  userId: ObjectId,
): Promise<Written<SessionsEnded>> {
  const [row] = await permit.query<{ validFrom: number; before: Date; after: Date; userPrincipalName: string }>({
    text: `update users u set sign_in_sessions_valid_from = clock_timestamp()
      from (select sign_in_sessions_valid_from as before from users where tenant_id = $1 and id = $2 for update) old
      where u.tenant_id = $1 and u.id = $2
      returning old.before, u.sign_in_sessions_valid_from as after, u.user_principal_name as "userPrincipalName",
        extract(epoch from u.sign_in_sessions_valid_from)::float8 as "validFrom"`,
    values: [permit.tenantId, userId],
  });
  if (!row) throw notFound();
  const sessions = (since: Date) => ({ signInSessionsValidFromDateTime: since });
  const change = { type: 'User', id: userId, displayName: row.userPrincipalName } as const;
  return {
    value: { validFrom: row.validFrom },
    changes: [{ ...change, before: sessions(row.before), after: sessions(row.after) }],
  };
}

/** An application that may act for a person: by his own consent, or by his organization's where he uses it. */
export interface MyApplication {
  /** Its service principal. */
  readonly id: ObjectId;
  readonly displayName: string;
  /** Titles of the permissions, in the words of their APIs. */
  readonly permissions: readonly string[];
  /** At least one of the permissions rests on the person's own consent. */
  readonly isByOwnConsent: boolean;
}

export async function listMyApplications(
  permit: Permit<'directory/oAuth2PermissionGrants/standard/read'>,
  userId: ObjectId,
): Promise<readonly MyApplication[]> {
  return permit.query<MyApplication & Record<string, unknown>>({
    text: `select c.id, coalesce(a.display_name, p.display_name, '${NAME_OF_THE_GONE}') as "displayName",
        bool_or(g.principal_id is not null) as "isByOwnConsent",
        array_agg(distinct coalesce(e ->> 'userConsentDisplayName', e ->> 'adminConsentDisplayName', s)) as permissions
      from oauth2_permission_grants g
      join service_principals c on c.tenant_id = $1 and c.id = g.client_id
      join service_principals r on r.tenant_id = $1 and r.id = g.resource_id
      left join applications a on a.tenant_id = $1 and a.app_id = c.app_id
      left join published_applications p on p.app_id = c.app_id and a.id is null
      left join applications ra on ra.tenant_id = $1 and ra.app_id = r.app_id
      left join published_applications rp on rp.app_id = r.app_id and ra.id is null
      cross join unnest(g.scope) s
      left join lateral jsonb_array_elements(coalesce(ra.oauth2_permission_scopes, rp.oauth2_permission_scopes)) e
        on e ->> 'value' = s
      where g.tenant_id = $1 and (g.principal_id = $2 or g.principal_id is null and exists (
        select from token_families f where f.tenant_id = $1 and f.user_id = $2 and f.service_principal_id = c.id))
      group by c.id, 2 order by 2, 1 limit 200`,
    values: [permit.tenantId, userId],
  });
}

/** The ids of the grants that a person gave an application for himself. */
export async function findOwnGrants(
  permit: Permit<'directory/oAuth2PermissionGrants/delete'>,
  userId: ObjectId,
  clientId: ObjectId,
): Promise<readonly ObjectId[]> {
  const rows = await permit.query<{ id: ObjectId }>({
    text: 'select id from oauth2_permission_grants where tenant_id = $1 and principal_id = $2 and client_id = $3',
    values: [permit.tenantId, userId, clientId],
  });
  return rows.map(({ id }) => id);
}
