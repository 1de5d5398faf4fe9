import { z } from 'zod';
import {
  assignAppRole,
  listAssignmentsGiven,
  listAssignmentsOfResource,
  readAssignable,
  removeAppRole,
} from '../../directory/app-role-assignments.ts';
import {
  createServicePrincipal,
  deleteServicePrincipal,
  listServicePrincipals,
  readServicePrincipal,
  updateServicePrincipal,
} from '../../directory/service-principals.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { appId, listQuery, objectId, referencedId } from './inputs.ts';

const READ = [
  'Application.Read.All',
  'Application.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
] as const;
const WRITE = ['Application.ReadWrite.All', 'Directory.ReadWrite.All'] as const;
const ASSIGN = ['AppRoleAssignment.ReadWrite.All'] as const;
const reading = { delegated: READ, application: READ };
const writing = { delegated: WRITE, application: WRITE };
const audited = { category: 'ApplicationManagement', object: 'ServicePrincipal' } as const;

export const getServicePrincipals = readOperation({
  name: 'listServicePrincipals',
  summary: 'List service principals',
  action: 'directory/servicePrincipals/standard/read',
  list: true,
  route: { method: 'GET', path: '/servicePrincipals', status: 200 },
  permissions: reading,
  input: z.strictObject({ query: listQuery }),
  run: (permit, { query }) => listServicePrincipals(permit, query),
});

export const getServicePrincipal = readOperation({
  name: 'getServicePrincipal',
  summary: 'Get a service principal',
  action: 'directory/servicePrincipals/standard/read',
  route: { method: 'GET', path: '/servicePrincipals/:id', status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId }),
  run: (permit, { id }) => readServicePrincipal(permit, id),
});

export const addServicePrincipal = writeOperation({
  name: 'createServicePrincipal',
  summary: 'Add an application to the organization',
  action: 'directory/servicePrincipals/create',
  route: { method: 'POST', path: '/servicePrincipals', status: 201 },
  permissions: writing,
  audit: { activity: 'Add service principal', type: 'Add', ...audited },
  input: z.strictObject({ body: z.strictObject({ appId }) }),
  run: (permit, { body }) => createServicePrincipal(permit, body.appId),
});

export const patchServicePrincipal = writeOperation({
  name: 'updateServicePrincipal',
  summary: 'Enable or disable an application in the organization',
  action: 'directory/servicePrincipals/basic/update',
  route: { method: 'PATCH', path: '/servicePrincipals/:id', status: 204 },
  permissions: writing,
  audit: { activity: 'Update service principal', type: 'Update', ...audited },
  input: z.strictObject({
    id: objectId,
    body: z
      .strictObject({ accountEnabled: z.boolean().optional(), appRoleAssignmentRequired: z.boolean().optional() })
      .refine((body) => Object.keys(body).length > 0, 'Nothing to update.'),
  }),
  run: (permit, { id, body }) => updateServicePrincipal(permit, id, body),
});

export const removeServicePrincipal = writeOperation({
  name: 'deleteServicePrincipal',
  summary: 'Remove an application from the organization, with all that it was granted',
  action: 'directory/servicePrincipals/delete',
  route: { method: 'DELETE', path: '/servicePrincipals/:id', status: 204 },
  permissions: writing,
  audit: { activity: 'Remove service principal', type: 'Delete', ...audited },
  input: z.strictObject({ id: objectId }),
  run: (permit, { id }) => deleteServicePrincipal(permit, id),
});

export const getAppRoleAssignments = readOperation({
  name: 'listAppRoleAssignments',
  summary: 'List the application permissions that a service principal was given',
  action: 'directory/servicePrincipals/appRoleAssignments/read',
  list: true,
  route: { method: 'GET', path: '/servicePrincipals/:id/appRoleAssignments', status: 200 },
  permissions: { delegated: [...READ, ...ASSIGN], application: [...READ, ...ASSIGN] },
  input: z.strictObject({ id: objectId, query: listQuery }),
  run: (permit, { id, query }) => listAssignmentsGiven(permit, id, query),
});

export const getAppRoleAssignedTo = readOperation({
  name: 'listAppRoleAssignedTo',
  summary: 'List to whom the roles of an API were given',
  action: 'directory/servicePrincipals/appRoleAssignments/read',
  list: true,
  route: { method: 'GET', path: '/servicePrincipals/:id/appRoleAssignedTo', status: 200 },
  permissions: { delegated: [...READ, ...ASSIGN], application: [...READ, ...ASSIGN] },
  input: z.strictObject({ id: objectId, query: listQuery }),
  run: (permit, { id, query }) => listAssignmentsOfResource(permit, id, query),
});

export const addAppRoleAssignment = writeOperation({
  name: 'createAppRoleAssignment',
  summary: 'Grant an application permission',
  action: 'directory/servicePrincipals/appRoleAssignments/update',
  route: { method: 'POST', path: '/servicePrincipals/:id/appRoleAssignments', status: 201 },
  permissions: { delegated: ASSIGN, application: ASSIGN },
  audit: {
    activity: 'Add app role assignment to service principal',
    category: 'ApplicationManagement',
    type: 'Assign',
    object: 'AppRoleAssignment',
  },
  input: z.strictObject({
    id: objectId,
    body: z.strictObject({ principalId: referencedId, resourceId: referencedId, appRoleId: z.guid() }),
  }),
  // wire.md: app roles of the directory API need Privileged Role Administrator or Global Administrator (CON-15).
  target: async (permit, { body }) => {
    const { appId } = await readAssignable(permit, body.resourceId, body.appRoleId);
    return { reach: appId === DIRECTORY_APP_ID ? 'all' : 'exceptDirectoryAppRoles' };
  },
  run: (permit, { body }) => assignAppRole(permit, body),
});

export const removeAppRoleAssignment = writeOperation({
  name: 'deleteAppRoleAssignment',
  summary: 'Take an application permission back',
  action: 'directory/servicePrincipals/appRoleAssignments/update',
  route: { method: 'DELETE', path: '/servicePrincipals/:id/appRoleAssignments/:assignmentId', status: 204 },
  permissions: { delegated: ASSIGN, application: ASSIGN },
  audit: {
    activity: 'Remove app role assignment from service principal',
    category: 'ApplicationManagement',
    type: 'Unassign',
    object: 'AppRoleAssignment',
  },
  input: z.strictObject({ id: objectId, assignmentId: objectId }),
  run: (permit, { id, assignmentId }) => removeAppRole(permit, id, assignmentId),
});
