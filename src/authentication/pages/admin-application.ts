import { displayName } from '../../vocabulary/display-text.ts';
import { type AdminFrame, adminPage } from './admin-frame.ts';
import { type ApplicationIdentity, applicationCard } from './application.ts';
import { day, lastUse } from './dates.ts';
import { button, choice, type FormTarget, form, notice } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';

/** One permission as it was granted. */
export interface GrantedPermission {
  resource: string;
  value: string;
  since: Date;
  lastUsed?: Date | null | undefined;
  /** Who granted it, where that is known. */
  grantedBy?: string | undefined;
}

/** What is granted for one person, by himself or by a reviewer whom he asked. */
export interface PersonAccess {
  name: string;
  permissions: readonly GrantedPermission[];
  revoke?: FormTarget | undefined;
}

export interface AdminApplicationModel {
  frame: AdminFrame;
  application: ApplicationIdentity;
  isEnabled: boolean;
  lastUsed?: Date | null | undefined;
  /** Delegated, for everybody. */
  forEverybody: readonly GrantedPermission[];
  /** Without a signed-in user. */
  appRoles: readonly GrantedPermission[];
  people: readonly PersonAccess[];
  /** How many more people there are than are listed. */
  morePeople: number;
  /** The admin consent page, for what it requires. */
  grantHref?: string | undefined;
  /** The page that says what a token of it would carry, and why. */
  explainHref: string;
  /** Absent where the person may not. */
  disable?: FormTarget | undefined;
  revoke?: FormTarget | undefined;
  remove?: FormTarget | undefined;
}

/** Forms: enable or disable, revoke for one and for all, remove (its checkbox `sure` = `true`). Buttons `decision` = `accept`. */
export function adminApplicationPage(model: AdminApplicationModel): Html {
  const { frame, application, isEnabled } = model;
  const name = displayName(application.displayName);
  return adminPage(frame, {
    title: name,
    area: 'applications',
    back: { href: `${frame.base}/applications`, label: 'All applications' },
    lead: html`In this organization, ${lastUse(model.lastUsed)}.`,
    body: html`${!isEnabled && notice('caution', ICONS.caution, 'Disabled here', html`<p>Nobody gets a token for it, whatever it was granted.</p>`)}
${applicationCard(application)}
${granted('everybody', ICONS.people, 'For everybody, on behalf of who is signed in', model.forEverybody, 'Nothing is granted for everybody.')}
${granted('alone', ICONS.machine, 'Without a signed-in user', model.appRoles, 'It has no permission of its own.')}
${people(model)}
<div class="actions">${model.grantHref !== undefined && html`<a class="button button-secondary" href="${model.grantHref}">Grant what it requires</a>`}<a class="button button-quiet" href="${model.explainHref}">Explain what it gets, and why</a></div>
${endings(model)}`,
  });
}

function granted(
  id: string,
  icon: Html,
  title: string,
  permissions: readonly GrantedPermission[],
  nothing: string,
): Html {
  return html`<section class="kind" aria-labelledby="${id}"><div class="kind-head">${icon}<div><h2 id="${id}">${title}</h2></div></div>
${permissions.length === 0 ? html`<p class="hint">${nothing}</p>` : html`<ul role="list">${permissions.map(item)}</ul>`}</section>`;
}

function item({ resource, value, since, lastUsed, grantedBy }: GrantedPermission): Html {
  return html`<li class="permission permission-granted">${ICONS.check}<div><p class="permission-title"><code>${displayName(value)}</code> in <bdi>${displayName(resource)}</bdi></p><p class="permission-description">Since ${day(since)}${grantedBy && html`, by <bdi>${displayName(grantedBy)}</bdi>`}, ${lastUse(lastUsed)}</p></div></li>`;
}

function people({ people: listed, morePeople }: AdminApplicationModel): Html {
  const items = listed.map(
    ({ name, permissions, revoke }) =>
      html`<li><div><p class="permission-title"><bdi>${displayName(name)}</bdi></p><p class="codes">${permissions.map(({ value }) => html`<code>${displayName(value)}</code> `)}</p>${times(permissions)}</div>${
        revoke &&
        form(
          revoke,
          button({
            label: html`Revoke<span class="visually-hidden"> the access for ${displayName(name)}</span>`,
            name: 'decision',
            value: 'accept',
            kind: 'secondary',
          }),
        )
      }</li>`,
  );
  return html`<section class="kind" aria-labelledby="people"><div class="kind-head">${ICONS.person}<div><h2 id="people">For certain people alone</h2></div></div>
${listed.length === 0 ? html`<p class="hint">Nothing is granted for anybody in particular.</p>` : html`<ul class="allowed" role="list">${items}</ul>`}
${morePeople > 0 && html`<p class="hint">And ${morePeople} more.</p>`}</section>`;
}

function times(permissions: readonly GrantedPermission[]): Html {
  const since = Math.min(...permissions.map((permission) => permission.since.getTime()));
  const used = Math.max(...permissions.map(({ lastUsed }) => lastUsed?.getTime() ?? 0));
  return html`<p class="permission-description">Since ${day(new Date(since))}, ${lastUse(used === 0 ? null : new Date(used))}</p>`;
}

function endings({ isEnabled, disable, revoke, remove, application }: AdminApplicationModel): Html | undefined {
  if (!disable && !revoke && !remove) return undefined;
  const act = (label: string, kind: 'secondary' | 'danger') =>
    button({ label, name: 'decision', value: 'accept', kind });
  return html`<section class="section" aria-labelledby="end"><h2 id="end">${isEnabled ? 'Stop this application' : 'This application is stopped'}</h2>
${disable && ending(isEnabled ? 'Keeps what was granted. Tokens are refused at once.' : 'What was granted counts again.', form(disable, act(isEnabled ? 'Disable' : 'Enable again', 'secondary')))}
${revoke && ending('Takes away every permission, of everybody, and ends all its sign-ins. Whoever uses it is asked again.', form(revoke, act('Revoke all access', 'danger')))}
${
  remove &&
  ending(
    html`The same, and <bdi>${displayName(application.displayName)}</bdi> is gone from this organization.`,
    form(remove, [
      choice('checkbox', { name: 'sure', value: 'true', label: 'Yes, remove it' }),
      act('Remove from this organization', 'danger'),
    ]),
  )
}</section>`;
}

function ending(hint: Html | string, content: Html): Html {
  return html`<div class="ending"><p class="hint">${hint}</p>${content}</div>`;
}
