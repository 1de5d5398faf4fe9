import { z } from 'zod';
import { isGrantPrivileged } from '../../directory/app-privilege.ts';
import {
  createGrant,
  deleteGrant,
  isGrantOf,
  listGrants,
  listGrantsOfClient,
  listGrantsOfUser,
  readGrant,
  updateGrant,
} from '../../directory/permission-grants.ts';
import type { Permit } from '../../store/permit.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import { readOperation, type Target, writeOperation } from '../operation.ts';
import { listQuery, objectId, referencedId } from './inputs.ts';
import { signedIn } from './signed-in.ts';

const READ = [
  'DelegatedPermissionGrant.Read.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
] as const;
const WRITE = ['DelegatedPermissionGrant.ReadWrite.All'] as const;
const reading = { delegated: READ, application: READ };
const writing = { delegated: WRITE, application: WRITE };
const audited = { category: 'ApplicationManagement', object: 'OAuth2PermissionGrant' } as const;
const scope = z
  .string()
  .trim()
  .min(1)
  .max(4_096)
  .transform((value) => value.split(/ +/));

export const getGrants = readOperation({
  name: 'listOAuth2PermissionGrants',
  summary: 'List delegated permission grants',
  action: 'directory/oAuth2PermissionGrants/standard/read',
  list: true,
  route: { method: 'GET', path: '/oauth2PermissionGrants', status: 200 },
  permissions: reading,
  input: z.strictObject({ query: listQuery }),
  target: () => ({ isOwn: false }),
  run: (permit, { query }) => listGrants(permit, query),
});

export const getGrant = readOperation({
  name: 'getOAuth2PermissionGrant',
  summary: 'Get a delegated permission grant',
  action: 'directory/oAuth2PermissionGrants/standard/read',
  route: { method: 'GET', path: '/oauth2PermissionGrants/:id', status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId }),
  target: async (permit, { id }, { userId }) => ({ isOwn: await isGrantOf(permit, id, userId) }),
  run: (permit, { id }) => readGrant(permit, id),
});

export const getGrantsOfClient = readOperation({
  name: 'listServicePrincipalOAuth2PermissionGrants',
  summary: 'List the delegated permissions that an application was granted',
  action: 'directory/oAuth2PermissionGrants/standard/read',
  list: true,
  route: { method: 'GET', path: '/servicePrincipals/:id/oauth2PermissionGrants', status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId, query: listQuery }),
  target: () => ({ isOwn: false }),
  run: (permit, { id, query }) => listGrantsOfClient(permit, id, query),
});

export const getGrantsOfUser = readOperation({
  name: 'listUserOAuth2PermissionGrants',
  summary: 'List what a user has consented to for himself',
  action: 'directory/oAuth2PermissionGrants/standard/read',
  list: true,
  route: { method: 'GET', path: '/users/:id/oauth2PermissionGrants', status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId, query: listQuery }),
  target: (_permit, { id }, { userId }) => ({ isOwn: id === userId }),
  run: (permit, { id, query }) => listGrantsOfUser(permit, id, query),
});

export const getMyGrants = readOperation({
  name: 'listMyOAuth2PermissionGrants',
  summary: 'List what the signed-in user has consented to for himself',
  action: 'directory/oAuth2PermissionGrants/standard/read',
  list: true,
  route: { method: 'GET', path: '/me/oauth2PermissionGrants', status: 200 },
  permissions: reading,
  input: z.strictObject({ query: listQuery }),
  target: () => ({ isOwn: true }),
  run: (permit, { query }, caller) => listGrantsOfUser(permit, signedIn(caller), query),
});

export const addGrant = writeOperation({
  name: 'createOAuth2PermissionGrant',
  summary: 'Consent to delegated permissions, for everybody or for one user',
  action: 'directory/oAuth2PermissionGrants/create',
  route: { method: 'POST', path: '/oauth2PermissionGrants', status: 201 },
  permissions: writing,
  audit: { activity: 'Add delegated permission grant', type: 'Add', ...audited },
  input: z.strictObject({
    body: z
      .strictObject({
        clientId: referencedId,
        resourceId: referencedId,
        consentType: z.enum(['AllPrincipals', 'Principal']),
        principalId: referencedId.nullable().optional(),
        scope,
      })
      .refine(
        ({ consentType, principalId }) => (consentType === 'Principal') === Boolean(principalId),
        'principalId belongs to consentType Principal, and only to it.',
      ),
  }),
  target: (permit, { body }) => reachOf(permit, body.resourceId, body.scope),
  run: (permit, { body }, caller) => {
    const { clientId, resourceId, principalId, scope } = body;
    const by = caller.userId ?? caller.servicePrincipalId;
    return createGrant(permit, { clientId, resourceId, principalId: principalId ?? undefined, scopes: scope, by });
  },
});

export const patchGrant = writeOperation({
  name: 'updateOAuth2PermissionGrant',
  summary: 'Change the scopes of a delegated permission grant',
  action: 'directory/oAuth2PermissionGrants/basic/update',
  route: { method: 'PATCH', path: '/oauth2PermissionGrants/:id', status: 204 },
  permissions: writing,
  audit: { activity: 'Update delegated permission grant', type: 'Update', ...audited },
  input: z.strictObject({ id: objectId, body: z.strictObject({ scope }) }),
  target: async (permit, { id, body }) => reachOf(permit, (await readGrant(permit, id)).resourceId, body.scope),
  run: (permit, { id, body }, caller) =>
    updateGrant(permit, id, body.scope, caller.userId ?? caller.servicePrincipalId),
});

export const removeGrant = writeOperation({
  name: 'deleteOAuth2PermissionGrant',
  summary: 'Withdraw delegated permissions',
  action: 'directory/oAuth2PermissionGrants/delete',
  route: { method: 'DELETE', path: '/oauth2PermissionGrants/:id', status: 204 },
  permissions: writing,
  audit: { activity: 'Remove delegated permission grant', type: 'Delete', ...audited },
  input: z.strictObject({ id: objectId }),
  target: async (permit, { id }, { userId }) => ({ isOwn: await isGrantOf(permit, id, userId) }),
  run: (permit, { id }) => deleteGrant(permit, id),
});

/** wire.md, "Consent: one truth". An application that may consent does not lend itself an administrator's powers so. */
async function reachOf(
  permit: Permit<'directory/oAuth2PermissionGrants/create' | 'directory/oAuth2PermissionGrants/basic/update'>,
  resourceId: ObjectId,
  scopes: readonly string[],
): Promise<Target> {
  return {
    reach: 'exceptDirectoryAppRoles',
    byPeopleAlone: await isGrantPrivileged(permit, resourceId, scopes),
  };
}
