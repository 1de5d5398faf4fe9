import { z } from 'zod';
import {
  addClassification,
  listClassifications,
  readClassification,
  removeClassification,
} from '../../directory/classifications.ts';
import { CLASSIFICATIONS } from '../../vocabulary/consent-policy.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { listQuery, objectId, referencedId, text } from './inputs.ts';

const WRITE = ['Policy.ReadWrite.PermissionGrant'] as const;
const READ = ['Policy.Read.PermissionGrant', 'Policy.Read.All', ...WRITE] as const;
const reading = { delegated: READ, application: READ };
const writing = { delegated: WRITE, application: WRITE };
const audited = { category: 'Policy', object: 'PermissionClassification' } as const;
const PATH = '/servicePrincipals/:id/delegatedPermissionClassifications';

export const getClassifications = readOperation({
  name: 'listDelegatedPermissionClassifications',
  summary: 'List how the delegated permissions of an API are classified',
  action: 'directory/servicePrincipals/delegatedPermissionClassifications/read',
  list: true,
  route: { method: 'GET', path: PATH, status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId, query: listQuery }),
  run: (permit, { id, query }) => listClassifications(permit, id, query),
});

export const getClassification = readOperation({
  name: 'getDelegatedPermissionClassification',
  summary: 'Get how a delegated permission is classified',
  action: 'directory/servicePrincipals/delegatedPermissionClassifications/read',
  route: { method: 'GET', path: `${PATH}/:classificationId`, status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId, classificationId: objectId }),
  run: (permit, { id, classificationId }) => readClassification(permit, id, classificationId),
});

export const classifyPermission = writeOperation({
  name: 'createDelegatedPermissionClassification',
  summary: 'Classify a delegated permission of an API as low, medium or high',
  action: 'directory/servicePrincipals/delegatedPermissionClassifications/update',
  route: { method: 'POST', path: PATH, status: 201 },
  permissions: writing,
  audit: { activity: 'Add delegated permission classification', type: 'Add', ...audited },
  input: z.strictObject({
    id: objectId,
    body: z.strictObject({
      permissionId: referencedId,
      permissionName: text(240).optional(),
      classification: z.enum(CLASSIFICATIONS),
    }),
  }),
  run: (permit, { id, body }) => addClassification(permit, id, body),
});

export const declassifyPermission = writeOperation({
  name: 'deleteDelegatedPermissionClassification',
  summary: 'Take the classification of a delegated permission away',
  action: 'directory/servicePrincipals/delegatedPermissionClassifications/update',
  route: { method: 'DELETE', path: `${PATH}/:classificationId`, status: 204 },
  permissions: writing,
  audit: { activity: 'Delete delegated permission classification', type: 'Delete', ...audited },
  input: z.strictObject({ id: objectId, classificationId: objectId }),
  run: (permit, { id, classificationId }) => removeClassification(permit, id, classificationId),
});
