import { z } from 'zod';
import { addMember, createGroup, listGroups, listMembers } from '../../directory/groups.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { listQuery, nullableText, objectId, referencedId, text } from './inputs.ts';

const READ = ['Group.Read.All', 'Group.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'] as const;
const WRITE = ['Group.ReadWrite.All', 'Directory.ReadWrite.All'] as const;
const READ_MEMBERS = ['GroupMember.Read.All', 'GroupMember.ReadWrite.All', ...READ] as const;
const WRITE_MEMBERS = ['GroupMember.ReadWrite.All', ...WRITE] as const;
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
      mailNickname: text(64).regex(/^[A-Za-z0-9._-]+$/, 'Letters, digits and . _ - only.'),
      description: nullableText(1_024).optional(),
    }),
  }),
  run: (permit, { body }) => createGroup(permit, body),
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
