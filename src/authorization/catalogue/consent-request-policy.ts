import { z } from 'zod';
import { findGroupId, listNamedReviewers, requireReviewers } from '../../directory/consent-reviewers.ts';
import { lockTenantPolicy, readTenantPolicy, writeTenantPolicy } from '../../directory/tenant-policies.ts';
import { findUserId } from '../../directory/users.ts';
import { type ConsentReviewer, reviewerQuery } from '../../vocabulary/consent-reviewers.ts';
import { directoryRole } from '../../vocabulary/directory-roles.ts';
import { notFound } from '../../vocabulary/errors.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { consentRequestProperties } from './consent-policy-inputs.ts';
import { mailNickname, userPrincipalName } from './inputs.ts';

const WRITE = ['Policy.ReadWrite.ConsentRequest'] as const;
const READ = ['Policy.Read.All', ...WRITE] as const;
const NO_APPLICATION = { delegated: [], application: [] };
const route = { path: '/policies/adminConsentRequestPolicy' } as const;
const ID = 'adminConsentRequestPolicy';

export const getAdminConsentRequestPolicy = readOperation({
  name: 'getAdminConsentRequestPolicy',
  summary: 'Get whether people may ask for consent, and who decides',
  action: 'directory/adminConsentRequestPolicy/standard/read',
  route: { method: 'GET', ...route, status: 200 },
  permissions: { delegated: READ, application: READ },
  onPages: true,
  input: z.strictObject({}),
  run: async (permit) => ({ id: ID, ...(await readTenantPolicy(permit, ID)) }),
});

export const putAdminConsentRequestPolicy = writeOperation({
  name: 'putAdminConsentRequestPolicy',
  summary: 'Set whether people may ask for consent, and who decides; the webhook stays as it is unless it is named',
  action: 'directory/adminConsentRequestPolicy/basic/update',
  route: { method: 'PUT', ...route, status: 204 },
  permissions: { delegated: WRITE, application: WRITE },
  onPages: true,
  audit: { activity: 'Update admin consent request policy', category: 'Policy', type: 'Update', object: 'Policy' },
  input: z.strictObject({
    body: z.strictObject({
      ...consentRequestProperties,
      notificationWebhook: consentRequestProperties.notificationWebhook.optional(),
    }),
  }),
  // Who names reviewers decides who consents.
  target: () => ({ byPeopleAlone: true }),
  run: async (permit, { body: { notificationWebhook, ...settings } }) => {
    await lockTenantPolicy(permit, ID);
    await requireReviewers(permit, settings.reviewers);
    const webhook = notificationWebhook === undefined ? {} : { notificationWebhook };
    const { changes } = await writeTenantPolicy(permit, ID, { ...settings, ...webhook });
    return { value: undefined, changes };
  },
});

export const getConsentReviewers = readOperation({
  name: 'listConsentReviewers',
  summary: 'List who decides on requests for consent, by name',
  action: 'directory/adminConsentRequestPolicy/standard/read',
  permissions: NO_APPLICATION,
  onPages: true,
  input: z.strictObject({}),
  run: async (permit) => {
    const { reviewers } = await readTenantPolicy(permit, ID);
    const named = await listNamedReviewers(permit, reviewers);
    return named.map((reviewer) => ({
      ...reviewer,
      displayName: reviewer.displayName ?? directoryRole(reviewer.id)?.displayName ?? null,
    }));
  },
});

export const findConsentReviewer = readOperation({
  name: 'findConsentReviewer',
  summary: 'Find a person by user name, to name him as a reviewer',
  action: 'directory/adminConsentRequestPolicy/standard/read',
  permissions: NO_APPLICATION,
  onPages: true,
  input: z.strictObject({ userPrincipalName }),
  run: async (permit, input) => named('user', await findUserId(permit, input.userPrincipalName)),
});

export const findConsentReviewerGroup = readOperation({
  name: 'findConsentReviewerGroup',
  summary: 'Find a group by its mail nickname, to name its members as reviewers',
  action: 'directory/adminConsentRequestPolicy/standard/read',
  permissions: NO_APPLICATION,
  onPages: true,
  input: z.strictObject({ mailNickname }),
  run: async (permit, input) => named('group', await findGroupId(permit, input.mailNickname)),
});

function named(kind: ConsentReviewer['kind'], id: ObjectId | undefined) {
  if (!id) throw notFound();
  return { query: reviewerQuery({ kind, id }), queryType: 'MicrosoftGraph' as const };
}
