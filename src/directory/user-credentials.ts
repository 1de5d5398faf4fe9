import type { Permit } from '../store/permit.ts';
import { DirectoryError, notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { ObjectChange, Written } from '../vocabulary/objects.ts';

type Write = Permit<
  | 'directory/users/password/update'
  | 'directory/users/ownPassword/update'
  | 'directory/users/signInSessions/revoke'
  | 'directory/users/basic/update'
>;

interface SignInState {
  readonly userPrincipalName: string;
  readonly lastPasswordChangeDateTime: Date | null;
  readonly signInSessionsValidFromDateTime: Date;
}

export interface NewPassword {
  readonly passwordHash: string;
  readonly forceChangePasswordNextSignIn: boolean;
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

/** An administrator's reset: whoever is signed in as this person is not any more. */
export async function resetPassword(
  permit: Permit<'directory/users/password/update'>,
  userId: ObjectId,
  { passwordHash, forceChangePasswordNextSignIn }: NewPassword,
): Promise<Written<undefined>> {
  const before = await lockSignInState(permit, userId);
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
  await notePasswordChange(permit, userId);
  return ended(permit, userId, before, 'passwordReset');
}

/**
 * A person's own change. What was verified must still be the current password: somebody may have reset it meanwhile.
 * @throws DirectoryError `Request_PreconditionFailed`
 */
export async function changePassword(
  permit: Permit<'directory/users/ownPassword/update'>,
  userId: ObjectId,
  passwordHash: string,
  passwordVersion: string,
): Promise<Written<undefined>> {
  const before = await lockSignInState(permit, userId);
  const rows = await permit.query({
    text: `update user_passwords set password_hash = $3, force_change_next_sign_in = false, changed_at = clock_timestamp()
      where tenant_id = $1 and user_id = $2 and changed_at::text = $4 returning true as changed`,
    values: [permit.tenantId, userId, passwordHash, passwordVersion],
  });
  if (rows.length === 0) throw new DirectoryError('Request_PreconditionFailed');
  await notePasswordChange(permit, userId);
  return ended(permit, userId, before, 'passwordChanged');
}

/** Ends every session and token family of a person. */
export async function revokeSignInSessions(
  permit: Permit<'directory/users/signInSessions/revoke'>,
  userId: ObjectId,
): Promise<Written<undefined>> {
  return ended(permit, userId, await lockSignInState(permit, userId), 'sessionsRevoked');
}

/** The part that other changes of a person share: nothing that he signed in before lives on. */
export async function endSignIns(permit: Write, userId: ObjectId, reason: string): Promise<void> {
  await permit.query({
    text: 'update users set sign_in_sessions_valid_from = clock_timestamp() where tenant_id = $1 and id = $2',
    values: [permit.tenantId, userId],
  });
  await permit.query({
    text: `update token_families set revoked_at = clock_timestamp(), revoked_reason = $3
      where tenant_id = $1 and user_id = $2 and revoked_at is null`,
    values: [permit.tenantId, userId, reason],
  });
}

async function ended(
  permit: Write,
  userId: ObjectId,
  before: SignInState,
  reason: string,
): Promise<Written<undefined>> {
  await endSignIns(permit, userId, reason);
  const after = await lockSignInState(permit, userId);
  const { userPrincipalName: displayName } = before;
  const change: ObjectChange = { type: 'User', id: userId, displayName, before, after };
  return { value: undefined, changes: [change] };
}

async function notePasswordChange(permit: Write, userId: ObjectId): Promise<void> {
  await permit.query({
    text: 'update users set last_password_change_at = clock_timestamp() where tenant_id = $1 and id = $2',
    values: [permit.tenantId, userId],
  });
}

async function lockSignInState(permit: Write, userId: ObjectId): Promise<SignInState> {
  const [state] = await permit.query<{ [Property in keyof SignInState]: SignInState[Property] }>({
    text: `select user_principal_name as "userPrincipalName", last_password_change_at as "lastPasswordChangeDateTime",
        sign_in_sessions_valid_from as "signInSessionsValidFromDateTime"
      from users where tenant_id = $1 and id = $2 for update`,
    values: [permit.tenantId, userId],
  });
  if (!state) throw notFound();
  return state;
}
