import { displayName } from '../../vocabulary/display-text.ts';
import { PASSWORD_MIN_LENGTH, PASSWORD_REASONS, type PasswordReason } from '../passwords/password-rules.ts';
import { type Account, accountLine } from './account.ts';
import { button, errorSummary, type FormTarget, field, form } from './form.ts';
import { type Html, html } from './html.ts';
import { type Layout, page } from './layout.ts';
import { knownUsername } from './sign-in.ts';
import { inWords } from './time.ts';

type OwnProblem = 'currentMissing' | 'currentRejected' | 'newMissing' | 'unchanged' | 'notRepeated';
type FieldProblem = PasswordReason | OwnProblem;
type FieldName = 'currentPassword' | 'newPassword' | 'confirmPassword';

/** `throttled` and `busy` say that nothing was looked at. */
export type PasswordProblem = FieldProblem | 'throttled' | 'busy';

export interface ChangePasswordModel {
  layout: Layout;
  form: FormTarget;
  account: Account;
  /** Forced: the sign-in goes on only after the change. */
  forced: boolean;
  problems?: readonly PasswordProblem[] | undefined;
  /** Seconds to wait, with `throttled` and `busy`. */
  retryAfter?: number | undefined;
}

const FIELDS: Partial<Record<FieldProblem, FieldName>> = {
  currentMissing: 'currentPassword',
  currentRejected: 'currentPassword',
  notRepeated: 'confirmPassword',
};

const TEXTS: Record<FieldProblem, string> = {
  ...PASSWORD_REASONS,
  currentMissing: 'Enter your current password.',
  currentRejected: 'This is not your current password.',
  newMissing: 'Enter a new password.',
  unchanged: 'This is your current password. Choose a new one.',
  notRepeated: 'The two new passwords differ. Enter the new one again.',
};

/** Fields `currentPassword`, `newPassword`, `confirmPassword`; buttons `decision` = `accept` or `cancel`. */
export function changePasswordPage(model: ChangePasswordModel): Html {
  const { layout, account, forced, problems = [] } = model;
  const title = forced ? 'Choose a new password' : 'Change your password';
  const body = html`<h1>${title}</h1>
${forced && html`<p class="lead">Your password was set by somebody else. Before you go on, choose one that only you know.</p>`}
${problems.length > 0 && summary(problems, model.retryAfter)}
${accountLine(account)}
${form(model.form, [
  knownUsername(account.username),
  passwordField(model, 'currentPassword', 'Current password'),
  passwordField(model, 'newPassword', 'New password'),
  rule(layout),
  passwordField(model, 'confirmPassword', 'New password, once more'),
  html`<div class="actions">${button({ label: 'Change password', name: 'decision', value: 'accept' })}${button({ label: 'Cancel', name: 'decision', value: 'cancel', kind: 'quiet', unchecked: true })}</div>`,
])}
<p class="fineprint">Changing your password signs you out on all other devices.</p>`;
  return page(layout, { title, failed: problems.length > 0, body });
}

function passwordField({ problems = [] }: ChangePasswordModel, name: FieldName, label: string): Html {
  const failed = problems.filter(isFieldProblem);
  const own = failed.filter((problem) => fieldOf(problem) === name);
  const first = failed[0] === undefined ? 'currentPassword' : fieldOf(failed[0]);
  return field({
    name,
    label,
    type: 'password',
    autocomplete: name === 'currentPassword' ? 'current-password' : 'new-password',
    error: own.map((problem) => TEXTS[problem]).join(' '),
    describedBy: name === 'newPassword' ? ['password-rule'] : [],
    focus: first === name,
    ...(name === 'newPassword' && { minLength: PASSWORD_MIN_LENGTH }),
  });
}

function isFieldProblem(problem: PasswordProblem): problem is FieldProblem {
  return problem in TEXTS;
}

function fieldOf(problem: FieldProblem): FieldName {
  return FIELDS[problem] ?? 'newPassword';
}

function rule({ tenant }: Layout): Html {
  const organization = tenant ? html`<bdi>${displayName(tenant.displayName)}</bdi>` : 'your organization';
  return html`<div class="rule" id="password-rule"><p><strong>${PASSWORD_MIN_LENGTH} characters or more.</strong> A few words that you can remember do well.</p>
<ul><li>Any characters count, spaces too: no capitals, digits or signs are demanded.</li><li>Not a common password, nor one built on words of ${organization}.</li></ul></div>`;
}

function summary(problems: readonly PasswordProblem[], retryAfter: number | undefined): Html {
  const wait = retryAfter === undefined ? 'Wait a moment' : `Wait ${inWords(retryAfter)}`;
  if (problems.includes('throttled')) return errorSummary('Too many attempts', html`<p>${wait}, then try again.</p>`);
  if (problems.includes('busy'))
    return errorSummary('We are busy right now', html`<p>Nothing was changed. ${wait}, then try again.</p>`);
  const links = problems
    .filter(isFieldProblem)
    .map((problem) => html`<p><a href="#${fieldOf(problem)}">${TEXTS[problem]}</a></p>`);
  return errorSummary('Your password was not changed', links);
}
