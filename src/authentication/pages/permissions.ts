import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';

export type PermissionState = 'new' | 'grantedToYou' | 'grantedToEverybody';

/** One scope or app role, in the words of the API that publishes it. */
export interface Permission {
  /** As it is asked for, such as `User.Read`. */
  value: string;
  title: string;
  description?: string | undefined;
  state: PermissionState;
}

export interface PermissionGroup {
  /** Name of the API. */
  resource: string;
  permissions: readonly Permission[];
}

const BADGES: Record<PermissionState, Html> = {
  new: html`<span class="badge badge-new">New</span>`,
  grantedToYou: html`<span class="badge">Already granted to you</span>`,
  grantedToEverybody: html`<span class="badge">Already granted for everybody</span>`,
};

/** Whether something asked for was granted before: only then does it help to mark what is new. */
export function someGranted(groups: readonly PermissionGroup[]): boolean {
  return groups.some((group) => group.permissions.some(({ state }) => state !== 'new'));
}

/** The groups without the permissions that are not in this state; those with none left are left out. */
export function inState(groups: readonly PermissionGroup[], state: 'new' | 'granted'): PermissionGroup[] {
  return groups
    .map(({ resource, permissions }) => ({
      resource,
      permissions: permissions.filter((permission) => (permission.state === 'new') === (state === 'new')),
    }))
    .filter(({ permissions }) => permissions.length > 0);
}

export function permissionList(groups: readonly PermissionGroup[], level: 'h2' | 'h3' = 'h2'): Html[] {
  const marked = someGranted(groups);
  return groups.map(({ resource, permissions }) => {
    const name = html`<bdi>${displayName(resource)}</bdi>`;
    const heading = level === 'h2' ? html`<h2>In ${name}</h2>` : html`<h3>In ${name}</h3>`;
    const items = permissions.map((permission) => permissionItem(permission, marked));
    return html`<div class="permissions">${heading}<ul role="list">${items}</ul></div>`;
  });
}

function permissionItem({ value, title, description, state }: Permission, marked: boolean): Html {
  return html`<li class="permission${state !== 'new' && ' permission-granted'}">${state === 'new' ? ICONS.plus : ICONS.check}<div><p class="permission-title">${displayName(title, displayName(value))}${
    marked && html` ${BADGES[state]}`
  }</p>${description && html`<p class="permission-description">${displayText(description)}</p>`}<code>${displayName(value)}</code></div></li>`;
}
