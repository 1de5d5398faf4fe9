import { z } from 'zod';
import { readConsentPolicies } from '../../directory/consent-policies.ts';
import { type ConsentPermit, recordConsent } from '../../directory/consents.ts';
import { listMyApplications } from '../../directory/own-consents.ts';
import { badRequest, notFound } from '../../vocabulary/errors.ts';
import type { AppId, ObjectId } from '../../vocabulary/ids.ts';
import { reachNeeded, verdictOn } from '../consent/decision.ts';
import { readOperation, type Target, writeOperation } from '../operation.ts';
import { appId, referencedId } from './inputs.ts';
import { deciderOf, signedIn } from './signed-in.ts';

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
  target: (permit, input) => selfConsentTarget(permit, input),
  run: async (permit, input, caller) =>
    recordConsent(permit, {
      ...input,
      scopes: await withPolicies(permit, input),
      principalIds: [signedIn(caller)],
      appRoles: [],
      by: deciderOf(caller),
    }),
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
    const { resources } = await consentable(permit, input.appId, ids);
    const appIdOf = (id: string) => resources.find(({ resourceId }) => resourceId === id)?.appId ?? '';
    const appRoles = input.appRoles.map(({ resourceId, appRoleId }) => ({
      resourceAppId: appIdOf(resourceId),
      id: appRoleId,
    }));
    const asked = input.scopes.flatMap(({ resourceId, values }) =>
      values.map((value) => ({ resourceAppId: appIdOf(resourceId), value })),
    );
    return { reach: reachNeeded({ scopes: asked, appRoles }) };
  },
  run: (permit, input, caller) => recordConsent(permit, { ...input, by: deciderOf(caller) }),
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

interface AskedForSelf {
  readonly appId: AppId;
  readonly scopes: readonly { readonly resourceId: ObjectId; readonly values: readonly string[] }[];
}

/** For what he may not consent to himself he must be an administrator, though it counts for him alone. */
async function selfConsentTarget(permit: ConsentPermit, { appId, scopes }: AskedForSelf): Promise<Target> {
  const ids = scopes.map(({ resourceId }) => resourceId);
  const policies = await consentable(permit, appId, ids);
  const mayAlone = scopes.every(({ resourceId, values }) =>
    values.every((value) => verdictOn(policies, resourceId, value).allowed),
  );
  return mayAlone ? { isOwn: true } : { isOwn: true, reach: 'exceptDirectoryAppRoles' };
}

/** With the policy that allows each scope; none where an administrator consents for himself beyond them. */
async function withPolicies(permit: ConsentPermit, { appId, scopes }: AskedForSelf) {
  const ids = scopes.map(({ resourceId }) => resourceId);
  const policies = await readConsentPolicies(permit, appId, ids);
  return scopes.map(({ resourceId, values }) => ({
    resourceId,
    values,
    policyOf: (value: string) => {
      const verdict = verdictOn(policies, resourceId, value);
      return verdict.allowed ? verdict.policy : undefined;
    },
  }));
}

async function consentable(permit: ConsentPermit, appId: AppId, ids: readonly ObjectId[]) {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) throw badRequest('There is nothing to consent to.');
  const policies = await readConsentPolicies(permit, appId, wanted);
  if (policies.resources.length < wanted.length) throw notFound();
  return policies;
}
