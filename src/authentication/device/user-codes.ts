import type Provider from 'oidc-provider';
import { giveUserCodeBack, takeUserCode } from '../../authorization/internal/artifacts.ts';
import { beginTry, dropTry, type ThrottleRule } from '../../authorization/internal/sign-ins.ts';
import type { Authorization } from '../../authorization/perform.ts';
import type { OAuthRequest } from '../oauth-request.ts';

export type DeviceCode = NonNullable<Awaited<ReturnType<Provider['DeviceCode']['findByUserCode']>>>;

/** `throttled`: nobody looked. */
export type UserCodeTry =
  | { readonly outcome: 'found'; readonly code: DeviceCode }
  | { readonly outcome: 'unknown' | 'expired' }
  | { readonly outcome: 'throttled'; readonly retryAfter: number };

/** As people see it: `WDJB-MJHT`, twenty letters that are not mistaken for one another (RFC 8628, section 6.1). */
export const USER_CODE = { charset: 'base-20', mask: '****-****' } as const;

/**
 * Guesses (RFC 8628, section 5.1). There are 2.56 · 10¹⁰ codes, each good for a quarter of an hour: ten misses of one
 * person, fifty from one address and five hundred in one organization are free, whatever comes then is slow.
 */
const PERSON: ThrottleRule = {
  freeFailures: 10,
  firstPause: 30,
  longestPause: 900,
  mostFailures: 100,
  finalPause: 86_400,
};
const ADDRESS: ThrottleRule = { ...PERSON, freeFailures: 50, mostFailures: 500, finalPause: 3_600 };
const ORGANIZATION: ThrottleRule = {
  freeFailures: 500,
  firstPause: 1,
  longestPause: 10,
  mostFailures: 1_000,
  finalPause: 10,
};

/** Codes that people copy from one device to the browser of another. */
export class UserCodes {
  readonly #authorization: Authorization;
  readonly #provider: Provider;

  constructor(authorization: Authorization, provider: Provider) {
    this.#authorization = authorization;
    this.#provider = provider;
  }

  /** What waits for a code, for a person who is signed in. What is not found counts against whoever asked. */
  async find(tenancy: OAuthRequest, userId: string, typed: string): Promise<UserCodeTry> {
    const reserved = await this.#reserve(tenancy, userId);
    if (typeof reserved === 'number') return { outcome: 'throttled', retryAfter: reserved };
    const code = await this.#provider.DeviceCode.findByUserCode(normalised(typed), { ignoreExpiration: true });
    if (!code) return { outcome: 'unknown' };
    await this.#giveBack(tenancy, reserved);
    return code.isExpired ? { outcome: 'expired' } : { outcome: 'found', code };
  }

  /** From here on the code is nobody else's to answer. False: somebody was first. */
  claim({ principal }: OAuthRequest, { userCode }: DeviceCode): Promise<boolean> {
    return this.#authorization.performInternal(principal, takeUserCode, userCode);
  }

  /** After a claim that came to nothing. */
  async release({ principal }: OAuthRequest, { jti: id, userCode }: DeviceCode): Promise<void> {
    await this.#authorization.performInternal(principal, giveUserCodeBack, { model: 'DeviceCode', id, userCode });
  }

  /** The subjects under which a try counts, or the seconds to wait. */
  async #reserve(tenancy: OAuthRequest, userId: string): Promise<readonly string[] | number> {
    const { principal, context } = tenancy;
    const counted: (readonly [string, ThrottleRule])[] = [
      [`user-code person ${userId}`, PERSON],
      [`user-code address ${context.ipAddress}`, ADDRESS],
      ['user-code organization', ORGANIZATION],
    ];
    const reserved: string[] = [];
    for (const [subject, rule] of counted) {
      const { isAllowed, retryAfter } = await this.#authorization.performInternal(principal, beginTry, {
        subject,
        rule,
      });
      if (!isAllowed) {
        await this.#giveBack(tenancy, reserved);
        return retryAfter ?? rule.firstPause;
      }
      reserved.push(subject);
    }
    return reserved;
  }

  async #giveBack({ principal }: OAuthRequest, subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) await this.#authorization.performInternal(principal, dropTry, subject);
  }
}

/** People leave out the dash, put in spaces and do not shift (RFC 8628, section 6.1). */
function normalised(typed: string): string {
  return typed.toUpperCase().replace(/[^A-Z]/g, '');
}

/** A stored code as it stands on the device. */
export function spelledOut({ userCode }: Pick<DeviceCode, 'userCode'>): string {
  return `${userCode.slice(0, 4)}-${userCode.slice(4)}`;
}
