import type Provider from 'oidc-provider';
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { beginTry, type ThrottleRule } from '../../authorization/internal/sign-ins.ts';
import { endFamilies } from '../../authorization/internal/tokens.ts';
import type { Authorization } from '../../authorization/perform.ts';
import type { TokenDecision } from '../../vocabulary/token-decision.ts';
import { DEVICE_CODE_ALIAS, DEVICE_CODE_GRANT } from '../grant-types.ts';
import type { Grants } from '../grants.ts';
import { currentRequest } from '../oauth-request.ts';
import { makeRefreshedTokens } from '../refresh/refreshed-tokens.ts';
import { type WantedScopes, wantedScopes } from '../refresh/wanted-scopes.ts';
import { refuse } from '../refusals.ts';
import { askedValues } from '../requested-scopes.ts';
import type { Resources } from '../resources.ts';
import { factsOn, requireToken } from '../tokens/token-decisions.ts';
import { requireDeviceFlow } from './device-policy.ts';
import type { DeviceCode } from './user-codes.ts';

type DeviceContext = TokenEndpointGrantContext<{ device_code?: string }>;

/** Seconds between two questions of a device, as it is told. */
export const POLLING_INTERVAL = 5;

/** One question too early is let pass: networks hold one up and let the next through. */
const POLLING: ThrottleRule = {
  freeFailures: 1,
  firstPause: POLLING_INTERVAL - 1,
  longestPause: POLLING_INTERVAL - 1,
  mostFailures: 500,
  finalPause: POLLING_INTERVAL - 1,
};

/**
 * The device code grant (RFC 8628, section 3.4) in place of the library's, which knows no `slow_down` and no second name.
 * What a device gets is what a refresh would get: live consent's part of what is asked for.
 */
export class DeviceGrant {
  readonly #authorization: Authorization;
  readonly #resources: Resources;
  readonly #grants: Grants;

  constructor(authorization: Authorization, resources: Resources, grants: Grants) {
    this.#authorization = authorization;
    this.#resources = resources;
    this.#grants = grants;
  }

  register(provider: Provider): void {
    const handle = (ctx: DeviceContext) => this.#redeem(provider, ctx);
    for (const name of [DEVICE_CODE_GRANT, DEVICE_CODE_ALIAS])
      provider.registerGrantType(name, handle, ['device_code', 'scope', 'resource']);
  }

  async #redeem(provider: Provider, ctx: DeviceContext): Promise<void> {
    const { device_code: value } = ctx.oidc.params;
    if (!value) throw new errors.InvalidRequest("missing required parameter 'device_code'");
    await requireDeviceFlow(this.#authorization, errors.UnauthorizedClient);
    const code = await provider.DeviceCode.find(value, { ignoreExpiration: true });
    if (!code || code.clientId !== ctx.oidc.client.clientId) throw refuse(errors.InvalidGrant, 'grantGone');
    if (code.error) throw declined(ctx, code);
    if (code.consumed) return this.#endFamily(code);
    if (code.isExpired) throw refuse(errors.ExpiredToken, 'deviceExpired');
    if (!code.accountId) throw await this.#pending(code);
    await code.consume();
    await this.#issue(provider, ctx, code);
  }

  async #issue(provider: Provider, ctx: DeviceContext, code: DeviceCode): Promise<void> {
    const { grantId, accountId = '' } = code;
    const [grant, account] = await Promise.all([provider.Grant.find(grantId), this.#grants.findAccount(accountId)]);
    const { family } = currentRequest();
    if (!family || !grant || !account || family.userId !== accountId) throw refuse(errors.InvalidGrant, 'grantGone');
    const wanted = this.#wantedOf(ctx, code);
    const tokens = await makeRefreshedTokens(provider, ctx, this.#resources, {
      ...{ parent: code, grant, account, wanted },
      decision: await this.#decide(ctx, code, wanted),
      gty: 'device_code',
    });
    const refreshable = code.scopes.has('offline_access') && ctx.oidc.client.grantTypeAllowed('refresh_token');
    ctx.body = refreshable ? { ...tokens, refresh_token: await refreshTokenOf(provider, ctx, code) } : tokens;
  }

  async #decide(ctx: DeviceContext, code: DeviceCode, wanted: WantedScopes): Promise<TokenDecision> {
    const resource = await this.#resources.find(wanted.identifier);
    const facts = await factsOn(this.#authorization, resource?.appId, code);
    return requireToken(facts, {
      kind: 'delegated',
      resource: resource?.appId ?? wanted.identifier,
      asked: askedValues(wanted.scopes),
      isInherited: ctx.oidc.params.scope === undefined,
      via: 'device',
    });
  }

  #wantedOf(ctx: DeviceContext, { scope: granted, resource: of }: DeviceCode) {
    const { scope, resource } = ctx.oidc.params;
    const [indicated, ...others] = [resource ?? []].flat();
    if (others.length > 0) throw refuse(errors.InvalidTarget, 'oneResource');
    const original = { scope: granted, resources: [of ?? []].flat() };
    return wantedScopes({ scope, resource: indicated, original }, this.#resources);
  }

  /** Counted by the database, so that it holds however many processes a device asks. */
  async #pending({ jti }: DeviceCode): Promise<errors.OIDCProviderError> {
    const question = { subject: `device-code ${jti}`, rule: POLLING };
    const { isAllowed } = await this.#authorization.performInternal(currentRequest().principal, beginTry, question);
    return isAllowed ? refuse(errors.AuthorizationPending, 'devicePending') : new errors.SlowDown();
  }

  /** Redeemed before: whoever holds what came of it, none of the family is good any more. */
  async #endFamily({ grantId }: DeviceCode): Promise<never> {
    const { principal } = currentRequest();
    await this.#authorization.performInternal(principal, endFamilies, { id: grantId, reason: 'codeReplayed' });
    throw refuse(errors.InvalidGrant, 'grantGone');
  }
}

/** The person said no, or what he said yes to was refused. */
function declined(ctx: DeviceContext, { error = '', errorDescription }: DeviceCode): errors.OIDCProviderError {
  const isAlias = ctx.oidc.params.grant_type === DEVICE_CODE_ALIAS;
  const name = isAlias && error === 'access_denied' ? 'authorization_declined' : error;
  return new errors.CustomOIDCProviderError(name, errorDescription);
}

function refreshTokenOf(provider: Provider, ctx: DeviceContext, code: DeviceCode): Promise<string> {
  const { accountId = '', acr, amr, authTime, claims, grantId, nonce, resource, scope = '', sessionUid, sid } = code;
  const { client } = ctx.oidc;
  const inherited = { acr, amr, authTime, claims, nonce, resource, sessionUid, sid };
  return new provider.RefreshToken({ accountId, client, grantId, gty: 'device_code', scope, ...inherited }).save();
}
