import { beginTry, dropTry, type ThrottleRule } from '../../authorization/internal/sign-ins.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import type { InternalPrincipal } from '../../vocabulary/principals.ts';
import type { Passwords } from './passwords.ts';

/** Ten tries, then a pause of half a minute that doubles up to a quarter of an hour; after a hundred, a day. */
const THROTTLE: ThrottleRule = {
  freeFailures: 10,
  firstPause: 30,
  longestPause: 900,
  mostFailures: 100,
  finalPause: 86_400,
};

/** What is tried, and under which subject its failures are counted. */
export interface PasswordTry {
  readonly subject: string;
  readonly passwordHash: string | null;
  readonly password: string;
}

/** `throttled`: the password was not looked at. `busy`: neither, and the try does not count. */
export type Verdict =
  | { readonly outcome: 'right' | 'wrong' }
  | { readonly outcome: 'throttled' | 'busy'; readonly retryAfter: number };

/** Looks at passwords, within the limits of their subjects: wherever a password is asked for, a failure counts. */
export class PasswordTries {
  readonly #authorization: Authorization;
  readonly #passwords: Passwords;

  constructor(authorization: Authorization, passwords: Passwords) {
    this.#authorization = authorization;
    this.#passwords = passwords;
  }

  /** A try counts as failed until whoever asked ends it as a success. */
  async judge(principal: InternalPrincipal, { subject, passwordHash, password }: PasswordTry): Promise<Verdict> {
    const reserved = await this.#authorization.performInternal(principal, beginTry, { subject, rule: THROTTLE });
    if (!reserved.isAllowed) return { outcome: 'throttled', retryAfter: reserved.retryAfter ?? THROTTLE.firstPause };
    try {
      const isRight = await this.#passwords.verify(passwordHash ?? undefined, password);
      return { outcome: isRight ? 'right' : 'wrong' };
    } catch (error) {
      await this.takeBack(principal, subject);
      if (error instanceof DirectoryError && error.code === 'TooManyRequests')
        return { outcome: 'busy', retryAfter: error.retryAfter ?? 5 };
      throw error;
    }
  }

  async takeBack(principal: InternalPrincipal, subject: string): Promise<void> {
    await this.#authorization.performInternal(principal, dropTry, subject);
  }
}
