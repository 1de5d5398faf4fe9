import { z } from 'zod';
import {
  addConsentRequest,
  findConsentRequestDecision,
  listConsentRequests,
  listMyConsentRequests,
  listOpenConsentRequests,
  listUserConsentRequests,
  type ReadRequests,
  readConsentRequest,
  readUserConsentRequest,
} from '../../directory/consent-requests.ts';
import { listReviewerIds } from '../../directory/consent-reviewers.ts';
import { enqueue } from '../../directory/outbox.ts';
import { expireRequests } from '../../directory/overdue-requests.ts';
import { lockTenantPolicy, readTenantPolicy } from '../../directory/tenant-policies.ts';
import { consentReachOf } from '../../vocabulary/directory-roles.ts';
import { badRequest, DirectoryError } from '../../vocabulary/errors.ts';
import { approveRequest, denyRequest } from '../consent/approval.ts';
import { reviewedRequest, sightOf, visibleRequest } from '../consent/request-access.ts';
import { approvalOf, detailsOf } from '../consent/request-details.ts';
import { askedNotices } from '../consent/request-notices.ts';
import { wantedConsent } from '../consent/wish.ts';
import { type Caller, readOperation, writeOperation } from '../operation.ts';
import { appId, listQuery, objectId, prose, referencedId } from './inputs.ts';
import { signedIn } from './signed-in.ts';

const WRITE = ['ConsentRequest.ReadWrite.All'] as const;
const READ = ['ConsentRequest.Read.All', ...WRITE] as const;
const reading = { delegated: READ, application: READ };
/** To decide it takes a person, who may use an application. */
const deciding = { delegated: WRITE, application: [] };
const NO_APPLICATION = { delegated: [], application: [] };
const read = 'directory/appConsentRequests/standard/read';
const PATH = '/identityGovernance/appConsent/appConsentRequests';
const PARTS = `${PATH}/:id/userConsentRequests`;
const audited = { category: 'ApplicationManagement', object: 'AppConsentRequest' } as const;

const values = z.array(z.string().min(1).max(240)).min(1).max(100);
const justification = prose(1_000).optional();

export const requestConsent = writeOperation({
  name: 'requestConsent',
  summary: 'Ask the reviewers to consent to an application',
  action: 'directory/appConsentRequests/ownRequest/create',
  permissions: NO_APPLICATION,
  onPages: true,
  audit: { activity: 'Create consent request', type: 'Add', ...audited },
  input: z.strictObject({
    appId,
    scopes: z
      .array(z.strictObject({ resourceId: referencedId, values }))
      .min(1)
      .max(20),
    reason: prose(500),
  }),
  target: () => ({ isOwn: true }),
  run: async (permit, { reason, ...wish }, caller) => {
    const userId = signedIn(caller);
    const policy = await lockTenantPolicy(permit, 'adminConsentRequestPolicy');
    const reviewers = await listReviewerIds(permit);
    if (caller.isGuest || reviewers.length === 0)
      throw new DirectoryError('Authorization_RequestDenied', 'There is nobody here whom you can ask for consent.');
    if (consentReachOf(caller.directoryRoles) !== 'none') throw badRequest('You may consent to this yourself.');
    const wanted = await wantedConsent(permit, wish);
    // What expired makes room for the next, and whoever asked for it is told.
    const expired = await expireRequests(permit);
    const asked = await addConsentRequest(permit, {
      ...{ ...wanted, userId, reason },
      durationInDays: policy.requestDurationInDays,
    });
    await enqueue(permit, askedNotices(asked, wanted, policy, reviewers));
    const after = { appId: wanted.appId, userId, reason, scopes: asked.scopes };
    const change = { type: 'AppConsentRequest', id: asked.id, displayName: wanted.appDisplayName, after } as const;
    return { value: { id: asked.id, outcome: asked.outcome }, changes: [change, ...expired] };
  },
});

export const getMyConsentRequests = readOperation({
  name: 'listMyConsentRequests',
  summary: 'List what the signed-in user asked the reviewers for, and what they decided',
  action: read,
  permissions: NO_APPLICATION,
  onPages: true,
  input: z.strictObject({}),
  target: () => ({ isOwn: true }),
  run: (permit, _input, caller) => listMyConsentRequests(permit, signedIn(caller)),
});

export const getMyConsentRequestStanding = readOperation({
  name: 'getMyConsentRequestStanding',
  summary: 'Tell whether the signed-in user may ask for consent, and whether he decides what others ask for',
  action: read,
  permissions: NO_APPLICATION,
  onPages: true,
  input: z.strictObject({}),
  target: () => ({ isOwn: true }),
  run: async (permit, _input, caller) => {
    const { isEnabled } = await readTenantPolicy(permit, 'adminConsentRequestPolicy');
    const mayNotConsent = !caller.isGuest && consentReachOf(caller.directoryRoles) === 'none';
    return {
      mayAsk: isEnabled && mayNotConsent && (await listReviewerIds(permit)).length > 0,
      isReviewer: (await sightOf(permit, caller)).mayReview,
    };
  },
});

export const getConsentRequests = readOperation({
  name: 'listAppConsentRequests',
  summary: 'List what people asked administrators to consent to',
  action: read,
  list: true,
  route: { method: 'GET', path: PATH, status: 200 },
  permissions: reading,
  onPages: true,
  input: z.strictObject({ query: listQuery }),
  target: async (permit, _input, caller) => ({ isOwn: (await sightOf(permit, caller)).seesAll }),
  run: (permit, { query }) => listConsentRequests(permit, query),
});

export const getConsentRequestsToReview = readOperation({
  name: 'listAppConsentRequestsToReview',
  summary: 'List what the signed-in user may decide now, old requests and new ones; nothing for one who is no reviewer',
  action: read,
  list: true,
  route: { method: 'GET', path: `${PATH}/filterByCurrentUser(on='reviewer')`, status: 200 },
  permissions: reading,
  input: z.strictObject({ query: listQuery }),
  target: () => ({ isOwn: true }),
  run: async (permit, { query }, caller) => {
    signedIn(caller);
    return (await sightOf(permit, caller)).mayReview ? listOpenConsentRequests(permit, query) : { value: [] };
  },
});

export const getConsentRequest = readOperation({
  name: 'getAppConsentRequest',
  summary:
    'Get a request for consent: who asked for what and why, what of it the caller may approve, and what was decided',
  action: read,
  route: { method: 'GET', path: `${PATH}/:id`, status: 200 },
  permissions: reading,
  onPages: true,
  input: z.strictObject({ id: objectId }),
  target: (permit, { id }, caller) => visibleRequest(permit, id, caller),
  run: (permit, { id }, caller) => detailsOf(permit, id, caller),
});

export const getUserConsentRequests = readOperation({
  name: 'listUserConsentRequests',
  summary: 'List who asked, each with his reason and the permissions that he asked for',
  action: read,
  list: true,
  route: { method: 'GET', path: PARTS, status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId, query: listQuery }),
  target: (permit, { id }, caller) => visibleRequest(permit, id, caller),
  run: async (permit, { id, query }, caller) => {
    await readConsentRequest(permit, id);
    return listUserConsentRequests(permit, id, await onlyOf(permit, caller), query);
  },
});

export const getUserConsentRequestsToReview = readOperation({
  name: 'listUserConsentRequestsToReview',
  summary: 'List who asked, where the signed-in user is a reviewer; nothing for one who is none',
  action: read,
  list: true,
  // Graph documents no other value of `on`.
  route: { method: 'GET', path: `${PARTS}/filterByCurrentUser(on='reviewer')`, status: 200 },
  permissions: reading,
  input: z.strictObject({ id: objectId, query: listQuery }),
  target: (permit, { id }, caller) => visibleRequest(permit, id, caller),
  run: async (permit, { id, query }, caller) => {
    signedIn(caller);
    await readConsentRequest(permit, id);
    const { mayReview } = await sightOf(permit, caller);
    return mayReview ? listUserConsentRequests(permit, id, undefined, query) : { value: [] };
  },
});

const part = z.strictObject({ id: objectId, userConsentRequestId: objectId });

export const getUserConsentRequest = readOperation({
  name: 'getUserConsentRequest',
  summary: 'Get what one person asked for',
  action: read,
  route: { method: 'GET', path: `${PARTS}/:userConsentRequestId`, status: 200 },
  permissions: reading,
  input: part,
  target: (permit, { id }, caller) => visibleRequest(permit, id, caller),
  run: (permit, input, caller) => readPart(permit, input, caller),
});

export const getUserConsentRequestApproval = readOperation({
  name: 'getUserConsentRequestApproval',
  summary: 'Get what was decided on one person’s request',
  action: read,
  route: { method: 'GET', path: `${PARTS}/:userConsentRequestId/approval`, status: 200 },
  permissions: reading,
  input: part,
  target: (permit, { id }, caller) => visibleRequest(permit, id, caller),
  run: async (permit, input, caller) => approvalFor(permit, input, caller),
});

export const getUserConsentRequestStages = readOperation({
  name: 'listUserConsentRequestApprovalStages',
  summary: 'List the stages of the decision on one person’s request, of which there is one',
  action: read,
  route: { method: 'GET', path: `${PARTS}/:userConsentRequestId/approval/stages`, status: 200 },
  permissions: reading,
  input: part,
  target: (permit, { id }, caller) => visibleRequest(permit, id, caller),
  run: async (permit, input, caller) => ({ value: (await approvalFor(permit, input, caller)).stages }),
});

export const approveConsentRequest = writeOperation({
  name: 'approveAppConsentRequest',
  summary: 'Approve all that was asked for or a part of it, for those who asked or for everybody',
  action: 'directory/appConsentRequests/review',
  route: { method: 'POST', path: `${PATH}/:id/approve`, status: 200 },
  permissions: deciding,
  onPages: true,
  audit: { activity: 'Approve consent request', type: 'Update', ...audited },
  input: z.strictObject({
    id: objectId,
    body: z.strictObject({
      consentType: z.enum(['AllPrincipals', 'Principal']),
      scopes: z
        .array(z.strictObject({ resourceAppId: referencedId, values }))
        .min(1)
        .max(20),
      justification,
    }),
  }),
  target: (permit, { id, body }, caller) => reviewedRequest(permit, id, caller, body.scopes),
  run: (permit, { id, body }, { userId }) => approveRequest(permit, { ...body, id, reviewerId: userId }),
});

export const denyConsentRequest = writeOperation({
  name: 'denyAppConsentRequest',
  summary: 'Deny all that was asked for',
  action: 'directory/appConsentRequests/review',
  route: { method: 'POST', path: `${PATH}/:id/deny`, status: 200 },
  permissions: deciding,
  onPages: true,
  audit: { activity: 'Deny consent request', type: 'Update', ...audited },
  input: z.strictObject({ id: objectId, body: z.strictObject({ justification }).default({}) }),
  target: (permit, { id }, caller) => reviewedRequest(permit, id, caller),
  run: (permit, { id, body }, { userId }) => denyRequest(permit, { ...body, id, reviewerId: userId }),
});

type Part = z.output<typeof part>;

/** Whose parts alone are shown; nobody's in particular to one who sees all. */
async function onlyOf(permit: ReadRequests, caller: Caller) {
  return (await sightOf(permit, caller)).seesAll ? undefined : caller.userId;
}

async function readPart(permit: ReadRequests, { id, userConsentRequestId }: Part, caller: Caller) {
  return readUserConsentRequest(permit, {
    ...{ requestId: id, id: userConsentRequestId },
    userId: await onlyOf(permit, caller),
  });
}

async function approvalFor(permit: ReadRequests, input: Part, caller: Caller) {
  const { id, status } = await readPart(permit, input, caller);
  const { mayReview } = await sightOf(permit, caller);
  const decision = await findConsentRequestDecision(permit, input.id);
  return approvalOf(id, { status, decision, mayReview });
}
