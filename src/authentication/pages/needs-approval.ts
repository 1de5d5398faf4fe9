import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { type Account, accountLine } from './account.ts';
import { type ApplicationIdentity, applicationCard } from './application.ts';
import { newAndGranted } from './asked-permissions.ts';
import { continueWithGranted } from './consent.ts';
import { button, type FormTarget, form, notice } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';
import type { PermissionGroup } from './permissions.ts';
import { type RequestForm, requestForm, requestSummary } from './request-form.ts';

export interface NeedsApprovalModel {
  layout: Layout;
  form: FormTarget;
  account: Account;
  application: ApplicationIdentity;
  organization: string;
  /** What it asked for, with what was granted before. */
  permissions: readonly PermissionGroup[];
  /** Directory roles, or people, that can approve. */
  approvers: readonly string[];
  /** The admin consent address, to pass on to an administrator. */
  approvalLink?: string | undefined;
  /** Where the organization takes requests. */
  request?: RequestForm | undefined;
  /** The person may go on with what was granted before, and leave the rest. */
  withGranted?: boolean | undefined;
}

/** Button `decision` = `cancel`: back to the application, which is told `access_denied`; or `granted`. */
export function needsApprovalPage(model: NeedsApprovalModel): Html {
  const { layout, account, application, request } = model;
  const title = 'An administrator has to approve this';
  const body = html`<h1>${title}</h1>
<p class="lead">This application asks for more than you can allow yourself. Nothing was granted now.</p>
${request?.problem && requestSummary(request.problem)}
${applicationCard(application)}
${newAndGranted(model.permissions, html`It asked for:`)}
${request ? requestForm(request) : whoCanApprove(model)}
<div class="whom"><h2>You are signed in as</h2>
${accountLine({ ...account, switchHref: undefined })}</div>
${form(
  model.form,
  html`<div class="actions">${model.withGranted && continueWithGranted()}${button({ label: html`Back to <bdi>${displayName(application.displayName)}</bdi>`, name: 'decision', value: 'cancel', kind: request ? 'secondary' : 'primary' })}${
    account.switchHref !== undefined &&
    html`<a class="button button-${request ? 'quiet' : 'secondary'}" href="${account.switchHref}">Sign in with an administrator account</a>`
  }</div>`,
)}`;
  return page(layout, { title, failed: request?.problem !== undefined, wide: true, body });
}

function whoCanApprove({ organization, approvers, approvalLink }: NeedsApprovalModel): Html {
  return notice('plain', ICONS.people, 'Who can approve', [
    html`<p>Somebody in <bdi>${displayName(organization)}</bdi> who has one of these roles:</p><ul>${approvers.map((approver) => html`<li><bdi>${displayName(approver)}</bdi></li>`)}</ul>`,
    approvalLink !== undefined &&
      html`<p>Send them this address:</p><p class="address"><code>${displayText(approvalLink)}</code></p>`,
  ]);
}
