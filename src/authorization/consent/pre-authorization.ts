import type { ResourceFacts, TokenAsk, TokenFacts } from '../../vocabulary/token-decision.ts';

export interface PreAuthorizedScopes {
  readonly resource: ResourceFacts;
  readonly values: readonly string[];
}

/**
 * Scopes that are asked for and not granted, about which an API of this very tenant wants nobody to be asked: none for
 * administrators alone, and none that was ever taken away from the client, whoever's it was. Only for a member of the
 * tenant, and for a client that somebody has added to it: pre-authorization brings no application along (CON-28).
 */
export function preAuthorizedScopes(facts: TokenFacts, asks: readonly TokenAsk[]): PreAuthorizedScopes[] {
  const { client, user } = facts;
  if (client.servicePrincipalId === null || client.isPending || !user || user.isGuest) return [];
  return asks.flatMap(({ resource: appId, asked }) => {
    const resource = facts.resources.find((known) => known.appId === appId);
    if (!resource?.isOwn) return [];
    const { scopes, preAuthorized = [], grants, revoked } = resource;
    const isFor = (principalId: string | null) => principalId === null || principalId === user.id;
    const isHeld = (value: string) => grants.some((grant) => isFor(grant.principalId) && grant.scopes.includes(value));
    const isRevoked = (value: string) =>
      revoked.some(({ scope, principalId }) => isFor(principalId) && scope === value);
    const values = scopes
      .filter(({ id, type, isEnabled }) => isEnabled && type === 'User' && preAuthorized.includes(id))
      .map(({ value }) => value)
      .filter((value) => (asked === 'all' || asked.includes(value)) && !isHeld(value) && !isRevoked(value));
    return values.length > 0 ? [{ resource, values }] : [];
  });
}
