import { z } from 'zod';
import { readTargetRoles } from '../../directory/role-assignments.ts';
import {
  changeOwnPassword,
  readPasswordVersion,
  readUserWords,
  resetPassword,
} from '../../directory/user-passwords.ts';
import { badRequest, DirectoryError } from '../../vocabulary/errors.ts';
import { writeOperation } from '../operation.ts';
import { objectId } from './inputs.ts';
import { signedIn } from './signed-in.ts';

const RESET = ['User-PasswordProfile.ReadWrite.All'] as const;
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

/** One way to a new password of one's own, whether by the API or at the sign-in pages. */
export const changeMyPassword = writeOperation({
  name: 'changeMyPassword',
  summary: 'Change the signed-in user’s own password, and end his sessions',
  action: 'directory/users/ownPassword/update',
  route: { method: 'POST', path: '/me/changePassword', status: 204 },
  permissions: { delegated: ['Directory.AccessAsUser.All'], application: [] },
  onPages: true,
  audit: { activity: 'Change user password', ...audited },
  input: z.strictObject({
    body: z.strictObject({ currentPassword: z.string().min(1), newPassword: z.string().min(1) }),
    /** Which password the sign-in pages have just seen proven, by a whole sign-in. Of no worth from an application. */
    provenVersion: z.string().optional(),
    verified: z.strictObject({ passwordHash: z.string(), passwordVersion: z.string() }).optional(),
  }),
  target: async (permit, _input, caller) => ({
    isOwn: true,
    passwordVersion: await readPasswordVersion(permit, signedIn(caller)),
    userWords: await readUserWords(permit, signedIn(caller)),
  }),
  prepare: async (input, tools, { caller, target }) => {
    const { tenantId } = caller;
    const { currentPassword, newPassword } = input.body;
    const proven = caller.appId === undefined ? input.provenVersion : undefined;
    const passwordVersion = proven ?? target.passwordVersion;
    if (passwordVersion === undefined) throw badRequest('currentPassword: There is no password to change.');
    if (proven === undefined) await tools.checkPassword(tenantId, signedIn(caller), currentPassword);
    if (newPassword === currentPassword) throw badRequest('newPassword: Must differ from the current one.');
    const passwordHash = await tools.hashNewPassword(tenantId, newPassword, target.userWords ?? []);
    return { ...input, verified: { passwordHash, passwordVersion } };
  },
  run: (permit, { verified }, caller) => {
    if (!verified) throw new DirectoryError('InternalServerError');
    return changeOwnPassword(permit, signedIn(caller), verified);
  },
});
