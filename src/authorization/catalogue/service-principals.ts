import { z } from 'zod';
import {
  createServicePrincipal,
  deleteServicePrincipal,
  listServicePrincipals,
  readServicePrincipal,
  updateServicePrincipal,
} from '../../directory/service-principals.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { servicePrincipalProperties } from './application-inputs.ts';
import { reading, writing } from './application-permissions.ts';
import { appId, listQuery, notEmpty, objectId } from './inputs.ts';

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
  summary: 'Update a service principal: enable or disable it in the organization, keep it for those assigned to it',
  action: 'directory/servicePrincipals/basic/update',
  route: { method: 'PATCH', path: '/servicePrincipals/:id', status: 204 },
  permissions: writing,
  audit: { activity: 'Update service principal', type: 'Update', ...audited },
  input: z.strictObject({
    id: objectId,
    body: z.strictObject(servicePrincipalProperties).refine(notEmpty, 'Nothing to update.'),
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
