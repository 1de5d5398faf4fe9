import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { InternalOperation } from '../../src/authorization/operation.ts';
import type { InternalAction } from '../../src/vocabulary/actions.ts';

type AnyInternalOperation = InternalOperation<InternalAction, unknown, unknown>;

const DIRECTORY = join(import.meta.dirname, '..', '..', 'src', 'authorization', 'internal');

/**
 * Writes after which everything that is remembered under a tenant's version is as true as before, each with the reason.
 * What the catalogue writes always raises the version; the isolation suite holds every operation to that.
 */
const LEAVE_VERSIONS: Readonly<Record<string, string>> = {
  putArtifact: 'artifacts are read in each request',
  putArtifactOnce: 'artifacts are read in each request',
  keepSession: 'artifacts are read in each request',
  dropArtifact: 'artifacts are read in each request',
  takeUserCode: 'artifacts are read in each request',
  giveUserCodeBack: 'artifacts are read in each request',
  issueTokens: 'a family that begins was asked for by nobody before',
  noteSecretUse: 'when a secret was used decides nothing',
  noteUses: 'when something was last used decides nothing',
  beginTry: 'throttles are read in each request',
  dropTry: 'throttles are read in each request',
  endTries: 'throttles are read in each request',
  renewHash: 'passwords are read in each request',
  dropExpired: 'what expired was not accepted before either',
  addTenant: 'makes the version',
  addWebhookSecret: 'the key of webhooks is read when one is sent',
  claimDue: 'the outbox is read when something is sent',
  settle: 'the outbox is read when something is sent',
  endOverdue: 'the outbox is read when something is sent',
  expireOverdueRequests: 'requests for consent are read in each request',
  remindOfRequests: 'requests for consent are read in each request',
  warnOfExpiringCredentials: 'which credentials were warned of decides nothing',
};

const OPERATIONS = (
  await Promise.all(readdirSync(DIRECTORY).map(async (file) => Object.entries(await import(join(DIRECTORY, file)))))
)
  .flat()
  .filter(
    (entry): entry is [string, AnyInternalOperation] => typeof entry[1] === 'object' && 'run' in Object(entry[1]),
  );

test('every internal write raises the tenant’s version, or was reviewed not to need it', () => {
  const writes = OPERATIONS.filter(([, { access }]) => access === 'write');
  expect(writes.length).toBeGreaterThan(15);
  const silent = writes.filter(([, { raisesVersion }]) => !raisesVersion).map(([name]) => name);
  expect(silent.sort()).toEqual(Object.keys(LEAVE_VERSIONS).sort());
});

test('no short write says that it raises the version, which it could not in its one statement, nor that it is audited', () => {
  const promising = OPERATIONS.filter(([, { short, raisesVersion, audit }]) => short && (raisesVersion || audit));
  expect(promising.map(([name]) => name)).toEqual([]);
});
