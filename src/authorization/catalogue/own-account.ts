import { z } from 'zod';
import { changeOwnPassword, endSessions, findOwnGrants, listMyApplications } from '../../directory/own-account.ts';
import { deleteGrant } from '../../directory/permission-grants.ts';
import { badRequest, notFound } from '../../vocabulary/errors.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import { type Caller, readOperation, writeOperation } from '../operation.ts';
import { objectId } from './inputs.ts';

/** What a person does with his own account at the sign-in server's own pages. No token reaches these operations. */
const NO_APPLICATION = { delegated: [], application: [] };
const audited = { category: 'UserManagement', type: 'Update', object: 'User' } as const;

export const changeMyPassword = writeOperation({
  name: 'changePasswordAtSignIn',
  summary: 'Change one’s own password',
  action: 'directory/users/ownPassword/update',
  permissions: NO_APPLICATION,
  onPages: true,
  audit: { activity: 'Change user password', ...audited },
  input: z.strictObject({
    /** The version of the password that the person has just proven to know. */
    passwordVersion: z.string(),
    newPassword: z.string(),
    words: z.array(z.string()),
    passwordHash: z.string().optional(),
  }),
  prepare: async (input, { hashNewPassword }, { caller }) => ({
    ...input,
    passwordHash: await hashNewPassword(caller.tenantId, input.newPassword, input.words),
  }),
  target: () => ({ isOwn: true }),
  run: (permit, { passwordHash = '', passwordVersion }, caller) =>
    changeOwnPassword(permit, userOf(caller), { passwordHash, passwordVersion }),
});

export const endMySessions = writeOperation({
  name: 'signOutEverywhere',
  summary: 'Sign oneself out everywhere',
  action: 'directory/users/signInSessions/revoke',
  permissions: NO_APPLICATION,
  onPages: true,
  audit: { activity: 'Revoke sign-in sessions', ...audited },
  input: z.strictObject({}),
  target: () => ({ isOwn: true }),
  run: (permit, _input, caller) => endSessions(permit, userOf(caller)),
});

export const getMyApplications = readOperation({
  name: 'listMyApplications',
  summary: 'List the applications that may act for oneself',
  action: 'directory/oAuth2PermissionGrants/standard/read',
  permissions: NO_APPLICATION,
  onPages: true,
  input: z.strictObject({}),
  target: () => ({ isOwn: true }),
  run: (permit, _input, caller) => listMyApplications(permit, userOf(caller)),
});

export const withdrawMyConsent = writeOperation({
  name: 'withdrawMyConsent',
  summary: 'Take one’s own consent to an application back',
  action: 'directory/oAuth2PermissionGrants/delete',
  permissions: NO_APPLICATION,
  onPages: true,
  audit: {
    activity: 'Remove delegated permission grant',
    category: 'ApplicationManagement',
    type: 'Delete',
    object: 'OAuth2PermissionGrant',
  },
  /** `id` is the application's service principal. */
  input: z.strictObject({ id: objectId }),
  target: () => ({ isOwn: true }),
  run: async (permit, { id }, caller) => {
    const ids = await findOwnGrants(permit, userOf(caller), id);
    if (ids.length === 0) throw notFound();
    const changes = [];
    for (const grantId of ids) changes.push(...(await deleteGrant(permit, grantId)).changes);
    return { value: undefined, changes };
  },
});

function userOf({ userId }: Caller): ObjectId {
  if (!userId) throw badRequest('Only a person has an account.');
  return userId;
}
