import { describe, expect, test } from '@jest/globals';
import { decide, type Question } from '../../src/authorization/decide.ts';
import { directoryRoleNamed } from '../../src/vocabulary/directory-roles.ts';

const role = (name: string) => directoryRoleNamed(name)?.id ?? '';
const alive = {
  tenantEnabled: true,
  userEnabled: true,
  isGuest: false,
  clientEnabled: true,
  keyKnown: true,
  sessionAlive: true,
  directoryRoles: [] as readonly string[],
  permissions: ['User.Read.All', 'User.ReadWrite.All'] as readonly string[],
};
const update = {
  action: 'directory/users/basic/update',
  permissions: { delegated: ['User.ReadWrite.All'], application: ['User.ReadWrite.All'] },
  onPages: false,
} as const;
const read = {
  action: 'directory/users/standard/read',
  permissions: { delegated: ['User.Read.All'], application: ['User.Read.All'], own: ['User.Read'] },
  onPages: false,
} as const;

const delegated = (over: Partial<Question>, state: Partial<typeof alive> = {}): Question => ({
  kind: 'delegated',
  ceiling: ['User.Read.All', 'User.ReadWrite.All'],
  ...update,
  ...over,
  state: { ...alive, ...state },
});
const ownedBy = {
  delegated: [],
  application: ['Application.ReadWrite.All', 'Application.ReadWrite.OwnedBy'] as const,
};
const application = (over: Partial<Question>, state: Partial<typeof alive> = {}): Question => ({
  ...delegated(over, state),
  kind: 'application',
  ceiling: [],
});

describe('the decision', () => {
  test.each<[string, Question, string]>([
    ['no tenant', { ...delegated({}), state: undefined }, 'tenantGone'],
    ['a disabled tenant', delegated({}, { tenantEnabled: false }), 'tenantGone'],
    ['a withdrawn key', delegated({}, { keyKnown: false }), 'keyGone'],
    ['a disabled user', delegated({}, { userEnabled: false }), 'userDisabled'],
    ['a disabled service principal', delegated({}, { clientEnabled: false }), 'clientDisabled'],
    ['a revoked session', delegated({}, { sessionAlive: false }), 'sessionRevoked'],
    ['no consent left', delegated({}, { permissions: [] }), 'consentGone'],
    ['an application without a role', application({}, { permissions: [] }), 'consentGone'],
    ['a scope that the token lacks', delegated({ ceiling: ['User.Read.All'] }), 'permissionLacks'],
    ['a scope that was taken away', delegated({}, { permissions: ['User.Read.All'] }), 'permissionLacks'],
    ['a scope without the role (CON-19)', delegated({}), 'roleLacks'],
    [
      'an application that may only read (CON-20)',
      application({}, { permissions: ['User.Read.All'] }),
      'permissionLacks',
    ],
    [
      'a guest who lists people (GST-01)',
      delegated({ ...read, target: { isOwn: false } }, { isGuest: true }),
      'roleLacks',
    ],
    [
      'a user administrator who acts on a global administrator (GST-15)',
      delegated(
        { action: 'directory/users/password/update', target: { heldRoles: [role('Global Administrator')] } },
        { directoryRoles: [role('User Administrator')] },
      ),
      'targetProtected',
    ],
    [
      'an application that acts on an administrator',
      application({ target: { heldRoles: [role('Helpdesk Administrator')] } }),
      'targetProtected',
    ],
    ['an application that gives itself privileges (CON-15)', application({ target: { reach: 'all' } }), 'reachLacks'],
    [
      'an application administrator who assigns a role of the directory API',
      delegated(
        { target: { reach: 'all' } },
        { directoryRoles: [role('Application Administrator'), role('User Administrator')] },
      ),
      'reachLacks',
    ],
    [
      'a guest once the object is known not to be his own, also where nothing else is to know of it',
      delegated({ ...read, target: {} }, { isGuest: true }),
      'roleLacks',
    ],
    [
      'an act on one’s own where the object is nobody’s',
      delegated({ action: 'directory/oAuth2PermissionGrants/delete', target: {} }),
      'roleLacks',
    ],
    [
      'a small scope where the object is nobody’s',
      delegated({ ...read, ceiling: ['User.Read'], target: {} }, { permissions: ['User.Read'] }),
      'permissionLacks',
    ],
    [
      'a change that needs a further action',
      delegated(
        { target: { also: ['directory/users/password/update'] } },
        { directoryRoles: [role('Directory Writers')] },
      ),
      'roleLacks',
    ],
    [
      'an application that gives itself privileges, though it holds the highest role (CON-15)',
      application({ target: { reach: 'all' } }, { directoryRoles: [role('Global Administrator')] }),
      'reachLacks',
    ],
    [
      'an application that acts on what is privileged, on a person without a role',
      application({ target: { heldRoles: [], reach: 'all' } }),
      'reachLacks',
    ],
    [
      'an application with the right over its own alone, on another’s (CON-18)',
      application({ permissions: ownedBy, target: {} }, { permissions: ['Application.ReadWrite.OwnedBy'] }),
      'permissionLacks',
    ],
    [
      'the same on what a person owns',
      application(
        { permissions: ownedBy, target: { isOwn: true } },
        { permissions: ['Application.ReadWrite.OwnedBy'] },
      ),
      'permissionLacks',
    ],
    ['a page for what only an application may do', { ...delegated({}), kind: 'session' }, 'notOnPages'],
  ])('refuses %s', (_case, question, refusal) => {
    expect(decide(question)).toMatchObject({ allowed: false, refusal });
  });

  test.each<[string, Question, readonly string[]]>([
    ['a reader with the scope', delegated({ ...read, target: { isOwn: false } }), ['User.Read.All']],
    [
      'a person his own profile with the small scope',
      delegated({ ...read, ceiling: ['User.Read'], target: { isOwn: true } }, { permissions: ['User.Read'] }),
      ['User.Read'],
    ],
    ['a user administrator', delegated({}, { directoryRoles: [role('User Administrator')] }), ['User.ReadWrite.All']],
    [
      'an application with the right over its own alone, on its own (CON-18)',
      application(
        { permissions: ownedBy, target: { isOwned: true } },
        { permissions: ['Application.ReadWrite.OwnedBy'] },
      ),
      ['Application.ReadWrite.OwnedBy'],
    ],
    [
      'an application with both rights, on another’s: by the wider one',
      application(
        { permissions: ownedBy, target: {} },
        { permissions: ['Application.ReadWrite.OwnedBy', 'Application.ReadWrite.All'] },
      ),
      ['Application.ReadWrite.All'],
    ],
    ['an application with the role', application({}), ['User.ReadWrite.All']],
    [
      'a global administrator anything on another one',
      delegated(
        { action: 'directory/users/password/update', target: { heldRoles: [role('Global Administrator')] } },
        { directoryRoles: [role('Global Administrator')] },
      ),
      ['User.ReadWrite.All'],
    ],
    [
      'an administrator to end his own sessions, whomever else he may manage',
      delegated(
        {
          action: 'directory/users/signInSessions/revoke',
          target: { isOwn: true, heldRoles: [role('Directory Writers')] },
        },
        { directoryRoles: [role('Directory Writers')] },
      ),
      ['User.ReadWrite.All'],
    ],
  ])('allows %s', (_case, question, grantedBy) => {
    expect(decide(question)).toEqual({ allowed: true, grantedBy });
  });

  test('what the token says of scopes can only narrow: without the ceiling nothing is granted', () => {
    expect(decide(delegated({ ceiling: [] }, { directoryRoles: [role('Global Administrator')] })).allowed).toBe(false);
  });
});
