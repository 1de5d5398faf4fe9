import { randomBytes } from 'node:crypto';
import type Provider from 'oidc-provider';
import { errors, type Grant, type TokenEndpointGrantContext } from 'oidc-provider';
import { getTokenFacts } from '../../authorization/internal/token-facts.ts';
import { getLiveFamily, type LiveFamily } from '../../authorization/internal/tokens.ts';
import type { Authorization } from '../../authorization/perform.ts';
import type { TokenFacts } from '../../vocabulary/token-decision.ts';
import { FAMILY_SECONDS, grantedScopes } from '../adapter.ts';
import type { Grants } from '../grants.ts';
import { currentRequest } from '../oauth-request.ts';
import { idTokenAlgorithm, makeRefreshedTokens, type RefreshedTokens } from '../refresh/refreshed-tokens.ts';
import type { WantedScopes } from '../refresh/wanted-scopes.ts';
import { refuse } from '../refusals.ts';
import { askedValues } from '../requested-scopes.ts';
import type { Resources } from '../resources.ts';
import type { LiveAccessToken, PresentedTokens } from '../tokens/presented-tokens.ts';
import { requireToken } from '../tokens/token-decisions.ts';
import type { VirtualIssuer } from '../virtual-issuer.ts';
import { lengthened } from './delegation-chain.ts';

export interface ExchangeParts {
  readonly authorization: Authorization;
  readonly resources: Resources;
  readonly grants: Grants;
  readonly tokens: PresentedTokens;
}

export type ExchangeContext = TokenEndpointGrantContext<Record<string, unknown>>;

/** For whom the client wants to go on, as a token of that person's that it was called with says. */
export interface Subject {
  readonly token: LiveAccessToken;
  readonly familyId: string;
  readonly family: LiveFamily;
}

const OFFLINE_ACCESS = 'offline_access';

/**
 * An API goes on in the name of the person who called it: the one core of on-behalf-of and of token exchange. What it gets
 * rests on its own consent for the API that it calls, never on what the token that it holds may do; it ends with that
 * token's family, and not later than that token, unless it may refresh.
 */
export class Exchange {
  readonly #parts: ExchangeParts;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /**
   * A token that the client may exchange: of a person, of this tenant, alive, and made out to the client itself.
   * @throws `invalid_grant`
   */
  async subjectOf({ oidc }: ExchangeContext, value: string): Promise<Subject> {
    const { authorization, tokens } = this.#parts;
    const { tenantId, principal, face } = currentRequest();
    if (face?.authentication === 'none') throw refuse(errors.InvalidClientAuth, 'credentialMissing');
    const token = await tokens.live(tenantId, value);
    if (!token) throw refuse(errors.InvalidGrant, 'subjectTokenInvalid');
    const { idtyp, aud, fid, exp } = token.claims;
    // Without the leeway that an API gives a clock that is late.
    if (exp <= Date.now() / 1_000) throw refuse(errors.InvalidGrant, 'subjectTokenInvalid');
    if (idtyp === 'app' || !fid) throw refuse(errors.InvalidGrant, 'subjectTokenAppOnly');
    if (aud !== oidc.client.clientId) throw refuse(errors.InvalidGrant, 'subjectTokenAudience');
    const family = await authorization.performInternal(principal, getLiveFamily, fid);
    if (!family) throw refuse(errors.InvalidGrant, 'subjectTokenInvalid');
    return { token, familyId: fid, family };
  }

  /** The client's own app-only token, where it proves itself by one (RFC 8693, section 2.1, `actor_token`). */
  async requireActor({ oidc }: ExchangeContext, value: string): Promise<void> {
    const token = await this.#parts.tokens.live(currentRequest().tenantId, value);
    if (token?.claims.idtyp !== 'app' || token.claims.client_id !== oidc.client.clientId)
      throw refuse(errors.InvalidGrant, 'actorTokenInvalid');
  }

  /** Signs what the client may have of what it wants, in a family of its own; the answer's commit begins that. */
  async exchange(
    provider: Provider,
    issuer: VirtualIssuer,
    ctx: ExchangeContext,
    { subject, wanted }: { readonly subject: Subject; readonly wanted: WantedScopes },
  ): Promise<RefreshedTokens & { readonly refresh_token?: string }> {
    const request = currentRequest();
    const { claims } = subject.token;
    const account = await this.#parts.grants.findAccount(claims.sub);
    if (!account) throw refuse(errors.InvalidGrant, 'userDisabled');
    ctx.oidc.entity('Account', account);
    const actor = lengthened(subject.family.actor, request);
    const decided = await this.#decide(claims.sub, ctx, wanted);
    request.actors = actor;
    const grantId = randomBytes(24).toString('base64url');
    const grant = grantOf(provider, ctx, decided.facts, { accountId: claims.sub, grantId });
    await issuer.readyToSign('ES256');
    if (wanted.oidc.includes('openid')) await issuer.readyToSign(idTokenAlgorithm(ctx));
    const sid = typeof claims.sid === 'string' ? claims.sid : undefined;
    const parent = { grantId, sid, sessionUid: subject.family.sessionUid ?? undefined };
    const tokens = await makeRefreshedTokens(provider, ctx, this.#parts.resources, {
      ...{ parent, grant, account, wanted, decision: decided.decision },
      ...{ gty: 'on_behalf_of', notAfter: claims.exp },
    });
    request.pending.family = {
      ...{ id: grantId, userId: claims.sub, appId: ctx.oidc.client.clientId },
      ...{ sessionUid: subject.family.sessionUid ?? undefined, authenticatedAt: 0, expiresIn: FAMILY_SECONDS },
      ...{ platform: 'web', parentId: subject.familyId, actor },
    };
    if (!isRefreshable(ctx, wanted, grant)) return tokens;
    const scope = [...wanted.scopes.map(({ spelled }) => spelled), ...wanted.oidc].join(' ');
    const inherited = { accountId: claims.sub, client: ctx.oidc.client, grantId, gty: 'on_behalf_of' };
    const refreshToken = new provider.RefreshToken({ ...inherited, ...parent, scope, resource: wanted.identifier });
    return { ...tokens, refresh_token: await refreshToken.save() };
  }

  /** Of this moment: no family has begun yet. */
  async #decide(userId: string, { oidc }: ExchangeContext, wanted: WantedScopes) {
    const { authorization, resources } = this.#parts;
    const request = currentRequest();
    const resource = await resources.find(wanted.identifier);
    const resourceAppIds = resource ? [resource.appId] : [];
    const parties = { appId: oidc.client.clientId, userId, resourceAppIds };
    const facts = await authorization.performInternal(request.principal, getTokenFacts, parties);
    if (!facts) throw refuse(errors.InvalidGrant, 'tenantUnknown');
    request.facts = facts;
    const decision = requireToken(facts, {
      kind: 'delegated',
      resource: resource?.appId ?? wanted.identifier,
      asked: askedValues(wanted.scopes),
      via: 'onBehalfOf',
    });
    return { facts, decision };
  }
}

function isRefreshable({ oidc }: ExchangeContext, { oidc: asked }: WantedScopes, grant: Grant): boolean {
  const isConsented = grant.getOIDCScope().split(' ').includes(OFFLINE_ACCESS);
  return asked.includes(OFFLINE_ACCESS) && isConsented && oidc.client.grantTypeAllowed('refresh_token');
}

function grantOf(
  provider: Provider,
  { oidc }: ExchangeContext,
  facts: TokenFacts,
  { accountId, grantId }: { readonly accountId: string; readonly grantId: string },
): Grant {
  const { openid, resources } = grantedScopes(facts);
  const grant = new provider.Grant({ accountId, clientId: oidc.client.clientId });
  grant.jti = grantId;
  if (openid) grant.addOIDCScope(openid);
  for (const [identifier, scope] of Object.entries(resources)) grant.addResourceScope(identifier, scope);
  return grant;
}
