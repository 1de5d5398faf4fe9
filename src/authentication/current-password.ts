import { beginTry, dropTry, getCredentialsOf } from '../authorization/internal/sign-ins.ts';
import type { Authorization } from '../authorization/perform.ts';
import { badRequest, DirectoryError } from '../vocabulary/errors.ts';
import type { ObjectId, TenantId } from '../vocabulary/ids.ts';
import { THROTTLE } from './interaction/password-sign-in.ts';
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
  const principal = { kind: 'internal', name: 'tokenService', tenantId } as const;
  const known = await authorization.performInternal(principal, getCredentialsOf, userId);
  if (!known) throw new DirectoryError('ServiceUnavailable');
  const { subject, passwordHash } = known;
  const { isAllowed, retryAfter } = await authorization.performInternal(principal, beginTry, {
    subject,
    rule: THROTTLE,
  });
  if (!isAllowed)
    throw new DirectoryError('TooManyRequests', undefined, { retryAfter: retryAfter ?? THROTTLE.firstPause });
  if (!(await passwords.verify(passwordHash ?? undefined, password))) {
    throw badRequest('currentPassword: This is not the current password.');
  }
  await authorization.performInternal(principal, dropTry, subject);
}
