import type { Permit } from '../store/permit.ts';
import { DirectoryError, notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { Written } from '../vocabulary/objects.ts';
import { endSessions, type SessionsEnded } from './user-sessions.ts';

export interface NewPassword {
  readonly passwordHash: string;
  readonly forceChangePasswordNextSignIn: boolean;
}

/**
 * Names of a person, which must not be in his password.
 * @throws DirectoryError `Request_ResourceNotFound`
 */
export async function readUserWords(
  permit: Permit<'directory/users/password/update' | 'directory/users/ownPassword/update'>,
  userId: ObjectId,
): Promise<string[]> {
  const [row] = await permit.query<{ words: string[] }>({
    text: `select array_remove(array[user_principal_name, display_name, given_name, surname, mail], null) as words
      from users where tenant_id = $1 and id = $2`,
    values: [permit.tenantId, userId],
  });
  if (!row) throw notFound();
  return row.words;
}

/** Which password is the current one, without a word about it; nothing for a user who has none. */
export async function readPasswordVersion(
  permit: Permit<'directory/users/ownPassword/update'>,
  userId: ObjectId,
): Promise<string | undefined> {
  const [row] = await permit.query<{ version: string }>({
    text: 'select changed_at::text as version from user_passwords where tenant_id = $1 and user_id = $2',
    values: [permit.tenantId, userId],
  });
  return row?.version;
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

/** An administrator's reset: whoever is signed in as this person is not any more. */
export async function resetPassword(
  permit: Permit<'directory/users/password/update'>,
  userId: ObjectId,
  { passwordHash, forceChangePasswordNextSignIn }: NewPassword,
): Promise<Written<undefined>> {
  const [user] = await permit.query<{ lastPasswordChangeDateTime: Date }>({
    text: `update users set last_password_change_at = clock_timestamp() where tenant_id = $1 and id = $2
      returning last_password_change_at as "lastPasswordChangeDateTime"`,
    values: [permit.tenantId, userId],
  });
  if (!user) throw notFound();
  // Not "on conflict": naming the excluded hash would need the right to read hashes, which this login lacks.
  const values = [permit.tenantId, userId, passwordHash, forceChangePasswordNextSignIn];
  const rows = await permit.query({
    text: `update user_passwords set password_hash = $3, force_change_next_sign_in = $4, changed_at = clock_timestamp()
      where tenant_id = $1 and user_id = $2 returning true as changed`,
    values,
  });
  if (rows.length === 0) {
    await permit.query({
      text: `insert into user_passwords (tenant_id, user_id, password_hash, force_change_next_sign_in, changed_at)
        values ($1, $2, $3, $4, clock_timestamp())`,
      values,
    });
  }
  const { changes } = await endSessions(permit, userId);
  return { value: undefined, changes: changes.map((change) => ({ ...change, after: { ...change.after, ...user } })) };
}
