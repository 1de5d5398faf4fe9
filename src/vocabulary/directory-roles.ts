import builtInRoles from '../../config/directory-roles.json' with { type: 'json' };
import { DIRECTORY_ACTIONS, type DirectoryAction } from './actions.ts';

/** What holders of a role may consent to for the organization (wire.md, "Consent: one truth"), from least to most. */
export const CONSENT_REACHES = ['none', 'exceptDirectoryAppRoles', 'all'] as const;
export type ConsentReach = (typeof CONSENT_REACHES)[number];

/** In `manages`: users who hold no directory role at all. */
export const NO_ROLE = 'none';

export interface DirectoryRole {
  /** Entra's template id. */
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly isPrivileged: boolean;
  readonly actions: readonly DirectoryAction[];
  readonly consents: ConsentReach;
  /**
   * Whose holders this role's holders may reset, sign out, disable, delete or rename: role ids, or `none` for users
   * without a role. Entra's "Who can reset passwords" and "Who can perform sensitive actions".
   */
  readonly manages: readonly string[];
}

const actionNames: ReadonlySet<string> = new Set(DIRECTORY_ACTIONS);

function isAction(name: string): name is DirectoryAction {
  return actionNames.has(name);
}

function isReach(name: string): name is ConsentReach {
  return CONSENT_REACHES.some((reach) => reach === name);
}

type WrittenRole = (typeof builtInRoles)[number];

/** Checks role definitions as they stand in a file. Throws one error that lists every mistake. */
export function parseDirectoryRoles(written: readonly WrittenRole[]): readonly DirectoryRole[] {
  const mistakes: string[] = [];
  const known = new Set([NO_ROLE, ...written.map((role) => role.id)]);
  if (known.size !== written.length + 1) mistakes.push('two roles have the same id');
  const roles = written.map((role): DirectoryRole => {
    const unknownActions = role.actions.filter((action) => !isAction(action));
    const unknownRoles = role.manages.filter((id) => !known.has(id));
    mistakes.push(...unknownActions.map((action) => `${role.displayName}: there is no action "${action}"`));
    mistakes.push(...unknownRoles.map((id) => `${role.displayName}: manages an unknown role "${id}"`));
    if (!isReach(role.consents)) mistakes.push(`${role.displayName}: "${role.consents}" is not a reach of consent`);
    return {
      ...role,
      actions: role.actions.filter(isAction),
      consents: isReach(role.consents) ? role.consents : 'none',
    };
  });
  if (mistakes.length > 0) throw new Error(`Directory roles: ${mistakes.join('; ')}.`);
  return roles;
}

/** The built-in roles, in the order of config/directory-roles.json. */
export const DIRECTORY_ROLES = parseDirectoryRoles(builtInRoles);

const byId: ReadonlyMap<string, DirectoryRole> = new Map(DIRECTORY_ROLES.map((role) => [role.id, role]));
const byName: ReadonlyMap<string, DirectoryRole> = new Map(
  DIRECTORY_ROLES.map((role) => [role.displayName.toLowerCase(), role]),
);

export function directoryRole(id: string): DirectoryRole | undefined {
  return byId.get(id.toLowerCase());
}

/** The role of that display name, without regard to case (manifests name roles so). */
export function directoryRoleNamed(displayName: string): DirectoryRole | undefined {
  return byName.get(displayName.toLowerCase());
}

function rolesOf(ids: Iterable<string>): DirectoryRole[] {
  return [...ids].flatMap((id) => directoryRole(id) ?? []);
}

/** All that the roles allow together; an unknown id allows nothing. DEFAULT_USER_ACTIONS come on top, for users. */
export function actionsOf(roleIds: Iterable<string>): ReadonlySet<DirectoryAction> {
  return new Set(rolesOf(roleIds).flatMap((role) => role.actions));
}

/**
 * Whether a holder of the caller's roles may act in sensitive ways (reset the password, end the sessions, disable,
 * delete, change the user principal name) on a holder of the target's roles. One single role must reach every role of
 * the target, and with `action` given it must allow that action itself: two roles never add up to more than each.
 */
export function mayManage(
  callerRoleIds: Iterable<string>,
  targetRoleIds: Iterable<string>,
  action?: DirectoryAction,
): boolean {
  const targets = [...targetRoleIds].map((id) => id.toLowerCase());
  const needed = targets.length === 0 ? [NO_ROLE] : targets;
  return rolesOf(callerRoleIds)
    .filter((role) => action === undefined || role.actions.includes(action))
    .some((role) => needed.every((id) => role.manages.includes(id)));
}

/** The widest reach of consent for the organization among the roles. */
export function consentReachOf(roleIds: Iterable<string>): ConsentReach {
  const reaches = new Set(rolesOf(roleIds).map((role) => role.consents));
  return CONSENT_REACHES.findLast((reach) => reaches.has(reach)) ?? 'none';
}
