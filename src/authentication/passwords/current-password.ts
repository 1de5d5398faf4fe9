import { getCredentialsOf } from '../../authorization/internal/sign-ins.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { badRequest, DirectoryError } from '../../vocabulary/errors.ts';
import type { ObjectId, TenantId } from '../../vocabulary/ids.ts';
import { internalPrincipal } from '../../vocabulary/principals.ts';
import { PasswordTries } from './password-tries.ts';
import type { Passwords } from './passwords.ts';

/**
 * Proves that somebody who holds a token knows the current password too, within the limits of every sign-in: a stolen
 * token is no way to guess.
 * @throws DirectoryError `Request_BadRequest`, `TooManyRequests`
 */
export async function checkCurrentPassword(
  { authorization, passwords }: { readonly authorization: Authorization; readonly passwords: Passwords },
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: ObjectId },
  password: string,
): Promise<void> {
  const principal = internalPrincipal('tokenService', tenantId);
  const known = await authorization.performInternal(principal, getCredentialsOf, userId);
  if (!known) throw new DirectoryError('ServiceUnavailable');
  const { subject, passwordHash } = known;
  const tries = new PasswordTries(authorization, passwords);
  const verdict = await tries.judge(principal, { subject, passwordHash, password });
  if ('retryAfter' in verdict) throw new DirectoryError('TooManyRequests', undefined, verdict);
  if (verdict.outcome === 'wrong') throw badRequest('currentPassword: This is not the current password.');
  await tries.takeBack(principal, subject);
}
