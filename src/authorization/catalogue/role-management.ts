import { z } from 'zod';
import { createRoleAssignment, listRoleAssignments } from '../../directory/role-assignments.ts';
import { directoryRole } from '../../vocabulary/directory-roles.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { listQuery, referencedId } from './inputs.ts';

const READ = [
  'RoleManagement.Read.Directory',
  'RoleManagement.ReadWrite.Directory',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
] as const;
const WRITE = ['RoleManagement.ReadWrite.Directory'] as const;

export const getRoleAssignments = readOperation({
  name: 'listRoleAssignments',
  summary: 'List who holds which directory role',
  action: 'directory/roleAssignments/standard/read',
  list: true,
  route: { method: 'GET', path: '/roleManagement/directory/roleAssignments', status: 200 },
  permissions: { delegated: READ, application: READ },
  input: z.strictObject({ query: listQuery }),
  run: (permit, { query }) => listRoleAssignments(permit, query),
});

export const addRoleAssignment = writeOperation({
  name: 'createRoleAssignment',
  summary: 'Give a user a directory role',
  action: 'directory/roleAssignments/create',
  permissions: { delegated: WRITE, application: WRITE },
  audit: { activity: 'Add member to role', category: 'RoleManagement', type: 'Assign', object: 'RoleAssignment' },
  input: z.strictObject({
    body: z.strictObject({
      roleDefinitionId: z.guid().refine((id) => directoryRole(id) !== undefined, 'There is no such directory role.'),
      principalId: referencedId,
    }),
  }),
  run: (permit, { body }) => createRoleAssignment(permit, body),
});
