import { type Account, accountLine } from './account.ts';
import { button, type FormTarget, form } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';

export interface MyAccountModel {
  layout: Layout;
  account: Account;
  changePasswordHref: string;
  signOut: FormTarget;
  signOutEverywhere: FormTarget;
  applicationsHref: string;
  /** For administrators. */
  adminHref?: string | undefined;
  /** What was just done. */
  done?: 'passwordChanged' | undefined;
}

const DONE: Record<NonNullable<MyAccountModel['done']>, string> = {
  passwordChanged: 'Your password is changed. You are signed out on all other devices.',
};

/** Two forms; each button says `decision` = `accept`. */
export function myAccountPage(model: MyAccountModel): Html {
  const { layout, account, adminHref, done } = model;
  const title = 'My account';
  const body = html`<h1>${title}</h1>
${done && html`<div class="notice notice-good" role="status">${ICONS.check}<p>${DONE[done]}</p></div>`}
${accountLine(account)}
<ul class="tasks" role="list">
<li><a class="task" href="${model.changePasswordHref}">${ICONS.lock}<span><strong>Change password</strong><small>Also signs you out on all other devices.</small></span>${ICONS.arrow}</a></li>
<li><a class="task" href="${model.applicationsHref}">${ICONS.check}<span><strong>My applications</strong><small>What may act in your name, and what you asked for.</small></span>${ICONS.arrow}</a></li>
${adminHref !== undefined && html`<li><a class="task" href="${adminHref}">${ICONS.people}<span><strong>Administration</strong><small>Applications of your organization, requests and policies.</small></span>${ICONS.arrow}</a></li>`}
</ul>
<section class="section" aria-labelledby="sessions"><h2 id="sessions">Where you are signed in</h2>
<p class="hint">Lost a device, or used one that is not yours? End all sessions. Every application then asks for your password again.</p>
<div class="pair">${form(model.signOut, button({ label: 'Sign out here', name: 'decision', value: 'accept', kind: 'secondary' }))}${form(
    model.signOutEverywhere,
    button({ label: 'Sign out everywhere', name: 'decision', value: 'accept', kind: 'danger' }),
  )}</div></section>`;
  return page(layout, { title, wide: true, body });
}
