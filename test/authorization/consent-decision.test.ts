import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mayConsentForSelf, reachNeeded, verdictOn } from '../../src/authorization/consent/decision.ts';
import {
  BUILT_IN_GRANT_POLICIES,
  type ConditionSet,
  type ConsentFacts,
  type GrantPolicy,
  UNCONDITIONAL,
} from '../../src/vocabulary/consent-policy.ts';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';

const [SCOPE, OTHER_SCOPE, API, CLIENT, HOME, STRANGE] = [1, 2, 3, 4, 5, 6].map(
  (number) => `00000000-0000-4000-8000-00000000000${number}`,
) as [string, string, string, string, string, string];

interface Patch {
  readonly client?: Partial<ConsentFacts['client']>;
  readonly resource?: Partial<ConsentFacts['resource']>;
  readonly scope?: Partial<ConsentFacts['scope']>;
}

/** Somebody else's application, of a verified publisher, asks for a scope that another organization's API publishes for people. */
function facts(policies: readonly GrantPolicy[], { client, resource, scope }: Patch = {}): ConsentFacts {
  return {
    client: {
      ...{
        appId: CLIENT,
        homeTenantId: HOME,
        isOwn: false,
        verifiedPublisherDomain: 'fabrikam.example',
        isPending: false,
      },
      ...client,
    },
    resource: { appId: API, isOwn: false, ...resource },
    scope: { id: SCOPE, value: 'Read', type: 'User', classification: 'low', ...scope },
    policies,
  };
}

const set = (conditions: Partial<ConditionSet> = {}): ConditionSet => ({
  id: 'a set',
  permissionType: 'delegated',
  ...UNCONDITIONAL,
  ...conditions,
});
const policy = (
  includes: readonly Partial<ConditionSet>[],
  excludes: readonly Partial<ConditionSet>[] = [],
  id = 'a policy',
): GrantPolicy => ({
  id,
  displayName: id,
  description: null,
  includes: includes.map(set),
  excludes: excludes.map(set),
});
const allowed = (policies: readonly GrantPolicy[], patch?: Patch) => mayConsentForSelf(facts(policies, patch)).allowed;

describe('a condition of a set', () => {
  const own = { homeTenantId: HOME, isOwn: true };
  test.each<[string, Partial<ConditionSet>, Patch, boolean]>([
    ['nothing but the type', {}, {}, true],
    ['type application', { permissionType: 'application' }, {}, false],
    ['type for people', { permissionType: 'delegatedUserConsentable' }, {}, true],
    [
      'type for people, of one for administrators',
      { permissionType: 'delegatedUserConsentable' },
      { scope: { type: 'Admin' } },
      false,
    ],
    [
      'type for people that names one for administrators',
      { permissionType: 'delegatedUserConsentable', permissions: [SCOPE] },
      { scope: { type: 'Admin' } },
      false,
    ],
    ['any delegated, of one for administrators', {}, { scope: { type: 'Admin' } }, false],
    ['delegated that names one for administrators', { permissions: [SCOPE] }, { scope: { type: 'Admin' } }, true],
    ['the same classification', { permissionClassification: 'low' }, {}, true],
    ['another classification', { permissionClassification: 'medium' }, {}, false],
    [
      'a classification, of what has none',
      { permissionClassification: 'low' },
      { scope: { classification: null } },
      false,
    ],
    ['the API', { resourceApplication: API }, {}, true],
    ['another API', { resourceApplication: STRANGE }, {}, false],
    ['own APIs, of a foreign one', { resourceApplication: 'own' }, {}, false],
    ['own APIs, of an own one', { resourceApplication: 'own' }, { resource: { isOwn: true } }, true],
    ['the permission', { permissions: [OTHER_SCOPE, SCOPE] }, {}, true],
    ['other permissions', { permissions: [OTHER_SCOPE] }, {}, false],
    ['no permission', { permissions: [] }, {}, false],
    ['the client', { clientApplicationIds: [STRANGE, CLIENT] }, {}, true],
    ['another client', { clientApplicationIds: [STRANGE] }, {}, false],
    ['the client’s home', { clientApplicationTenantIds: [HOME] }, {}, true],
    ['another home', { clientApplicationTenantIds: [STRANGE] }, {}, false],
    [
      'a home, of the deployment’s own',
      { clientApplicationTenantIds: [HOME] },
      { client: { homeTenantId: null } },
      false,
    ],
    ['own clients, of a foreign one', { clientApplicationTenantIds: ['own'] }, {}, false],
    ['own clients, of an own one', { clientApplicationTenantIds: ['own'] }, { client: own }, true],
    ['the publisher', { clientApplicationPublisherIds: ['fabrikam.example'] }, {}, true],
    ['another publisher', { clientApplicationPublisherIds: ['contoso.example'] }, {}, false],
    [
      'a publisher, of an unverified one',
      { clientApplicationPublisherIds: ['fabrikam.example'] },
      { client: { verifiedPublisherDomain: null } },
      false,
    ],
    ['verified publishers', { clientApplicationsFromVerifiedPublisherOnly: true }, {}, true],
    [
      'verified publishers, of an unverified one',
      { clientApplicationsFromVerifiedPublisherOnly: true },
      { client: { verifiedPublisherDomain: null } },
      false,
    ],
    ['two conditions of which one fails', { resourceApplication: API, permissionClassification: 'high' }, {}, false],
  ])('%s: as an include and as an exclude', (_name, conditions, patch, holds) => {
    expect(allowed([policy([conditions])], patch)).toBe(holds);
    const everything = { permissions: [SCOPE] };
    // As an exclude, "all" means all: also what is for administrators.
    const excludes = patch.scope?.type === 'Admin' && conditions.permissionType === undefined ? true : holds;
    expect(allowed([policy([everything], [conditions])], patch)).toBe(!excludes);
  });
});

describe('policies', () => {
  test('none allows nothing, and says so', () => {
    expect(mayConsentForSelf(facts([]))).toEqual({ allowed: false, reason: 'noPolicyMatches' });
    expect(mayConsentForSelf(facts([policy([])]))).toEqual({ allowed: false, reason: 'noPolicyMatches' });
  });

  test('one suffices, and is named with its set', () => {
    const [never, first, second] = [
      policy([{ permissions: [] }]),
      policy([{ id: 'x' }], [], 'first'),
      policy([{}], [], 'second'),
    ];
    expect(mayConsentForSelf(facts([never, first, second]))).toEqual({ allowed: true, policy: 'first', set: 'x' });
  });

  test('an exclude counts within its own policy alone', () => {
    const excluding = policy([{}], [{}], 'excluding');
    expect(mayConsentForSelf(facts([excluding]))).toEqual({ allowed: false, reason: 'excluded', policy: 'excluding' });
    expect(mayConsentForSelf(facts([excluding, policy([{}], [], 'other')]))).toMatchObject({
      allowed: true,
      policy: 'other',
    });
  });

  test('an application that waits for an administrator gets nothing under any policy', () => {
    expect(mayConsentForSelf(facts([policy([{}])], { client: { isPending: true } }))).toEqual({
      allowed: false,
      reason: 'pending',
    });
  });

  test('no policy lets a person lend an administrator’s powers', () => {
    const privileged = DIRECTORY_API.oauth2PermissionScopes.filter(({ value }) => value.includes('Policy.ReadWrite'));
    expect(privileged.length).toBeGreaterThan(2);
    for (const { id, value } of privileged) {
      const asked = { resource: { appId: DIRECTORY_APP_ID }, scope: { id, value, type: 'User' as const } };
      expect(mayConsentForSelf(facts([policy([{ permissions: [id] }])], asked))).toEqual({
        allowed: false,
        reason: 'needsAdministrator',
      });
      // The same name means nothing at another API.
      expect(allowed([policy([{ permissions: [id] }])], { scope: asked.scope })).toBe(true);
    }
  });
});

describe('the built-in policies', () => {
  const named = (id: string) => BUILT_IN_GRANT_POLICIES.filter((known) => known.id === id);
  const directory = (value: string): Patch => {
    const scope = DIRECTORY_API.oauth2PermissionScopes.find((known) => known.value === value);
    return { resource: { appId: DIRECTORY_APP_ID }, scope: { ...scope, classification: null } };
  };

  test.each([
    ['openid', true],
    ['offline_access', true],
    ['User.Read', true],
    ['User.ReadWrite', false],
    ['User.ReadBasic.All', false],
    ['User.Read.All', false],
  ])('by default a person may consent to %s: %s', (value, expected) => {
    expect(allowed(named('bailiwick-user-default'), directory(value))).toBe(expected);
  });

  test('by default he may consent to what his organization’s own APIs publish for people, and no other API', () => {
    const policies = named('bailiwick-user-default');
    expect(allowed(policies, { resource: { isOwn: true } })).toBe(true);
    expect(allowed(policies, { resource: { isOwn: true }, scope: { type: 'Admin' } })).toBe(false);
    expect(allowed(policies)).toBe(false);
  });

  test('low impact: what is classified low, for verified publishers and the organization’s own applications', () => {
    const policies = named('microsoft-user-default-low');
    const unverified = { verifiedPublisherDomain: null };
    expect(allowed(policies)).toBe(true);
    expect(allowed(policies, { client: unverified })).toBe(false);
    expect(allowed(policies, { client: { ...unverified, isOwn: true } })).toBe(true);
    for (const classification of ['medium', 'high', null] as const)
      expect(allowed(policies, { scope: { classification } })).toBe(false);
    expect(allowed(policies, { scope: { type: 'Admin' } })).toBe(false);
  });

  test('legacy: whatever is published for people', () => {
    const policies = named('microsoft-user-default-legacy');
    expect(allowed(policies, { client: { verifiedPublisherDomain: null }, scope: { classification: 'high' } })).toBe(
      true,
    );
    expect(allowed(policies, { scope: { type: 'Admin' } })).toBe(false);
  });
});

describe('for any facts', () => {
  // Mostly whatever: else hardly anything would be allowed.
  const ids = fc.oneof(
    { weight: 4, arbitrary: fc.constant(['all']) },
    fc.subarray([SCOPE, OTHER_SCOPE, API, CLIENT, HOME, STRANGE, 'own'], { minLength: 1 }),
  );
  const anySet: fc.Arbitrary<ConditionSet> = fc.record({
    id: fc.uuid(),
    permissionType: fc.constantFrom('delegated', 'delegated', 'application', 'delegatedUserConsentable'),
    permissionClassification: fc.constantFrom('all', 'all', 'all', 'low', 'medium', 'high'),
    resourceApplication: fc.constantFrom('any', 'any', 'any', 'own', API, STRANGE),
    permissions: ids,
    clientApplicationIds: ids,
    clientApplicationTenantIds: ids,
    clientApplicationPublisherIds: fc.constantFrom(['all'], ['all'], ['fabrikam.example'], ['contoso.example']),
    clientApplicationsFromVerifiedPublisherOnly: fc.boolean(),
  });
  const anyPolicy: fc.Arbitrary<GrantPolicy> = fc.record({
    id: fc.uuid(),
    displayName: fc.constant('any'),
    description: fc.constant(null),
    includes: fc.array(anySet, { maxLength: 3 }),
    excludes: fc.array(anySet, { maxLength: 2 }),
  });
  const anyFacts: fc.Arbitrary<ConsentFacts> = fc.record({
    client: fc.record({
      appId: fc.constant(CLIENT),
      homeTenantId: fc.constantFrom(HOME, STRANGE, null),
      isOwn: fc.boolean(),
      verifiedPublisherDomain: fc.constantFrom('fabrikam.example', null),
      isPending: fc.constantFrom(false, false, false, true),
    }),
    resource: fc.record({ appId: fc.constantFrom(API, DIRECTORY_APP_ID), isOwn: fc.boolean() }),
    scope: fc.record({
      id: fc.constantFrom(SCOPE, OTHER_SCOPE),
      value: fc.constantFrom('Read', 'Directory.AccessAsUser.All'),
      type: fc.constantFrom('User', 'Admin'),
      classification: fc.constantFrom('low', 'medium', 'high', null),
    }),
    policies: fc.array(anyPolicy, { maxLength: 3 }),
  });
  const runs = { numRuns: 3_000 };

  test('an exclude never widens', () => {
    fc.assert(
      fc.property(anyFacts, anySet, fc.nat(2), (given, exclude, index) => {
        const narrowed = given.policies.map((known, position) =>
          position === index ? { ...known, excludes: [...known.excludes, exclude] } : known,
        );
        expect(mayConsentForSelf({ ...given, policies: narrowed }).allowed && !mayConsentForSelf(given).allowed).toBe(
          false,
        );
      }),
      runs,
    );
  });

  test('to take a policy or an include away never widens', () => {
    fc.assert(
      fc.property(anyFacts, fc.nat(2), (given, index) => {
        const without = given.policies.filter((_, position) => position !== index);
        const lessIncluding = given.policies.map((known) => ({ ...known, includes: known.includes.slice(1) }));
        for (const policies of [without, lessIncluding])
          expect(mayConsentForSelf({ ...given, policies }).allowed && !mayConsentForSelf(given).allowed).toBe(false);
      }),
      runs,
    );
  });

  test('what is allowed names a policy and an include that are there; what is not has a reason', () => {
    let [yes, no] = [0, 0];
    fc.assert(
      fc.property(anyFacts, (given) => {
        const verdict = mayConsentForSelf(given);
        if (verdict.allowed) {
          yes += 1;
          const by = given.policies.find(({ id }) => id === verdict.policy);
          expect(by?.includes.map(({ id }) => id)).toContain(verdict.set);
          expect(given.client.isPending).toBe(false);
        } else {
          no += 1;
          expect(verdict.reason).toMatch(/^(pending|noPolicyMatches|excluded|needsAdministrator)$/);
          expect(verdict.policy !== undefined).toBe(verdict.reason === 'excluded');
        }
      }),
      runs,
    );
    expect(Math.min(yes, no)).toBeGreaterThan(30);
  });

  test('a scope for administrators is allowed only where an include names it', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const verdict = mayConsentForSelf({ ...given, scope: { ...given.scope, type: 'Admin' } });
        if (!verdict.allowed) return;
        const sets = given.policies.flatMap(({ includes }) => includes);
        expect(sets.find(({ id }) => id === verdict.set)?.permissions).toContain(given.scope.id);
      }),
      runs,
    );
  });
});

test('what a resource does not publish, or a resource that is not there, nobody may consent to', () => {
  const { client, resource, scope, policies } = facts([policy([{}])]);
  const known = { client, policies, resources: [{ ...resource, resourceId: API, scopes: [scope] }] };
  expect(verdictOn(known, API, 'Read').allowed).toBe(true);
  expect(verdictOn(known, API, 'Write')).toEqual({ allowed: false, reason: 'noPolicyMatches' });
  expect(verdictOn(known, STRANGE, 'Read')).toEqual({ allowed: false, reason: 'noPolicyMatches' });
});

test('app roles of the directory API alone need the widest reach', () => {
  const scopes = [{ resourceAppId: DIRECTORY_APP_ID, value: 'Directory.ReadWrite.All' }];
  const role = (resourceAppId: string) => [{ resourceAppId, id: SCOPE }];
  expect(reachNeeded({ scopes, appRoles: [] })).toBe('exceptDirectoryAppRoles');
  expect(reachNeeded({ scopes, appRoles: role(API) })).toBe('exceptDirectoryAppRoles');
  expect(reachNeeded({ scopes: [], appRoles: role(DIRECTORY_APP_ID) })).toBe('all');
});
