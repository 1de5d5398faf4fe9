import { z } from 'zod';
import {
  createFederatedCredential,
  deleteFederatedCredential,
  listFederatedCredentials,
  readFederatedCredential,
  updateFederatedCredential,
} from '../../directory/federated-credentials.ts';
import { urlProblem } from '../../vocabulary/outbound-urls.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { readingOne, writingOne } from './application-permissions.ts';
import { listQuery, notEmpty, nullableText, objectId, text } from './inputs.ts';
import { credentialsTarget, ownership } from './ownership.ts';

const PLACE = '/applications/:id/federatedIdentityCredentials';
const words = {
  category: 'ApplicationManagement',
  object: 'FederatedIdentityCredential',
} as const;

/** Compared to the letter with what the assertion says, so it is kept as it was written. */
const issuer = text(600).superRefine((value, context) => {
  const problem = urlProblem(value) ?? (value.includes('?') ? 'has a query' : undefined);
  if (problem) context.addIssue(`The issuer ${problem}.`);
});

const properties = {
  issuer,
  subject: text(600),
  audiences: z.array(text(600)).length(1),
  description: nullableText(600).default(null),
};
const name = text(120).regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'Letters, digits, _ and - only.');

export const getFederatedCredentials = readOperation({
  name: 'listFederatedIdentityCredentials',
  summary: 'List the federated identity credentials of an application',
  action: 'directory/applications/standard/read',
  list: true,
  route: { method: 'GET', path: PLACE, status: 200 },
  permissions: readingOne,
  input: z.strictObject({ id: objectId, query: listQuery }),
  target: (permit, { id }, caller) => ownership(permit, id, caller),
  run: (permit, { id, query }) => listFederatedCredentials(permit, id, query),
});

export const getFederatedCredential = readOperation({
  name: 'getFederatedIdentityCredential',
  summary: 'Get a federated identity credential',
  action: 'directory/applications/standard/read',
  route: { method: 'GET', path: `${PLACE}/:credentialId`, status: 200 },
  permissions: readingOne,
  input: z.strictObject({ id: objectId, credentialId: objectId }),
  target: (permit, { id }, caller) => ownership(permit, id, caller),
  run: (permit, { id, credentialId }) => readFederatedCredential(permit, id, credentialId),
});

export const addFederatedCredential = writeOperation({
  name: 'createFederatedIdentityCredential',
  summary: 'Let an application authenticate by the tokens of another issuer',
  action: 'directory/applications/credentials/update',
  route: { method: 'POST', path: PLACE, status: 201 },
  permissions: writingOne,
  audit: { activity: 'Add federated identity credential', type: 'Add', ...words },
  input: z.strictObject({ id: objectId, body: z.strictObject({ name, ...properties }) }),
  target: (permit, { id }, caller) => credentialsTarget(permit, id, caller),
  run: (permit, { id, body }) => createFederatedCredential(permit, id, body),
});

export const patchFederatedCredential = writeOperation({
  name: 'updateFederatedIdentityCredential',
  summary: 'Update a federated identity credential; its name stays',
  action: 'directory/applications/credentials/update',
  route: { method: 'PATCH', path: `${PLACE}/:credentialId`, status: 204 },
  permissions: writingOne,
  audit: { activity: 'Update federated identity credential', type: 'Update', ...words },
  input: z.strictObject({
    id: objectId,
    credentialId: objectId,
    body: z
      .strictObject({ ...properties, description: nullableText(600) })
      .partial()
      .refine(notEmpty, 'Nothing to update.'),
  }),
  target: (permit, { id }, caller) => credentialsTarget(permit, id, caller),
  run: (permit, { id, credentialId, body }) => updateFederatedCredential(permit, id, credentialId, body),
});

export const removeFederatedCredential = writeOperation({
  name: 'deleteFederatedIdentityCredential',
  summary: 'Delete a federated identity credential',
  action: 'directory/applications/credentials/update',
  route: { method: 'DELETE', path: `${PLACE}/:credentialId`, status: 204 },
  permissions: writingOne,
  audit: { activity: 'Delete federated identity credential', type: 'Delete', ...words },
  input: z.strictObject({ id: objectId, credentialId: objectId }),
  target: (permit, { id }, caller) => credentialsTarget(permit, id, caller),
  run: (permit, { id, credentialId }) => deleteFederatedCredential(permit, id, credentialId),
});
