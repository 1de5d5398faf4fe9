import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { isGuid } from '../../vocabulary/ids.ts';
import { TOKEN_EXCHANGE_GRANT } from '../grant-types.ts';
import { wantedScopes } from '../refresh/wanted-scopes.ts';
import { describe, refuse } from '../refusals.ts';
import { withoutSlash } from '../requested-scopes.ts';
import type { Resources } from '../resources.ts';
import type { VirtualIssuer } from '../virtual-issuer.ts';
import type { Exchange, ExchangeContext } from './exchange.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const PARAMETERS = [
  ...['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type'],
  ...['requested_token_type', 'audience', 'resource', 'scope'],
];

/** Token exchange (RFC 8693): an access token of a person, for one of an API further down. */
export class TokenExchangeGrant {
  readonly #exchange: Exchange;
  readonly #resources: Resources;

  constructor(exchange: Exchange, resources: Resources) {
    this.#exchange = exchange;
    this.#resources = resources;
  }

  register(provider: Provider, issuer: VirtualIssuer): void {
    const handle = (ctx: ExchangeContext) => this.#issue(provider, issuer, ctx);
    provider.registerGrantType(TOKEN_EXCHANGE_GRANT, handle, PARAMETERS);
  }

  async #issue(provider: Provider, issuer: VirtualIssuer, ctx: ExchangeContext): Promise<void> {
    const subjectToken = tokenOf(ctx, 'subject_token');
    const actorToken = tokenOf(ctx, 'actor_token');
    if (subjectToken === undefined) throw new errors.InvalidRequest("missing required parameter 'subject_token'");
    const { requested_token_type: requested = ACCESS_TOKEN, scope } = ctx.oidc.params;
    if (requested !== ACCESS_TOKEN) throw new errors.InvalidRequest(describe('tokenTypeUnknown'));
    const subject = await this.#exchange.subjectOf(ctx, subjectToken);
    if (actorToken !== undefined) await this.#exchange.requireActor(ctx, actorToken);
    const original = { scope: undefined, resources: [] };
    const wanted = wantedScopes({ scope, resource: targetOf(ctx), original }, this.#resources);
    const tokens = await this.#exchange.exchange(provider, issuer, ctx, { subject, wanted }).catch(asTarget);
    ctx.body = { ...tokens, issued_token_type: ACCESS_TOKEN };
  }
}

/** A token whose type says that it is one that is exchanged here (RFC 8693, section 2.1). */
function tokenOf({ oidc }: ExchangeContext, name: 'subject_token' | 'actor_token'): string | undefined {
  const { [name]: token, [`${name}_type`]: type } = oidc.params;
  if (token === undefined && type === undefined) return undefined;
  if (typeof token !== 'string' || type !== ACCESS_TOKEN) throw new errors.InvalidRequest(describe('tokenTypeUnknown'));
  return token;
}

/** The one API that is meant: by its address, or by the name that its tokens have as audience. */
function targetOf({ oidc }: ExchangeContext): string | undefined {
  const { resource, audience } = oidc.params;
  if (Array.isArray(resource)) throw refuse(errors.InvalidTarget, 'oneResource');
  if (typeof audience !== 'string' || audience === '') return resource;
  const named = isGuid(audience) ? `api://${audience.toLowerCase()}` : audience;
  if (resource !== undefined && withoutSlash(resource) !== withoutSlash(named))
    throw refuse(errors.InvalidTarget, 'oneResource');
  // The library takes it for the resource that scopes without a prefix belong to.
  Object.assign(oidc.params, { resource: named });
  return named;
}

/** Nothing is issued for an API that the client was never allowed to call (RFC 8693, section 2.2.2). */
function asTarget(error: unknown): never {
  const isUnconsented = error instanceof errors.InvalidGrant && error.error_description === describe('consentRequired');
  throw isUnconsented ? refuse(errors.InvalidTarget, 'consentRequired') : error;
}
