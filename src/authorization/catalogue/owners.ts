import { z } from 'zod';
import { addOwner, listOwners, removeOwner } from '../../directory/owners.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { reading, readingOne, writing } from './application-permissions.ts';
import { listQuery, objectId, ownerReference } from './inputs.ts';
import { credentialsTarget, ownership } from './ownership.ts';

const audited = { category: 'ApplicationManagement' } as const;
const reference = z.strictObject({ id: objectId, body: z.strictObject({ '@odata.id': ownerReference }) });
const owner = z.strictObject({ id: objectId, ownerId: objectId });

export const getApplicationOwners = readOperation({
  name: 'listApplicationOwners',
  summary: 'List the owners of an application',
  action: 'directory/applications/owners/read',
  list: true,
  route: { method: 'GET', path: '/applications/:id/owners', status: 200 },
  permissions: readingOne,
  input: z.strictObject({ id: objectId, query: listQuery }),
  target: (permit, { id }, caller) => ownership(permit, id, caller),
  run: (permit, { id, query }) => listOwners(permit, 'Application', id, query),
});

/** An application that may do all with its own may still not hand it to somebody else (CON-18). */
export const addApplicationOwner = writeOperation({
  name: 'addApplicationOwner',
  summary: 'Add an owner to an application, by a link to the user or service principal',
  action: 'directory/applications/owners/update',
  route: { method: 'POST', path: '/applications/:id/owners/$ref', status: 204 },
  permissions: writing,
  audit: { activity: 'Add owner to application', type: 'Assign', object: 'Application', ...audited },
  input: reference,
  target: (permit, { id }, caller) => credentialsTarget(permit, id, caller),
  run: (permit, { id, body }) => addOwner(permit, 'Application', id, body['@odata.id']),
});

export const removeApplicationOwner = writeOperation({
  name: 'removeApplicationOwner',
  summary: 'Remove an owner from an application',
  action: 'directory/applications/owners/update',
  route: { method: 'DELETE', path: '/applications/:id/owners/:ownerId/$ref', status: 204 },
  permissions: writing,
  audit: { activity: 'Remove owner from application', type: 'Unassign', object: 'Application', ...audited },
  input: owner,
  target: (permit, { id }, caller) => ownership(permit, id, caller),
  run: (permit, { id, ownerId }) => removeOwner(permit, 'Application', id, ownerId),
});

export const getServicePrincipalOwners = readOperation({
  name: 'listServicePrincipalOwners',
  summary: 'List the owners of a service principal',
  action: 'directory/servicePrincipals/owners/read',
  list: true,
  route: { method: 'GET', path: '/servicePrincipals/:id/owners', status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId, query: listQuery }),
  run: (permit, { id, query }) => listOwners(permit, 'ServicePrincipal', id, query),
});

export const addServicePrincipalOwner = writeOperation({
  name: 'addServicePrincipalOwner',
  summary: 'Add an owner to a service principal, by a link to the user or service principal',
  action: 'directory/servicePrincipals/owners/update',
  route: { method: 'POST', path: '/servicePrincipals/:id/owners/$ref', status: 204 },
  permissions: writing,
  audit: { activity: 'Add owner to service principal', type: 'Assign', object: 'ServicePrincipal', ...audited },
  input: reference,
  run: (permit, { id, body }) => addOwner(permit, 'ServicePrincipal', id, body['@odata.id']),
});

export const removeServicePrincipalOwner = writeOperation({
  name: 'removeServicePrincipalOwner',
  summary: 'Remove an owner from a service principal',
  action: 'directory/servicePrincipals/owners/update',
  route: { method: 'DELETE', path: '/servicePrincipals/:id/owners/:ownerId/$ref', status: 204 },
  permissions: writing,
  audit: { activity: 'Remove owner from service principal', type: 'Unassign', object: 'ServicePrincipal', ...audited },
  input: owner,
  run: (permit, { id, ownerId }) => removeOwner(permit, 'ServicePrincipal', id, ownerId),
});
