import { displayName } from '../../vocabulary/display-text.ts';
import type { RemovedAccess } from '../../vocabulary/removed-access.ts';
import { notice } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';

const people = (count: number) => `${count} ${count === 1 ? 'person' : 'people'}`;
const signIns = (count: number) => `${count} ${count === 1 ? 'sign-in' : 'sign-ins'}`;

/** What an act of revocation took away, line by line, and what it left. */
export function removedAccess(removed: RemovedAccess, audience: 'user' | 'admin'): Html {
  const { grants, appRoleAssignments, tokenFamilies, users, stillGrantedForEverybody } = removed;
  const lines = [
    ...grants.map(({ resourceDisplayName, scopes, consentType, count }) => {
      const whose = consentType === 'AllPrincipals' ? 'for everybody' : `for ${people(count)}`;
      return line(resourceDisplayName, scopes, audience === 'user' ? undefined : whose);
    }),
    ...appRoleAssignments.map(({ resourceDisplayName, value, appRoleId }) =>
      line(resourceDisplayName, [value ?? appRoleId], 'without a signed-in user'),
    ),
    tokenFamilies > 0 &&
      html`<li>${ICONS.check}<div><p>${signIns(tokenFamilies)} ended${audience === 'admin' && `, of ${people(users)}`}. Whatever came of them is refused from now on.</p></div></li>`,
  ].filter(Boolean);
  return html`<section class="removed" aria-labelledby="removed"><h2 id="removed">What was taken away</h2>
${lines.length > 0 ? html`<ul role="list">${lines}</ul>` : html`<p class="hint">There was nothing left to take away.</p>`}</section>
${
  stillGrantedForEverybody &&
  notice(
    'caution',
    ICONS.people,
    'Still allowed by your organization',
    html`<p>What was granted for everybody stays. ${
      audience === 'user'
        ? 'If you sign in to this application again, it can have that. Only an administrator can end it.'
        : 'To end that too, revoke the access for everybody.'
    }</p>`,
  )
}`;
}

function line(resource: string, permissions: readonly string[], whose: string | undefined): Html {
  const codes = permissions.map((value) => html`<code>${displayName(value)}</code> `);
  return html`<li>${ICONS.check}<div><p>In <bdi>${displayName(resource)}</bdi>${whose && `, ${whose}`}</p><p class="codes">${codes}</p></div></li>`;
}
