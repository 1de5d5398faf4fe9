import { changeMyPassword } from '../../authorization/catalogue/user-passwords.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import type { OAuthRequest } from '../oauth-request.ts';
import type { PasswordProblem } from '../pages/change-password.ts';
import type { Passwords } from '../passwords/passwords.ts';
import type { PasswordSignIn, SignedIn, TryResult } from './password-sign-in.ts';
import type { SubmittedForm } from './submitted-form.ts';

export type ChangeResult =
  | { readonly outcome: 'changed'; readonly person: SignedIn }
  | {
      readonly outcome: 'refused';
      readonly problems: readonly PasswordProblem[];
      readonly retryAfter?: number | undefined;
    };

/** A person changes his own password: forced at the sign-in, or of his own accord. */
export class PasswordChange {
  readonly #authorization: Authorization;
  readonly #passwords: Passwords;
  readonly #signIn: PasswordSignIn;

  constructor(authorization: Authorization, passwords: Passwords, signIn: PasswordSignIn) {
    this.#authorization = authorization;
    this.#passwords = passwords;
    this.#signIn = signIn;
  }

  /**
   * The current password is proven as at every sign-in, with the same limits. On success every session of the person
   * is over; the one that `person` begins is the first of the new ones (SES-09).
   */
  async attempt(
    request: OAuthRequest,
    {
      username,
      device,
      form,
    }: { readonly username: string; readonly device: string | undefined; readonly form: SubmittedForm },
  ): Promise<ChangeResult> {
    const [current, fresh] = [form.text('currentPassword'), form.text('newPassword')];
    const early = earlyProblems(current, fresh, form.text('confirmPassword'));
    if (early.length > 0) return { outcome: 'refused', problems: early };
    const proof = await this.#signIn.attempt(request, { username, password: current, device });
    if (proof.outcome !== 'signedIn') return refusedBy(proof);
    const { person } = proof;
    const reasons = await this.#passwords.reasonsAgainst(request.tenantId, fresh, person.words);
    if (reasons.length > 0) return { outcome: 'refused', problems: reasons };
    try {
      return {
        outcome: 'changed',
        person: await this.#change(request, person, { currentPassword: current, newPassword: fresh }),
      };
    } catch (error) {
      if (error instanceof DirectoryError && error.code === 'TooManyRequests')
        return { outcome: 'refused', problems: ['busy'], retryAfter: error.retryAfter };
      if (error instanceof DirectoryError && error.code === 'Request_PreconditionFailed')
        return { outcome: 'refused', problems: ['currentRejected'] };
      throw error;
    }
  }

  async #change(
    { tenantId, context }: OAuthRequest,
    person: SignedIn,
    body: { readonly currentPassword: string; readonly newPassword: string },
  ): Promise<SignedIn> {
    const { userId, passwordVersion: provenVersion, authenticatedAt } = person;
    const principal = { kind: 'session', tenantId, userId, authenticatedAt } as const;
    const input = { body, provenVersion };
    const { validFrom } = await this.#authorization.perform(principal, changeMyPassword, input, context);
    return { ...person, authenticatedAt: validFrom, mustChange: false };
  }
}

function earlyProblems(current: string, fresh: string, repeated: string): PasswordProblem[] {
  if (current === '') return ['currentMissing'];
  if (fresh === '') return ['newMissing'];
  if (fresh !== repeated) return ['notRepeated'];
  return fresh === current ? ['unchanged'] : [];
}

function refusedBy(proof: Exclude<TryResult, { outcome: 'signedIn' }>): ChangeResult {
  const problem = proof.outcome === 'rejected' ? 'currentRejected' : proof.outcome;
  return {
    outcome: 'refused',
    problems: [problem],
    retryAfter: 'retryAfter' in proof ? proof.retryAfter : undefined,
  };
}
