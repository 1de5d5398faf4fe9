import { displayName } from '../../vocabulary/display-text.ts';
import { type Account, accountLine } from './account.ts';
import { type ApplicationIdentity, applicationCard } from './application.ts';
import { decision, type FormTarget, form, notice } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';
import { type PermissionGroup, permissionList } from './permissions.ts';

export interface AdminConsentModel {
  layout: Layout;
  form: FormTarget;
  account: Account;
  application: ApplicationIdentity;
  /** Display name of the organization that consents. */
  organization: string;
  /** Scopes, used for somebody who is signed in. */
  delegated: readonly PermissionGroup[];
  /** App roles, used by the application on its own. */
  applicationOnly: readonly PermissionGroup[];
}

/** Buttons `decision` = `accept` or `cancel`. */
export function adminConsentPage(model: AdminConsentModel): Html {
  const { layout, account, delegated, applicationOnly } = model;
  const organization = html`<bdi>${displayName(model.organization)}</bdi>`;
  const title = 'Allow access for everybody?';
  const body = html`<h1>${title}</h1>
<p class="lead">You decide as an administrator of <strong>${organization}</strong>.</p>
${applicationCard(model.application)}
${notice('plain', ICONS.people, html`This counts for everybody in ${organization}`, html`<p>Nobody there will be asked again for what you accept here.</p>`)}
${delegated.length > 0 && kind('delegated', ICONS.person, 'On behalf of a signed-in user', 'For everybody who signs in to it, and never more than that person may do.', delegated)}
${
  applicationOnly.length > 0 &&
  kind(
    'application',
    ICONS.machine,
    'Without a signed-in user',
    html`By itself, at any time, on the data of everybody in ${organization}. No person’s own rights limit it.`,
    applicationOnly,
  )
}
${form(model.form, [
  html`<div class="whom"><h2>Your decision as</h2>
${accountLine(account)}</div>`,
  decision('Accept for everybody'),
])}
<p class="fineprint">An administrator can take this back at any time. It takes effect at once.</p>`;
  return page(layout, { title, wide: true, body });
}

function kind(
  id: string,
  icon: Html,
  title: string,
  explanation: Html | string,
  groups: readonly PermissionGroup[],
): Html {
  return html`<section class="kind kind-${id}" aria-labelledby="${id}"><div class="kind-head">${icon}<div><h2 id="${id}">${title}</h2><p>${explanation}</p></div></div>
${permissionList(groups, 'h3')}</section>`;
}
