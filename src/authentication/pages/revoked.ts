import { displayName } from '../../vocabulary/display-text.ts';
import type { RemovedAccess } from '../../vocabulary/removed-access.ts';
import { type AdminFrame, adminPage } from './admin-frame.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';
import { removedAccess } from './removed-access.ts';

export interface RevokedModel {
  layout: Layout;
  application: string;
  removed: RemovedAccess;
  applicationsHref: string;
}

/** A person took back what an application could do in his name. */
export function revokedPage({ layout, application, removed, applicationsHref }: RevokedModel): Html {
  const title = 'Access is taken back';
  const body = html`<div class="emblem emblem-good">${ICONS.check}</div>
<h1>${title}</h1>
<p class="lead" role="status"><strong><bdi>${displayName(application)}</bdi></strong> can no longer act for you by your own consent.</p>
${removedAccess(removed, 'user')}
<div class="actions"><a class="button" href="${applicationsHref}">My applications</a></div>`;
  return page(layout, { title, wide: true, body });
}

export interface AccessRevokedModel {
  frame: AdminFrame;
  application: string;
  /** The person for whom alone it was. */
  person?: string | undefined;
  removed: RemovedAccess;
  /** The application's own page; absent when it is gone. */
  applicationHref?: string | undefined;
}

/** An administrator revoked an application's access. */
export function accessRevokedPage({ frame, application, person, removed, applicationHref }: AccessRevokedModel): Html {
  const name = html`<strong><bdi>${displayName(application)}</bdi></strong>`;
  const lead = removed.removed
    ? html`${name} is no longer in this organization.`
    : html`${name} has lost its access ${person === undefined ? 'for everybody' : html`for <strong><bdi>${displayName(person)}</bdi></strong>`}.`;
  return adminPage(frame, {
    title: removed.removed ? 'Application removed' : 'Access revoked',
    area: 'applications',
    lead,
    body: html`${removedAccess(removed, 'admin')}
<div class="actions">${
      applicationHref
        ? html`<a class="button" href="${applicationHref}">Back to the application</a>`
        : html`<a class="button" href="${frame.base}/applications">All applications</a>`
    }</div>`,
  });
}
