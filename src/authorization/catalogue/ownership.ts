import { readPrivilege } from '../../directory/app-privilege.ts';
import { isOwnerOf } from '../../directory/owners.ts';
import type { Permit } from '../../store/permit.ts';
import type { DirectoryAction } from '../../vocabulary/actions.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import type { Caller, Target } from '../operation.ts';

/** Whether the application is the caller's own: a person's, or another application's. */
export async function ownership(
  permit: Permit<DirectoryAction>,
  id: ObjectId,
  caller: Caller,
): Promise<{ readonly isOwn: boolean; readonly isOwned: boolean }> {
  const isOwner = await isOwnerOf(permit, id, caller);
  return { isOwn: isOwner && caller.userId !== undefined, isOwned: isOwner && caller.userId === undefined };
}

/** For acts by which one could sign in as the application: an owner's own rights must reach as far as its do (CON-16). */
export async function credentialsTarget(
  permit: Permit<DirectoryAction>,
  id: ObjectId,
  caller: Caller,
): Promise<Target> {
  return { ...(await ownership(permit, id, caller)), ...(await readPrivilege(permit, id)) };
}
