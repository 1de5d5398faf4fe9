import { z } from 'zod';
import { changeOwnPassword, endSessions } from '../../directory/own-account.ts';
import { readTargetRoles } from '../../directory/role-assignments.ts';
import { readPasswordVersion, readUserWords, resetPassword } from '../../directory/user-credentials.ts';
import { badRequest, DirectoryError } from '../../vocabulary/errors.ts';
import { writeOperation } from '../operation.ts';
import { objectId } from './inputs.ts';
import { signedIn } from './signed-in.ts';

const RESET = ['User-PasswordProfile.ReadWrite.All'] as const;
const REVOKE = ['User.RevokeSessions.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'] as const;
const OWN_REVOKE = ['User.ReadWrite'] as const;
const audited = { category: 'UserManagement', type: 'Update', object: 'User' } as const;

/** Its own operation on the route of `updateUser`: a helpdesk may reset passwords and change nothing else. */
export const resetUserPassword = writeOperation({
  name: 'resetUserPassword',
  summary: 'Reset a user’s password, and end his sessions',
  action: 'directory/users/password/update',
  route: { method: 'PATCH', path: '/users/:id', status: 204, whenBodyHas: 'passwordProfile' },
  permissions: { delegated: [...RESET, 'Directory.AccessAsUser.All'], application: RESET },
  audit: { activity: 'Reset user password', ...audited },
  input: z.strictObject({
    id: objectId,
    body: z.strictObject({
      passwordProfile: z.strictObject({
        password: z.string(),
        forceChangePasswordNextSignIn: z.boolean().default(true),
      }),
    }),
    passwordHash: z.string().optional(),
  }),
  target: async (permit, { id }) => ({
    heldRoles: await readTargetRoles(permit, id),
    userWords: await readUserWords(permit, id),
  }),
  prepare: async (input, tools, { caller, target }) => {
    const { password } = input.body.passwordProfile;
    return { ...input, passwordHash: await tools.hashNewPassword(caller.tenantId, password, target.userWords ?? []) };
  },
  run: (permit, { id, body, passwordHash = '' }) =>
    resetPassword(permit, id, { ...body.passwordProfile, passwordHash }),
});

export const changeMyPassword = writeOperation({
  name: 'changeMyPassword',
  summary: 'Change the signed-in user’s own password, and end his sessions',
  action: 'directory/users/ownPassword/update',
  route: { method: 'POST', path: '/me/changePassword', status: 204 },
  permissions: { delegated: ['Directory.AccessAsUser.All'], application: [] },
  audit: { activity: 'Change user password', ...audited },
  input: z.strictObject({
    body: z.strictObject({ currentPassword: z.string().min(1), newPassword: z.string().min(1) }),
    verified: z.strictObject({ passwordHash: z.string(), passwordVersion: z.string() }).optional(),
  }),
  target: async (permit, _input, caller) => ({
    isOwn: true,
    passwordVersion: await readPasswordVersion(permit, signedIn(caller)),
    userWords: await readUserWords(permit, signedIn(caller)),
  }),
  prepare: async (input, tools, { caller, target }) => {
    const { tenantId } = caller;
    const { userWords = [] } = target;
    const { currentPassword, newPassword } = input.body;
    if (target.passwordVersion === undefined) throw badRequest('currentPassword: There is no password to change.');
    await tools.checkPassword(tenantId, signedIn(caller), currentPassword);
    if (newPassword === currentPassword) throw badRequest('newPassword: Must differ from the current one.');
    const passwordHash = await tools.hashNewPassword(tenantId, newPassword, userWords);
    return { ...input, verified: { passwordHash, passwordVersion: target.passwordVersion } };
  },
  run: (permit, { verified }, caller) => {
    if (!verified) throw new DirectoryError('InternalServerError');
    return changeOwnPassword(permit, signedIn(caller), verified);
  },
});

export const revokeUserSessions = writeOperation({
  name: 'revokeSignInSessions',
  summary: 'End all sessions and tokens of a user',
  action: 'directory/users/signInSessions/revoke',
  route: { method: 'POST', path: '/users/:id/revokeSignInSessions', status: 204 },
  permissions: { delegated: REVOKE, application: REVOKE, own: OWN_REVOKE },
  audit: { activity: 'Revoke sign-in sessions', ...audited },
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
  permissions: { delegated: REVOKE, application: REVOKE, own: OWN_REVOKE },
  audit: { activity: 'Revoke sign-in sessions', ...audited },
  input: z.strictObject({ body: z.strictObject({}).optional() }),
  target: () => ({ isOwn: true }),
  run: (permit, _input, caller) => endSessions(permit, signedIn(caller)),
});
