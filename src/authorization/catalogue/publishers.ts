import { z } from 'zod';
import { setVerifiedPublisher } from '../../directory/verified-publishers.ts';
import { restoreAccess, withdraw } from '../../directory/withdrawals.ts';
import { parseTenantId, type TenantId } from '../../vocabulary/ids.ts';
import { writeOperation } from '../operation.ts';
import { writing } from './application-permissions.ts';
import { objectId, text } from './inputs.ts';

const audited = { category: 'ApplicationManagement', object: 'Application' } as const;

const tenantId = z.string().transform((value, context): TenantId => {
  const id = parseTenantId(value);
  if (id) return id;
  context.addIssue({ code: 'custom', message: 'Must be a GUID.' });
  return z.NEVER;
});
const fromTenant = z.strictObject({ id: objectId, body: z.strictObject({ tenantId }) });

/** A name that others trust: only a person gives it. */
export const verifyPublisher = writeOperation({
  name: 'setVerifiedPublisher',
  summary: 'Name the publisher of an application: a verified domain of the organization',
  action: 'directory/applications/verification/update',
  route: { method: 'POST', path: '/applications/:id/setVerifiedPublisher', status: 204 },
  permissions: writing,
  audit: { activity: 'Set verified publisher', type: 'Update', ...audited },
  input: z.strictObject({ id: objectId, body: z.strictObject({ verifiedPublisherId: text(253).toLowerCase() }) }),
  target: () => ({ byPeopleAlone: true }),
  run: (permit, { id, body }) => setVerifiedPublisher(permit, id, body.verifiedPublisherId),
});

export const unverifyPublisher = writeOperation({
  name: 'unsetVerifiedPublisher',
  summary: 'Take the name of the publisher away from an application',
  action: 'directory/applications/verification/update',
  route: { method: 'POST', path: '/applications/:id/unsetVerifiedPublisher', status: 204 },
  permissions: writing,
  audit: { activity: 'Unset verified publisher', type: 'Update', ...audited },
  input: z.strictObject({ id: objectId }),
  target: () => ({ byPeopleAlone: true }),
  run: (permit, { id }) => setVerifiedPublisher(permit, id, null),
});

export const withdrawApplication = writeOperation({
  name: 'withdrawApplication',
  summary: 'Withdraw a published application from another organization: no more tokens there',
  action: 'directory/applications/withdraw',
  route: { method: 'POST', path: '/applications/:id/withdraw', status: 204 },
  permissions: writing,
  audit: { activity: 'Withdraw application from organization', type: 'Update', ...audited },
  input: fromTenant,
  run: (permit, { id, body }) => withdraw(permit, id, body.tenantId),
});

export const restoreApplication = writeOperation({
  name: 'restoreApplicationAccess',
  summary: 'Let a published application into an organization again from which it was withdrawn',
  action: 'directory/applications/withdraw',
  route: { method: 'POST', path: '/applications/:id/restoreAccess', status: 204 },
  permissions: writing,
  audit: { activity: 'Restore application to organization', type: 'Update', ...audited },
  input: fromTenant,
  run: (permit, { id, body }) => restoreAccess(permit, id, body.tenantId),
});
