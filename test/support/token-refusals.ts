import type { TokenExplanation } from '../../src/authorization/explanation.ts';
import type { DecisionReason } from '../../src/vocabulary/token-decision.ts';
import type { Ask, Combination } from './token-worlds.ts';

/** A refusal on the wire: the number of `AADSTS65001`, and the RFC's word. */
export type Refusal = readonly [code: number, error: string];
type Step = TokenExplanation['trace'][number];

/** What is asked without a sound question: several resources, `.default` beside named permissions, two names that differ. */
const MALFORMED: Partial<Record<Ask['style'], Refusal>> = {
  several: [70011, 'invalid_scope'],
  mixed: [70011, 'invalid_scope'],
  contradiction: [70011, 'invalid_target'],
};
const NO_SCOPE: Refusal = [900144, 'invalid_scope'];

/** At the token endpoint, of the reasons that are not of the grant or the client. */
const WORDS: Partial<Record<DecisionReason, string>> = {
  resourceUnknown: 'invalid_target',
  scopeUnknown: 'invalid_scope',
  nothingAssigned: 'invalid_scope',
  roleNotAssigned: 'invalid_scope',
};
/** Without these the token that was to be exchanged has ended too. */
const OF_SUBJECT: readonly Step['step'][] = ['client', 'user', 'clientAssignment'];

/** In the order in which a request for a code is looked at: the steps that did not pass, and as what that shows. */
const AT_AUTHORIZE: readonly (readonly [readonly DecisionReason[], Refusal])[] = [
  [
    ['applicationDisabled', 'applicationDeactivated', 'applicationWithdrawn'],
    [7000112, 'access_denied'],
  ],
  [['resourceUnknown'], [500011, 'invalid_target']],
  [['scopeUnknown'], [70011, 'invalid_scope']],
  // From here on it is about the person, who would be asked if that were allowed.
  [['userDisabled'], [0, 'login_required']],
  [['notAssigned'], [50105, 'access_denied']],
  [
    ['applicationAbsent', 'consentRequired'],
    [0, 'consent_required'],
  ],
];
const OF_REQUEST = 3;

/** As which one refusal a token request shows that was explained by these steps; nothing where there is a token. */
export function refusalOf({ ask, world }: Combination, trace: readonly Step[]): Refusal | undefined {
  const failed = trace.filter(({ outcome }) => outcome === 'fail');
  const isUnknown = world.client.kind === 'unpublished';
  if (ask.flow === 'code') {
    if (isUnknown) return [700016, '400 page'];
    // An id with a slash after it is no address, which the library sees by itself.
    if (ask.style === 'slash' && ask.spelling === 'guid') return [0, 'invalid_target'];
    const ofRequest = atAuthorize(trace, AT_AUTHORIZE.slice(0, OF_REQUEST));
    const namesNone = ask.style === 'nothing' || ask.style === 'bareAll';
    return ofRequest ?? (namesNone ? NO_SCOPE : atAuthorize(trace, AT_AUTHORIZE));
  }
  const [first] = failed;
  if (!first?.reason) return undefined;
  if (isUnknown) return [700016, 'invalid_client'];
  if (ask.flow === 'onBehalfOf' && failed.some(({ step }) => OF_SUBJECT.includes(step)))
    return [50013, 'invalid_grant'];
  const general = ask.flow === 'application' ? 'unauthorized_client' : 'invalid_grant';
  return [first.code ?? 0, WORDS[first.reason] ?? general];
}

function atAuthorize(trace: readonly Step[], rows: typeof AT_AUTHORIZE): Refusal | undefined {
  const reasons = trace.flatMap(({ outcome, reason }) => (outcome === 'pass' || !reason ? [] : [reason]));
  return rows.find(([among]) => reasons.some((reason) => among.includes(reason)))?.[1];
}

/** As which refusals a request shows that explain calls malformed: as such, or as the sound part of it is refused before. */
export function refusalsOfMalformed(each: Combination, sound: TokenExplanation | undefined): readonly Refusal[] {
  const before = sound && refusalOf(each, sound.trace);
  return [MALFORMED[each.ask.style], before].filter((refusal) => refusal !== undefined);
}
