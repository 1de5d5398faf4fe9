import { displayName } from '../../vocabulary/display-text.ts';
import { type AdminFrame, adminPage, nothingHere } from './admin-frame.ts';
import { type Trust, trustMark } from './application.ts';
import { day, lastUse } from './dates.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { tile } from './layout.ts';

/** An application that is present in the organization. */
export interface ListedApplication {
  displayName: string;
  href: string;
  publisher: string;
  trust: Trust;
  isEnabled: boolean;
  addedAt: Date;
  lastUsed?: Date | null | undefined;
}

export interface AdminApplicationsModel {
  frame: AdminFrame;
  applications: readonly ListedApplication[];
  /** What the names begin with. */
  search: string;
  nextHref?: string | undefined;
}

export function adminApplicationsPage({ frame, applications, search, nextHref }: AdminApplicationsModel): Html {
  return adminPage(frame, {
    title: 'Applications',
    area: 'applications',
    lead: 'Everything that was added to this organization, and what it may do here.',
    body: html`<form class="search" method="get" action="${frame.base}/applications"><div class="field"><label for="search">Name begins with</label><input id="search" name="search" type="text" value="${search}" maxlength="120" autocomplete="off"></div><button class="button button-secondary" type="submit">Search</button></form>
${
  applications.length === 0
    ? nothingHere(search === '' ? 'No application was added yet.' : 'No application has a name that begins so.')
    : html`<ul class="rows" role="list">${applications.map(row)}</ul>`
}
${nextHref !== undefined && html`<p><a href="${nextHref}">More applications</a></p>`}`,
  });
}

function row({ displayName: name, href, publisher, trust, isEnabled, addedAt, lastUsed }: ListedApplication): Html {
  return html`<li><a class="row" href="${href}">${tile(name, 'application')}<span class="row-main"><strong><bdi>${displayName(name)}</bdi></strong> ${trustMark(trust)}${
    !isEnabled && html` <span class="badge badge-caution">Disabled</span>`
  }
<span class="row-text">by <bdi>${displayName(publisher)}</bdi></span><small>Added ${day(addedAt)}, ${lastUse(lastUsed)}</small></span>${ICONS.arrow}</a></li>`;
}
