import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { button, ERROR_SUMMARY, errorSummary, type FormTarget, field, form } from './form.ts';
import { type Html, html } from './html.ts';
import { type Layout, page } from './layout.ts';

/** `domainMissing`: no `@`. `unknown`: no organization here has verified that domain. */
export type HomeRealmProblem = 'usernameMissing' | 'domainMissing' | 'unknown';

export interface HomeRealmModel {
  layout: Layout;
  form: FormTarget;
  /** What the person is about to do. */
  purpose: 'signIn' | 'signOut';
  /** Display name of the application that asks. */
  application?: string | undefined;
  username?: string | undefined;
  problem?: HomeRealmProblem | undefined;
  /** Offers a way back to the application (`decision=cancel`). */
  canCancel?: boolean | undefined;
}

const MAX_USERNAME = 256;

/** Field `username`; buttons `decision` = `accept` or `cancel`. */
export function homeRealmPage(model: HomeRealmModel): Html {
  const { layout, purpose, application, problem } = model;
  const title = purpose === 'signIn' ? 'Sign in' : 'Which account do you want to sign out?';
  const body = html`<h1>${title}</h1>
${application !== undefined && html`<p class="lead">to continue to <strong><bdi>${displayName(application)}</bdi></strong></p>`}
${problem && summary(problem, model.username ?? '')}
${form(model.form, [
  usernameField(model),
  html`<div class="actions">${button({ label: 'Next', name: 'decision', value: 'accept' })}${
    model.canCancel && button({ label: 'Cancel', name: 'decision', value: 'cancel', kind: 'quiet', unchecked: true })
  }</div>`,
])}
<details class="help"><summary>What is my username?</summary>
<p>It usually looks like an email address, such as <span class="nowrap">name@example.com</span>. What stands after the @ leads to your organization, where you then enter your password.</p></details>`;
  return page(layout, { title, failed: problem !== undefined, body });
}

function usernameField({ username, problem }: HomeRealmModel): Html {
  return field({
    name: 'username',
    label: 'Username',
    type: 'text',
    autocomplete: 'username',
    value: username === undefined ? undefined : displayText(username, MAX_USERNAME),
    error: problem === 'usernameMissing' ? 'Enter your username.' : undefined,
    describedBy: problem && problem !== 'usernameMissing' ? [ERROR_SUMMARY] : [],
    focus: true,
  });
}

function summary(problem: HomeRealmProblem, username: string): Html {
  switch (problem) {
    case 'usernameMissing':
      return errorSummary('Something is missing', html`<p>Enter your username.</p>`);
    case 'domainMissing':
      return errorSummary(
        'Which organization is that?',
        html`<p>Enter your whole username, with what stands after the @.</p>`,
      );
    case 'unknown':
      return errorSummary(
        'We do not know this organization',
        html`<p>No organization here has the domain <strong><bdi>${displayName(username.slice(username.lastIndexOf('@') + 1))}</bdi></strong>. Check how it is written. If it is right, your organization does not sign in here.</p>`,
      );
  }
}
