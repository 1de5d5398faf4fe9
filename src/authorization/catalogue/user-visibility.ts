import { actionsOf } from '../../vocabulary/directory-roles.ts';
import { BASIC_USER_PROPERTIES, COLLEAGUE_PROPERTIES, USER_PROPERTIES, type User } from '../../vocabulary/objects.ts';
import type { Caller } from '../operation.ts';

/**
 * The properties of a user that a caller sees, and may therefore select, filter and sort by (API-14): what he is asked
 * through `User.ReadBasic.All` alone is basic, people without a directory role see less of others than of themselves.
 */
export function visibleProperties(
  { grantedBy, userId, directoryRoles }: Caller,
  isOwn: boolean,
): readonly (keyof User)[] {
  if (grantedBy.length > 0 && grantedBy.every((permission) => permission === 'User.ReadBasic.All')) {
    return BASIC_USER_PROPERTIES;
  }
  const isPlain = userId !== undefined && !actionsOf(directoryRoles).has('directory/users/standard/read');
  return isPlain && !isOwn ? COLLEAGUE_PROPERTIES : USER_PROPERTIES;
}

/** The visible part of a user; the version is not a property. */
export function visiblePart<Shown extends User>(user: Shown, visible: readonly string[]): Partial<Shown> {
  const entries = Object.entries(user).filter(([name]) => name === 'version' || visible.includes(name));
  return Object.fromEntries(entries) as Partial<Shown>; // some of the user's own entries
}
