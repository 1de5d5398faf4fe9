import { errors } from 'oidc-provider';
import type { ClientState, ResourceState } from '../../authorization/internal/clients.ts';
import { getTokenFacts } from '../../authorization/internal/token-facts.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { decideToken, recordedDecision, usedBy } from '../../authorization/token-decision.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import type { DecisionReason, TokenAsk, TokenDecision, TokenFacts } from '../../vocabulary/token-decision.ts';
import { currentRequest, type OAuthRequest } from '../oauth-request.ts';
import { type ErrorClass, refuse } from '../refusals.ts';

/** Reasons that are of one kind of error wherever they come up (RFC 6749, section 5.2; RFC 8707, section 2). */
const ERRORS: Partial<Record<DecisionReason, ErrorClass>> = {
  resourceUnknown: errors.InvalidTarget,
  scopeUnknown: errors.InvalidScope,
  nothingAssigned: errors.InvalidScope,
  roleNotAssigned: errors.InvalidScope,
};
/** Reasons that are about one scope or role. */
const ABOUT: ReadonlySet<DecisionReason> = new Set(['scopeUnknown', 'roleNotAssigned']);

/**
 * Decides on a token of the current request, whose record will say how it was decided.
 * @throws the library's error of the refusal
 */
export function requireToken(facts: TokenFacts, ask: TokenAsk): TokenDecision {
  const decision = decideToken(facts, ask);
  currentRequest().decision = recordedDecision(decision, ask);
  const { refusal, trace } = decision;
  if (!refusal) {
    currentRequest().used = [facts.client.servicePrincipalId ?? [], ...usedBy(decision)].flat();
    return decision;
  }
  const about = ABOUT.has(refusal) ? trace.find(({ reason }) => reason === refusal)?.subject : undefined;
  throw refuse(errorOf(refusal, ask), refusal, about);
}

export function errorOf(refusal: DecisionReason, { kind, via }: Pick<TokenAsk, 'kind' | 'via'>): ErrorClass {
  const general = via === 'authorize' ? errors.AccessDenied : errors.InvalidGrant;
  return ERRORS[refusal] ?? (kind === 'application' ? errors.UnauthorizedClient : general);
}

/** What the request's answer rests on, the consent to its ID token included. */
export function usedIds({ used = [], facts }: OAuthRequest, hasIdToken: boolean): readonly string[] {
  if (!hasIdToken || !facts) return used;
  const signIn = { kind: 'delegated', resource: DIRECTORY_APP_ID, asked: ['openid'], via: 'code' } as const;
  return [...new Set([...used, ...usedBy(decideToken(facts, signIn))])];
}

/** Who a stored token of the library's is about. */
export interface TokenOwner {
  readonly accountId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly grantId?: string | undefined;
}

/**
 * What the request's delegated tokens go by, as it was found along with the family; read again where that family's client
 * was never granted anything on the API, so that it is not among it.
 */
export async function factsOn(
  authorization: Authorization,
  resourceAppId: string | undefined,
  { accountId: userId, clientId: appId = '', grantId: familyId }: TokenOwner,
): Promise<TokenFacts> {
  const request = currentRequest();
  const isKnown = request.facts?.resources.some((known) => known.appId === resourceAppId) === true;
  if (request.facts && (isKnown || resourceAppId === undefined)) return request.facts;
  const parties = { appId, userId, familyId, resourceAppIds: resourceAppId === undefined ? [] : [resourceAppId] };
  const facts = await authorization.performInternal(request.principal, getTokenFacts, parties);
  if (!facts) throw refuse(errors.InvalidGrant, 'tenantUnknown');
  request.facts = facts;
  return facts;
}

/** What an application's own token goes by, as far as this request knows it already: without a question to the database. */
export function applicationFactsOf(client: ClientState, resource: ResourceState | undefined): TokenFacts {
  const parties = { tenantEnabled: client.tenantEnabled, client };
  if (!resource) return { ...parties, resources: [] };
  const clientRoles = client.appRoles.filter(({ resourceAppId }) => resourceAppId === resource.appId);
  const isHeld = (id: string) => clientRoles.some(({ appRoleId }) => appRoleId === id);
  const appRoles = resource.appRoles
    .filter(({ id }) => isHeld(id))
    .map(({ id, value, isEnabled = true, allowedMemberTypes = [] }) => ({ id, value, isEnabled, allowedMemberTypes }));
  const { appId, servicePrincipalId, displayName, identifierUris, isOwn, assignmentRequired } = resource;
  const named = { appId, servicePrincipalId, displayName, identifierUris, isOwn };
  // It was found, so it is enabled and defined.
  const state = { isEnabled: true, isDefined: true, assignmentRequired };
  const none = { scopes: [], grants: [], revoked: [], userRoles: [] };
  return { ...parties, resources: [{ ...named, ...state, ...none, appRoles, clientRoles }] };
}
