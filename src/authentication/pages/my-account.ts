import { type Account, accountLine } from './account.ts';
import { displayName } from './display-text.ts';
import { button, type FormTarget, form } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page, tile } from './layout.ts';

/** An application that the person allowed something. */
export interface AllowedApplication {
  displayName: string;
  /** Titles of the permissions. */
  permissions: readonly string[];
  /** Takes the consent back; absent when only an administrator can. */
  revoke?: FormTarget | undefined;
}

export interface MyAccountModel {
  layout: Layout;
  account: Account;
  changePasswordHref: string;
  signOut: FormTarget;
  signOutEverywhere: FormTarget;
  applications?: readonly AllowedApplication[] | undefined;
  /** What was just done. */
  done?: 'passwordChanged' | 'consentRevoked' | undefined;
}

const DONE: Record<NonNullable<MyAccountModel['done']>, string> = {
  passwordChanged: 'Your password is changed. You are signed out on all other devices.',
  consentRevoked: 'The application has lost its access.',
};

/** Three forms; each button says `decision` = `accept`. */
export function myAccountPage(model: MyAccountModel): Html {
  const { layout, account, applications, done } = model;
  const title = 'My account';
  const body = html`<h1>${title}</h1>
${done && html`<div class="notice notice-good" role="status">${ICONS.check}<p>${DONE[done]}</p></div>`}
${accountLine(account)}
<ul class="tasks" role="list">
<li><a class="task" href="${model.changePasswordHref}">${ICONS.lock}<span><strong>Change password</strong><small>Also signs you out on all other devices.</small></span>${ICONS.arrow}</a></li>
</ul>
${applications && allowed(applications)}
<section class="section" aria-labelledby="sessions"><h2 id="sessions">Where you are signed in</h2>
<p class="hint">Lost a device, or used one that is not yours? End all sessions. Every application then asks for your password again.</p>
<div class="pair">${form(model.signOut, button({ label: 'Sign out here', name: 'decision', value: 'accept', kind: 'secondary' }))}${form(
    model.signOutEverywhere,
    button({ label: 'Sign out everywhere', name: 'decision', value: 'accept', kind: 'danger' }),
  )}</div></section>`;
  return page(layout, { title, wide: true, body });
}

function allowed(applications: readonly AllowedApplication[]): Html {
  return html`<section class="section" aria-labelledby="applications"><h2 id="applications">Applications with access</h2>
${applications.length === 0 ? html`<p class="hint">You have not allowed any application to act for you.</p>` : html`<ul class="allowed" role="list">${applications.map(allowedItem)}</ul>`}</section>`;
}

function allowedItem({ displayName: name, permissions, revoke }: AllowedApplication): Html {
  const remove = html`Remove<span class="visually-hidden"> access of ${displayName(name)}</span>`;
  return html`<li>${tile(name, 'application')}<div><p class="permission-title"><bdi>${displayName(name)}</bdi></p><p class="permission-description">${permissions.map((title) => displayName(title)).join(' · ')}</p></div>${
    revoke
      ? form(revoke, button({ label: remove, name: 'decision', value: 'accept', kind: 'secondary' }))
      : html`<small>Allowed by your organization</small>`
  }</li>`;
}
