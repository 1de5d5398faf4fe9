import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { type AdminFrame, adminPage } from './admin-frame.ts';
import { button, choice, errorSummary, type FormTarget, form, notice } from './form.ts';
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
  requests: RequestSettings;
  /** Absent where the person may only read. */
  consentForm?: FormTarget | undefined;
  requestForm?: FormTarget | undefined;
  done?: boolean | undefined;
  problem?: string | undefined;
}

/** Whether people may ask for what they may not allow themselves, and who decides. */
export interface RequestSettings {
  isEnabled: boolean;
  durationInDays: number | string;
  notifyReviewers: boolean;
  remindersEnabled: boolean;
  reviewers: readonly NamedReviewer[];
  /** That can be named reviewers. */
  roles: readonly { id: string; displayName: string }[];
  /** Who shall be added, as it was filled in. */
  added?: AddedReviewers | undefined;
  /** Else mail waits, until it is too late. */
  sendsMail: boolean;
  /** Where each request is told to, besides. */
  webhookUrl?: string | undefined;
}

export interface AddedReviewers {
  /** A user name. */
  user: string;
  /** A mail nickname. */
  group: string;
  /** The id of a directory role. */
  role: string;
}

export interface NamedReviewer {
  /** The name of the checkbox that takes him away. */
  field: string;
  /** Absent for one who is gone. */
  displayName?: string | undefined;
  kind: 'user' | 'group' | 'role';
}

/**
 * Two forms. Checkboxes by their own names; `isEnabled`, `notifyReviewers`, `remindersEnabled`, `durationInDays`,
 * `reviewer`, `reviewerGroup`, `reviewerRole`; buttons `decision` = `accept`.
 */
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
${requestPolicy(model.requests, model.requestForm)}`,
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
  const fields = html`<fieldset><legend>What people may allow themselves</legend><p class="hint">Whatever one of these allows. With none, nobody consents alone. Privileged permissions of the directory always need an administrator.</p>${choices}</fieldset>`;
  return html`<section class="section">${
    consentForm
      ? form(consentForm, [
          fields,
          html`<div class="actions">${button({ label: 'Save', name: 'decision', value: 'accept' })}</div>`,
        ])
      : fields
  }</section>`;
}

function requestPolicy(settings: RequestSettings, requestForm: FormTarget | undefined): Html {
  const { isEnabled, notifyReviewers, remindersEnabled, durationInDays, reviewers, webhookUrl, sendsMail } = settings;
  const disabled = requestForm === undefined;
  const box = (name: string, label: string, checked: boolean, hint?: string) =>
    choice('checkbox', { name, value: 'true', label, checked, disabled, hint });
  const fields = html`<fieldset><legend>Requests for more</legend>
${isEnabled && reviewers.length === 0 && notice('caution', ICONS.caution, 'Nobody reviews', html`<p>People can ask once there is a reviewer.</p>`)}
${box('isEnabled', 'People can ask for what they may not allow themselves', isEnabled, 'The reviewers decide: all of them see all requests, old and new.')}
${!sendsMail && notice('caution', ICONS.caution, 'No mail is sent', html`<p>This deployment has no mail server. Reviewers and those who asked find everything at these pages.</p>`)}
${box('notifyReviewers', 'Tell the reviewers by mail', notifyReviewers)}
${box('remindersEnabled', 'Remind them before a request expires', remindersEnabled)}
<div class="field field-short"><label for="durationInDays">Days until a request expires</label><input id="durationInDays" name="durationInDays" type="number" inputmode="numeric" min="1" max="60" required value="${durationInDays}"${disabled && html` disabled`}></div></fieldset>
<fieldset><legend>Reviewers</legend><p class="hint">They may approve what is not privileged. The rest takes an administrator.</p>
${reviewers.length === 0 ? html`<p class="hint">Nobody yet.</p>` : html`<ul class="allowed" role="list">${reviewers.map((reviewer) => reviewerRow(reviewer, disabled))}</ul>`}
${!disabled && newReviewers(settings)}</fieldset>
${webhookUrl !== undefined && html`<p class="hint">Each request and each decision is also sent to <span class="address"><code>${displayText(webhookUrl)}</code></span></p>`}`;
  return html`<section class="section">${
    requestForm
      ? form(requestForm, [
          fields,
          html`<div class="actions">${button({ label: 'Save', name: 'decision', value: 'accept' })}</div>`,
        ])
      : fields
  }</section>`;
}

const KINDS: Record<NamedReviewer['kind'], string> = {
  user: 'Person',
  group: 'All members of the group',
  role: 'All who hold the directory role',
};

const GONE: Record<NamedReviewer['kind'], string> = {
  user: 'Somebody who is gone',
  group: 'A group that is gone',
  role: 'An unknown role',
};

function reviewerRow({ field, displayName: name, kind }: NamedReviewer, disabled: boolean): Html {
  const shown = name === undefined ? GONE[kind] : displayName(name);
  return html`<li><div><p class="permission-title"><bdi>${shown}</bdi></p><small>${KINDS[kind]}</small></div>${
    !disabled &&
    choice('checkbox', {
      name: field,
      value: 'true',
      label: html`Remove<span class="visually-hidden"> ${shown}</span>`,
    })
  }</li>`;
}

function newReviewers({ roles, added }: RequestSettings): Html {
  const input = (name: string, label: string, hint: string, value = '') =>
    html`<div class="field"><label for="${name}">${label}</label><p class="hint" id="${name}-hint">${hint}</p><input id="${name}" name="${name}" type="text" value="${value}" maxlength="120" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="${name}-hint"></div>`;
  const options = [{ id: '', displayName: 'None' }, ...roles].map(
    ({ id, displayName: name }) =>
      html`<option value="${id}"${id === (added?.role ?? '') && html` selected`}>${displayName(name)}</option>`,
  );
  return html`${input('reviewer', 'Add a person', 'By user name.', added?.user)}
${input('reviewerGroup', 'Add the members of a group', 'By the group’s mail nickname. Who joins it later reviews too.', added?.group)}
<div class="field"><label for="reviewerRole">Add the holders of a directory role</label><select id="reviewerRole" name="reviewerRole">${options}</select></div>`;
}
