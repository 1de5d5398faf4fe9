import { z } from 'zod';
import {
  createApplication,
  deleteApplication,
  listApplications,
  readApplication,
  updateApplication,
} from '../../directory/applications.ts';
import { addSecret, removeSecret } from '../../directory/password-credentials.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { applicationProperties } from './application-inputs.ts';
import { reading, readingOne, writingOne } from './application-permissions.ts';
import { listQuery, notEmpty, nullableText, objectId, referencedId, text, version } from './inputs.ts';
import { credentialsTarget, ownership } from './ownership.ts';

const audited = { category: 'ApplicationManagement', object: 'Application' } as const;

export const getApplications = readOperation({
  name: 'listApplications',
  summary: 'List applications',
  action: 'directory/applications/standard/read',
  list: true,
  route: { method: 'GET', path: '/applications', status: 200 },
  permissions: reading,
  input: z.strictObject({ query: listQuery }),
  run: (permit, { query }) => listApplications(permit, query),
});

export const getApplication = readOperation({
  name: 'getApplication',
  summary: 'Get an application',
  action: 'directory/applications/standard/read',
  route: { method: 'GET', path: '/applications/:id', status: 200 },
  permissions: readingOne,
  input: z.strictObject({ id: objectId }),
  target: (permit, { id }, caller) => ownership(permit, id, caller),
  run: (permit, { id }) => readApplication(permit, id),
});

export const addApplication = writeOperation({
  name: 'createApplication',
  summary: 'Create an application, and its service principal in this organization',
  action: 'directory/applications/create',
  route: { method: 'POST', path: '/applications', status: 201 },
  permissions: writingOne,
  audit: { activity: 'Add application', type: 'Add', ...audited },
  input: z.strictObject({ body: z.strictObject({ ...applicationProperties, displayName: text(256) }) }),
  target: (_permit, { body }) => ({ isOwned: true, ...preAuthorizing(body) }),
  run: (permit, { body }, { servicePrincipalId, grantedBy }) => {
    const firstOwner = grantedBy.includes('Application.ReadWrite.OwnedBy') ? servicePrincipalId : undefined;
    return createApplication(permit, { ...body, firstOwner });
  },
});

export const patchApplication = writeOperation({
  name: 'updateApplication',
  summary: 'Update an application',
  action: 'directory/applications/basic/update',
  route: { method: 'PATCH', path: '/applications/:id', status: 204 },
  permissions: writingOne,
  versioned: true,
  audit: { activity: 'Update application', type: 'Update', ...audited },
  input: z.strictObject({
    id: objectId,
    version,
    body: z
      .strictObject({ ...applicationProperties, displayName: text(256).optional() })
      .refine(notEmpty, 'Nothing to update.'),
  }),
  // Where a redirect URI or a key of a privileged application can be set, its privileges can be had (CON-16).
  target: async (permit, { id, body }, caller) => ({
    ...preAuthorizing(body),
    ...(await credentialsTarget(permit, id, caller)),
  }),
  run: (permit, { id, body, version }) => updateApplication(permit, id, body, version),
});

export const removeApplication = writeOperation({
  name: 'deleteApplication',
  summary: 'Delete an application, and its service principal in this organization',
  action: 'directory/applications/delete',
  route: { method: 'DELETE', path: '/applications/:id', status: 204 },
  permissions: writingOne,
  versioned: true,
  audit: { activity: 'Delete application', type: 'Delete', ...audited },
  input: z.strictObject({ id: objectId, version }),
  target: (permit, { id }, caller) => ownership(permit, id, caller),
  run: (permit, { id, version }) => deleteApplication(permit, id, version),
});

export const addPassword = writeOperation({
  name: 'addPassword',
  summary: 'Add a client secret; its value is in the answer, this once',
  action: 'directory/applications/credentials/update',
  route: { method: 'POST', path: '/applications/:id/addPassword', status: 200 },
  permissions: writingOne,
  audit: { activity: 'Update application – Certificates and secrets management', type: 'Update', ...audited },
  input: z.strictObject({
    id: objectId,
    body: z
      .strictObject({
        passwordCredential: z
          .strictObject({
            displayName: nullableText(120).optional(),
            endDateTime: z.iso.datetime({ offset: true }).optional(),
          })
          .optional(),
      })
      .optional(),
  }),
  target: (permit, { id }, caller) => credentialsTarget(permit, id, caller),
  run: (permit, { id, body }) => {
    const { displayName, endDateTime } = body?.passwordCredential ?? {};
    return addSecret(permit, id, {
      displayName,
      endDateTime: endDateTime === undefined ? undefined : new Date(endDateTime),
    });
  },
});

export const removePassword = writeOperation({
  name: 'removePassword',
  summary: 'Remove a client secret',
  action: 'directory/applications/credentials/update',
  route: { method: 'POST', path: '/applications/:id/removePassword', status: 204 },
  permissions: writingOne,
  audit: { activity: 'Update application – Certificates and secrets management', type: 'Update', ...audited },
  input: z.strictObject({ id: objectId, body: z.strictObject({ keyId: referencedId }) }),
  target: (permit, { id }, caller) => ownership(permit, id, caller),
  run: (permit, { id, body }) => removeSecret(permit, id, body.keyId),
});

/** Naming a client to which people need not consent is an administrator's consent for all of them (CON-28). */
function preAuthorizing({ api }: { api?: { preAuthorizedApplications?: readonly unknown[] | undefined } | undefined }) {
  const isEmpty = (api?.preAuthorizedApplications ?? []).length === 0;
  return isEmpty ? {} : ({ byPeopleAlone: true, reach: 'exceptDirectoryAppRoles' } as const);
}
