import { remindReviewers } from '../../directory/consent-request-reminders.ts';
import { warnOfCredentials } from '../../directory/credential-warnings.ts';
import type { Notice } from '../../directory/outbox.ts';
import {
  claimMessages,
  endOverdueMessages,
  listUndelivered,
  readNextAttempt,
  type Settled,
  settleMessage,
} from '../../directory/outbox-delivery.ts';
import { expireRequests } from '../../directory/overdue-requests.ts';
import { createWebhookSecret, type NewWebhookSecret, readWebhookTarget } from '../../directory/webhook-secrets.ts';
import type { ObjectChange } from '../../vocabulary/objects.ts';
import { internalOperation } from '../operation.ts';

export type { Notice, NoticeKind } from '../../directory/outbox.ts';
export {
  type ClaimedMessage,
  MAX_ATTEMPTS,
  type Settlement,
  type Undelivered,
} from '../../directory/outbox-delivery.ts';
export type { WebhookTarget } from '../../directory/webhook-secrets.ts';

interface Claim {
  readonly channels: readonly Notice['channel'][];
  readonly limit: number;
}

export const claimDue = internalOperation({
  action: 'notifications/outbox/update',
  access: 'write',
  short: true,
  run: (permit, claim: Claim) => claimMessages(permit, claim),
});

export const settle = internalOperation({
  action: 'notifications/outbox/update',
  access: 'write',
  short: true,
  run: (permit, settled: Settled) => settleMessage(permit, settled),
});

/** What was given up for its time or its tries. */
export const endOverdue = internalOperation({
  action: 'notifications/outbox/update',
  access: 'write',
  short: false,
  run: (permit, _input: undefined) => endOverdueMessages(permit),
});

/** In how many seconds something is due on these channels. */
export const getNextAttempt = internalOperation({
  action: 'notifications/outbox/read',
  access: 'read',
  short: true,
  run: (permit, channels: readonly Notice['channel'][]) => readNextAttempt(permit, channels),
});

export const getWebhookTarget = internalOperation({
  action: 'notifications/outbox/read',
  access: 'read',
  short: false,
  run: (permit, _input: undefined) => readWebhookTarget(permit),
});

/** For the operator: what waits, and what was given up. */
export const countUndelivered = internalOperation({
  action: 'notifications/outbox/read',
  access: 'read',
  short: true,
  run: (permit, _input: undefined) => listUndelivered(permit),
});

export const addWebhookSecret = internalOperation({
  action: 'notifications/webhookSecrets/create',
  access: 'write',
  short: false,
  audit: { activity: 'Add webhook secret', category: 'Policy', type: 'Add', object: 'Policy' },
  changes: (_input: undefined, { overlapEndDateTime }: NewWebhookSecret) => [
    {
      type: 'Policy',
      id: 'adminConsentRequestPolicy',
      displayName: null,
      after: { webhookSecret: 'added', overlapEndDateTime: overlapEndDateTime ?? null },
    },
  ],
  run: (permit, _input: undefined) => createWebhookSecret(permit),
});

/** Ends requests for consent that are over, and has it told. */
export const expireOverdueRequests = internalOperation({
  action: 'directory/appConsentRequests/expire',
  access: 'write',
  short: false,
  audit: {
    activity: 'Expire consent request',
    category: 'ApplicationManagement',
    type: 'Update',
    object: 'AppConsentRequest',
  },
  changes: (_input: undefined, expired: readonly ObjectChange[]) => expired,
  run: (permit, _input: undefined) => expireRequests(permit),
});

/** Has reviewers told of requests that are about to expire. */
export const remindOfRequests = internalOperation({
  action: 'directory/appConsentRequests/remind',
  access: 'write',
  short: false,
  run: (permit, _input: undefined) => remindReviewers(permit),
});

export const warnOfExpiringCredentials = internalOperation({
  action: 'directory/applications/credentials/warn',
  access: 'write',
  short: false,
  run: (permit, _input: undefined) => warnOfCredentials(permit),
});
