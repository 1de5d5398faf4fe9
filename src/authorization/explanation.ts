import {
  type AssignmentFacts,
  DECISION_REASONS,
  type DecisionReason,
  type GrantFacts,
  type RecordedDecision,
  type StepName,
  type TokenAsk,
  type TokenDecision,
  type TokenFacts,
  type TraceStep,
} from '../vocabulary/token-decision.ts';

/** A reason as it is told: to whom it is explained, and to a client by the endpoint that refuses. */
export interface ReasonInWords {
  readonly reason: DecisionReason;
  /** Entra's number: the 65001 of AADSTS65001. */
  readonly code: number;
  readonly message: string;
}

/** One rule, how it came out, and whose act let it pass. */
export interface ExplainedStep extends Partial<ReasonInWords> {
  readonly step: StepName;
  readonly outcome: TraceStep['outcome'];
  readonly subject?: string;
  readonly by?: NonNullable<TraceStep['by']> & {
    readonly consentType?: 'AllPrincipals' | 'Principal';
    /** Object id of who consented; null: the operator of the deployment. */
    readonly consentedBy?: string | null;
    readonly consentedDateTime?: string;
    readonly consentRequestId?: string;
    readonly lastUsedDateTime?: string;
  };
}

/** What a token would carry, and why. */
export interface TokenExplanation extends Pick<TokenAsk, 'kind' | 'via'> {
  readonly clientAppId: string;
  readonly userId: string | null;
  readonly resource: { readonly appId: string; readonly displayName: string | null };
  readonly issued: boolean;
  readonly refusal: ReasonInWords | null;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly trace: readonly ExplainedStep[];
}

export function explained(facts: TokenFacts, ask: TokenAsk, decision: TokenDecision): TokenExplanation {
  const resource = facts.resources.find(({ appId }) => appId === ask.resource);
  const { issued, refusal, scopes, roles, trace } = decision;
  const acts = facts.resources.map(({ grants, clientRoles, userRoles }) => ({
    grants,
    assignments: [...clientRoles, ...userRoles],
  }));
  const grants = acts.flatMap((each) => each.grants);
  const assignments = acts.flatMap((each) => each.assignments);
  return {
    clientAppId: facts.client.appId,
    userId: facts.user?.id ?? null,
    ...{ kind: ask.kind, via: ask.via },
    resource: { appId: ask.resource, displayName: resource?.displayName ?? null },
    ...{ issued, refusal: refusal ? inWords(refusal) : null, scopes, roles },
    trace: trace.map((step) => explainedStep(step, grants, assignments)),
  };
}

/** A decision that a sign-in record holds, with its words. */
export function explainedRecord({ refusal, given = [], withheld = [], ...recorded }: RecordedDecision): object {
  return {
    ...recorded,
    refusal: refusal ? inWords(refusal) : null,
    given: given.map(([value, by]) => ({ value, by })),
    withheld: withheld.map(([value, reason]) => ({ value, ...inWords(reason) })),
  };
}

function explainedStep(
  { reason, by, ...step }: TraceStep,
  grants: readonly GrantFacts[],
  assignments: readonly AssignmentFacts[],
): ExplainedStep {
  const act = by && { ...consentOf(grants, by.grant, step.subject), ...assignmentOf(assignments, by.assignment) };
  return { ...step, ...(reason ? inWords(reason) : {}), ...(by ? { by: { ...by, ...act } } : {}) };
}

function assignmentOf(assignments: readonly AssignmentFacts[], id: string | undefined): Partial<ExplainedStep['by']> {
  const assignment = assignments.find(({ assignmentId }) => assignmentId === id);
  if (!assignment) return {};
  const { grantedBy, grantedAt, lastUsedAt } = assignment;
  return {
    ...(grantedBy === undefined ? {} : { consentedBy: grantedBy }),
    ...(grantedAt ? { consentedDateTime: grantedAt } : {}),
    ...(lastUsedAt ? { lastUsedDateTime: lastUsedAt } : {}),
  };
}

/** Of several consents to one scope the last is told. */
function consentOf(grants: readonly GrantFacts[], id: string | undefined, scope = ''): Partial<ExplainedStep['by']> {
  const grant = grants.find((known) => known.id === id);
  if (!grant) return {};
  const { principalId, lastUsedAt, origins = [] } = grant;
  const { by, at, requestId } = origins.findLast(({ scopes }) => scopes.includes(scope)) ?? {};
  return {
    consentType: principalId === null ? 'AllPrincipals' : 'Principal',
    ...(by === undefined ? {} : { consentedBy: by }),
    ...(at ? { consentedDateTime: at } : {}),
    ...(requestId ? { consentRequestId: requestId } : {}),
    ...(lastUsedAt ? { lastUsedDateTime: lastUsedAt } : {}),
  };
}

function inWords(reason: DecisionReason): ReasonInWords {
  const [code, message] = DECISION_REASONS[reason];
  return { reason, code, message };
}
