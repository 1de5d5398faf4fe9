import { z } from 'zod';
import {
  addMember,
  createGroup,
  deleteGroup,
  listGroups,
  listGroupsOf,
  listMembers,
  readGroup,
  removeMember,
  updateGroup,
} from '../../directory/groups.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { membership, READ_MEMBERS } from './group-permissions.ts';
import {
  listQuery,
  mailNickname,
  notEmpty,
  nullableText,
  objectId,
  referencedId,
  text,
  userReference,
  userReferences,
  version,
} from './inputs.ts';
import { signedIn } from './signed-in.ts';

const WRITE = ['Group.ReadWrite.All', 'Directory.ReadWrite.All'] as const;
const WRITE_MEMBERS = ['GroupMember.ReadWrite.All', ...WRITE] as const;
const description = nullableText(1_024).optional();
const audited = { category: 'GroupManagement', object: 'Group' } as const;

export const getGroups = readOperation({
  name: 'listGroups',
  summary: 'List groups',
  action: 'directory/groups/standard/read',
  list: true,
  route: { method: 'GET', path: '/groups', status: 200 },
  permissions: { delegated: READ_MEMBERS, application: READ_MEMBERS },
  input: z.strictObject({ query: listQuery }),
  run: (permit, { query }) => listGroups(permit, query),
});

export const getGroup = readOperation({
  name: 'getGroup',
  summary: 'Get a group',
  action: 'directory/groups/standard/read',
  route: { method: 'GET', path: '/groups/:id', status: 200 },
  permissions: { delegated: READ_MEMBERS, application: READ_MEMBERS },
  input: z.strictObject({ id: objectId }),
  run: (permit, { id }) => readGroup(permit, id),
});

export const addGroup = writeOperation({
  name: 'createGroup',
  summary: 'Create a group',
  action: 'directory/groups/create',
  route: { method: 'POST', path: '/groups', status: 201 },
  permissions: { delegated: WRITE, application: WRITE },
  audit: { activity: 'Add group', type: 'Add', ...audited },
  input: z.strictObject({
    body: z.strictObject({
      displayName: text(256),
      mailNickname,
      description,
      // Graph's clients must send these two; security groups are the only kind there is.
      securityEnabled: z.literal(true).optional(),
      mailEnabled: z.literal(false).optional(),
      'members@odata.bind': userReferences.optional(),
    }),
  }),
  target: (_permit, { body }) => withMembers(body),
  run: (permit, { body }) => {
    const { displayName, mailNickname, description, 'members@odata.bind': members } = body;
    return createGroup(permit, { displayName, mailNickname, description, members });
  },
});

export const patchGroup = writeOperation({
  name: 'updateGroup',
  summary: 'Update a group, or add members to it',
  action: 'directory/groups/basic/update',
  route: { method: 'PATCH', path: '/groups/:id', status: 204 },
  permissions: { delegated: WRITE, application: WRITE },
  versioned: true,
  audit: { activity: 'Update group', type: 'Update', ...audited },
  input: z.strictObject({
    id: objectId,
    version,
    body: z
      .strictObject({
        displayName: text(256).optional(),
        mailNickname: mailNickname.optional(),
        description,
        'members@odata.bind': userReferences.optional(),
      })
      .refine(notEmpty, 'Nothing to update.'),
  }),
  target: (_permit, { body }) => withMembers(body),
  run: (permit, { id, body, version }) => {
    const { 'members@odata.bind': members, ...patch } = body;
    return updateGroup(permit, id, { ...patch, members }, version);
  },
});

export const removeGroup = writeOperation({
  name: 'deleteGroup',
  summary: 'Delete a group',
  action: 'directory/groups/delete',
  route: { method: 'DELETE', path: '/groups/:id', status: 204 },
  permissions: { delegated: WRITE, application: WRITE },
  versioned: true,
  audit: { activity: 'Delete group', type: 'Delete', ...audited },
  input: z.strictObject({ id: objectId, version }),
  run: (permit, { id, version }) => deleteGroup(permit, id, version),
});

export const getMembers = readOperation({
  name: 'listGroupMembers',
  summary: 'List the members of a group',
  action: 'directory/groups/members/read',
  list: true,
  route: { method: 'GET', path: '/groups/:id/members', status: 200 },
  permissions: { delegated: READ_MEMBERS, application: READ_MEMBERS },
  input: z.strictObject({ id: objectId, query: listQuery }),
  run: (permit, { id, query }) => listMembers(permit, id, query),
});

/** The operator's; over HTTP a member is added by reference. */
export const putMember = writeOperation({
  name: 'addGroupMember',
  summary: 'Add a member to a group',
  action: 'directory/groups/members/update',
  permissions: { delegated: WRITE_MEMBERS, application: WRITE_MEMBERS },
  audit: { activity: 'Add member to group', type: 'Assign', ...audited },
  input: z.strictObject({ id: objectId, userId: referencedId }),
  run: (permit, { id, userId }) => addMember(permit, id, userId),
});

export const addMemberReference = writeOperation({
  name: 'addGroupMemberReference',
  summary: 'Add a member to a group, by a link to him',
  action: 'directory/groups/members/update',
  route: { method: 'POST', path: '/groups/:id/members/$ref', status: 204 },
  permissions: { delegated: WRITE_MEMBERS, application: WRITE_MEMBERS },
  audit: { activity: 'Add member to group', type: 'Assign', ...audited },
  input: z.strictObject({ id: objectId, body: z.strictObject({ '@odata.id': userReference }) }),
  run: (permit, { id, body }) => addMember(permit, id, body['@odata.id']),
});

export const removeMemberReference = writeOperation({
  name: 'removeGroupMember',
  summary: 'Remove a member from a group',
  action: 'directory/groups/members/update',
  route: { method: 'DELETE', path: '/groups/:id/members/:userId/$ref', status: 204 },
  permissions: { delegated: WRITE_MEMBERS, application: WRITE_MEMBERS },
  audit: { activity: 'Remove member from group', type: 'Unassign', ...audited },
  input: z.strictObject({ id: objectId, userId: objectId }),
  run: (permit, { id, userId }) => removeMember(permit, id, userId),
});

export const getGroupsOfUser = readOperation({
  name: 'listUserMemberOf',
  summary: 'List the groups of a user',
  action: 'directory/groups/members/read',
  list: true,
  route: { method: 'GET', path: '/users/:id/memberOf', status: 200 },
  permissions: membership,
  input: z.strictObject({ id: objectId, query: listQuery }),
  target: (_permit, { id }, { userId }) => ({ isOwn: id === userId }),
  run: (permit, { id, query }) => listGroupsOf(permit, id, query),
});

export const getMyGroups = readOperation({
  name: 'listMyMemberOf',
  summary: 'List the groups of the signed-in user',
  action: 'directory/groups/members/read',
  list: true,
  route: { method: 'GET', path: '/me/memberOf', status: 200 },
  permissions: membership,
  input: z.strictObject({ query: listQuery }),
  target: () => ({ isOwn: true }),
  run: (permit, { query }, caller) => listGroupsOf(permit, signedIn(caller), query),
});

function withMembers(body: { readonly 'members@odata.bind'?: readonly string[] | undefined }) {
  return body['members@odata.bind'] ? { also: ['directory/groups/members/update'] as const } : {};
}
