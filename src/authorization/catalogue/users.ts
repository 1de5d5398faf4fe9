import { z } from 'zod';
import { readTargetRoles } from '../../directory/role-assignments.ts';
import { createUser, deleteUser, listUsers, readUser, updateUser } from '../../directory/users.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import { type Caller, readOperation, writeOperation } from '../operation.ts';
import { listQuery, notEmpty, nullableText, objectId, text, userPrincipalName, version } from './inputs.ts';
import { signedIn } from './signed-in.ts';
import { visiblePart, visibleProperties } from './user-visibility.ts';

const READ = [
  'User.ReadBasic.All',
  'User.Read.All',
  'User.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
] as const;
const WRITE = ['User.ReadWrite.All', 'Directory.ReadWrite.All'] as const;

const profile = {
  displayName: text(256),
  givenName: nullableText(64).optional(),
  surname: nullableText(64).optional(),
  mail: z.email().max(254).nullable().optional(),
  jobTitle: nullableText(128).optional(),
};

const passwordProfile = z.strictObject({
  password: z.string(),
  forceChangePasswordNextSignIn: z.boolean().default(true),
});

const isOwn = (caller: Caller, id: ObjectId) => ({ isOwn: caller.userId === id });

export const getUsers = readOperation({
  name: 'listUsers',
  summary: 'List users',
  action: 'directory/users/standard/read',
  list: true,
  route: { method: 'GET', path: '/users', status: 200 },
  permissions: { delegated: READ, application: READ },
  onPages: true,
  input: z.strictObject({ query: listQuery }),
  target: () => ({ isOwn: false }),
  run: (permit, { query }, caller) => listUsers(permit, query, visibleProperties(caller, false)),
});

export const getUser = readOperation({
  name: 'getUser',
  short: true,
  summary: 'Get a user',
  action: 'directory/users/standard/read',
  route: { method: 'GET', path: '/users/:id', status: 200 },
  permissions: { delegated: READ, application: READ, own: ['User.Read', 'User.ReadWrite'] },
  input: z.strictObject({ id: objectId }),
  target: (_permit, { id }, caller) => isOwn(caller, id),
  run: async (permit, { id }, caller) =>
    visiblePart(await readUser(permit, id), visibleProperties(caller, caller.userId === id)),
});

export const getMe = readOperation({
  name: 'getMe',
  short: true,
  summary: 'Get the signed-in user',
  action: 'directory/users/standard/read',
  route: { method: 'GET', path: '/me', status: 200 },
  permissions: { delegated: READ, application: READ, own: ['User.Read', 'User.ReadWrite'] },
  input: z.strictObject({}),
  target: () => ({ isOwn: true }),
  run: async (permit, _input, caller) =>
    visiblePart(await readUser(permit, signedIn(caller)), visibleProperties(caller, true)),
});

export const addUser = writeOperation({
  name: 'createUser',
  summary: 'Create a user',
  action: 'directory/users/create',
  route: { method: 'POST', path: '/users', status: 201 },
  permissions: { delegated: WRITE, application: WRITE },
  audit: { activity: 'Add user', category: 'UserManagement', type: 'Add', object: 'User' },
  input: z.strictObject({
    body: z.strictObject({
      ...profile,
      userPrincipalName,
      accountEnabled: z.boolean(),
      passwordProfile,
    }),
    passwordHash: z.string().optional(),
  }),
  prepare: async (input, tools, { caller }) => {
    const { passwordProfile, userPrincipalName, displayName } = input.body;
    const { password } = passwordProfile;
    const passwordHash = await tools.hashNewPassword(caller.tenantId, password, [userPrincipalName, displayName]);
    return { ...input, passwordHash };
  },
  run: (permit, { body, passwordHash = '' }) => {
    const { passwordProfile, ...properties } = body;
    const { forceChangePasswordNextSignIn } = passwordProfile;
    return createUser(permit, { ...properties, passwordHash, forceChangePasswordNextSignIn });
  },
});

export const patchUser = writeOperation({
  name: 'updateUser',
  summary: 'Update a user',
  action: 'directory/users/basic/update',
  route: { method: 'PATCH', path: '/users/:id', status: 204 },
  permissions: { delegated: WRITE, application: WRITE },
  versioned: true,
  audit: { activity: 'Update user', category: 'UserManagement', type: 'Update', object: 'User' },
  input: z.strictObject({
    id: objectId,
    version,
    body: z
      .strictObject({
        ...profile,
        displayName: text(256).optional(),
        userPrincipalName: userPrincipalName.optional(),
        accountEnabled: z.boolean().optional(),
      })
      .refine(notEmpty, 'Nothing to update.'),
  }),
  // Who can rename an account or change its mail address can take it over, who can disable it can lock it out (GST-15).
  target: async (permit, { id, body }) => {
    const { userPrincipalName, mail, accountEnabled } = body;
    if ([userPrincipalName, mail, accountEnabled].every((value) => value === undefined)) return {};
    const heldRoles = await readTargetRoles(permit, id);
    return accountEnabled === undefined
      ? { heldRoles }
      : { heldRoles, also: ['directory/users/accountEnabled/update'] };
  },
  run: (permit, { id, body, version }) => updateUser(permit, id, body, version),
});

export const removeUser = writeOperation({
  name: 'deleteUser',
  summary: 'Delete a user',
  action: 'directory/users/delete',
  route: { method: 'DELETE', path: '/users/:id', status: 204 },
  permissions: { delegated: WRITE, application: WRITE },
  versioned: true,
  audit: { activity: 'Delete user', category: 'UserManagement', type: 'Delete', object: 'User' },
  input: z.strictObject({ id: objectId, version }),
  target: async (permit, { id }) => ({ heldRoles: await readTargetRoles(permit, id) }),
  run: (permit, { id, version }) => deleteUser(permit, id, version),
});
