import { z } from 'zod';
import {
  assignAppRole,
  listAssignmentsGiven,
  listAssignmentsOfResource,
  type NewAssignment,
  type PrincipalType,
  readAssignable,
  readPrincipalType,
  removeAppRole,
} from '../../directory/app-role-assignments.ts';
import type { Permit } from '../../store/permit.ts';
import { badRequest } from '../../vocabulary/errors.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import { readOperation, type Target, writeOperation } from '../operation.ts';
import { READ } from './application-permissions.ts';
import { listQuery, objectId, referencedId } from './inputs.ts';
import { deciderOf } from './signed-in.ts';

const ASSIGN = ['AppRoleAssignment.ReadWrite.All'] as const;
const SEE = [...READ, ...ASSIGN] as const;
const reading = { delegated: SEE, application: SEE };
const writing = { delegated: ASSIGN, application: ASSIGN };
const input = z.strictObject({
  id: objectId,
  body: z.strictObject({ principalId: referencedId, resourceId: referencedId, appRoleId: referencedId }),
});
type Input = z.output<typeof input>;

/** The three kinds of principals differ in their names alone. */
function operationsOn(kind: 'ServicePrincipal' | 'User' | 'Group', collection: string, noun: string) {
  return {
    list: readOperation({
      name: `list${kind}AppRoleAssignments`,
      summary: `List the app roles that a ${noun} was given`,
      action: 'directory/servicePrincipals/appRoleAssignments/read',
      list: true,
      route: { method: 'GET', path: `/${collection}/:id/appRoleAssignments`, status: 200 },
      permissions: reading,
      input: z.strictObject({ id: objectId, query: listQuery }),
      run: (permit, { id, query }) => listAssignmentsGiven(permit, id, query, kind),
    }),
    add: writeOperation({
      name: `create${kind}AppRoleAssignment`,
      summary: `Give a ${noun} an app role`,
      action: 'directory/servicePrincipals/appRoleAssignments/update',
      route: { method: 'POST', path: `/${collection}/:id/appRoleAssignments`, status: 201 },
      permissions: writing,
      audit: {
        activity: `Add app role assignment to ${noun}`,
        category: 'ApplicationManagement',
        type: 'Assign',
        object: 'AppRoleAssignment',
      },
      input,
      target: (permit, { body }) => reachOf(permit, body.resourceId, body.appRoleId),
      run: (permit, given, caller) => assignAppRole(permit, { ...assignmentOf(given, kind), by: deciderOf(caller) }),
    }),
    remove: writeOperation({
      name: `delete${kind}AppRoleAssignment`,
      summary: `Take an app role back from a ${noun}`,
      action: 'directory/servicePrincipals/appRoleAssignments/update',
      route: { method: 'DELETE', path: `/${collection}/:id/appRoleAssignments/:assignmentId`, status: 204 },
      permissions: writing,
      audit: {
        activity: `Remove app role assignment from ${noun}`,
        category: 'ApplicationManagement',
        type: 'Unassign',
        object: 'AppRoleAssignment',
      },
      input: z.strictObject({ id: objectId, assignmentId: objectId }),
      run: (permit, { id, assignmentId }) => removeAppRole(permit, id, assignmentId),
    }),
  };
}

export const {
  list: getAppRoleAssignments,
  add: addAppRoleAssignment,
  remove: removeAppRoleAssignment,
} = operationsOn('ServicePrincipal', 'servicePrincipals', 'service principal');
export const {
  list: getUserAppRoleAssignments,
  add: addUserAppRoleAssignment,
  remove: removeUserAppRoleAssignment,
} = operationsOn('User', 'users', 'user');
export const {
  list: getGroupAppRoleAssignments,
  add: addGroupAppRoleAssignment,
  remove: removeGroupAppRoleAssignment,
} = operationsOn('Group', 'groups', 'group');

export const getAppRoleAssignedTo = readOperation({
  name: 'listAppRoleAssignedTo',
  summary: 'List to whom the roles of an API were given',
  action: 'directory/servicePrincipals/appRoleAssignments/read',
  list: true,
  route: { method: 'GET', path: '/servicePrincipals/:id/appRoleAssignedTo', status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId, query: listQuery }),
  run: (permit, { id, query }) => listAssignmentsOfResource(permit, id, query),
});

/** The same deed as of the three kinds of principals, seen from the API. */
export const addAppRoleAssignedTo = writeOperation({
  name: 'createAppRoleAssignedTo',
  summary: 'Give a role of an API to a service principal, user or group',
  action: 'directory/servicePrincipals/appRoleAssignments/update',
  route: { method: 'POST', path: '/servicePrincipals/:id/appRoleAssignedTo', status: 201 },
  permissions: writing,
  audit: {
    activity: 'Add app role assignment',
    category: 'ApplicationManagement',
    type: 'Assign',
    object: 'AppRoleAssignment',
  },
  input,
  target: (permit, { body }) => reachOf(permit, body.resourceId, body.appRoleId),
  run: async (permit, { id, body }, caller) => {
    if (body.resourceId !== id) throw badRequest('body.resourceId: Must be the id in the path.');
    const principalType = await readPrincipalType(permit, body.principalId);
    return assignAppRole(permit, { ...body, principalType, by: deciderOf(caller) });
  },
});

export const removeAppRoleAssignedTo = writeOperation({
  name: 'deleteAppRoleAssignedTo',
  summary: 'Take a role of an API back',
  action: 'directory/servicePrincipals/appRoleAssignments/update',
  route: { method: 'DELETE', path: '/servicePrincipals/:id/appRoleAssignedTo/:assignmentId', status: 204 },
  permissions: writing,
  audit: {
    activity: 'Remove app role assignment',
    category: 'ApplicationManagement',
    type: 'Unassign',
    object: 'AppRoleAssignment',
  },
  input: z.strictObject({ id: objectId, assignmentId: objectId }),
  run: (permit, { id, assignmentId }) => removeAppRole(permit, id, assignmentId),
});

/** wire.md: app roles of the directory API need Privileged Role Administrator or Global Administrator (CON-15). */
async function reachOf(
  permit: Permit<'directory/servicePrincipals/appRoleAssignments/update'>,
  resourceId: ObjectId,
  appRoleId: string,
): Promise<Target> {
  const { appId } = await readAssignable(permit, resourceId, appRoleId);
  return { reach: appId === DIRECTORY_APP_ID ? 'all' : 'exceptDirectoryAppRoles' };
}

function assignmentOf({ id, body }: Input, principalType: PrincipalType): NewAssignment {
  if (body.principalId !== id) throw badRequest('body.principalId: Must be the id in the path.');
  return { ...body, principalType };
}
