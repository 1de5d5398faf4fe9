import { displayName } from '../../vocabulary/display-text.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';

export interface ConsentRecordedModel {
  layout: Layout;
  application: string;
  organization: string;
  accountHref: string;
}

/** The end of an admin consent that no application waits for. */
export function consentRecordedPage({ layout, application, organization, accountHref }: ConsentRecordedModel): Html {
  const title = 'Access is allowed';
  const body = html`<div class="emblem emblem-good">${ICONS.check}</div>
<h1>${title}</h1>
<p class="lead">Everybody in <strong><bdi>${displayName(organization)}</bdi></strong> can use <strong><bdi>${displayName(application)}</bdi></strong> now. Those who asked you for this can try again.</p>
<div class="actions"><a class="button button-secondary" href="${accountHref}">My account</a></div>`;
  return page(layout, { title, body });
}
