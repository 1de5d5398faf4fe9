import { readAccount } from '../../directory/accounts.ts';
import { type GroupQuestion, readGroupIds } from '../../directory/group-claims.ts';
import { readUserAssignment } from '../../directory/user-assignments.ts';
import { internalOperation } from '../operation.ts';

export type { Account } from '../../directory/accounts.ts';
export type { UserAssignment } from '../../directory/user-assignments.ts';

export const getAccount = internalOperation({
  action: 'authentication/accounts/read',
  access: 'read',
  short: true,
  run: (permit, id: string) => readAccount(permit, id),
});

/** What a person was assigned on an application, which he may need before he gets a token. */
export const getUserAssignment = internalOperation({
  action: 'authentication/accounts/read',
  access: 'read',
  short: true,
  run: (permit, who: { readonly userId: string; readonly appId: string }) => readUserAssignment(permit, who),
});

/** The groups that a token would name. */
export const getGroupIds = internalOperation({
  action: 'authentication/accounts/read',
  access: 'read',
  short: true,
  run: (permit, question: GroupQuestion) => readGroupIds(permit, question),
});
