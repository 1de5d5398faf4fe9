import { displayName } from '../../vocabulary/display-text.ts';
import { type Account, accountLine } from './account.ts';
import { button, type FormTarget, form } from './form.ts';
import { type Html, html } from './html.ts';
import { type Layout, page } from './layout.ts';

export interface SignOutModel {
  layout: Layout;
  form: FormTarget;
  account: Account;
  /** Display name of the application that asked for it. */
  application?: string | undefined;
  /** The field that says yes; `decision` = `accept` unless the receiver wants another. */
  accept?: { name: string; value: string } | undefined;
}

/** Buttons `decision` = `accept` (or what `accept` says) and `decision` = `cancel`. */
export function signOutPage({ layout, form: target, account, application, accept }: SignOutModel): Html {
  const title = 'Sign out?';
  const yes = accept ?? { name: 'decision', value: 'accept' };
  const body = html`<h1>${title}</h1>
<p class="lead">${application !== undefined && html`<strong><bdi>${displayName(application)}</bdi></strong> asks to sign you out. `}You will have to sign in again in every application that you use in this browser with this account.</p>
${accountLine({ ...account, switchHref: undefined })}
${form(target, html`<div class="actions">${button({ label: 'Sign out', ...yes })}${button({ label: 'Stay signed in', name: 'decision', value: 'cancel', kind: 'secondary' })}</div>`)}`;
  return page(layout, { title, body });
}
