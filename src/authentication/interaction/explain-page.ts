import { getApplicationAccess } from '../../authorization/catalogue/application-access.ts';
import { explainToken } from '../../authorization/catalogue/explain.ts';
import { getUsers } from '../../authorization/catalogue/users.ts';
import type { ExplainedStep, TokenExplanation } from '../../authorization/explanation.ts';
import { badRequest, DirectoryError } from '../../vocabulary/errors.ts';
import { parseAppId } from '../../vocabulary/ids.ts';
import type { Filter } from '../../vocabulary/list-query.ts';
import { PRE_AUTHORIZED, type StepName } from '../../vocabulary/token-decision.ts';
import { dayInWords } from '../pages/dates.ts';
import { type ExplainQuestion, type Explanation, explainPage } from '../pages/explain.ts';
import { adminVisit } from './admin-frames.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import { type PageCall, principalOf } from './visit.ts';

const MAX_FIELD = 2_000;

/** Each rule by its name, and what it says where it passed. */
const RULES: Readonly<Record<StepName, readonly [rule: string, passed: string]>> = {
  tenant: ['Organization', 'It is here and enabled.'],
  client: ['Application', 'It was added to this organization and is enabled.'],
  user: ['User', 'The account is here and enabled.'],
  family: ['Sign-in', 'It has not ended.'],
  clientAssignment: ['Assignment to the application', 'It is open to who asks.'],
  resource: ['API', 'It is here and enabled.'],
  resourceAssignment: ['Assignment to the API', 'It is open to who asks.'],
  scope: ['Permission', 'It was granted.'],
  role: ['App role', 'It is assigned.'],
};

/** Why an application gets a token, or not: a question that changes nothing, hence by GET. */
export async function showExplanation(pages: SignedInPages, call: PageCall): Promise<void> {
  const question = questionOf(pages.query(call));
  const visit = await adminVisit(pages, call, 'explain', queryOf(question));
  if (!visit) return;
  const { frame } = visit;
  const answer = question.clientAppId === '' ? {} : await answerTo(pages, call, question);
  const status = 'problem' in answer ? 400 : 200;
  pages.parts.writer.send(call.response, explainPage({ frame, question, ...answer }), { status });
}

function questionOf(query: URLSearchParams): ExplainQuestion {
  const field = (name: string) => (query.get(name) ?? '').slice(0, MAX_FIELD).trim();
  return { clientAppId: field('client'), username: field('user'), resource: field('resource'), scope: field('scope') };
}

function queryOf({ clientAppId, username, resource, scope }: ExplainQuestion): string {
  const given = Object.entries({ client: clientAppId, user: username, resource, scope }).filter(([, value]) => value);
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}

async function answerTo(
  pages: SignedInPages,
  call: PageCall,
  question: ExplainQuestion,
): Promise<{ explanation: Explanation } | { problem: string }> {
  try {
    return { explanation: await explanationOf(pages, call, question) };
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    if (error.code === 'Request_BadRequest') return { problem: error.message };
    if (error.code !== 'Request_ResourceNotFound') throw error;
    return { problem: 'What you ask about is not there any more.' };
  }
}

async function explanationOf(pages: SignedInPages, call: PageCall, question: ExplainQuestion): Promise<Explanation> {
  const { clientAppId, username, resource, scope } = question;
  if (!parseAppId(clientAppId)) throw badRequest('An application ID looks like 2f6b7e3c-5d84-4a19-9c70-1e8f3b6d2a45.');
  const userId = username === '' ? undefined : (await personNamed(pages, call, username)).id;
  const body = { clientAppId, userId, resource: resource || undefined, scope: scope || undefined };
  const { authorization } = pages.parts;
  const explained = await authorization.perform(principalOf(call), explainToken, { body }, call.tenancy.context);
  const { issued, refusal, scopes, roles } = explained;
  const application = (await pages.application(call, clientAppId))?.definition.displayName;
  const names = await namesOf(pages, call, explained);
  const api = explained.resource.displayName ?? undefined;
  return {
    ...{ issued, scopes, roles, application, username: username || undefined, api },
    refusal: refusal ? { code: refusal.code, words: refusal.message } : undefined,
    steps: explained.trace.map((step) => ({
      ...{ outcome: step.outcome, rule: RULES[step.step][0], words: sentence(step.message ?? RULES[step.step][1]) },
      subject: step.step === 'scope' || step.step === 'role' ? step.subject : undefined,
      because: step.outcome === 'pass' ? because(step, names) : undefined,
    })),
  };
}

/** Refusals of the token endpoint go on with what they are about; here that stands beside them. */
function sentence(words: string): string {
  return words.endsWith('.') ? words : `${words}.`;
}

/** Whose act let it pass. */
function because({ by }: ExplainedStep, names: ReadonlyMap<string, string>): string | undefined {
  if (!by || (!by.consentType && by.consentedDateTime === undefined)) return undefined;
  const { consentType, consentedBy, consentedDateTime, policy, consentRequestId } = by;
  const isPreAuthorized = policy === PRE_AUTHORIZED;
  const who = consentedBy === null ? 'the operator' : consentedBy && (names.get(consentedBy) ?? 'somebody who is gone');
  const parts = [
    consentType === undefined ? 'Assigned' : consentType === 'AllPrincipals' ? 'For everybody' : 'For this person',
    !isPreAuthorized && who && `by ${who}`,
    consentedDateTime && `on ${dayInWords(new Date(consentedDateTime))}`,
    policy && (isPreAuthorized ? 'pre-authorized by the API' : `as the policy ${policy} allows`),
    consentRequestId && 'when a request was approved',
  ];
  return `${parts.filter(Boolean).join(', ')}.`;
}

/** The display names of those who consented, by their ids. */
async function namesOf(pages: SignedInPages, call: PageCall, { trace }: TokenExplanation) {
  const ids = new Set(trace.flatMap(({ by }) => by?.consentedBy ?? []));
  const literals = [...ids].map((value) => ({ type: 'guid', value }) as const);
  if (literals.length === 0) return new Map<string, string>();
  const people = await peopleOf(pages, call, { kind: 'in', property: { path: 'id' }, literals });
  const names = new Map(people.map(({ id, displayName }) => [String(id), displayName]));
  for (const id of ids) {
    const name = names.get(id) ?? (await applicationNamed(pages, call, id));
    if (name !== undefined) names.set(id, name);
  }
  return names;
}

/** An application can consent too. */
async function applicationNamed(pages: SignedInPages, call: PageCall, id: string): Promise<string | undefined> {
  const { authorization } = pages.parts;
  try {
    const present = await authorization.perform(principalOf(call), getApplicationAccess, { id }, call.tenancy.context);
    return present.displayName;
  } catch (error) {
    if (error instanceof DirectoryError && error.status === 404) return undefined;
    throw error;
  }
}

/** @throws DirectoryError `Request_BadRequest` for a name that nobody has */
async function personNamed(pages: SignedInPages, call: PageCall, username: string) {
  const property = { path: 'userPrincipalName' };
  const literal = { type: 'string', value: username } as const;
  const [person] = await peopleOf(pages, call, { kind: 'comparison', operator: 'eq', property, literal });
  if (!person) throw badRequest('Nobody in this organization has that user name.');
  return person;
}

async function peopleOf(pages: SignedInPages, call: PageCall, filter: Filter) {
  const { authorization } = pages.parts;
  const query = { top: 999, filter };
  const { value } = await authorization.perform(principalOf(call), getUsers, { query }, call.tenancy.context);
  return value;
}
