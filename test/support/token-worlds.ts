import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Cast, Client } from './token-cast.ts';

/** Generated states of a tenant's rows, and tokens that are asked for in them. */

export const CLIENTS = ['own', 'foreign', 'unpublished', 'absent', 'away', 'pending'] as const;
export type ClientKind = (typeof CLIENTS)[number];
/** Those that are in the tenant, so that a person can have signed in to them. */
export const PRESENT: readonly ClientKind[] = ['own', 'foreign', 'unpublished'];
export const APIS = ['directory', 'orders', 'ledger'] as const;
export type ApiName = (typeof APIS)[number];
const WHOSE = ['everybody', 'alice', 'bob'] as const;

export const OIDC = ['openid', 'profile', 'email', 'offline_access'];
export const SCOPES: Readonly<Record<ApiName, readonly string[]>> = {
  directory: [...OIDC, 'User.Read', 'User.Read.All', 'Directory.ReadWrite.All'],
  orders: ['Read', 'Write', 'Admin', 'Old'],
  ledger: ['Read', 'Write', 'Admin', 'Old'],
};
/** Of the two APIs that are no directory: the members that each role is for. */
const MEMBERS = { Reader: ['User'], Manager: ['User', 'Application'], Batch: ['Application'] } as const;
export const ROLES: Readonly<Record<ApiName, readonly string[]>> = {
  directory: ['User.Read.All', 'Group.Read.All'],
  orders: Object.keys(MEMBERS),
  ledger: Object.keys(MEMBERS),
};
/** Of an organization; `allowed` stands for one that it made itself. */
export const POLICIES = [
  'bailiwick-user-default',
  'microsoft-user-default-low',
  'microsoft-user-default-legacy',
  'allowed',
] as const;

/** Rare things are rare, so that most of what is generated can yield a token. */
const rarely = fc.integer({ min: 0, max: 19 }).map((n) => n === 19);
const sometimes = fc.integer({ min: 0, max: 5 }).map((n) => n === 5);
const mostly = rarely.map((is) => !is);
const someOf = <Value>(values: readonly Value[], most = values.length) =>
  fc.subarray([...values], { minLength: 1, maxLength: Math.min(most, values.length) });
/** Not there one time in `freq`. */
const perhaps = <Value>(value: fc.Arbitrary<Value>, freq = 3) => fc.option(value, { freq, nil: undefined });

const grantsOn = (api: ApiName) =>
  fc.record({
    everybody: perhaps(someOf(SCOPES[api])),
    alice: perhaps(someOf(SCOPES[api])),
    bob: perhaps(someOf(SCOPES[api])),
  });
const signInGrants = fc.record({
  everybody: perhaps(
    someOf(SCOPES.directory).map((scopes) => [...new Set([...OIDC, ...scopes])]),
    9,
  ),
  alice: perhaps(someOf(SCOPES.directory), 2),
  bob: perhaps(someOf(SCOPES.directory), 2),
});

const OFTEN = [...Array<ClientKind>(10).fill('own'), ...Array<ClientKind>(8).fill('foreign')];
const client = fc.record({
  kind: fc.constantFrom<ClientKind>(...OFTEN, ...CLIENTS),
  isEnabled: mostly,
  assignmentRequired: sometimes,
  isDisabledByPublisher: rarely,
  isWithdrawn: rarely,
  assigned: fc.subarray(['alice', 'group', 'bob'] as const),
});
const user = fc.record({
  isEnabled: mostly,
  isGuest: sometimes,
  isInGroup: fc.boolean(),
  isAdministrator: sometimes,
});
const api = fc.record({
  isEnabled: mostly,
  assignmentRequired: sometimes,
  isDisabledByPublisher: rarely,
  isWithdrawn: rarely,
  /** What it publishes no more. */
  off: fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.subarray<string>(['Old', 'Read', 'Batch']) },
  ),
  /** What it no longer publishes for whom it was published. */
  turned: fc.oneof(
    { weight: 5, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.subarray<string>(['Reader', 'Batch']) },
  ),
});
const unique = <Value>(of: fc.Arbitrary<Value>, maxLength: number) =>
  fc.uniqueArray(of, { maxLength, selector: (value) => JSON.stringify(value) });
const roleOf = fc
  .constantFrom(...APIS)
  .chain((name) => fc.record({ api: fc.constant(name), role: fc.constantFrom(...ROLES[name]) }));
const scopeOf = fc
  .constantFrom(...APIS)
  .chain((name) => fc.record({ api: fc.constant(name), scope: fc.constantFrom(...SCOPES[name]) }));

const ALIVE = Array<'alive'>(12).fill('alive');
const world = fc.record({
  client,
  user,
  apis: fc.record({ orders: api, ledger: api }),
  isDirectoryAssignmentRequired: rarely,
  grants: fc.record({ directory: signInGrants, orders: grantsOn('orders'), ledger: grantsOn('ledger') }),
  revoked: unique(fc.record({ of: scopeOf, whose: fc.constantFrom(...WHOSE), isBefore: fc.boolean() }), 3),
  clientRoles: unique(roleOf, 6),
  userRoles: unique(fc.record({ of: roleOf, whose: fc.constantFrom('alice', 'group', 'bob') }), 4),
  family: fc.constantFrom(...ALIVE, 'revoked', 'expired', 'signedOut'),
  policy: fc.constantFrom('unset', 'nobody', ...POLICIES),
  classified: fc.subarray(['Read', 'Write', 'Admin']),
  /** What alice tries to consent to herself, before the token is asked for. */
  consent: perhaps(
    fc
      .constantFrom<ApiName>('orders', 'ledger')
      .chain((name) => fc.record({ api: fc.constant(name), scopes: someOf(SCOPES[name], 2) })),
    2,
  ),
});
export type World = typeof world extends fc.Arbitrary<infer Value> ? Value : never;

const STYLES = [
  ...['all', 'all', 'all', 'named', 'named', 'named', 'named', 'oidcBeside', 'oidcBeside', 'bare', 'bareAll'],
  ...['oidcAlone', 'nothing', 'several', 'mixed', 'nowhere', 'contradiction', 'slash'],
] as const;
const ask = fc.constantFrom(...APIS).chain((name) =>
  fc.record({
    flow: fc.constantFrom('application', 'application', 'refresh', 'refresh', 'refresh', 'code', 'onBehalfOf'),
    api: fc.constant(name),
    other: fc.constantFrom(...APIS),
    style: fc.constantFrom(...STYLES),
    spelling: fc.constantFrom('uri', 'api', 'guid'),
    scopes: someOf(SCOPES[name], 3),
    roles: someOf(ROLES[name], 2),
    hasNonsense: rarely,
    oidc: someOf(OIDC),
  }),
);
export type Ask = typeof ask extends fc.Arbitrary<infer Value> ? Value : never;

export interface Combination {
  readonly world: World;
  readonly ask: Ask;
}

/** A person can only have signed in to what is in the tenant. */
export const combination: fc.Arbitrary<Combination> = fc
  .record({ world, ask })
  .filter(
    ({ world: { client: of }, ask: { flow } }) => PRESENT.includes(of.kind) || ['application', 'code'].includes(flow),
  )
  .map((each) => ({ world: sensible(each), ask: askable(each.ask) }));

/** A code may be for several APIs, of which its redemption picks one. */
function askable(asked: Ask): Ask {
  return asked.flow === 'code' && asked.style === 'several' ? { ...asked, style: 'named' } : asked;
}

/**
 * That a person's session has ended is no matter of explain's but where a token of it is presented. What Alice consents to
 * is what is asked for then, and nobody consented to it before: so the policy decides.
 */
function sensible({ world: of, ask: { flow, api: name } }: Combination): World {
  const family = flow !== 'refresh' && of.family === 'signedOut' ? 'alive' : of.family;
  if (!of.consent || name === 'directory') return { ...of, family, consent: undefined };
  const { bob } = of.grants[name];
  return { ...of, family, consent: { ...of.consent, api: name }, grants: { ...of.grants, [name]: { bob } } };
}

/** `scope` and `resource` as a client would write them. */
export function spelled({ apis }: Cast, asked: Ask): { readonly scope?: string; readonly resource?: string } {
  const { style, api: name, other, hasNonsense, oidc } = asked;
  const uri = (of: ApiName) =>
    ({ uri: apis[of].uri, api: `api://${apis[of].appId}`, guid: apis[of].appId })[asked.spelling];
  const names = asked.flow === 'application' ? asked.roles : asked.scopes;
  const values = hasNonsense ? [...names, 'Nonsense'] : names;
  const named = values.map((value) => (OIDC.includes(value) ? value : `${uri(name)}/${value}`));
  const indicator = asked.spelling === 'guid' ? `api://${apis[name].appId}` : uri(name);
  const elsewhere = apis[other === name ? (name === 'orders' ? 'ledger' : 'orders') : other].uri;
  return {
    all: { scope: `${uri(name)}/.default` },
    slash: { scope: `${uri(name)}//.default` },
    named: { scope: named.join(' ') },
    oidcBeside: { scope: [...oidc, ...named].join(' ') },
    bare: { scope: values.join(' '), resource: indicator },
    bareAll: { resource: indicator },
    oidcAlone: { scope: oidc.join(' ') },
    nothing: {},
    several: { scope: `${named.join(' ')} ${elsewhere}/Read` },
    mixed: { scope: `${uri(name)}/.default ${named.join(' ')}` },
    nowhere: { scope: `api://${NOWHERE}/Read` },
    contradiction: { scope: named.join(' '), resource: elsewhere },
  }[style];
}
const NOWHERE = randomUUID();

/** Rows for a world, as one batch of statements: everything of the world before it is replaced. */
export function layout(cast: Cast, of: World): string {
  const { tenant, publisher, alice, bob, group, apis, clients } = cast;
  const who = { everybody: null, alice, bob, group };
  const its = clients[of.client.kind];
  const presence = its.servicePrincipalId;
  const [t, p] = [literal(tenant.id), literal(publisher.id)];
  const names = Object.values(clients).map(({ servicePrincipalId }) => servicePrincipalId ?? randomUUID());
  const ours = list([...names, apis.orders.servicePrincipalId, apis.ledger.servicePrincipalId]);
  const signedIn = Object.values(clients).flatMap(({ family }) => (family ? [family.id, family.subjectId] : []));
  const absent = Object.values(clients).flatMap(({ servicePrincipalId: id, appId }) => (id === null ? [appId] : []));
  const families = [...signedIn, cast.reader.familyId ?? ''];
  const statements = [
    `delete from oauth2_permission_grants where tenant_id = ${t} and client_id in (${list(names)})`,
    // A consent brings its application along.
    `delete from service_principals where tenant_id = ${t} and app_id in (${list(absent)})`,
    `delete from revoked_scopes where tenant_id = ${t}`,
    `delete from app_role_assignments where tenant_id = ${t} and (service_principal_id in (${ours}) or resource_id in (${ours}))`,
    `delete from app_role_assignments where tenant_id = ${t} and user_id in (${list([alice, bob])})`,
    `delete from app_role_assignments where tenant_id = ${t} and group_id = ${literal(group)}`,
    `delete from group_members where tenant_id = ${t} and group_id = ${literal(group)}`,
    `delete from role_assignments where tenant_id = ${t} and user_id = ${literal(alice)}`,
    `delete from published_withdrawals where tenant_id = ${t}`,
    `delete from delegated_permission_classifications where tenant_id = ${t}`,
    `delete from tenant_policies where tenant_id = ${t}`,
    `update users set account_enabled = ${of.user.isEnabled}, user_type = ${literal(of.user.isGuest ? 'Guest' : 'Member')},
      sign_in_sessions_valid_from = now() ${of.family === 'signedOut' ? '' : "- interval '1 day'"} where id = ${literal(alice)}`,
    `update service_principals set account_enabled = true, app_role_assignment_required = false
      where tenant_id = ${t} and (not account_enabled or app_role_assignment_required)`,
    `update service_principals set app_role_assignment_required = ${of.isDirectoryAssignmentRequired}
      where tenant_id = ${t} and app_id = ${literal(DIRECTORY_APP_ID)}`,
    `delete from token_families where tenant_id = ${t} and id not in (${list(families)})`,
    `update token_families set revoked_at = null, expires_at = now() + interval '1 day'
      where tenant_id = ${t} and (revoked_at is not null or expires_at < now() + interval '1 hour')`,
    `update applications set is_disabled = false where is_disabled`,
    `update published_applications set is_disabled = false where home_tenant_id = ${p} and is_disabled`,
  ];
  if (of.user.isInGroup)
    statements.push(
      `insert into group_members (tenant_id, group_id, user_id) values (${t}, ${literal(group)}, ${literal(alice)})`,
    );
  if (of.user.isAdministrator)
    statements.push(`insert into role_assignments (tenant_id, id, role_definition_id, user_id)
      values (${t}, gen_random_uuid(), '62e90394-69f5-4237-9190-012177145e10', ${literal(alice)})`);
  statements.push(...apiRows(cast, of), ...policyRows(cast, of), ...clientRows(cast, of, its));
  if (presence) {
    for (const name of APIS)
      for (const whose of WHOSE) {
        const scopes = of.grants[name][whose];
        if (scopes) statements.push(grant(cast, { clientId: presence, name, principalId: who[whose], scopes }));
      }
    for (const { of: what, whose, isBefore } of of.revoked)
      statements.push(`insert into revoked_scopes (tenant_id, client_id, resource_id, principal_id, scope, revoked_at)
        values (${t}, ${literal(presence)}, ${literal(apis[what.api].servicePrincipalId)}, ${literal(who[whose])},
          ${literal(what.scope)}, now() - interval '${isBefore ? 1 : 0} days')`);
    for (const { api: name, role } of of.clientRoles)
      statements.push(assignment(cast, { principal: 'service_principal_id', id: presence, name, role }));
  }
  for (const {
    of: { api: name, role },
    whose,
  } of of.userRoles)
    statements.push(
      assignment(cast, { principal: whose === 'group' ? 'group_id' : 'user_id', id: who[whose] ?? '', name, role }),
    );
  const ending = {
    alive: [],
    signedOut: [],
    revoked: [
      `update token_families set revoked_at = now() where tenant_id = ${t} and id = ${literal(its.family?.id ?? '')}`,
    ],
    expired: [
      `update token_families set expires_at = now() where tenant_id = ${t} and id = ${literal(its.family?.id ?? '')}`,
    ],
  };
  statements.push(...ending[of.family], 'update tenant_versions set version = version + 1');
  return `begin; ${statements.join('; ')}; commit`;
}

function apiRows({ tenant, publisher, apis }: Cast, of: World): string[] {
  return (['orders', 'ledger'] as const).flatMap((name) => {
    const { isEnabled, assignmentRequired, isDisabledByPublisher, isWithdrawn, off, turned } = of.apis[name];
    const scopes = SCOPES[name].map((value) => ({
      ...{ id: apis[name].ids[value], value, type: value === 'Admin' ? 'Admin' : 'User' },
      isEnabled: !off.includes(value),
    }));
    const roles = Object.entries(MEMBERS).map(([value, members]) => ({
      ...{ id: apis[name].ids[value], value, isEnabled: !off.includes(value) },
      allowedMemberTypes: turned.includes(value) ? [members[0] === 'User' ? 'Application' : 'User'] : members,
    }));
    const definition = `is_disabled = ${isDisabledByPublisher}, oauth2_permission_scopes = ${literal(JSON.stringify(scopes))},
      app_roles = ${literal(JSON.stringify(roles))} where app_id = ${literal(apis[name].appId)}`;
    return [
      `update applications set ${definition}`,
      `update published_applications set ${definition}`,
      `update service_principals set account_enabled = ${isEnabled}, app_role_assignment_required = ${assignmentRequired}
        where tenant_id = ${literal(tenant.id)} and id = ${literal(apis[name].servicePrincipalId)}`,
      ...(name === 'ledger' && isWithdrawn ? [withdrawal(apis[name].appId, tenant.id, publisher.id)] : []),
    ];
  });
}

function clientRows(cast: Cast, { client: of }: World, its: Client): string[] {
  const { tenant, publisher } = cast;
  const { appId, servicePrincipalId } = its;
  const isForeign = its.home === publisher.id;
  const disabled = `set is_disabled = ${of.isDisabledByPublisher} where app_id = ${literal(appId)}`;
  const rows = [`update applications ${disabled}`, `update published_applications ${disabled}`];
  if (of.isWithdrawn && isForeign) rows.push(withdrawal(appId, tenant.id, publisher.id));
  if (!servicePrincipalId) return rows;
  for (const whose of of.assigned)
    rows.push(`insert into app_role_assignments (tenant_id, id, principal_type, ${whose === 'group' ? 'group_id' : 'user_id'}, resource_id, app_role_id)
      values (${literal(tenant.id)}, gen_random_uuid(), ${literal(whose === 'group' ? 'Group' : 'User')}, ${literal(cast[whose])},
        ${literal(servicePrincipalId)}, '00000000-0000-0000-0000-000000000000')`);
  rows.push(`update service_principals set account_enabled = ${of.isEnabled}, app_role_assignment_required = ${of.assignmentRequired}
    where tenant_id = ${literal(tenant.id)} and id = ${literal(servicePrincipalId)}`);
  return rows;
}

/** The own policy allows the scope `Read` of whatever API, but not of the ledger's. */
function policyRows({ tenant, apis }: Cast, { policy, classified }: World): string[] {
  const t = literal(tenant.id);
  const assigned = policy === 'nobody' ? [] : [`managePermissionGrantsForSelf.${policy}`];
  const settings = { defaultUserRolePermissions: { permissionGrantPoliciesAssigned: assigned } };
  const classify = (['orders', 'ledger'] as const).flatMap((name) =>
    classified.map(
      (value) => `insert into delegated_permission_classifications
        (tenant_id, id, service_principal_id, permission_id, permission_name, classification)
        values (${t}, gen_random_uuid(), ${literal(apis[name].servicePrincipalId)}, ${literal(apis[name].ids[value] ?? '')}, ${literal(value)}, 'low')`,
    ),
  );
  return [
    ...classify,
    ...(policy !== 'unset'
      ? [
          `insert into tenant_policies (tenant_id, id, settings) values (${t}, 'authorizationPolicy', ${literal(JSON.stringify(settings))})`,
        ]
      : []),
  ];
}

const withdrawal = (appId: string, tenantId: string, home: string) =>
  `insert into published_withdrawals (app_id, tenant_id, home_tenant_id) values (${list([appId, tenantId, home])})`;

function grant(
  { tenant, apis }: Cast,
  {
    clientId,
    name,
    principalId,
    scopes,
  }: { clientId: string; name: ApiName; principalId: string | null; scopes: readonly string[] },
): string {
  return `insert into oauth2_permission_grants (tenant_id, id, client_id, resource_id, consent_type, principal_id, scope)
    values (${literal(tenant.id)}, gen_random_uuid(), ${literal(clientId)}, ${literal(apis[name].servicePrincipalId)},
      ${literal(principalId ? 'Principal' : 'AllPrincipals')}, ${literal(principalId)}, array[${list(scopes)}])`;
}

function assignment(
  { tenant, apis }: Cast,
  {
    principal,
    id,
    name,
    role,
  }: { principal: 'service_principal_id' | 'user_id' | 'group_id'; id: string; name: ApiName; role: string },
): string {
  const type = { service_principal_id: 'ServicePrincipal', user_id: 'User', group_id: 'Group' }[principal];
  const roleId = apis[name].ids[role] ?? DIRECTORY_API.appRoles.find(({ value }) => value === role)?.id;
  return `insert into app_role_assignments (tenant_id, id, principal_type, ${principal}, resource_id, app_role_id)
    values (${literal(tenant.id)}, gen_random_uuid(), ${literal(type)}, ${literal(id)}, ${literal(apis[name].servicePrincipalId)}, ${literal(roleId ?? '')})`;
}

const literal = (value: string | null) => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`);
const list = (values: readonly string[]) => values.map((value) => literal(value)).join(', ');
