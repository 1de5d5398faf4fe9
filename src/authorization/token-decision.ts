import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import type {
  ClientFacts,
  DecisionReason,
  RecordedDecision,
  ResourceFacts,
  StepName,
  TokenAsk,
  TokenDecision,
  TokenFacts,
  TraceStep,
} from '../vocabulary/token-decision.ts';

const OFFLINE_ACCESS = 'offline_access';
/** So that a record of a sign-in stays below 4 kB whatever is granted. */
const MAX_RECORDED = 40;
const MAX_RECORDED_SUBJECT = 60;

/**
 * What a token would carry. THE decision: the token endpoints issue what it says, the sign-in records keep it, and
 * `explain` shows it. Total and pure: rows in, answer out, without a clock; each row that is taken away can only narrow.
 */
export function decideToken(facts: TokenFacts, ask: TokenAsk): TokenDecision {
  const resource = facts.resources.find(({ appId }) => appId === ask.resource);
  const trace = [
    ...presenceOf(facts, ask.kind),
    ...(ask.via === 'refresh' ? [refreshStep(facts)] : []),
    ...resourceSteps(ask, resource),
    ...(ask.kind === 'delegated' ? scopeSteps(facts, ask, resource) : []),
    ...roleSteps(ask, resource),
  ];
  const refusal = trace.find(({ outcome }) => outcome === 'fail')?.reason;
  if (refusal) return { issued: false, refusal, scopes: [], roles: [], trace };
  return { issued: true, scopes: carried(trace, 'scope'), roles: carried(trace, 'role'), trace };
}

/** Why there is no token for these parties, whatever is asked for. */
export function presenceRefusal(facts: TokenFacts, kind: TokenAsk['kind']): DecisionReason | undefined {
  return presenceOf(facts, kind).find(({ outcome }) => outcome === 'fail')?.reason;
}

/** All that a person's client may have now, by the app id of each resource. */
export function consentedScopes(facts: TokenFacts): ReadonlyMap<string, readonly string[]> {
  const consented = new Map<string, readonly string[]>();
  for (const { appId } of facts.resources) {
    const { issued, scopes } = decideToken(facts, {
      kind: 'delegated',
      resource: appId,
      asked: 'all',
      via: 'authorize',
    });
    if (issued) consented.set(appId, scopes);
  }
  return consented;
}

/** What a sign-in record keeps of a decision: ids only, for words are made when it is read. */
export function recordedDecision(
  { refusal, trace }: TokenDecision,
  { kind, via, resource }: TokenAsk,
): RecordedDecision {
  const given: [string, string][] = [];
  const withheld: [string, DecisionReason][] = [];
  let leftOut = 0;
  for (const { step, outcome, subject, reason, by } of trace) {
    if ((step !== 'scope' && step !== 'role') || subject === undefined) continue;
    const value = subject.slice(0, MAX_RECORDED_SUBJECT);
    if (given.length + withheld.length >= MAX_RECORDED) leftOut += 1;
    else if (outcome === 'pass') given.push([value, by?.grant ?? by?.assignment ?? '']);
    else if (reason) withheld.push([value, reason]);
  }
  return {
    ...{ kind, via, resource: resource.slice(0, MAX_RECORDED_SUBJECT) },
    ...(refusal ? { refusal } : {}),
    ...(given.length > 0 ? { given } : {}),
    ...(withheld.length > 0 ? { withheld } : {}),
    ...(leftOut > 0 ? { leftOut } : {}),
  };
}

/** Ids of the grants and assignments without which the token would carry less. */
export function usedBy({ issued, trace }: TokenDecision): readonly string[] {
  if (!issued) return [];
  const ids = trace.flatMap(({ outcome, by }) => (outcome === 'pass' ? (by?.grant ?? by?.assignment ?? []) : []));
  return [...new Set(ids)];
}

/** Tenant, client, person, what began when he signed in, and whether the client is open to him. */
function presenceOf({ tenantEnabled, client, user, family }: TokenFacts, kind: TokenAsk['kind']): TraceStep[] {
  const steps = [
    check('tenant', tenantEnabled, 'tenantUnknown'),
    step('client', clientRefusal(client), client.servicePrincipalId ?? client.appId),
  ];
  if (kind === 'application') return steps;
  steps.push(check('user', user?.isEnabled === true, 'userDisabled', user?.id));
  if (family) steps.push(check('family', family.isAlive, 'grantGone'));
  return [...steps, check('clientAssignment', !client.assignmentRequired || client.isUserAssigned, 'notAssigned')];
}

/** A sign-in is continued without the person only where he, or an administrator, consented to that too. */
function refreshStep(facts: TokenFacts): TraceStep {
  const ask = { kind: 'delegated', resource: DIRECTORY_APP_ID, asked: [OFFLINE_ACCESS], via: 'authorize' } as const;
  const { issued, trace } = decideToken(facts, ask);
  const by = trace.find(({ subject }) => subject === OFFLINE_ACCESS)?.by;
  return { ...check('family', issued, 'consentRequired', OFFLINE_ACCESS), ...(issued && by ? { by } : {}) };
}

/** Why the application gets no token here, whatever is asked for. */
export function clientRefusal(client: ClientFacts): DecisionReason | undefined {
  if (!client.isDefined) return 'applicationAbsent';
  if (client.isWithdrawn) return 'applicationWithdrawn';
  if (client.isDisabledByPublisher) return 'applicationDeactivated';
  if (client.servicePrincipalId === null || client.isPending) return 'applicationAbsent';
  return client.isEnabled ? undefined : 'applicationDisabled';
}

/** The API is there, and it is open to who asks. */
function resourceSteps({ kind, resource: asked }: TokenAsk, resource: ResourceFacts | undefined): TraceStep[] {
  const isThere = resource?.isEnabled === true && resource.isDefined;
  const there = check('resource', isThere, 'resourceUnknown', asked);
  if (!resource) return [there];
  const { assignmentRequired, userRoles, clientRoles } = resource;
  const [assigned, reason] =
    kind === 'delegated' ? ([userRoles, 'notAssigned'] as const) : ([clientRoles, 'nothingAssigned'] as const);
  return [there, check('resourceAssignment', !assignmentRequired || assigned.length > 0, reason)];
}

/** Each scope: published, granted for everybody or for this person, and never taken away since he signed in. */
function scopeSteps(facts: TokenFacts, ask: TokenAsk, resource: ResourceFacts | undefined): TraceStep[] {
  const published = resource?.scopes.filter(({ isEnabled }) => isEnabled).map(({ value }) => value) ?? [];
  const asked = ask.asked === 'all' ? published : [...new Set(ask.asked)];
  const steps = asked.map((value) =>
    scopeStep(facts, ask, resource, { value, isPublished: published.includes(value) }),
  );
  const isAny = steps.some(({ outcome }) => outcome === 'pass');
  // What nobody granted is not of this sign-in's business where all was asked for.
  const told = ask.asked === 'all' ? steps.filter((each) => isTold(each, resource)) : steps;
  return isAny ? told : [...told, step('scope', 'consentRequired')];
}

function scopeStep(
  { user, family }: TokenFacts,
  { isInherited = false }: TokenAsk,
  resource: ResourceFacts | undefined,
  { value, isPublished }: { readonly value: string; readonly isPublished: boolean },
): TraceStep {
  if (!resource || !isPublished) {
    const outcome = isInherited || !resource ? 'narrowed' : 'fail';
    return { step: 'scope', outcome, reason: 'scopeUnknown', subject: value };
  }
  const isFor = (principalId: string | null) => principalId === null || principalId === user?.id;
  const grant = resource.grants.find(({ principalId, scopes }) => isFor(principalId) && scopes.includes(value));
  if (!grant) return { step: 'scope', outcome: 'narrowed', reason: 'consentRequired', subject: value };
  const isRevoked =
    family !== undefined &&
    resource.revoked.some(
      ({ scope, principalId, revokedAt }) => scope === value && isFor(principalId) && revokedAt > family.createdAt,
    );
  const policy = grant.origins?.findLast(({ scopes }) => scopes.includes(value))?.policy;
  const by = policy ? { grant: grant.id, policy } : { grant: grant.id };
  if (isRevoked) return { step: 'scope', outcome: 'narrowed', reason: 'grantGone', subject: value, by };
  return { step: 'scope', outcome: 'pass', subject: value, by };
}

function isTold({ outcome, by }: TraceStep, resource: ResourceFacts | undefined): boolean {
  return outcome === 'pass' || (resource !== undefined && by !== undefined);
}

/** App roles: the person's beside his scopes, the application's own in their place. Each published for its kind. */
function roleSteps({ kind, asked }: TokenAsk, resource: ResourceFacts | undefined): TraceStep[] {
  const member = kind === 'delegated' ? 'User' : 'Application';
  const held = (kind === 'delegated' ? resource?.userRoles : resource?.clientRoles) ?? [];
  const roles = resource?.appRoles.filter(
    ({ isEnabled, allowedMemberTypes }) => isEnabled && allowedMemberTypes.includes(member),
  );
  const holding = (roles ?? []).flatMap(({ id, value }) => {
    const assignment = held.find(({ appRoleId }) => appRoleId === id)?.assignmentId;
    return value && assignment ? [{ value, assignment }] : [];
  });
  const pass = holding.map(
    ({ value, assignment }): TraceStep => ({ step: 'role', outcome: 'pass', subject: value, by: { assignment } }),
  );
  if (kind === 'delegated') return unique(pass);
  if (pass.length === 0) return [step('role', 'nothingAssigned')];
  if (asked === 'all') return unique(pass);
  const missing = asked.filter((value) => !holding.some((role) => role.value === value));
  return [
    ...unique(pass.filter(({ subject = '' }) => asked.includes(subject))),
    ...missing.map((value) => step('role', 'roleNotAssigned', value)),
  ];
}

function unique(steps: readonly TraceStep[]): TraceStep[] {
  return steps.filter(({ subject }, index) => steps.findIndex((other) => other.subject === subject) === index);
}

function carried(trace: readonly TraceStep[], name: 'scope' | 'role'): string[] {
  return trace.flatMap(({ step: of, outcome, subject }) =>
    of === name && outcome === 'pass' && subject !== undefined ? [subject] : [],
  );
}

function check(name: StepName, holds: boolean, reason: DecisionReason, subject?: string): TraceStep {
  return step(name, holds ? undefined : reason, subject);
}

function step(name: StepName, reason?: DecisionReason, subject?: string): TraceStep {
  const about = subject === undefined ? {} : { subject };
  return reason ? { step: name, outcome: 'fail', reason, ...about } : { step: name, outcome: 'pass', ...about };
}
