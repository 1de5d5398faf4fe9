import { displayName } from '../../vocabulary/display-text.ts';
import { type AdminFrame, adminPage, nothingHere } from './admin-frame.ts';
import { day, lastUse } from './dates.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { tile } from './layout.ts';

export const FINDINGS = ['unused', 'overBroad', 'unverifiedPublisher', 'disabled', 'ownerless'] as const;
export type Finding = (typeof FINDINGS)[number];

const WORDS: Record<Finding, string> = {
  unused: 'Not used for long',
  overBroad: 'Broader than what it uses',
  unverifiedPublisher: 'Unverified publisher',
  disabled: 'Disabled, and still granted',
  ownerless: 'Nobody owns it',
};

/** A grant or an assignment about which something should be done. */
export interface ReportedAccess {
  application: string;
  href: string;
  resource: string;
  permissions: readonly string[];
  /** Everybody, a person, or the application itself. */
  forWhom: string;
  since: Date;
  lastUsed?: Date | null | undefined;
  findings: readonly Finding[];
}

export interface ReportModel {
  frame: AdminFrame;
  entries: readonly ReportedAccess[];
  nextHref?: string | undefined;
}

export function reportPage({ frame, entries, nextHref }: ReportModel): Html {
  return adminPage(frame, {
    title: 'Report',
    area: 'report',
    lead: 'Access that nobody uses, or that is broader than its use.',
    body: html`${entries.length === 0 ? nothingHere('Every access that is granted is used, and none is too broad.') : html`<ul class="rows" role="list">${entries.map(row)}</ul>`}
${nextHref !== undefined && html`<p><a href="${nextHref}">More</a></p>`}`,
  });
}

function row({ application, href, resource, permissions, forWhom, since, lastUsed, findings }: ReportedAccess): Html {
  return html`<li><a class="row" href="${href}">${tile(application, 'application')}<span class="row-main"><strong><bdi>${displayName(application)}</bdi></strong>
<span class="codes">${permissions.map((value) => html`<code>${displayName(value)}</code> `)}in <bdi>${displayName(resource)}</bdi></span>
<span class="findings">${findings.map((finding) => html`<span class="badge badge-caution">${WORDS[finding]}</span> `)}</span>
<small>${displayName(forWhom)}, since ${day(since)}, ${lastUse(lastUsed)}</small></span>${ICONS.arrow}</a></li>`;
}
