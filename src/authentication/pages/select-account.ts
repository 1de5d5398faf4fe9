import { displayName } from '../../vocabulary/display-text.ts';
import { type Account, accountLine } from './account.ts';
import { button, type FormTarget, form } from './form.ts';
import { type Html, html } from './html.ts';
import { type Layout, page } from './layout.ts';

export interface SelectAccountModel {
  layout: Layout;
  form: FormTarget;
  /** Who is signed in; its `switchHref` leads to the sign-in page. */
  account: Account;
  application?: string | undefined;
}

/** Buttons `decision` = `accept` (go on as the signed-in account) or `cancel`. */
export function selectAccountPage({ layout, form: target, account, application }: SelectAccountModel): Html {
  const title = 'Is this the right account?';
  const body = html`<h1>${title}</h1>
${application !== undefined && html`<p class="lead">to continue to <strong><bdi>${displayName(application)}</bdi></strong></p>`}
${accountLine(account)}
${form(target, html`<div class="actions">${button({ label: 'Continue', name: 'decision', value: 'accept' })}${button({ label: 'Cancel', name: 'decision', value: 'cancel', kind: 'quiet' })}</div>`)}`;
  return page(layout, { title, body });
}
