import { z } from 'zod';
import { listOrganizations, readOrganization, updateOrganization } from '../../directory/organizations.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { listQuery, objectId, text, version } from './inputs.ts';

const READ = [
  'Organization.Read.All',
  'Organization.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
] as const;
const WRITE = ['Organization.ReadWrite.All', 'Directory.ReadWrite.All'] as const;
const reading = { delegated: [...READ, 'User.Read'], application: READ } as const;

export const getOrganizations = readOperation({
  name: 'listOrganization',
  summary: 'List the caller’s organization, which is one',
  action: 'directory/organization/standard/read',
  list: true,
  route: { method: 'GET', path: '/organization', status: 200 },
  permissions: reading,
  input: z.strictObject({ query: listQuery }),
  run: (permit, { query }) => listOrganizations(permit, query),
});

export const getOrganization = readOperation({
  name: 'getOrganization',
  summary: 'Get the caller’s organization',
  action: 'directory/organization/standard/read',
  route: { method: 'GET', path: '/organization/:id', status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId }),
  run: (permit, { id }) => readOrganization(permit, id),
});

export const patchOrganization = writeOperation({
  name: 'updateOrganization',
  summary: 'Rename the organization',
  action: 'directory/organization/basic/update',
  route: { method: 'PATCH', path: '/organization/:id', status: 204 },
  permissions: { delegated: WRITE, application: WRITE },
  versioned: true,
  audit: {
    activity: 'Set company information',
    category: 'DirectoryManagement',
    type: 'Update',
    object: 'Organization',
  },
  input: z.strictObject({ id: objectId, version, body: z.strictObject({ displayName: text(256) }) }),
  run: (permit, { id, body, version }) => updateOrganization(permit, id, body, version),
});
