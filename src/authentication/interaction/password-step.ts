import { changePasswordPage, type PasswordProblem } from '../pages/change-password.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import type { Outcomes } from './outcomes.ts';
import type { PageWriter } from './page-writer.ts';
import type { ChangeResult, PasswordChange } from './password-change.ts';
import type { PasswordSignIn } from './password-sign-in.ts';
import type { Forms } from './submitted-form.ts';
import { bindingOf, formActionOf, pathOf, recordedOf, type Visit } from './visit.ts';

export interface PasswordStepParts {
  readonly change: PasswordChange;
  readonly signIn: PasswordSignIn;
  readonly sessions: BrowserSessions;
  readonly forms: Forms;
  readonly writer: PageWriter;
  readonly outcomes: Outcomes;
}

/**
 * The change of a password that must be changed before the sign-in goes on. The form asks for the current password
 * again, so nothing has to be remembered between the two pages.
 */
export class PasswordStep {
  readonly #parts: PasswordStepParts;

  constructor(parts: PasswordStepParts) {
    this.#parts = parts;
  }

  show(visit: Visit, username: string, result?: Exclude<ChangeResult, { outcome: 'changed' }>): void {
    const { forms, writer } = this.#parts;
    const page = changePasswordPage({
      layout: writer.layoutOf(visit.tenant),
      form: { action: pathOf(visit, '/password'), csrf: forms.tokenFor(bindingOf(visit)) },
      account: { username },
      forced: true,
      problems: result?.problems,
      retryAfter: result?.retryAfter,
    });
    const formAction = formActionOf(visit);
    writer.send(visit.response, page, {
      status: statusOf(result?.problems),
      retryAfter: result?.retryAfter,
      formAction,
    });
  }

  async submit(visit: Visit): Promise<void> {
    const { forms, change, signIn, sessions, outcomes } = this.#parts;
    const form = await forms.read(visit.request, bindingOf(visit));
    if (form.cancels) return outcomes.declined(visit, 'signInCancelled');
    const username = form.text('username').trim();
    const device = sessions.deviceOf(visit.request, visit.response);
    const result = await change.attempt(visit.tenancy, { username, device, form });
    if (result.outcome !== 'changed') return this.show(visit, username, result);
    await signIn.recordSuccess(visit.tenancy, result.person, recordedOf(visit));
    return outcomes.signedIn(visit, result.person);
  }
}

export function statusOf(problems: readonly PasswordProblem[] = []): number {
  if (problems.includes('throttled')) return 429;
  if (problems.includes('busy')) return 503;
  return problems.length > 0 ? 400 : 200;
}
