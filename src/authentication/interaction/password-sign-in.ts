import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { endTries, getCredentials, renewHash, type SignInCredentials } from '../../authorization/internal/sign-ins.ts';
import type { SignInEntry } from '../../authorization/internal/tokens.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import type { ObjectId } from '../../vocabulary/ids.ts';
import type { OAuthRequest } from '../oauth-request.ts';
import { PasswordTries } from '../passwords/password-tries.ts';
import type { Passwords } from '../passwords/passwords.ts';

/** Answers to failures leave in this rhythm, so that what was done differently for one person or another does not show. */
const RHYTHM_MS = 50;
const MAX_USERNAME = 256;

/** A try to sign in, as it came from a form. */
export interface Try {
  readonly username: string;
  readonly password: string;
  /** The browser's familiar value, if it sent one. */
  readonly device?: string | undefined;
  /** The application that waits for it. */
  readonly application?: Pick<SignInEntry, 'appId' | 'appDisplayName'> | undefined;
}

/** A person who has proven to know the password. */
export interface SignedIn {
  readonly userId: ObjectId;
  readonly username: string;
  /** Seconds since the epoch, with their fraction, by the database's clock. */
  readonly authenticatedAt: number;
  /** The browser's familiar value. */
  readonly device: string;
  readonly mustChange: boolean;
  readonly passwordVersion: string;
  readonly words: readonly string[];
}

export type TryResult =
  | { readonly outcome: 'signedIn'; readonly person: SignedIn }
  | { readonly outcome: 'rejected' }
  | { readonly outcome: 'throttled' | 'busy'; readonly retryAfter: number };

/** Entra's numbers of the reasons, for the records. No caller learns which of them it was. */
const FAILURES = {
  throttled: [50053, 'Too many failed tries; the password was not looked at.'],
  disabled: [50057, 'The account is disabled.'],
  wrongPassword: [50126, 'The password is wrong.'],
  unknownUser: [50034, 'There is no such user.'],
} as const;
type Failure = keyof typeof FAILURES;

const MUST_CHANGE = { errorCode: 50055, failureReason: 'The password must be changed before the sign-in goes on.' };

export interface PasswordSignInOptions {
  readonly authorization: Authorization;
  readonly passwords: Passwords;
  /** A try for somebody who does not exist: the security log's, not a tenant's. */
  readonly onUnknownUser: (request: OAuthRequest, reason: string) => void;
}

/**
 * Signing in by username and password. Whether the person is unknown or disabled or the password is wrong: the same
 * work is done, and the answer is the same. Each try is recorded before it is answered.
 */
export class PasswordSignIn {
  readonly #authorization: Authorization;
  readonly #passwords: Passwords;
  readonly #tries: PasswordTries;
  readonly #onUnknownUser: PasswordSignInOptions['onUnknownUser'];

  constructor({ authorization, passwords, onUnknownUser }: PasswordSignInOptions) {
    this.#authorization = authorization;
    this.#passwords = passwords;
    this.#tries = new PasswordTries(authorization, passwords);
    this.#onUnknownUser = onUnknownUser;
  }

  async attempt(request: OAuthRequest, attempt: Try): Promise<TryResult> {
    const began = performance.now();
    const result = await this.#attempt(request, { ...attempt, username: attempt.username.slice(0, MAX_USERNAME) });
    if (result.outcome !== 'signedIn') await pause(RHYTHM_MS - ((performance.now() - began) % RHYTHM_MS));
    return result;
  }

  async #attempt(request: OAuthRequest, attempt: Try): Promise<TryResult> {
    const { principal } = request;
    const { username, device } = attempt;
    // No name has control characters, and Postgres takes no NUL.
    const name = username.replace(/\p{Cc}/gu, '\ufffd').trim();
    const known = await this.#authorization.performInternal(principal, getCredentials, { username: name, device });
    if (!known) throw new DirectoryError('ServiceUnavailable');
    const subject = known.isFamiliar ? `${known.subject} ${device}` : known.subject;
    const { passwordHash } = known;
    const verdict = await this.#tries.judge(principal, { subject, passwordHash, password: attempt.password });
    if ('retryAfter' in verdict) {
      if (verdict.outcome === 'throttled') await this.#recordFailure(request, attempt, known, 'throttled');
      return verdict;
    }
    const matches = verdict.outcome === 'right';
    if (!matches || !known.isEnabled || !known.userId) {
      await this.#recordFailure(request, attempt, known, failureOf(known, matches));
      return { outcome: 'rejected' };
    }
    const person = await this.#succeed(request, attempt, { ...known, userId: known.userId }, subject);
    if (person) return { outcome: 'signedIn', person };
    await this.#recordFailure(request, attempt, known, 'wrongPassword');
    return { outcome: 'rejected' };
  }

  /** The record of a sign-in that was interrupted by the change of the password, and then went on. */
  async recordSuccess(request: OAuthRequest, { userId, username }: SignedIn, application: Try['application']) {
    await this.#write(request, { userId, userPrincipalName: username, ...application });
  }

  async #succeed(
    request: OAuthRequest,
    attempt: Try,
    known: SignInCredentials & { readonly userId: ObjectId },
    subject: string,
  ): Promise<SignedIn | undefined> {
    const { userId, passwordHash, mustChange, passwordVersion, sessionsValidFrom, words } = known;
    const { principal } = request;
    // A value that was planted before the sign-in never becomes familiar.
    const familiar = known.isFamiliar ? attempt.device : undefined;
    const device = familiar ?? randomBytes(24).toString('base64url');
    const succeeded = { subject, userId, device, sessionsValidFrom };
    const authenticatedAt = await this.#authorization.performInternal(principal, endTries, succeeded);
    if (authenticatedAt === undefined) return undefined;
    const fresh = passwordHash === null ? undefined : await this.#renewed(passwordHash, attempt.password);
    if (fresh && passwordHash !== null)
      await this.#authorization.performInternal(principal, renewHash, { userId, former: passwordHash, fresh });
    await this.#record(request, attempt, known, mustChange ? MUST_CHANGE : {});
    return {
      userId,
      username: known.userPrincipalName ?? attempt.username,
      authenticatedAt,
      device,
      mustChange,
      passwordVersion: passwordVersion ?? '',
      words,
    };
  }

  /** Not worth refusing a sign-in for: the next one does it. */
  async #renewed(stored: string, password: string): Promise<string | undefined> {
    try {
      return await this.#passwords.renewed(stored, password);
    } catch {
      return undefined;
    }
  }

  async #recordFailure(request: OAuthRequest, attempt: Try, known: SignInCredentials, failure: Failure): Promise<void> {
    const [errorCode, failureReason] = FAILURES[failure];
    if (known.userId) await this.#record(request, attempt, known, { errorCode, failureReason });
    else this.#onUnknownUser(request, failureReason);
  }

  async #record(
    request: OAuthRequest,
    { application }: Try,
    { userId, userPrincipalName, displayName }: SignInCredentials,
    outcome: Pick<SignInEntry, 'errorCode' | 'failureReason'>,
  ): Promise<void> {
    await this.#write(request, {
      userId: userId ?? undefined,
      userPrincipalName: userPrincipalName ?? undefined,
      userDisplayName: displayName ?? undefined,
      ...application,
      ...outcome,
    });
  }

  async #write({ principal, context }: OAuthRequest, entry: Partial<SignInEntry>): Promise<void> {
    const { correlationId, ipAddress, userAgent } = context;
    const described = { eventType: 'interactiveUser', correlationId, ipAddress, userAgent } as const;
    await this.#authorization.recordSignIn(principal, { ...described, ...entry });
  }
}

function failureOf({ userId, isEnabled }: SignInCredentials, matches: boolean): Failure {
  if (!userId) return 'unknownUser';
  return matches && !isEnabled ? 'disabled' : 'wrongPassword';
}
