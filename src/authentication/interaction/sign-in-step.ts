import { type Account, getAccount } from '../../authorization/internal/accounts.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { type SignInProblem, signInPage } from '../pages/sign-in.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import type { Outcomes } from './outcomes.ts';
import type { PageWriter } from './page-writer.ts';
import type { PasswordSignIn, TryResult } from './password-sign-in.ts';
import type { PasswordStep } from './password-step.ts';
import type { Forms } from './submitted-form.ts';
import { bindingOf, formActionOf, parameterOf, pathOf, recordedOf, type Visit } from './visit.ts';

export interface SignInStepParts {
  readonly authorization: Authorization;
  readonly signIn: PasswordSignIn;
  readonly sessions: BrowserSessions;
  readonly forms: Forms;
  readonly writer: PageWriter;
  readonly outcomes: Outcomes;
  readonly passwordStep: PasswordStep;
}

interface Shown {
  readonly username?: string | undefined;
  readonly account?: Account | undefined;
  readonly problem?: SignInProblem | undefined;
  readonly retryAfter?: number | undefined;
}

const STATUS: Partial<Record<SignInProblem, number>> = { throttled: 429, busy: 503 };

/** Asking for username and password. */
export class SignInStep {
  readonly #parts: SignInStepParts;

  constructor(parts: SignInStepParts) {
    this.#parts = parts;
  }

  async show(visit: Visit): Promise<void> {
    const account = await this.#knownAccount(visit);
    this.#page(visit, { account, username: account ? undefined : parameterOf(visit, 'login_hint')?.slice(0, 256) });
  }

  /** A person who says who he is. */
  async submit(visit: Visit): Promise<void> {
    const form = await this.#parts.forms.read(visit.request, bindingOf(visit));
    if (form.cancels) return this.#parts.outcomes.declined(visit, 'signInCancelled');
    await this.#try(visit, form.text('username').trim(), form.text('password'));
  }

  /** A person who is known, and proves it again: the form has no say in who he is. */
  async confirm(visit: Visit): Promise<void> {
    const form = await this.#parts.forms.read(visit.request, bindingOf(visit));
    if (form.cancels) return this.#parts.outcomes.declined(visit, 'signInCancelled');
    const account = await this.#knownAccount(visit);
    if (!account) return this.#page(visit, { problem: 'expired' });
    await this.#try(visit, account.userPrincipalName, form.text('password'), account);
  }

  async #try(visit: Visit, username: string, password: string, account?: Account): Promise<void> {
    const { signIn, sessions, outcomes, passwordStep } = this.#parts;
    if (username === '') return this.#page(visit, { problem: 'usernameMissing' });
    if (password === '') return this.#page(visit, { username, account, problem: 'passwordMissing' });
    const device = sessions.deviceOf(visit.request, visit.response);
    const result = await signIn.attempt(visit.tenancy, { username, password, device, application: recordedOf(visit) });
    if (result.outcome !== 'signedIn') return this.#page(visit, { username, account, ...problemOf(result) });
    sessions.rememberDevice(visit.request, visit.response, result.person.device);
    if (result.person.mustChange) return passwordStep.show(visit, username);
    return outcomes.signedIn(visit, result.person);
  }

  /** The signed-in person, where it is he who is asked again. */
  async #knownAccount({ session, interaction, tenancy, wantsOther }: Visit): Promise<Account | undefined> {
    const isSomebodyElse = interaction.prompt.reasons.includes('id_token_hint');
    if (!session.accountId || wantsOther || isSomebodyElse) return undefined;
    return this.#parts.authorization.performInternal(tenancy.principal, getAccount, session.accountId);
  }

  #page(visit: Visit, { username, account, problem, retryAfter }: Shown): void {
    const { forms, writer } = this.#parts;
    const { tenant, application, response } = visit;
    const page = signInPage({
      layout: writer.layoutOf(tenant),
      form: { action: pathOf(visit, account ? '/confirm' : '/sign-in'), csrf: forms.tokenFor(bindingOf(visit)) },
      application: application?.definition.displayName,
      account: account && {
        username: account.userPrincipalName,
        displayName: account.displayName,
        switchHref: pathOf(visit, '?account=other'),
      },
      username,
      problem,
      retryAfter,
      canCancel: application !== undefined,
    });
    const status = problem ? (STATUS[problem] ?? 400) : 200;
    writer.send(response, page, { status, retryAfter, formAction: formActionOf(visit) });
  }
}

function problemOf(result: Exclude<TryResult, { outcome: 'signedIn' }>): Pick<Shown, 'problem' | 'retryAfter'> {
  return { problem: result.outcome, retryAfter: 'retryAfter' in result ? result.retryAfter : undefined };
}
