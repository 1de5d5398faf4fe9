import { z } from 'zod';
import {
  createRoleAssignment,
  deleteRoleAssignment,
  listRoleAssignments,
  readRoleAssignment,
} from '../../directory/role-assignments.ts';
import { listRoleDefinitions, readRoleDefinition } from '../../directory/role-definitions.ts';
import { directoryRole } from '../../vocabulary/directory-roles.ts';
import { readOperation, type Target, writeOperation } from '../operation.ts';
import { listQuery, objectId, referencedId } from './inputs.ts';

const READ = [
  'RoleManagement.Read.Directory',
  'RoleManagement.ReadWrite.Directory',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
] as const;
const WRITE = ['RoleManagement.ReadWrite.Directory'] as const;
const reading = { delegated: READ, application: READ };
const writing = { delegated: WRITE, application: WRITE };
const audited = { category: 'RoleManagement', object: 'RoleAssignment' } as const;

/** From a privileged role more rights could be won: an application never gives or takes one by its token. */
const reachFor = (roleDefinitionId: string): Target =>
  directoryRole(roleDefinitionId)?.isPrivileged === false ? {} : { reach: 'all' };

export const getRoleDefinitions = readOperation({
  name: 'listRoleDefinitions',
  summary: 'List the directory roles',
  action: 'directory/roleDefinitions/standard/read',
  list: true,
  route: { method: 'GET', path: '/roleManagement/directory/roleDefinitions', status: 200 },
  permissions: reading,
  input: z.strictObject({ query: listQuery }),
  run: (permit, { query }) => listRoleDefinitions(permit, query),
});

export const getRoleDefinition = readOperation({
  name: 'getRoleDefinition',
  summary: 'Get a directory role',
  action: 'directory/roleDefinitions/standard/read',
  route: { method: 'GET', path: '/roleManagement/directory/roleDefinitions/:id', status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId }),
  run: (permit, { id }) => readRoleDefinition(permit, id),
});

export const getRoleAssignments = readOperation({
  name: 'listRoleAssignments',
  summary: 'List who holds which directory role',
  action: 'directory/roleAssignments/standard/read',
  list: true,
  route: { method: 'GET', path: '/roleManagement/directory/roleAssignments', status: 200 },
  permissions: reading,
  input: z.strictObject({ query: listQuery }),
  run: (permit, { query }) => listRoleAssignments(permit, query),
});

export const getRoleAssignment = readOperation({
  name: 'getRoleAssignment',
  summary: 'Get a role assignment',
  action: 'directory/roleAssignments/standard/read',
  route: { method: 'GET', path: '/roleManagement/directory/roleAssignments/:id', status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId }),
  run: (permit, { id }) => readRoleAssignment(permit, id),
});

export const addRoleAssignment = writeOperation({
  name: 'createRoleAssignment',
  summary: 'Give a user or service principal a directory role',
  action: 'directory/roleAssignments/create',
  route: { method: 'POST', path: '/roleManagement/directory/roleAssignments', status: 201 },
  permissions: writing,
  audit: { activity: 'Add member to role', type: 'Assign', ...audited },
  input: z.strictObject({
    body: z.strictObject({
      roleDefinitionId: referencedId.refine(
        (id) => directoryRole(id) !== undefined,
        'There is no such directory role.',
      ),
      principalId: referencedId,
      directoryScopeId: z.literal('/').optional(),
    }),
  }),
  target: (_permit, { body }) => reachFor(body.roleDefinitionId),
  run: (permit, { body }) => createRoleAssignment(permit, body),
});

export const removeRoleAssignment = writeOperation({
  name: 'deleteRoleAssignment',
  summary: 'Take a directory role back',
  action: 'directory/roleAssignments/delete',
  route: { method: 'DELETE', path: '/roleManagement/directory/roleAssignments/:id', status: 204 },
  permissions: writing,
  audit: { activity: 'Remove member from role', type: 'Unassign', ...audited },
  input: z.strictObject({ id: objectId }),
  target: async (permit, { id }) => reachFor((await readRoleAssignment(permit, id)).roleDefinitionId),
  run: (permit, { id }) => deleteRoleAssignment(permit, id),
});
