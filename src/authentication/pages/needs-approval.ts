import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { type Account, accountLine } from './account.ts';
import { type ApplicationIdentity, applicationCard } from './application.ts';
import { newAndGranted } from './asked-permissions.ts';
import { continueWithGranted } from './consent.ts';
import { day } from './dates.ts';
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
  /** The person asked for all of this before. */
  asked?: AskedBefore | undefined;
  /** This very question again, to see whether it was decided. */
  againHref?: string | undefined;
  /** The person may go on with what was granted before, and leave the rest. */
  withGranted?: boolean | undefined;
}

export interface AskedBefore {
  state: 'waiting' | 'denied' | 'approvedInPart' | 'expired';
  askedAt: Date;
  /** In the reviewer's words. */
  justification?: string | null | undefined;
}

/** What helps most stands out: asking, else going on with a part, else going back. */
const WEIGHTS = ['primary', 'secondary', 'quiet'] as const;

/** Button `decision` = `cancel`: back to the application, which is told `access_denied`; or `granted`. */
export function needsApprovalPage(model: NeedsApprovalModel): Html {
  const { layout, account, application, request, asked } = model;
  const title = 'An administrator has to approve this';
  // Who has his answer goes on with it, or back; he can still ask again.
  const isAnswered = asked !== undefined && asked.state !== 'expired' && !request?.problem;
  const whom = html`<div class="whom"><h2>You are signed in as</h2>
${accountLine({ ...account, switchHref: undefined })}</div>`;
  const body = html`<h1>${title}</h1>
<p class="lead">This application asks for more than you can allow yourself. Nothing was granted now.</p>
${request && requestSummary(request)}
${asked && askedBefore(asked, model.againHref)}
${applicationCard(application)}
${newAndGranted(model.permissions, html`It asked for:`, 'It has this already, and keeps it:')}
${request ? !isAnswered && requestForm(request) : asked?.state !== 'waiting' && whoCanApprove(model)}
${whom}
${ways(model, request && !isAnswered ? 1 : 0)}
${request && isAnswered && html`<details class="help"><summary>Ask again</summary>${requestForm(request)}</details>`}`;
  return page(layout, { title, failed: request?.problem !== undefined, wide: true, body });
}

/** @param before how many of the page's buttons matter more */
function ways(
  { form: target, application, account, withGranted = false, request }: NeedsApprovalModel,
  before: 0 | 1,
): Html {
  const back = button({
    label: html`Back to <bdi>${displayName(application.displayName)}</bdi>`,
    name: 'decision',
    value: 'cancel',
    kind: WEIGHTS[before + (withGranted ? 1 : 0)],
  });
  return form(
    target,
    html`<div class="actions">${withGranted && continueWithGranted(WEIGHTS[before])}${back}${
      account.switchHref !== undefined &&
      html`<a class="button button-${request ? 'quiet' : 'secondary'}" href="${account.switchHref}">Sign in with an administrator account</a>`
    }</div>`,
  );
}

const BEFORE: Record<AskedBefore['state'], readonly ['plain' | 'caution', string]> = {
  waiting: ['plain', 'A reviewer has not decided yet'],
  denied: ['caution', 'A reviewer denied what you asked for'],
  approvedInPart: ['caution', 'A reviewer approved only a part of what you asked for'],
  expired: ['plain', 'Nobody decided your request in time'],
};

function askedBefore({ state, askedAt, justification }: AskedBefore, againHref: string | undefined): Html {
  const [kind, title] = BEFORE[state];
  return notice(kind, kind === 'plain' ? ICONS.people : ICONS.caution, title, [
    html`<p>You asked on ${day(askedAt)}.</p>`,
    justification && html`<p>The reviewer says: ${displayText(justification)}</p>`,
    state === 'waiting' && againHref !== undefined && html`<p><a href="${againHref}">See whether it is decided</a></p>`,
  ]);
}

function whoCanApprove({ organization, approvers, approvalLink }: NeedsApprovalModel): Html {
  return notice('plain', ICONS.people, 'Who can approve', [
    html`<p>Somebody in <bdi>${displayName(organization)}</bdi> who has one of these roles:</p><ul>${approvers.map((approver) => html`<li><bdi>${displayName(approver)}</bdi></li>`)}</ul>`,
    approvalLink !== undefined &&
      html`<p>Send them this address:</p><p class="address"><code>${displayText(approvalLink)}</code></p>`,
  ]);
}
