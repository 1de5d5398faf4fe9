import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { consentedScopes, decideToken, recordedDecision } from '../../src/authorization/token-decision.ts';
import { newObjectId, type ObjectId } from '../../src/vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type {
  ClientFacts,
  ResourceFacts,
  TokenAsk,
  TokenDecision,
  TokenFacts,
} from '../../src/vocabulary/token-decision.ts';

const [ALICE, BOB, GRANT, ASSIGNMENT] = [newObjectId(), newObjectId(), newObjectId(), newObjectId()];
const API = 'api';

const CLIENT: ClientFacts = {
  appId: 'client',
  servicePrincipalId: newObjectId(),
  isOwn: true,
  isEnabled: true,
  isDefined: true,
  isDisabledByPublisher: false,
  isWithdrawn: false,
  isPending: false,
  assignmentRequired: false,
  isUserAssigned: false,
};
const grant = (scopes: readonly string[], principalId: ObjectId | null = null) => ({ id: GRANT, principalId, scopes });
const held = (appRoleId: string) => ({ assignmentId: ASSIGNMENT, appRoleId });
const scope = (value: string, isEnabled = true) => ({ id: value, value, type: 'User' as const, isEnabled });
const role = (id: string, allowedMemberTypes = ['User', 'Application'], isEnabled = true) => ({
  ...{ id, value: id, isEnabled, allowedMemberTypes },
});

const RESOURCE: ResourceFacts = {
  appId: API,
  servicePrincipalId: newObjectId(),
  displayName: 'API',
  identifierUris: [],
  isOwn: true,
  isEnabled: true,
  isDefined: true,
  assignmentRequired: false,
  scopes: [scope('Read'), scope('Write')],
  appRoles: [role('Reader'), role('Writer')],
  grants: [grant(['Read'])],
  revoked: [],
  clientRoles: [held('Reader')],
  userRoles: [],
};
const USER = { id: ALICE, isEnabled: true, isGuest: false, directoryRoles: [] };

interface Over {
  readonly facts?: Partial<TokenFacts>;
  readonly user?: TokenFacts['user'] | null;
  readonly client?: Partial<ClientFacts>;
  readonly resource?: Partial<ResourceFacts>;
  readonly ask?: Partial<TokenAsk>;
}

function decided(kind: TokenAsk['kind'], { facts, client, user = USER, resource, ask }: Over): TokenDecision {
  const via = kind === 'delegated' ? 'code' : 'clientCredentials';
  return decideToken(
    {
      tenantEnabled: true,
      client: { ...CLIENT, ...client },
      ...(kind === 'delegated' && user ? { user } : {}),
      resources: [{ ...RESOURCE, ...resource }],
      ...facts,
    },
    { kind, resource: API, asked: 'all', via, ...ask },
  );
}

const outcome = ({ issued, refusal, scopes, roles }: TokenDecision) => (issued ? { scopes, roles } : refusal);
const family = { createdAt: 100, isAlive: true };

describe('a person’s token', () => {
  test.each<[string, Over, ReturnType<typeof outcome>]>([
    ['carries what is granted for everybody', {}, { scopes: ['Read'], roles: [] }],
    ['and for him', { resource: { grants: [grant(['Read'], ALICE)] } }, { scopes: ['Read'], roles: [] }],
    [
      'and both together',
      { resource: { grants: [grant(['Read']), grant(['Write'], ALICE)] } },
      { scopes: ['Read', 'Write'], roles: [] },
    ],
    ['nothing that is granted to another person', { resource: { grants: [grant(['Read'], BOB)] } }, 'consentRequired'],
    ['nothing where nothing is granted', { resource: { grants: [] } }, 'consentRequired'],
    [
      'of what was asked for only what is granted',
      { ask: { asked: ['Read', 'Write'] } },
      { scopes: ['Read'], roles: [] },
    ],
    ['nothing where what was asked for is not granted', { ask: { asked: ['Write'] } }, 'consentRequired'],
    ['no scope that is published no more', { resource: { scopes: [scope('Read', false)] } }, 'consentRequired'],
    ['and refuses one that never was', { ask: { asked: ['Read', 'Nonsense'] } }, 'scopeUnknown'],
    [
      'unless an earlier request asked',
      { ask: { asked: ['Read', 'Gone'], isInherited: true } },
      { scopes: ['Read'], roles: [] },
    ],
    [
      'nothing that was taken away since he signed in',
      { facts: { family }, resource: { revoked: [{ scope: 'Read', principalId: null, revokedAt: 101 }] } },
      'consentRequired',
    ],
    [
      'what was taken away before',
      { facts: { family }, resource: { revoked: [{ scope: 'Read', principalId: null, revokedAt: 99 }] } },
      { scopes: ['Read'], roles: [] },
    ],
    [
      'what was taken from another person',
      { facts: { family }, resource: { revoked: [{ scope: 'Read', principalId: BOB, revokedAt: 101 }] } },
      { scopes: ['Read'], roles: [] },
    ],
    [
      'his roles beside his scopes',
      { resource: { userRoles: [{ ...held('Reader'), through: 'group' }] } },
      { scopes: ['Read'], roles: ['Reader'] },
    ],
    [
      'no role that is not for people',
      {
        resource: { appRoles: [role('Reader', ['Application'])], userRoles: [{ ...held('Reader'), through: 'user' }] },
      },
      { scopes: ['Read'], roles: [] },
    ],
    ['none to whom is not assigned', { client: { assignmentRequired: true } }, 'notAssigned'],
    [
      'one to whom is assigned',
      { client: { assignmentRequired: true, isUserAssigned: true } },
      { scopes: ['Read'], roles: [] },
    ],
    ['none for an API that wants an assignment', { resource: { assignmentRequired: true } }, 'notAssigned'],
    ['none without the person', { user: null }, 'userDisabled'],
    ['none when he is disabled', { user: { ...USER, isEnabled: false } }, 'userDisabled'],
    ['none when its family ended', { facts: { family: { ...family, isAlive: false } } }, 'grantGone'],
    ['none when it is refreshed without a consent to that', { ask: { via: 'refresh' } }, 'consentRequired'],
    ['none in a closed tenant', { facts: { tenantEnabled: false } }, 'tenantUnknown'],
    ['none for an absent client', { client: { servicePrincipalId: null } }, 'applicationAbsent'],
    ['none for a pending one', { client: { isPending: true } }, 'applicationAbsent'],
    ['none for one that is defined no more', { client: { isDefined: false } }, 'applicationAbsent'],
    [
      'none for one that is defined no more, whatever its publisher did before',
      { client: { isDefined: false, isWithdrawn: true, isDisabledByPublisher: true } },
      'applicationAbsent',
    ],
    ['none for one that the tenant disabled', { client: { isEnabled: false } }, 'applicationDisabled'],
    [
      'none for one that its publisher deactivated',
      { client: { isDisabledByPublisher: true } },
      'applicationDeactivated',
    ],
    ['none for one that its publisher withdrew', { client: { isWithdrawn: true } }, 'applicationWithdrawn'],
    ['none for an API that is disabled', { resource: { isEnabled: false } }, 'resourceUnknown'],
    ['none for an API that is defined no more', { resource: { isDefined: false } }, 'resourceUnknown'],
    ['none for an API that is not there', { ask: { resource: 'nowhere' } }, 'resourceUnknown'],
  ])('%s', (_words, over, expected) => {
    expect(outcome(decided('delegated', over))).toEqual(expected);
  });

  test('is refreshed where he consented to that, as long as he did', () => {
    const directory = { ...RESOURCE, appId: DIRECTORY_APP_ID, scopes: [scope('offline_access')] };
    const refreshed = (scopes: readonly string[]) =>
      decided('delegated', {
        facts: { resources: [RESOURCE, { ...directory, grants: [grant(scopes)] }], family },
        ask: { via: 'refresh' },
      });
    expect(outcome(refreshed(['offline_access']))).toEqual({ scopes: ['Read'], roles: [] });
    expect(outcome(refreshed([]))).toBe('consentRequired');
    const { trace } = refreshed(['offline_access']);
    expect(trace.find(({ subject }) => subject === 'offline_access')).toMatchObject({ by: { grant: GRANT } });
  });
});

describe('an application’s own token', () => {
  test.each<[string, Over, ReturnType<typeof outcome>]>([
    ['carries what is assigned', {}, { scopes: [], roles: ['Reader'] }],
    [
      'CON-02: of what is assigned only what was named',
      { ask: { asked: ['Reader'] }, resource: { clientRoles: [held('Reader'), held('Writer')] } },
      { scopes: [], roles: ['Reader'] },
    ],
    ['CON-02: is none when a named role is not assigned', { ask: { asked: ['Reader', 'Writer'] } }, 'roleNotAssigned'],
    ['is none when nothing is assigned', { resource: { clientRoles: [] } }, 'nothingAssigned'],
    [
      'is none when the role is not published',
      { resource: { appRoles: [role('Reader', ['Application'], false)] } },
      'nothingAssigned',
    ],
    ['is none when the role is for people', { resource: { appRoles: [role('Reader', ['User'])] } }, 'nothingAssigned'],
    [
      'carries no delegated scope, whoever granted one',
      { resource: { clientRoles: [], grants: [grant(['Read'])] } },
      'nothingAssigned',
    ],
    [
      'takes no role of a person',
      { resource: { clientRoles: [], userRoles: [{ ...held('Reader'), through: 'user' }] } },
      'nothingAssigned',
    ],
    ['is none for an absent client', { client: { servicePrincipalId: null } }, 'applicationAbsent'],
  ])('%s', (_words, over, expected) => {
    expect(outcome(decided('application', over))).toEqual(expected);
  });
});

describe('for any facts', () => {
  const values = ['Read', 'Write', 'Nonsense'];
  const some = (of: readonly string[]) => fc.subarray([...of]);
  const who = fc.constantFrom<ObjectId | null>(ALICE, BOB, null);
  const yes = fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, fc.constant(false));
  const no = yes.map((value) => !value);
  const roles = fc.array(fc.constantFrom('Reader', 'Writer', 'Else').map(held), { maxLength: 3 });
  const anyResource: fc.Arbitrary<ResourceFacts> = fc
    .record({
      appId: fc.constantFrom(API, API, API, DIRECTORY_APP_ID),
      isEnabled: yes,
      isDefined: yes,
      assignmentRequired: no,
      scopes: fc.tuple(yes, yes).map(([a, b]) => [scope('Read', a), scope('Write', b)]),
      appRoles: fc
        .tuple(yes, some(['User', 'Application']))
        .map(([on, types]) => [role('Reader', types, on), role('Writer')]),
      grants: fc.array(fc.record({ id: fc.constant(GRANT), principalId: who, scopes: some(values) }), { maxLength: 3 }),
      revoked: fc.array(
        fc.record({ scope: fc.constantFrom(...values), principalId: who, revokedAt: fc.constantFrom(50, 150) }),
        { maxLength: 2 },
      ),
      clientRoles: roles,
      userRoles: roles.map((all) => all.map((each) => ({ ...each, through: 'user' as const }))),
    })
    .map((over) => ({ ...RESOURCE, ...over }));
  const anyFacts: fc.Arbitrary<TokenFacts> = fc.record({
    tenantEnabled: yes,
    client: fc
      .record({
        isEnabled: yes,
        isDefined: yes,
        isWithdrawn: no,
        isPending: no,
        assignmentRequired: no,
        isUserAssigned: yes,
      })
      .map((over) => ({ ...CLIENT, ...over })),
    user: fc.oneof(
      { weight: 6, arbitrary: fc.record({ isEnabled: yes }).map((over) => ({ ...USER, ...over })) },
      fc.constant(undefined),
    ),
    family: fc.option(fc.record({ createdAt: fc.constant(100), isAlive: yes }), { nil: undefined }),
    resources: fc.array(anyResource, { maxLength: 2 }),
  }) as fc.Arbitrary<TokenFacts>;
  const anyAsk: fc.Arbitrary<TokenAsk> = fc.record({
    kind: fc.constantFrom('delegated', 'application'),
    resource: fc.constant(API),
    asked: fc.oneof(fc.constant<'all'>('all'), some([...values, 'Reader', 'Writer'])),
    isInherited: fc.boolean(),
    via: fc.constantFrom('authorize', 'code', 'clientCredentials', 'onBehalfOf', 'device'),
  });
  const runs = { numRuns: 3_000 };

  test('a token has an answer: all that it carries was granted, or a reason why there is none', () => {
    let issued = 0;
    fc.assert(
      fc.property(anyFacts, anyAsk, (facts, ask) => {
        const decision = decideToken(facts, ask);
        issued += decision.issued ? 1 : 0;
        expect(decision.issued).toBe(decision.refusal === undefined);
        const resource = facts.resources.find(({ appId }) => appId === ask.resource);
        const granted = resource?.grants.filter(
          ({ principalId }) => principalId === null || principalId === facts.user?.id,
        );
        for (const value of decision.scopes) expect(granted?.some(({ scopes }) => scopes.includes(value))).toBe(true);
        const assigned = ask.kind === 'delegated' ? resource?.userRoles : resource?.clientRoles;
        for (const value of decision.roles) expect(assigned?.some(({ appRoleId }) => appRoleId === value)).toBe(true);
        if (!decision.issued) expect([decision.scopes, decision.roles]).toEqual([[], []]);
        expect(JSON.stringify(recordedDecision(decision, ask)).length).toBeLessThan(4_096);
      }),
      runs,
    );
    expect(issued).toBeGreaterThan(100);
  });

  test('what is taken away never widens it', () => {
    fc.assert(
      fc.property(anyFacts, anyAsk, fc.nat(8), (facts, ask, which) => {
        const [before, after] = [decideToken(facts, ask), decideToken(taken(facts, which), ask)];
        // A named role that goes refuses the whole; nothing that goes adds anything.
        for (const value of after.scopes) expect(before.scopes).toContain(value);
        for (const value of after.roles) expect(before.roles).toContain(value);
      }),
      runs,
    );
  });

  test('the consent of a sign-in is what its tokens of all scopes would carry', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const ask = { kind: 'delegated', resource: API, asked: 'all', via: 'code' } as const;
        expect(consentedScopes(facts).get(API) ?? []).toEqual(decideToken(facts, ask).scopes);
      }),
      runs,
    );
  });
});

/** The facts without one of the things that give. */
function taken(facts: TokenFacts, which: number): TokenFacts {
  const onAll = (over: (resource: ResourceFacts) => Partial<ResourceFacts>): TokenFacts => ({
    ...facts,
    resources: facts.resources.map((resource) => ({ ...resource, ...over(resource) })),
  });
  const ways: readonly (() => TokenFacts)[] = [
    () => ({ ...facts, tenantEnabled: false }),
    () => ({ ...facts, client: { ...facts.client, isEnabled: false } }),
    () => ({ ...facts, client: { ...facts.client, isWithdrawn: true } }),
    () => ({ ...facts, client: { ...facts.client, isUserAssigned: false } }),
    () => onAll(({ grants }) => ({ grants: grants.slice(1) })),
    () => onAll(({ clientRoles }) => ({ clientRoles: clientRoles.slice(1) })),
    () => onAll(({ userRoles }) => ({ userRoles: userRoles.slice(1) })),
    () => onAll(() => ({ isEnabled: false })),
    () => onAll(({ revoked }) => ({ revoked: [...revoked, { scope: 'Read', principalId: null, revokedAt: 150 }] })),
  ];
  return ways[which]?.() ?? facts;
}
