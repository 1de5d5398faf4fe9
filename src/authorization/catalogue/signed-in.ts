import { badRequest } from '../../vocabulary/errors.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import type { Caller } from '../operation.ts';

/**
 * The person who calls.
 * @throws DirectoryError `Request_BadRequest` for an application on its own behalf, which is nobody's `/me`
 */
export function signedIn({ userId }: Caller): ObjectId {
  if (userId) return userId;
  throw badRequest('This needs a signed-in user; the token belongs to an application.');
}

/** Who decides: a person or an application; nobody where it is the operator. */
export function deciderOf({ userId, servicePrincipalId }: Caller): ObjectId | undefined {
  return userId ?? servicePrincipalId;
}
