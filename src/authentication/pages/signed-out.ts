import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';

export interface SignedOutModel {
  layout: Layout;
  /** After `everywhere`, sessions on other devices are gone too. */
  everywhere?: boolean | undefined;
  signInHref?: string | undefined;
}

export function signedOutPage({ layout, everywhere = false, signInHref }: SignedOutModel): Html {
  const title = everywhere ? 'You are signed out everywhere' : 'You are signed out';
  const body = html`<div class="emblem emblem-good">${ICONS.check}</div>
<h1>${title}</h1>
<p class="lead">${everywhere && 'All your sessions on all devices have ended. '}If others use this computer, close all windows of the browser.</p>
${signInHref !== undefined && html`<div class="actions"><a class="button button-secondary" href="${signInHref}">Sign in again</a></div>`}`;
  return page(layout, { title, body });
}
