import { type Account, accountLine } from './account.ts';
import { type ApplicationIdentity, applicationCard } from './application.ts';
import { displayName, displayText } from './display-text.ts';
import { button, type FormTarget, form, notice } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';
import { type PermissionGroup, permissionList } from './permissions.ts';

export interface NeedsApprovalModel {
  layout: Layout;
  form: FormTarget;
  account: Account;
  application: ApplicationIdentity;
  organization: string;
  /** What it asked for and may not have without an administrator. */
  permissions: readonly PermissionGroup[];
  /** Directory roles, or people, that can approve. */
  approvers: readonly string[];
  /** The admin consent address, to pass on to an administrator. */
  approvalLink?: string | undefined;
}

/** Button `decision` = `cancel`: back to the application, which is told `access_denied`. */
export function needsApprovalPage(model: NeedsApprovalModel): Html {
  const { layout, account, application, approvers, approvalLink } = model;
  const organization = html`<bdi>${displayName(model.organization)}</bdi>`;
  const title = 'An administrator has to approve this';
  const body = html`<h1>${title}</h1>
<p class="lead">This application asks for more than you can allow yourself. Nothing was granted.</p>
${applicationCard(application)}
<section class="asked"><p class="asked-for">It asked for:</p>
${permissionList(model.permissions)}</section>
${notice('plain', ICONS.people, 'Who can approve', [
  html`<p>Somebody in ${organization} who has one of these roles:</p><ul>${approvers.map((approver) => html`<li><bdi>${displayName(approver)}</bdi></li>`)}</ul>`,
  approvalLink !== undefined &&
    html`<p>Send them this address:</p><p class="address"><code>${displayText(approvalLink)}</code></p>`,
])}
<div class="whom"><h2>You are signed in as</h2>
${accountLine({ ...account, switchHref: undefined })}</div>
${form(
  model.form,
  html`<div class="actions">${button({ label: html`Back to <bdi>${displayName(application.displayName)}</bdi>`, name: 'decision', value: 'cancel' })}${
    account.switchHref !== undefined &&
    html`<a class="button button-secondary" href="${account.switchHref}">Sign in with an administrator account</a>`
  }</div>`,
)}`;
  return page(layout, { title, wide: true, body });
}
