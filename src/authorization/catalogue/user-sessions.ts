import { z } from 'zod';
import { readTargetRoles } from '../../directory/role-assignments.ts';
import { endSessions } from '../../directory/user-sessions.ts';
import { writeOperation } from '../operation.ts';
import { objectId } from './inputs.ts';
import { signedIn } from './signed-in.ts';

const REVOKE = ['User.RevokeSessions.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'] as const;
const permissions = { delegated: REVOKE, application: REVOKE, own: ['User.ReadWrite'] } as const;
const audit = {
  activity: 'Revoke sign-in sessions',
  category: 'UserManagement',
  type: 'Update',
  object: 'User',
} as const;

export const revokeUserSessions = writeOperation({
  name: 'revokeSignInSessions',
  summary: 'End all sessions and tokens of a user',
  action: 'directory/users/signInSessions/revoke',
  route: { method: 'POST', path: '/users/:id/revokeSignInSessions', status: 204 },
  permissions,
  audit,
  input: z.strictObject({ id: objectId, body: z.strictObject({}).optional() }),
  target: async (permit, { id }, { userId }) => ({
    isOwn: id === userId,
    heldRoles: id === userId ? [] : await readTargetRoles(permit, id),
  }),
  run: (permit, { id }) => endSessions(permit, id),
});

export const revokeMySessions = writeOperation({
  name: 'revokeMySignInSessions',
  summary: 'End all sessions and tokens of the signed-in user',
  action: 'directory/users/signInSessions/revoke',
  route: { method: 'POST', path: '/me/revokeSignInSessions', status: 204 },
  permissions,
  onPages: true,
  audit,
  input: z.strictObject({ body: z.strictObject({}).optional() }),
  target: () => ({ isOwn: true }),
  run: (permit, _input, caller) => endSessions(permit, signedIn(caller)),
});
