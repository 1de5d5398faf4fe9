import { displayName } from '../../vocabulary/display-text.ts';
import { type Account, accountLine } from './account.ts';
import { type ApplicationIdentity, applicationCard } from './application.ts';
import { newAndGranted } from './asked-permissions.ts';
import { type Button, button, decision, type FormTarget, form } from './form.ts';
import { type Html, html } from './html.ts';
import { type Layout, page } from './layout.ts';
import { inState, type PermissionGroup } from './permissions.ts';

export interface ConsentModel {
  layout: Layout;
  form: FormTarget;
  account: Account;
  application: ApplicationIdentity;
  permissions: readonly PermissionGroup[];
  /** Given to an administrator, who may consent for everybody. */
  forOrganization?: { organization: string; checked?: boolean | undefined } | undefined;
  /** The person may go on with what was granted before, and leave the rest. */
  withGranted?: boolean | undefined;
}

/** Checkbox `forOrganization` = `true`; buttons `decision` = `accept`, `cancel` or `granted`. */
export function consentPage(model: ConsentModel): Html {
  const { layout, account, permissions, forOrganization, withGranted } = model;
  const isFurther = inState(permissions, 'granted').length > 0;
  const title = isFurther ? 'Allow further access?' : 'Allow access?';
  const introduction = html`If you accept, it may do this <strong>in your name</strong>, and never more than you may do yourself:`;
  const body = html`<h1>${title}</h1>
<p class="lead">${isFurther ? 'This application asks for more than it has.' : 'This application asks to act for you.'}</p>
${applicationCard(model.application)}
${newAndGranted(permissions, introduction)}
${form(model.form, [
  html`<div class="whom"><h2>For whom</h2>
${accountLine(account)}
${
  forOrganization
    ? organizationChoice(forOrganization)
    : html`<p>This counts for <strong>you only</strong>, not for others in your organization.</p>`
}</div>`,
  decision('Accept'),
  withGranted && continueWithGranted(),
])}
<p class="fineprint">Accepting does not share your password. You or an administrator can take it back at any time.</p>`;
  return page(layout, { title, wide: true, body });
}

/** Goes on with the part that needs no decision any more. */
export function continueWithGranted(kind: Button['kind'] = 'quiet'): Html {
  return button({ label: 'Continue with what is granted', name: 'decision', value: 'granted', kind });
}

function organizationChoice({ organization, checked }: NonNullable<ConsentModel['forOrganization']>): Html {
  const name = html`<bdi>${displayName(organization)}</bdi>`;
  return html`<div class="choice"><input type="checkbox" id="forOrganization" name="forOrganization" value="true"${checked && html` checked`} aria-describedby="forOrganization-hint">
<div><label for="forOrganization">Consent on behalf of ${name}</label>
<p class="hint" id="forOrganization-hint">Everybody in ${name} can then use this application with these permissions and is not asked again. Without the tick, it counts for you only.</p></div></div>`;
}
