import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { ON_BEHALF_OF_GRANT } from '../grant-types.ts';
import { wantedScopes } from '../refresh/wanted-scopes.ts';
import { refuse } from '../refusals.ts';
import type { Resources } from '../resources.ts';
import type { VirtualIssuer } from '../virtual-issuer.ts';
import type { Exchange, ExchangeContext } from './exchange.ts';

const PARAMETERS = ['assertion', 'requested_token_use', 'scope', 'resource'];

/** On-behalf-of: Entra's way to exchange a token, on the grant of RFC 7523, section 2.1, which has no other use here. */
export class OnBehalfOfGrant {
  readonly #exchange: Exchange;
  readonly #resources: Resources;

  constructor(exchange: Exchange, resources: Resources) {
    this.#exchange = exchange;
    this.#resources = resources;
  }

  register(provider: Provider, issuer: VirtualIssuer): void {
    const handle = (ctx: ExchangeContext) => this.#issue(provider, issuer, ctx);
    provider.registerGrantType(ON_BEHALF_OF_GRANT, handle, PARAMETERS);
  }

  async #issue(provider: Provider, issuer: VirtualIssuer, ctx: ExchangeContext): Promise<void> {
    const { assertion, requested_token_use, scope, resource } = ctx.oidc.params;
    if (requested_token_use !== 'on_behalf_of')
      throw new errors.InvalidRequest("requested_token_use must be 'on_behalf_of'");
    if (typeof assertion !== 'string') throw new errors.InvalidRequest("missing required parameter 'assertion'");
    if (!scope) throw new errors.InvalidRequest("missing required parameter 'scope'");
    if (Array.isArray(resource)) throw refuse(errors.InvalidTarget, 'oneResource');
    const subject = await this.#exchange.subjectOf(ctx, assertion);
    const original = { scope: undefined, resources: [] };
    const wanted = wantedScopes({ scope, resource, original }, this.#resources);
    ctx.body = await this.#exchange.exchange(provider, issuer, ctx, { subject, wanted });
  }
}
