import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { button, errorSummary, type FormTarget, form, textArea } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';

export const MAX_REASON = 500;

export type RequestProblem = 'reasonMissing' | 'reasonTooLong' | 'refused';

const PROBLEMS: Record<RequestProblem, string> = {
  reasonMissing: 'Say why you need it: the reviewers decide by that.',
  reasonTooLong: `Use at most ${MAX_REASON} characters.`,
  refused: 'It was not accepted.',
};

export interface RequestForm {
  form: FormTarget;
  reason?: string | undefined;
  problem?: RequestProblem | undefined;
  /** What exactly stands in the way, for `refused`. */
  detail?: string | undefined;
}

/** Field `reason`; button `decision` = `accept`. */
export function requestForm({ form: target, reason, problem }: RequestForm): Html {
  const error = problem && problem !== 'refused' ? PROBLEMS[problem] : undefined;
  return html`<section class="section" aria-labelledby="request"><h2 id="request">Ask for approval</h2>
<p class="hint">Your request goes to the reviewers of your organization with your name. You are told what they decide.</p>
${form(target, [
  textArea({
    name: 'reason',
    label: 'Why do you need it?',
    maxLength: MAX_REASON,
    value: reason,
    error,
    required: true,
  }),
  button({ label: 'Send the request', name: 'decision', value: 'accept' }),
])}</section>`;
}

export function requestSummary({ problem, detail }: RequestForm): Html | undefined {
  if (!problem) return undefined;
  const words =
    problem === 'refused' ? displayText(detail ?? PROBLEMS.refused) : html`<a href="#reason">${PROBLEMS[problem]}</a>`;
  return errorSummary('Your request was not sent', html`<p>${words}</p>`);
}

export interface RequestSentModel {
  layout: Layout;
  application: string;
  organization: string;
  /** Back to the application, which is told `access_denied`; `withGranted`: or on with what it has. */
  form: FormTarget;
  withGranted: boolean;
  /** The interaction itself, where he goes on once it is approved. */
  againHref: string;
  applicationsHref: string;
}

/** Buttons `decision` = `granted` or `cancel`. */
export function requestSentPage(model: RequestSentModel): Html {
  const { layout, withGranted } = model;
  const application = html`<bdi>${displayName(model.application)}</bdi>`;
  const title = 'Your request is sent';
  const body = html`<div class="emblem emblem-good">${ICONS.check}</div>
<h1>${title}</h1>
<p class="lead">The reviewers of <strong><bdi>${displayName(model.organization)}</bdi></strong> decide about <strong>${application}</strong>. You find their answer at <a href="${model.applicationsHref}">My applications</a>.</p>
<p>If they answer soon, you can <a href="${model.againHref}">go on from here</a>.</p>
${form(
  model.form,
  html`<div class="actions">${
    withGranted && button({ label: 'Continue with what is granted', name: 'decision', value: 'granted' })
  }${button({ label: html`Back to ${application}`, name: 'decision', value: 'cancel', kind: withGranted ? 'secondary' : 'primary' })}</div>`,
)}`;
  return page(layout, { title, body });
}
