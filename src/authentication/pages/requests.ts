import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { type AdminFrame, adminPage, nothingHere } from './admin-frame.ts';
import { type ApplicationIdentity, applicationCard } from './application.ts';
import { day } from './dates.ts';
import { button, choice, errorSummary, type FormTarget, form, notice, textArea } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { tile } from './layout.ts';

export type RequestState = 'waiting' | 'approved' | 'denied' | 'expired';

export interface ListedRequest {
  application: string;
  href: string;
  state: RequestState;
  scopes: readonly string[];
  askedAt: Date;
  expiresAt: Date;
}

const STATES: Record<RequestState, Html> = {
  waiting: html`<span class="badge badge-caution">Waiting</span>`,
  approved: html`<span class="badge badge-good">Approved</span>`,
  denied: html`<span class="badge">Denied</span>`,
  expired: html`<span class="badge">Expired</span>`,
};

export interface RequestsModel {
  frame: AdminFrame;
  /** Those that are decided or have expired; else those that wait. */
  isClosed: boolean;
  requests: readonly ListedRequest[];
  nextHref?: string | undefined;
}

export function requestsPage({ frame, isClosed, requests, nextHref }: RequestsModel): Html {
  const nothing = isClosed ? 'Nothing was decided yet.' : 'No request waits for a decision.';
  const tab = (label: string, href: string, isCurrent: boolean) =>
    isCurrent ? html`<a href="${href}" aria-current="true">${label}</a>` : html`<a href="${href}">${label}</a>`;
  return adminPage(frame, {
    title: 'Requests',
    area: 'requests',
    lead: 'What people asked for and may not allow themselves.',
    body: html`<p class="filter">${tab('Waiting', `${frame.base}/requests`, !isClosed)} ${tab('Closed', `${frame.base}/requests?state=closed`, isClosed)}</p>
${requests.length === 0 ? nothingHere(nothing) : html`<ul class="rows" role="list">${requests.map(row)}</ul>`}
${nextHref !== undefined && html`<p><a href="${nextHref}">Older requests</a></p>`}`,
  });
}

function row({ application, href, state, scopes, askedAt, expiresAt }: ListedRequest): Html {
  return html`<li><a class="row" href="${href}">${tile(application, 'application')}<span class="row-main"><strong><bdi>${displayName(application)}</bdi></strong> ${STATES[state]}
<span class="row-text">${scopes.map((scope) => displayName(scope)).join(' · ')}</span><small>Asked ${day(askedAt)}${state === 'waiting' && html`, expires ${day(expiresAt)}`}</small></span>${ICONS.arrow}</a></li>`;
}

/** A scope that somebody asked for. */
export interface RequestedScope {
  /** The checkbox's name. */
  field: string;
  resource: string;
  value: string;
  title: string;
  description?: string | undefined;
  /** The API publishes it no more. */
  isPublished: boolean;
  /** Granting it needs an administrator, whoever reviews. */
  needsAdministrator: boolean;
  /** The reviewer may grant it; else it can only be left out. */
  isApprovable: boolean;
  checked: boolean;
  /** Once it is decided. */
  isApproved: boolean;
}

export interface Requester {
  name: string;
  username: string;
  reason: string;
  askedAt: Date;
  /** Values of what he asked for. */
  scopes: readonly string[];
}

export const MAX_JUSTIFICATION = 1_000;

export type ReviewProblem = 'nothingChosen' | 'changedMeanwhile' | 'decidedMeanwhile' | 'refused' | 'mistaken';

export interface RequestModel {
  frame: AdminFrame;
  application: ApplicationIdentity;
  state: RequestState;
  scopes: readonly RequestedScope[];
  requesters: readonly Requester[];
  moreRequesters: number;
  expiresAt: Date;
  /** What was decided, once it is. */
  decision?: Decision | undefined;
  /** While it waits, for who may decide. */
  form?: FormTarget | undefined;
  /** Why the application can not be approved any more, or what an approval lets in. */
  availability?: 'gone' | 'registeredItself' | undefined;
  problem?: ReviewProblem | undefined;
  /** What exactly is wrong, for `mistaken`. */
  detail?: string | undefined;
  /** As the reviewer filled it in. */
  justification?: string | undefined;
  isForEverybody?: boolean | undefined;
}

export interface Decision {
  /** Absent: the operator, or somebody who is gone. */
  by?: string | undefined;
  at: Date;
  justification?: string | null | undefined;
  forEverybody: boolean;
}

const PROBLEMS: Record<ReviewProblem, string> = {
  nothingChosen: 'Choose at least one permission, or deny the request.',
  changedMeanwhile: 'What is asked for changed while this page was open. Look at it again.',
  decidedMeanwhile: 'This is not open any more. What became of it is shown below.',
  refused: 'Granting this needs an administrator. Leave such permissions out, or ask one to decide.',
  mistaken: 'The decision could not be recorded.',
};

/** Checkboxes by their own names, radio `consentType`, field `justification`; buttons `decision` = `approve` or `deny`. */
export function requestPage(model: RequestModel): Html {
  const { frame, application, problem, state } = model;
  const name = displayName(application.displayName);
  return adminPage(frame, {
    title: name,
    area: 'requests',
    back: { href: `${frame.base}/requests`, label: 'All requests' },
    failed: problem !== undefined,
    lead: LEADS[state],
    body: html`${problem && errorSummary('Nothing was decided', html`<p>${PROBLEMS[problem]}${model.detail && ` ${displayText(model.detail)}`}</p>`)}
${model.decision && decided(state, model.decision)}
${model.availability && available(model.availability)}
${applicationCard(application)}
${requesters(model)}
${model.form ? review(model.form, model) : asked(model)}`,
  });
}

const LEADS: Record<RequestState, string> = {
  waiting: 'Decide what this application may do.',
  approved: 'This request was approved.',
  denied: 'This request was denied.',
  expired: 'Nobody decided this request in time. It can be asked again.',
};

const AVAILABILITY: Record<NonNullable<RequestModel['availability']>, readonly [string, string]> = {
  gone: [
    'It can not be approved any more',
    'The application is disabled here, or its publisher does not offer it to your organization any more.',
  ],
  registeredItself: [
    'This application registered itself',
    'Nobody in your organization added it. Approving lets it in.',
  ],
};

function available(availability: NonNullable<RequestModel['availability']>): Html {
  const [title, words] = AVAILABILITY[availability];
  return notice('caution', ICONS.caution, title, html`<p>${words}</p>`);
}

function decided(state: RequestState, { by, at, justification, forEverybody }: Decision): Html {
  const isApproved = state === 'approved';
  return notice(
    isApproved ? 'good' : 'plain',
    isApproved ? ICONS.check : ICONS.alert,
    html`${isApproved ? 'Approved' : 'Denied'}${by && html` by <bdi>${displayName(by)}</bdi>`} on ${day(at)}${isApproved && (forEverybody ? ', for everybody' : ', for those who asked')}`,
    justification && html`<p>${displayText(justification)}</p>`,
  );
}

function requesters({ requesters: listed, moreRequesters }: RequestModel): Html {
  const items = listed.map(
    ({ name, username, reason, askedAt, scopes }) =>
      html`<li><div><p class="permission-title"><bdi>${displayName(name)}</bdi> <small>${displayName(username)}</small></p><blockquote>${displayText(reason)}</blockquote><p class="codes">${scopes.map((scope) => html`<code>${displayName(scope)}</code> `)}</p></div><small>${day(askedAt)}</small></li>`,
  );
  return html`<section class="kind" aria-labelledby="who"><div class="kind-head">${ICONS.people}<div><h2 id="who">Who asked, and why</h2></div></div>
<ul class="allowed" role="list">${items}</ul>${moreRequesters > 0 && html`<p class="hint">And ${moreRequesters} more.</p>`}</section>`;
}

/** To who may not decide, and once it is decided. */
function asked({ scopes, state }: RequestModel): Html {
  const items = scopes.map(({ title, value, resource, isApproved }) => {
    const outcome =
      state === 'approved' &&
      (isApproved ? html` <span class="badge badge-good">Approved</span>` : html` <span class="badge">Left out</span>`);
    const icon = isApproved ? ICONS.check : state === 'waiting' ? ICONS.plus : ICONS.minus;
    return html`<li class="permission${state !== 'waiting' && ' permission-granted'}">${icon}<div><p class="permission-title">${displayName(title, displayName(value))}${outcome}</p><p class="permission-description"><code>${displayName(value)}</code> in <bdi>${displayName(resource)}</bdi></p></div></li>`;
  });
  return html`<section class="permissions"><h2>What was asked for</h2><ul role="list">${items}</ul></section>`;
}

function review(target: FormTarget, { scopes, expiresAt, justification, isForEverybody = false }: RequestModel): Html {
  return form(target, [
    html`<fieldset><legend>What it may do</legend><p class="hint">In the name of whoever is signed in, and never more than that person may do. Untick what it shall not have.</p>${scopes.map(scopeChoice)}</fieldset>`,
    html`<fieldset><legend>For whom</legend>${choice('radio', { name: 'consentType', value: 'Principal', label: 'For those who asked', hint: 'Each person for what that person asked for.', checked: !isForEverybody })}${choice('radio', { name: 'consentType', value: 'AllPrincipals', label: 'For everybody', hint: 'Nobody in the organization is asked again for this.', checked: isForEverybody })}</fieldset>`,
    textArea({
      name: 'justification',
      label: 'What you tell those who asked',
      maxLength: MAX_JUSTIFICATION,
      value: justification,
      hint: 'They read this. It may stay empty.',
    }),
    html`<div class="decision">${button({ label: 'Deny', name: 'decision', value: 'deny', kind: 'secondary' })}${button({ label: 'Approve', name: 'decision', value: 'approve' })}</div>`,
    html`<p class="fineprint">Without a decision the request expires ${day(expiresAt)}.</p>`,
  ]);
}

function scopeChoice(scope: RequestedScope): Html {
  const { field, resource, value, title, description, checked, isApprovable } = scope;
  const mark = markOf(scope);
  return choice('checkbox', {
    name: field,
    value: 'true',
    label: html`${displayName(title, displayName(value))}`,
    hint: html`${description && html`${displayText(description)} `}<code>${displayName(value)}</code> in <bdi>${displayName(resource)}</bdi>${
      mark && html` <span class="badge badge-caution">${mark}</span>`
    }`,
    checked: checked && isApprovable,
    disabled: !isApprovable,
  });
}

function markOf({ isPublished, needsAdministrator, isApprovable }: RequestedScope): string | undefined {
  if (!isPublished) return 'Not offered any more';
  if (!needsAdministrator) return undefined;
  return isApprovable ? 'Privileged' : 'Needs an administrator';
}
