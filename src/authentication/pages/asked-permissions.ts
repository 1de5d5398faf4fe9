import { type Html, html } from './html.ts';
import { inState, type PermissionGroup, permissionList } from './permissions.ts';

/** What is asked for: what is new first, then (folded up where it is long) what was granted before. */
export function newAndGranted(
  groups: readonly PermissionGroup[],
  introduction: Html,
  stays = 'This stays as it is, whatever you decide now:',
): Html {
  const [fresh, granted] = [inState(groups, 'new'), inState(groups, 'granted')];
  if (granted.length === 0 || fresh.length === 0) {
    return html`<section class="asked"><p class="asked-for">${introduction}</p>
${permissionList(groups)}</section>`;
  }
  return html`<section class="asked" aria-labelledby="asked-new"><h2 id="asked-new">New</h2><p class="asked-for">${introduction}</p>
${permissionList(fresh, 'h3')}</section>
<section class="asked asked-before" aria-labelledby="asked-before"><h2 id="asked-before">Granted before</h2><p class="asked-for">${stays}</p>
${permissionList(granted, 'h3')}</section>`;
}
