import { displayName } from '../../vocabulary/display-text.ts';
import { type Account, accountLine } from './account.ts';
import { button, ERROR_SUMMARY, errorSummary, type FormTarget, field, form } from './form.ts';
import { type Html, html } from './html.ts';
import { type Layout, page } from './layout.ts';
import { inWords } from './time.ts';

/** Unknown user, wrong password and disabled user are one problem, told in the same bytes. */
export type SignInProblem = 'usernameMissing' | 'passwordMissing' | 'rejected' | 'throttled' | 'busy' | 'expired';

export interface SignInModel {
  layout: Layout;
  form: FormTarget;
  /** Display name of the application that asks; none for our own pages. */
  application?: string | undefined;
  /** `account` when the person is known and only proves it again; otherwise both fields, the first one filled with `username`. */
  account?: Account | undefined;
  username?: string | undefined;
  problem?: SignInProblem | undefined;
  /** Seconds to wait, with `throttled` and `busy`. */
  retryAfter?: number | undefined;
  /** Offers a way back to the application (`decision=cancel`). */
  canCancel?: boolean | undefined;
}

/** Fields `username` and `password`; buttons `decision` = `accept` or `cancel`. */
export function signInPage(model: SignInModel): Html {
  const { layout, account, problem } = model;
  const organization = layout.tenant ? displayName(layout.tenant.displayName) : 'your organization';
  const title = account ? 'Confirm that it is you' : 'Sign in';
  const body = html`<h1>${title}</h1>
${model.application !== undefined && html`<p class="lead">to continue to <strong><bdi>${displayName(model.application)}</bdi></strong></p>`}
${problem && summary(problem, model.retryAfter)}
${account && accountLine(account)}
${form(model.form, [
  account ? knownUsername(account.username) : usernameField(model),
  passwordField(model),
  html`<div class="actions">${button({ label: account ? 'Continue' : 'Sign in', name: 'decision', value: 'accept' })}${
    model.canCancel && button({ label: 'Cancel', name: 'decision', value: 'cancel', kind: 'quiet', unchecked: true })
  }</div>`,
])}
<details class="help"><summary>Can’t sign in?</summary>
<p>Your username usually looks like an email address${layout.tenant?.domain && html`, such as <span class="nowrap">name@${displayName(layout.tenant.domain)}</span>`}. If you have forgotten your password, ask an administrator of <bdi>${organization}</bdi> to reset it.</p></details>`;
  return page(layout, { title, failed: problem !== undefined, body });
}

function usernameField({ username, problem }: SignInModel): Html {
  return field({
    name: 'username',
    label: 'Username',
    type: 'text',
    autocomplete: 'username',
    value: username,
    error: problem === 'usernameMissing' ? 'Enter your username.' : undefined,
    describedBy: problem === 'rejected' ? [ERROR_SUMMARY] : [],
    focus: !username || problem === 'usernameMissing',
  });
}

function passwordField({ username, account, problem }: SignInModel): Html {
  return field({
    name: 'password',
    label: 'Password',
    type: 'password',
    autocomplete: 'current-password',
    error: problem === 'passwordMissing' ? 'Enter your password.' : undefined,
    describedBy: problem === 'rejected' ? [ERROR_SUMMARY] : [],
    focus: Boolean(username || account) && problem !== 'usernameMissing',
  });
}

/** Tells a password manager whose password is asked for; the server takes the person from the interaction. */
export function knownUsername(username: string): Html {
  return html`<input type="text" name="username" autocomplete="username" value="${username}" readonly hidden>`;
}

function summary(problem: SignInProblem, retryAfter: number | undefined): Html {
  const wait = retryAfter === undefined ? 'Wait a moment' : `Wait ${inWords(retryAfter)}`;
  switch (problem) {
    case 'usernameMissing':
    case 'passwordMissing':
      return errorSummary('Something is missing', html`<p>Enter both your username and your password.</p>`);
    case 'rejected':
      return errorSummary(
        'That did not work',
        html`<p>The username or the password is not right. Check both and try again.</p>`,
      );
    case 'throttled':
      return errorSummary('Too many attempts', html`<p>${wait}, then try again.</p>`);
    case 'busy':
      return errorSummary(
        'We are busy right now',
        html`<p>Your password was not checked. ${wait}, then try again.</p>`,
      );
    case 'expired':
      return errorSummary('This page was open too long', html`<p>Nothing was sent. Enter your password again.</p>`);
  }
}
