import type { LiveState } from '../directory/live-state.ts';
import type { DirectoryAction } from '../vocabulary/actions.ts';
import { DEFAULT_USER_ACTIONS, OWN_USER_ACTIONS } from '../vocabulary/default-user-actions.ts';
import {
  actionsOf,
  CONSENT_REACHES,
  type ConsentReach,
  consentReachOf,
  mayManage,
} from '../vocabulary/directory-roles.ts';
import type { ErrorCode } from '../vocabulary/errors.ts';
import type { ApplicationPermission } from '../vocabulary/permissions.ts';
import type { Permissions, Target } from './operation.ts';

/** Why a call is refused. The words go to the audit record, the code to the caller. */
export const REFUSALS = {
  tenantGone: ['InvalidAuthenticationToken', 'The organization does not exist or is disabled.'],
  keyGone: ['InvalidAuthenticationToken', 'The key that signed the token is no longer valid.'],
  userDisabled: ['InvalidAuthenticationToken', 'The user does not exist or is disabled.'],
  clientDisabled: ['InvalidAuthenticationToken', 'The application is not present in the organization or is disabled.'],
  sessionRevoked: ['InvalidAuthenticationToken', 'The session or token has been revoked.'],
  consentGone: ['InvalidAuthenticationToken', 'The organization has withdrawn its consent for this application.'],
  permissionLacks: [
    'Authorization_RequestDenied',
    'The application has not been granted a permission for this operation.',
  ],
  roleLacks: ['Authorization_RequestDenied', 'The user’s directory roles do not allow this operation.'],
  targetProtected: [
    'Authorization_RequestDenied',
    'The object is protected by a directory role that the caller may not manage.',
  ],
  reachLacks: ['Authorization_RequestDenied', 'A more privileged administrator must grant this.'],
  notOnPages: ['Authorization_RequestDenied', 'The operation needs an application.'],
} as const satisfies Record<string, readonly [ErrorCode, string]>;
export type Refusal = keyof typeof REFUSALS;

export type Decision =
  | { readonly allowed: true; readonly grantedBy: readonly string[] }
  | { readonly allowed: false; readonly refusal: Refusal; readonly scopes?: readonly string[] };

export interface Question {
  readonly kind: 'delegated' | 'application' | 'session';
  readonly state: LiveState | undefined;
  /** The token's scopes: a ceiling for what is granted. Absent for kinds other than delegated. */
  readonly ceiling?: readonly string[];
  readonly action: DirectoryAction;
  readonly permissions: Permissions;
  readonly onPages: boolean;
  /** Absent while the object is not looked up yet: then only what does not depend on it is decided. */
  readonly target?: Target | undefined;
}

/** Permissions over those applications alone of which the calling one is an owner. */
const OWNED_ALONE: ReadonlySet<string> = new Set<ApplicationPermission>(['Application.ReadWrite.OwnedBy']);

/**
 * The one decision of who may do what. Pure: everything it knows was read from rows in this request, except the
 * token's ceiling of scopes, which can only narrow.
 */
export function decide(question: Question): Decision {
  const dead = refusalOfState(question);
  if (dead) return { allowed: false, refusal: dead };
  if (question.kind === 'session') return decideSession(question);
  if (question.kind === 'application') return decideApplication(question);
  return decideDelegated(question);
}

function refusalOfState({ kind, state }: Question): Refusal | undefined {
  if (!state?.tenantEnabled) return 'tenantGone';
  if (!state.keyKnown) return 'keyGone';
  if (!state.userEnabled) return 'userDisabled';
  if (!state.clientEnabled) return 'clientDisabled';
  if (!state.sessionAlive) return 'sessionRevoked';
  if (kind !== 'session' && state.permissions.length === 0) return 'consentGone';
  return undefined;
}

function decideDelegated({ state, ceiling = [], action, permissions, target }: Question): Decision {
  const { own = [], delegated } = permissions;
  const granted = intersection(ceiling, state?.permissions ?? []);
  if (granted.length === 0) return { allowed: false, refusal: 'consentGone' };
  const suffices = target === undefined || target.isOwn ? [...delegated, ...own] : delegated;
  const grantedBy = intersection(suffices, granted);
  if (grantedBy.length === 0) return { allowed: false, refusal: 'permissionLacks', scopes: suffices };
  return decidePerson(state, action, target) ?? { allowed: true, grantedBy };
}

function decideSession({ state, action, onPages, target }: Question): Decision {
  if (!onPages) return { allowed: false, refusal: 'notOnPages' };
  return decidePerson(state, action, target) ?? { allowed: true, grantedBy: [] };
}

function decidePerson(
  state: LiveState | undefined,
  action: DirectoryAction,
  target: Target | undefined,
): Decision | undefined {
  const roles = state?.directoryRoles ?? [];
  const byRole = actionsOf(roles);
  // Before the object is known, an act on one's own is still possible.
  const mayBeOwn = target === undefined || target.isOwn === true;
  const needed = [action, ...(target?.also ?? [])];
  const isAllowed = (one: DirectoryAction) =>
    byRole.has(one) ||
    (DEFAULT_USER_ACTIONS.has(one) && (state?.isGuest === false || mayBeOwn)) ||
    (OWN_USER_ACTIONS.has(one) && mayBeOwn);
  if (!needed.every(isAllowed)) return { allowed: false, refusal: 'roleLacks' };
  return target && decideTarget(roles, needed, target);
}

function decideApplication({ state, action, permissions, target }: Question): Decision {
  const held = intersection(permissions.application, state?.permissions ?? []);
  // Before the object is known, it may still be one of its own (CON-18).
  const mayBeOwned = target === undefined || target.isOwned === true;
  const grantedBy = held.filter((permission) => mayBeOwned || !OWNED_ALONE.has(permission));
  if (grantedBy.length === 0) return { allowed: false, refusal: 'permissionLacks', scopes: permissions.application };
  // What an application could use to win more rights than it was given is for people alone, whatever its roles (CON-15).
  if (target?.reach === 'all' || target?.byPeopleAlone) return { allowed: false, refusal: 'reachLacks' };
  const heldRoles = target?.heldRoles ?? [];
  if (heldRoles.length > 0 && !mayManage(state?.directoryRoles ?? [], heldRoles, action))
    return { allowed: false, refusal: 'targetProtected' };
  return { allowed: true, grantedBy };
}

function decideTarget(
  roles: readonly string[],
  actions: readonly DirectoryAction[],
  target: Target,
): Decision | undefined {
  const { heldRoles, isOwn } = target;
  const asOwner = (action: DirectoryAction) => isOwn === true && OWN_USER_ACTIONS.has(action);
  if (heldRoles && !actions.every((action) => asOwner(action) || mayManage(roles, heldRoles, action)))
    return { allowed: false, refusal: 'targetProtected' };
  if (target.reach && !reaches(consentReachOf(roles), target.reach)) return { allowed: false, refusal: 'reachLacks' };
  return undefined;
}

function reaches(held: ConsentReach, needed: ConsentReach): boolean {
  return CONSENT_REACHES.indexOf(held) >= CONSENT_REACHES.indexOf(needed);
}

function intersection(wanted: readonly string[], held: readonly string[]): string[] {
  return wanted.filter((permission) => held.includes(permission));
}
