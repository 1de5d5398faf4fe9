import { z } from 'zod';
import { listPresentApplications, readApplicationAccess } from '../../directory/application-access.ts';
import { readOperation } from '../operation.ts';
import { reading } from './application-permissions.ts';
import { objectId, referencedId, text } from './inputs.ts';

export const getApplicationAccess = readOperation({
  name: 'getServicePrincipalAccess',
  summary: 'Say what an application can do in the organization, who granted it, and when it was last used',
  action: 'directory/servicePrincipals/tokenDecisions/read',
  route: { method: 'GET', path: '/servicePrincipals/:id/access', status: 200 },
  permissions: reading,
  onPages: true,
  input: z.strictObject({ id: objectId }),
  run: (permit, { id }) => readApplicationAccess(permit, id),
});

export const getPresentApplications = readOperation({
  name: 'listPresentApplications',
  summary: 'List the applications of the organization by name, for an administrator at the pages',
  action: 'directory/servicePrincipals/tokenDecisions/read',
  permissions: { delegated: [], application: [] },
  onPages: true,
  input: z.strictObject({
    search: text(120).optional(),
    after: z.strictObject({ displayName: text(256), id: referencedId }).optional(),
  }),
  run: (permit, input) => listPresentApplications(permit, input),
});
