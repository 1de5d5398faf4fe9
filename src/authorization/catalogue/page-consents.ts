import { z } from 'zod';
import { type ConsentPermit, readConsentable, recordConsent } from '../../directory/consents.ts';
import { listMyApplications } from '../../directory/own-consents.ts';
import { badRequest, notFound } from '../../vocabulary/errors.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import { readOperation, type Target, writeOperation } from '../operation.ts';
import { isSelfConsentable } from '../self-consent.ts';
import { appId, referencedId } from './inputs.ts';
import { signedIn } from './signed-in.ts';

/** Consent as a person gives and sees it at the sign-in server's own pages. No token reaches these operations. */
const NO_APPLICATION = { delegated: [], application: [] };
const audited = { category: 'ApplicationManagement', object: 'OAuth2PermissionGrant' } as const;
const consented = { activity: 'Consent to application', type: 'Add', ...audited } as const;

const scopes = z
  .array(z.strictObject({ resourceId: referencedId, values: z.array(z.string().min(1).max(240)).min(1).max(100) }))
  .max(20);
const appRoles = z.array(z.strictObject({ resourceId: referencedId, appRoleId: z.guid() })).max(200);

export const consentForSelf = writeOperation({
  name: 'consentForSelf',
  summary: 'Consent to an application, for oneself',
  action: 'directory/oAuth2PermissionGrants/ownConsent/create',
  permissions: NO_APPLICATION,
  onPages: true,
  audit: consented,
  input: z.strictObject({ appId, scopes: scopes.min(1) }),
  target: async (permit, input) => selfConsentTarget(permit, input.scopes),
  run: (permit, input, caller) => recordConsent(permit, { ...input, principalId: signedIn(caller), appRoles: [] }),
});

export const consentForOrganization = writeOperation({
  name: 'consentForOrganization',
  summary: 'Consent to an application, for the whole organization',
  action: 'directory/oAuth2PermissionGrants/create',
  permissions: NO_APPLICATION,
  onPages: true,
  audit: consented,
  input: z.strictObject({ appId, scopes, appRoles }),
  target: async (permit, input) => {
    const ids = [...input.scopes, ...input.appRoles].map(({ resourceId }) => resourceId);
    const resources = await consentable(permit, ids);
    const ofDirectory = resources.find((resource) => resource.appId === DIRECTORY_APP_ID);
    const asksForItsRoles = input.appRoles.some(({ resourceId }) => resourceId === ofDirectory?.resourceId);
    return { reach: asksForItsRoles ? 'all' : 'exceptDirectoryAppRoles' };
  },
  run: (permit, input) => recordConsent(permit, input),
});

export const getMyApplications = readOperation({
  name: 'listMyApplications',
  summary: 'List the applications that may act for oneself',
  action: 'directory/oAuth2PermissionGrants/standard/read',
  permissions: NO_APPLICATION,
  onPages: true,
  input: z.strictObject({}),
  target: () => ({ isOwn: true }),
  run: (permit, _input, caller) => listMyApplications(permit, signedIn(caller)),
});

/** For what he may not consent to himself he must be an administrator, though it counts for him alone. */
async function selfConsentTarget(
  permit: ConsentPermit,
  asked: readonly { readonly resourceId: ObjectId; readonly values: readonly string[] }[],
): Promise<Target> {
  const resources = await consentable(
    permit,
    asked.map(({ resourceId }) => resourceId),
  );
  const mayAlone = asked.every(({ resourceId, values }) => {
    const resource = resources.find((known) => known.resourceId === resourceId);
    return resource && values.every((value) => isSelfConsentable(resource, value));
  });
  return mayAlone ? { isOwn: true } : { isOwn: true, reach: 'exceptDirectoryAppRoles' };
}

async function consentable(permit: ConsentPermit, ids: readonly ObjectId[]) {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) throw badRequest('There is nothing to consent to.');
  const resources = await readConsentable(permit, wanted);
  if (resources.length < wanted.length) throw notFound();
  return resources;
}
