import type { Permit } from '../store/permit.ts';
import { DirectoryError, notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { Written } from '../vocabulary/objects.ts';

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
