import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { type Account, accountLine } from './account.ts';
import { type ApplicationIdentity, applicationCard } from './application.ts';
import { day, lastUse } from './dates.ts';
import { button, type FormTarget, form, notice } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page, tile } from './layout.ts';

/** An application that may act for the person. */
export interface MyApplicationEntry {
  displayName: string;
  href: string;
  /** Titles of the permissions. */
  permissions: readonly string[];
  since: Date;
  lastUsed?: Date | null | undefined;
  /** At least a part rests on his own consent. */
  isByYou: boolean;
}

export type MyRequestState = 'waiting' | 'approved' | 'partlyApproved' | 'denied' | 'expired';

/** What the person asked the reviewers for. */
export interface MyRequest {
  application: string;
  askedAt: Date;
  state: MyRequestState;
  justification?: string | null | undefined;
  /** Where the person can go on. */
  href?: string | undefined;
}

export interface MyApplicationsModel {
  layout: Layout;
  account: Account;
  accountHref: string;
  applications: readonly MyApplicationEntry[];
  requests: readonly MyRequest[];
}

const STATES: Record<MyRequestState, Html> = {
  waiting: html`<span class="badge">Waiting for a decision</span>`,
  approved: html`<span class="badge badge-good">Approved</span>`,
  partlyApproved: html`<span class="badge badge-good">Approved in part</span>`,
  denied: html`<span class="badge badge-caution">Denied</span>`,
  expired: html`<span class="badge">Expired without a decision</span>`,
};

export function myApplicationsPage(model: MyApplicationsModel): Html {
  const { layout, account, applications, requests } = model;
  const title = 'My applications';
  const body = html`<h1>${title}</h1>
<p class="lead">What may act in your name, since when, and when it last did.</p>
${accountLine(account)}
<section class="section" aria-labelledby="applications"><h2 id="applications">Applications with access</h2>
${
  applications.length === 0
    ? html`<p class="hint">No application may act for you.</p>`
    : html`<ul class="rows" role="list">${applications.map(applicationRow)}</ul>`
}</section>
${
  requests.length > 0 &&
  html`<section class="section" aria-labelledby="requests"><h2 id="requests">What you asked for</h2>
<ul class="rows" role="list">${requests.map(requestRow)}</ul></section>`
}
<p class="fineprint"><a href="${model.accountHref}">My account</a></p>`;
  return page(layout, { title, wide: true, body });
}

function applicationRow({ displayName: name, href, permissions, since, lastUsed, isByYou }: MyApplicationEntry): Html {
  return html`<li><a class="row" href="${href}">${tile(name, 'application')}<span class="row-main"><strong><bdi>${displayName(name)}</bdi></strong>
<span class="row-text">${permissions.map((title) => displayName(title)).join(' · ')}</span>
<small>Since ${day(since)}, ${lastUse(lastUsed)} · ${isByYou ? 'for you alone' : 'for everybody in your organization'}</small></span>${ICONS.arrow}</a></li>`;
}

function requestRow({ application, askedAt, state, justification, href }: MyRequest): Html {
  const content = html`${tile(application, 'application')}<span class="row-main"><strong><bdi>${displayName(application)}</bdi></strong> ${STATES[state]}
${justification && html`<span class="row-text">The reviewer says: ${displayText(justification)}</span>`}
<small>Asked ${day(askedAt)}</small></span>`;
  return href === undefined
    ? html`<li><div class="row">${content}</div></li>`
    : html`<li><a class="row" href="${href}">${content}${ICONS.arrow}</a></li>`;
}

/** One permission that an application has for the person. */
export interface MyPermission {
  title: string;
  value: string;
  /** Whether he granted it himself; else his organization did, for everybody. */
  isByYou: boolean;
}

export interface MyApplicationModel {
  layout: Layout;
  application: ApplicationIdentity;
  resources: readonly { resource: string; permissions: readonly MyPermission[] }[];
  since?: Date | undefined;
  lastUsed?: Date | null | undefined;
  /** What was asked for and decided. */
  request?: MyRequest | undefined;
  /** The application's own address. */
  openHref?: string | undefined;
  revoke?: FormTarget | undefined;
  applicationsHref: string;
}

/** Button `decision` = `accept`: takes everything back that is the person's own. */
export function myApplicationPage(model: MyApplicationModel): Html {
  const { layout, application, resources, request, openHref, revoke } = model;
  const name = displayName(application.displayName);
  const title = name;
  const body = html`<p class="back"><a href="${model.applicationsHref}">My applications</a></p>
<h1><bdi>${title}</bdi></h1>
${request && requestNotice(request)}
${applicationCard(application)}
${openHref !== undefined && html`<div class="actions"><a class="button" href="${openHref}">Open <bdi>${name}</bdi></a></div>`}
${
  resources.length > 0 &&
  html`<section class="asked"><p class="asked-for">It may do this in your name${model.since && html`, since ${day(model.since)}, ${lastUse(model.lastUsed)}`}:</p>
${resources.map(permissionsIn)}</section>`
}
${revoke && revocation(revoke, resources)}`;
  return page(layout, { title, wide: true, body });
}

function permissionsIn({ resource, permissions }: MyApplicationModel['resources'][number]): Html {
  const items = permissions.map(
    ({ title, value, isByYou }) =>
      html`<li class="permission permission-granted">${isByYou ? ICONS.person : ICONS.people}<div><p class="permission-title">${displayName(title, displayName(value))} <span class="badge">${isByYou ? 'For you' : 'For everybody'}</span></p><code>${displayName(value)}</code></div></li>`,
  );
  return html`<div class="permissions"><h2>In <bdi>${displayName(resource)}</bdi></h2><ul role="list">${items}</ul></div>`;
}

function revocation(target: FormTarget, resources: MyApplicationModel['resources']): Html {
  const keeps = resources.some(({ permissions }) => permissions.some(({ isByYou }) => !isByYou));
  return html`<section class="section" aria-labelledby="revoke"><h2 id="revoke">Take the access back</h2>
<p class="hint">Ends your own consent and every sign-in of this application for you, at once and everywhere.${
    keeps && ' What your organization allows for everybody stays: only an administrator can end that.'
  }</p>
${form(target, button({ label: 'Take back', name: 'decision', value: 'accept', kind: 'danger' }))}</section>`;
}

const NOTICES: Record<MyRequestState, readonly ['good' | 'caution' | 'plain', Html, string]> = {
  waiting: ['plain', ICONS.people, 'A reviewer has not decided yet'],
  approved: ['good', ICONS.check, 'What you asked for is approved'],
  partlyApproved: ['good', ICONS.check, 'A part of what you asked for is approved'],
  denied: ['caution', ICONS.caution, 'What you asked for was denied'],
  expired: ['plain', ICONS.caution, 'Nobody decided in time. You can ask again'],
};

function requestNotice({ state, askedAt, justification }: MyRequest): Html {
  const [kind, icon, title] = NOTICES[state];
  return notice(kind, icon, title, [
    html`<p>You asked on ${day(askedAt)}.</p>`,
    justification && html`<p>The reviewer says: ${displayText(justification)}</p>`,
  ]);
}
