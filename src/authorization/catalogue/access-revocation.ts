import { z } from 'zod';
import { isUsedBy, revokeAccess } from '../../directory/access-revocation.ts';
import { badRequest, notFound } from '../../vocabulary/errors.ts';
import { writeOperation } from '../operation.ts';
import { writing } from './application-permissions.ts';
import { objectId, referencedId } from './inputs.ts';
import { signedIn } from './signed-in.ts';

const audit = {
  activity: 'Revoke application access',
  category: 'ApplicationManagement',
  type: 'Delete',
  object: 'ServicePrincipal',
} as const;

const body = z.strictObject({ principalId: referencedId.optional(), remove: z.boolean().optional() });

export const revokeApplicationAccess = writeOperation({
  name: 'revokeAccess',
  summary: 'Revoke all access of an application at once: for everybody, for one user, or with the application itself',
  action: 'directory/servicePrincipals/access/revoke',
  route: { method: 'POST', path: '/servicePrincipals/:id/revokeAccess', status: 200 },
  permissions: writing,
  onPages: true,
  audit,
  input: z.strictObject({ id: objectId, body: body.default({}) }),
  target: (_permit, { body: { remove } }) => (remove ? { also: ['directory/servicePrincipals/delete'] } : {}),
  run: (permit, { id, body: { principalId, remove } }) => {
    if (principalId && remove) throw badRequest('An application is removed for everybody, not for one user.');
    return revokeAccess(permit, { clientId: id, principalId, remove });
  },
});

export const revokeMyAccess = writeOperation({
  name: 'revokeMyAccess',
  summary: 'Take back all that an application may do in the signed-in user’s name',
  action: 'directory/servicePrincipals/ownAccess/revoke',
  route: { method: 'POST', path: '/me/revokeAccess', status: 200 },
  permissions: { delegated: ['DelegatedPermissionGrant.ReadWrite.All'], application: [] },
  onPages: true,
  audit,
  input: z.strictObject({ body: z.strictObject({ servicePrincipalId: referencedId }) }),
  target: () => ({ isOwn: true }),
  run: async (permit, { body: { servicePrincipalId } }, caller) => {
    const principalId = signedIn(caller);
    // A guest sees no application of the organization but those that act for him.
    if (caller.isGuest && !(await isUsedBy(permit, servicePrincipalId, principalId))) throw notFound();
    return revokeAccess(permit, { clientId: servicePrincipalId, principalId });
  },
});
