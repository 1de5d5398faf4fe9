import {
  clearTries,
  confirmSignIn,
  readCredentials,
  readCredentialsOf,
  rehashPassword,
  rememberDevice,
  reserveTry,
  returnTry,
  type ThrottleRule,
} from '../../directory/sign-in-credentials.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import { internalOperation } from '../operation.ts';

export type { SignInCredentials, ThrottleRule } from '../../directory/sign-in-credentials.ts';

export const getCredentials = internalOperation({
  action: 'authentication/passwords/read',
  access: 'read',
  short: true,
  run: (permit, who: { readonly username: string; readonly device?: string | undefined }) =>
    readCredentials(permit, who),
});

export const getCredentialsOf = internalOperation({
  action: 'authentication/passwords/read',
  access: 'read',
  short: true,
  run: (permit, userId: ObjectId) => readCredentialsOf(permit, userId),
});

export const beginTry = internalOperation({
  action: 'authentication/throttles/update',
  access: 'write',
  short: true,
  run: (permit, input: { readonly subject: string; readonly rule: ThrottleRule }) => reserveTry(permit, input),
});

export const dropTry = internalOperation({
  action: 'authentication/throttles/update',
  access: 'write',
  short: true,
  run: (permit, subject: string) => returnTry(permit, subject),
});

export interface SucceededTry {
  readonly subject: string;
  readonly userId: string;
  /** As it was read with the password. */
  readonly sessionsValidFrom: number | null;
  /** The browser's value, which nobody else knows. */
  readonly device: string;
}

/** A success ends the count of failures, and makes the device familiar. Undefined: something ended it in between. */
export const endTries = internalOperation({
  action: 'authentication/throttles/update',
  access: 'write',
  short: false,
  run: async (permit, { subject, userId, sessionsValidFrom, device }: SucceededTry) => {
    const authenticatedAt = await confirmSignIn(permit, { userId, sessionsValidFrom });
    if (authenticatedAt === undefined) return undefined;
    await clearTries(permit, subject);
    await rememberDevice(permit, { userId, device });
    return authenticatedAt;
  },
});

export const renewHash = internalOperation({
  action: 'authentication/passwords/rehash',
  access: 'write',
  short: true,
  run: (permit, input: { readonly userId: string; readonly former: string; readonly fresh: string }) =>
    rehashPassword(permit, input),
});
