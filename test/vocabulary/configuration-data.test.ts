import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import directoryApi from '../../config/directory-api.json' with { type: 'json' };
import builtInRoles from '../../config/directory-roles.json' with { type: 'json' };
import { checkNewPassword } from '../../src/authentication/passwords/password-rules.ts';
import { DIRECTORY_ACTIONS } from '../../src/vocabulary/actions.ts';
import {
  ALL,
  BUILT_IN_GRANT_POLICIES,
  DEFAULT_GRANT_POLICY,
  DEFAULT_POLICIES,
  FOR_SELF,
} from '../../src/vocabulary/consent-policy.ts';
import { DEFAULT_USER_ACTIONS, OWN_USER_ACTIONS } from '../../src/vocabulary/default-user-actions.ts';
import {
  actionsOf,
  consentReachOf,
  DIRECTORY_ROLES,
  directoryRole,
  directoryRoleNamed,
  mayManage,
  NO_ROLE,
  parseDirectoryRoles,
} from '../../src/vocabulary/directory-roles.ts';
import { isGuid } from '../../src/vocabulary/ids.ts';
import {
  APPLICATION_PERMISSIONS,
  DELEGATED_PERMISSIONS,
  DIRECTORY_API,
  DIRECTORY_APP_ID,
  isPrivilegedAppRole,
} from '../../src/vocabulary/permissions.ts';

const ROLE_NAMES = [
  'Global Administrator',
  'Global Reader',
  'User Administrator',
  'Groups Administrator',
  'Application Administrator',
  'Cloud Application Administrator',
  'Privileged Role Administrator',
  'Helpdesk Administrator',
  'Directory Readers',
  'Directory Writers',
  'Guest Inviter',
  'Reports Reader',
  'Security Reader',
];

function idOf(name: string): string {
  const role = directoryRoleNamed(name);
  if (!role) throw new Error(`no role is called ${name}`);
  return role.id;
}

function values(entries: readonly { readonly value: string }[]): string[] {
  return entries.map((entry) => entry.value).sort();
}

describe('the built-in directory roles', () => {
  test('are the thirteen that administrators expect', () => {
    expect(DIRECTORY_ROLES.map((role) => role.displayName)).toEqual(ROLE_NAMES);
  });

  test('have unique GUIDs as ids, found in any case', () => {
    const ids = DIRECTORY_ROLES.map((role) => role.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !isGuid(id) || id !== id.toLowerCase())).toEqual([]);
    expect(ids.map((id) => directoryRole(id.toUpperCase())?.id)).toEqual(ids);
  });

  test('list existing actions, each once, and no action that is only for oneself', () => {
    for (const role of builtInRoles) {
      expect(role.actions.length).toBeGreaterThan(0);
      expect(new Set(role.actions).size).toBe(role.actions.length);
      expect(role.actions.filter((action) => !DIRECTORY_ACTIONS.some((known) => known === action))).toEqual([]);
      expect(role.actions.filter((action) => /\/own[A-Z]/.test(action))).toEqual([]);
    }
  });

  test('together cover every action but those that are only for oneself', () => {
    const covered = actionsOf(DIRECTORY_ROLES.map((role) => role.id));
    expect(DIRECTORY_ACTIONS.filter((action) => !covered.has(action))).toEqual([
      'directory/users/ownPassword/update',
      'directory/oAuth2PermissionGrants/ownConsent/create',
      'directory/appConsentRequests/ownRequest/create',
      'directory/servicePrincipals/ownAccess/revoke',
    ]);
  });

  test.each(['Global Reader', 'Directory Readers', 'Guest Inviter', 'Reports Reader', 'Security Reader'])(
    '%s can change nothing',
    (name) => {
      expect([...actionsOf([idOf(name)])].filter((action) => !action.endsWith('/read'))).toEqual([]);
    },
  );

  test.each([
    ['directory/organization/basic/update', ['Global Administrator']],
    ['directory/users/delete', ['Global Administrator', 'User Administrator']],
    ['directory/users/password/update', ['Global Administrator', 'User Administrator', 'Helpdesk Administrator']],
    ['directory/roleAssignments/create', ['Global Administrator', 'Privileged Role Administrator']],
    ['directory/roleAssignments/delete', ['Global Administrator', 'Privileged Role Administrator']],
    [
      'directory/oAuth2PermissionGrants/create',
      [
        'Global Administrator',
        'Application Administrator',
        'Cloud Application Administrator',
        'Privileged Role Administrator',
      ],
    ],
    [
      'directory/servicePrincipals/appRoleAssignments/update',
      [
        'Global Administrator',
        'Application Administrator',
        'Cloud Application Administrator',
        'Privileged Role Administrator',
      ],
    ],
    [
      'directory/applications/credentials/update',
      ['Global Administrator', 'Application Administrator', 'Cloud Application Administrator'],
    ],
    ['directory/authorizationPolicy/basic/update', ['Global Administrator', 'Privileged Role Administrator']],
    ['directory/adminConsentRequestPolicy/basic/update', ['Global Administrator', 'Privileged Role Administrator']],
    [
      'directory/appConsentRequests/review',
      [
        'Global Administrator',
        'Application Administrator',
        'Cloud Application Administrator',
        'Privileged Role Administrator',
      ],
    ],
  ] as const)('only the reviewed roles allow %s', (action, names) => {
    const holders = DIRECTORY_ROLES.filter((role) => role.actions.includes(action));
    expect(holders.map((role) => role.displayName)).toEqual(names);
  });

  test('an unknown role id allows nothing and reaches nobody', () => {
    const unknown = 'b3a1f3a6-6f41-4f0e-9d39-0f6f9c1f7a55';
    expect(actionsOf([unknown]).size).toBe(0);
    expect(mayManage([unknown], [])).toBe(false);
    expect(mayManage([idOf('Global Administrator')], [unknown])).toBe(false);
    expect(consentReachOf([unknown])).toBe('none');
  });

  test('a file with mistakes is refused with all of them at once', () => {
    const [first, second] = builtInRoles;
    if (!first || !second) throw new Error('there are no roles');
    const broken = { ...second, actions: ['directory/users/eat'], consents: 'some', manages: ['nobody'] };
    expect(() => parseDirectoryRoles([first, broken])).toThrow(/directory\/users\/eat.*nobody.*"some"/);
    expect(() =>
      parseDirectoryRoles([
        { ...first, manages: [] },
        { ...first, manages: [] },
      ]),
    ).toThrow('same id');
  });
});

describe('who may manage whom', () => {
  const cases = [
    ['Global Administrator', ['Global Administrator'], true],
    ['Global Administrator', ROLE_NAMES, true],
    ['User Administrator', [], true],
    ['User Administrator', ['Groups Administrator'], true],
    ['User Administrator', ['User Administrator', 'Reports Reader'], true],
    ['User Administrator', ['Global Administrator'], false],
    ['User Administrator', ['Privileged Role Administrator'], false],
    ['User Administrator', ['Application Administrator'], false],
    ['User Administrator', ['Security Reader'], false],
    ['User Administrator', ['Directory Writers'], false],
    ['User Administrator', ['Reports Reader', 'Global Reader'], false],
    ['Helpdesk Administrator', [], true],
    ['Helpdesk Administrator', ['Helpdesk Administrator', 'Guest Inviter'], true],
    ['Helpdesk Administrator', ['Groups Administrator'], false],
    ['Helpdesk Administrator', ['User Administrator'], false],
    ['Directory Writers', [], true],
    ['Directory Writers', ['Directory Readers'], false],
    ['Privileged Role Administrator', [], false],
    ['Global Reader', [], false],
  ] as const;

  test.each(cases)('%s over %j: %s', (caller, targets, expected) => {
    expect(mayManage([idOf(caller)], targets.map(idOf))).toBe(expected);
  });

  test('nobody without a role manages anybody', () => {
    expect(mayManage([], [])).toBe(false);
  });

  test('two roles never add up to more than each of them', () => {
    const caller = [idOf('Helpdesk Administrator'), idOf('Directory Writers')];
    const target = [idOf('Reports Reader')];
    expect(mayManage(caller, target, 'directory/users/password/update')).toBe(true);
    expect(mayManage(caller, target, 'directory/users/accountEnabled/update')).toBe(false);
    expect(mayManage(caller, [], 'directory/users/accountEnabled/update')).toBe(true);
  });

  test('every role that can act in sensitive ways says on whom', () => {
    const sensitive = ['password/update', 'accountEnabled/update', 'delete', 'signInSessions/revoke'];
    for (const role of DIRECTORY_ROLES) {
      const isSensitive = role.actions.some((action) => sensitive.some((end) => action === `directory/users/${end}`));
      expect([role.displayName, role.manages.includes(NO_ROLE)]).toEqual([role.displayName, isSensitive]);
    }
  });
});

describe('consent for the organization', () => {
  test.each([
    ['Global Administrator', 'all'],
    ['Privileged Role Administrator', 'all'],
    ['Application Administrator', 'exceptDirectoryAppRoles'],
    ['Cloud Application Administrator', 'exceptDirectoryAppRoles'],
    ['User Administrator', 'none'],
    ['Directory Writers', 'none'],
  ] as const)('%s: %s', (name, reach) => {
    expect(consentReachOf([idOf(name)])).toBe(reach);
    expect(consentReachOf([idOf('Directory Readers'), idOf(name)])).toBe(reach);
  });
});

describe('what every member may do', () => {
  test('throughout the tenant he can only read, and neither grants nor roles nor records', () => {
    expect([...DEFAULT_USER_ACTIONS].filter((action) => !action.endsWith('/standard/read'))).toEqual([
      'directory/groups/members/read',
    ]);
    expect([...DEFAULT_USER_ACTIONS].filter((action) => /PermissionGrants|role|Logs/.test(action))).toEqual([]);
  });

  test('he can not give consent for others', () => {
    expect([...OWN_USER_ACTIONS]).not.toContain('directory/oAuth2PermissionGrants/create');
    expect([...OWN_USER_ACTIONS].filter((action) => DEFAULT_USER_ACTIONS.has(action))).toEqual([]);
  });
});

describe('the permissions of the directory API', () => {
  test('are the same in the typed lists and in the published definition', () => {
    expect(directoryApi.appId).toBe(DIRECTORY_APP_ID);
    expect(values(DIRECTORY_API.oauth2PermissionScopes)).toEqual([...DELEGATED_PERMISSIONS].sort());
    expect(values(DIRECTORY_API.appRoles)).toEqual([...APPLICATION_PERMISSIONS].sort());
  });

  test('have unique GUIDs and unique values of each kind', () => {
    const { oauth2PermissionScopes, appRoles } = DIRECTORY_API;
    const ids = [...oauth2PermissionScopes, ...appRoles].map((permission) => permission.id);
    expect(ids.filter((id) => !isGuid(id) || id !== id.toLowerCase())).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(values(oauth2PermissionScopes)).size).toBe(oauth2PermissionScopes.length);
    expect(new Set(values(appRoles)).size).toBe(appRoles.length);
  });

  test.each([
    ['User.Read', 'e1fe6dd8-ba31-4d61-89e7-88639da4683d'],
    ['openid', '37f7f235-527c-4136-accd-4a02d197296e'],
    ['Directory.Read.All', '06da0dbc-49e2-44d2-8312-53f166ab848a'],
  ])('the scope %s has the id that it has in Graph', (value, id) => {
    expect(DIRECTORY_API.oauth2PermissionScopes.find((scope) => scope.value === value)?.id).toBe(id);
  });

  test.each([
    ['User.Read.All', 'df021288-bdef-4463-88db-98f22de89214'],
    ['User.ReadWrite.All', '741f803b-c850-494e-b5df-cde7c675a1ca'],
    ['RoleManagement.ReadWrite.Directory', '9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8'],
  ])('the app role %s has the id that it has in Graph', (value, id) => {
    expect(DIRECTORY_API.appRoles.find((role) => role.value === value)?.id).toBe(id);
  });

  test('say in whole sentences what an application will be able to do', () => {
    const { oauth2PermissionScopes, appRoles } = DIRECTORY_API;
    const titles = [
      ...oauth2PermissionScopes.flatMap((scope) => [scope.adminConsentDisplayName, scope.userConsentDisplayName]),
      ...appRoles.map((role) => role.displayName),
    ];
    const texts = [
      ...oauth2PermissionScopes.flatMap((scope) => [scope.adminConsentDescription, scope.userConsentDescription]),
      ...appRoles.map((role) => role.description),
    ];
    expect(titles.filter((title) => !/^[A-Z].{5,60}[^.]$/.test(title))).toEqual([]);
    expect(texts.filter((text) => !/^Lets .{30,}\.$/.test(text))).toEqual([]);
    expect(appRoles.filter((role) => !role.description.includes('without anyone being signed in'))).toEqual([]);
  });

  test('are for administrators where more can be changed than one’s own', () => {
    const types = new Map(DIRECTORY_API.oauth2PermissionScopes.map((scope) => [scope.value, scope.type]));
    expect([...types].filter(([value, type]) => value.includes('ReadWrite.') && type === 'User')).toEqual([]);
  });

  test('mark those from which more rights could be won', () => {
    const privileged = DIRECTORY_API.appRoles.filter((role) => role.isPrivileged);
    expect(values(privileged)).toEqual([
      'AppRoleAssignment.ReadWrite.All',
      'Application.ReadWrite.All',
      'DelegatedPermissionGrant.ReadWrite.All',
      'Directory.ReadWrite.All',
      'Policy.ReadWrite.Authorization',
      'Policy.ReadWrite.ConsentRequest',
      'Policy.ReadWrite.PermissionGrant',
      'RoleManagement.ReadWrite.Directory',
      'User-PasswordProfile.ReadWrite.All',
    ]);
    expect(DIRECTORY_API.appRoles.filter((role) => isPrivilegedAppRole(role.id))).toEqual(privileged);
  });
});

describe('the built-in policies of consent', () => {
  const sets = BUILT_IN_GRANT_POLICIES.flatMap(({ includes, excludes }) => [...includes, ...excludes]);

  test('have the ids that administrators expect, and one of ours is the default', () => {
    expect(BUILT_IN_GRANT_POLICIES.map(({ id }) => id)).toEqual([
      DEFAULT_GRANT_POLICY,
      'microsoft-user-default-low',
      'microsoft-user-default-legacy',
    ]);
    expect(DEFAULT_POLICIES.authorizationPolicy.defaultUserRolePermissions.permissionGrantPoliciesAssigned).toEqual([
      `${FOR_SELF}${DEFAULT_GRANT_POLICY}`,
    ]);
    expect(new Set(sets.map(({ id }) => id)).size).toBe(sets.length);
    expect(sets.filter(({ id }) => !isGuid(id))).toEqual([]);
  });

  test('never name a permission that is for administrators', () => {
    const named = sets.flatMap(({ permissions }) => permissions.filter((id) => id !== ALL));
    const types = new Map(DIRECTORY_API.oauth2PermissionScopes.map((scope) => [scope.id, scope.type]));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((id) => types.get(id) !== 'User')).toEqual([]);
  });
});

/** Just what these tests look at; the whole shape is `apply`'s to check. */
const demoShape = z.object({
  tenants: z.array(
    z.object({
      id: z.guid(),
      displayName: z.string(),
      domains: z.array(z.string().endsWith('.example')),
      users: z.array(
        z.object({
          id: z.guid(),
          userPrincipalName: z.string(),
          displayName: z.string(),
          givenName: z.string(),
          surname: z.string(),
          password: z.string(),
          directoryRoles: z.array(z.string()).optional(),
        }),
      ),
      groups: z.array(z.object({ id: z.guid(), members: z.array(z.string()) })),
      applications: z.array(
        z.object({
          id: z.guid(),
          appId: z.guid(),
          displayName: z.string(),
          requiredResourceAccess: z.array(
            z.object({
              resourceAppId: z.literal(DIRECTORY_APP_ID),
              resourceAccess: z.array(z.object({ value: z.string(), type: z.enum(['Scope', 'Role']) })),
            }),
          ),
        }),
      ),
      servicePrincipals: z.array(z.unknown()).optional(),
      oauth2PermissionGrants: z.array(z.object({ clientAppId: z.guid(), scope: z.string() })).optional(),
      appRoleAssignments: z.array(z.unknown()).optional(),
    }),
  ),
});

describe('the demo', () => {
  const { tenants } = demoShape.parse(parse(readFileSync('config/demo.yaml', 'utf8')));

  test('has ids that are all different', () => {
    const ids = tenants.flatMap((tenant) => [
      tenant.id,
      ...tenant.users.map((user) => user.id),
      ...tenant.groups.map((group) => group.id),
      ...tenant.applications.flatMap((application) => [application.id, application.appId]),
    ]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('has passwords, all different, that its people could have chosen themselves', () => {
    const users = tenants.flatMap((tenant) => tenant.users.map((user) => ({ tenant, user })));
    expect(new Set(users.map(({ user }) => user.password)).size).toBe(users.length);
    for (const { tenant, user } of users) {
      const organizationWords = [tenant.displayName, ...tenant.domains];
      const userWords = [user.userPrincipalName, user.displayName, user.givenName, user.surname];
      expect([user.password, checkNewPassword(user.password, { organizationWords, userWords })]).toEqual([
        user.password,
        [],
      ]);
    }
  });

  test('names only roles, members and permissions that exist', () => {
    for (const tenant of tenants) {
      const roles = tenant.users.flatMap((user) => user.directoryRoles ?? []);
      const names = tenant.users.map((user) => user.userPrincipalName);
      const access = tenant.applications.flatMap((application) => application.requiredResourceAccess);
      const wanted = access.flatMap((entry) => entry.resourceAccess);
      expect(roles.filter((name) => !directoryRoleNamed(name))).toEqual([]);
      expect(tenant.groups.flatMap((group) => group.members).filter((name) => !names.includes(name))).toEqual([]);
      for (const { value, type } of wanted) {
        expect(type === 'Scope' ? DELEGATED_PERMISSIONS : APPLICATION_PERMISSIONS).toContain(value);
      }
    }
  });

  test('begins without any consent in Contoso, and with no trace of Fabrikam there', () => {
    const contoso = tenants.find((tenant) => tenant.displayName === 'Contoso');
    expect(contoso?.oauth2PermissionGrants).toBeUndefined();
    expect(contoso?.appRoleAssignments).toBeUndefined();
    expect(contoso?.servicePrincipals).toBeUndefined();
    const hr = contoso?.applications.find((application) => application.displayName === 'Contoso HR');
    const wanted = hr?.requiredResourceAccess.flatMap((entry) => entry.resourceAccess.map(({ value }) => value));
    expect(wanted).toEqual(['openid', 'profile', 'email', 'offline_access', 'User.Read']);
  });
});
