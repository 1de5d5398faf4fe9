import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { type AdminFrame, adminPage } from './admin-frame.ts';
import { button, choice, errorSummary, type FormTarget, form } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';

/** A policy that the organization can put in force for people's own consent. */
export interface OfferedPolicy {
  /** The checkbox's name. */
  field: string;
  id: string;
  displayName: string;
  description: string | null;
  isAssigned: boolean;
}

export interface PoliciesModel {
  frame: AdminFrame;
  policies: readonly OfferedPolicy[];
  /** Absent where it can not be set here. */
  requests?:
    | {
        isEnabled: boolean;
        durationInDays: number;
        notifyReviewers: boolean;
        /** Who reviews, in words. */
        reviewers: readonly string[];
      }
    | undefined;
  /** Absent where the person may only read. */
  consentForm?: FormTarget | undefined;
  requestForm?: FormTarget | undefined;
  done?: boolean | undefined;
  problem?: string | undefined;
}

/** Two forms. Checkboxes by their own names; `isEnabled`, `notifyReviewers`, `durationInDays`, `reviewer`; buttons `decision` = `accept`. */
export function policiesPage(model: PoliciesModel): Html {
  const { frame, done, problem } = model;
  return adminPage(frame, {
    title: 'Policies',
    area: 'policies',
    lead: 'Who may consent to what. A change counts from the next request on; what was granted before stays.',
    failed: problem !== undefined,
    body: html`${done && html`<div class="notice notice-good" role="status">${ICONS.check}<p>Saved. It counts from now on.</p></div>`}
${problem !== undefined && errorSummary('Nothing was changed', html`<p>${displayText(problem)}</p>`)}
${consentPolicies(model)}
${model.requests && requestPolicy(model.requests, model.requestForm)}`,
  });
}

function consentPolicies({ policies, consentForm }: PoliciesModel): Html {
  const choices = policies.map(({ field, id, displayName: name, description, isAssigned }) =>
    choice('checkbox', {
      name: field,
      value: 'true',
      label: displayName(name),
      hint: html`${description && `${displayText(description)} `}<code>${displayName(id)}</code>`,
      checked: isAssigned,
      disabled: consentForm === undefined,
    }),
  );
  const fields = html`<fieldset><legend>What people may allow themselves</legend><p class="hint">Whatever one of these allows. With none, nobody consents for himself. Privileged permissions of the directory always need an administrator.</p>${choices}</fieldset>`;
  return html`<section class="section">${
    consentForm
      ? form(consentForm, [
          fields,
          html`<div class="actions">${button({ label: 'Save', name: 'decision', value: 'accept' })}</div>`,
        ])
      : fields
  }</section>`;
}

function requestPolicy(requests: NonNullable<PoliciesModel['requests']>, requestForm: FormTarget | undefined): Html {
  const { isEnabled, notifyReviewers, durationInDays, reviewers } = requests;
  const disabled = requestForm === undefined;
  const fields = html`<fieldset><legend>Requests for more</legend>
${choice('checkbox', { name: 'isEnabled', value: 'true', label: 'People can ask for what they may not allow themselves', hint: 'The reviewers decide: all of them see all requests, old and new.', checked: isEnabled, disabled })}
${choice('checkbox', { name: 'notifyReviewers', value: 'true', label: 'Tell the reviewers by mail', checked: notifyReviewers, disabled })}
<div class="field"><label for="durationInDays">Days until a request expires</label><input id="durationInDays" name="durationInDays" type="number" inputmode="numeric" min="1" max="60" required value="${durationInDays}"${disabled && html` disabled`}></div>
<div><p class="permission-title">Reviewers</p>${reviewers.length === 0 ? html`<p class="hint">Nobody yet.</p>` : html`<ul>${reviewers.map((reviewer) => html`<li><bdi>${displayName(reviewer)}</bdi></li>`)}</ul>`}</div>
${!disabled && html`<div class="field"><label for="reviewer">Add a reviewer</label><p class="hint" id="reviewer-hint">The user name of a person. Groups and directory roles are named at the directory API or the command line.</p><input id="reviewer" name="reviewer" type="text" maxlength="120" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="reviewer-hint"></div>`}</fieldset>`;
  return html`<section class="section">${
    requestForm
      ? form(requestForm, [
          fields,
          html`<div class="actions">${button({ label: 'Save', name: 'decision', value: 'accept' })}</div>`,
        ])
      : fields
  }</section>`;
}
