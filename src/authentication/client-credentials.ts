import { randomUUID } from 'node:crypto';
import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { ResourceState } from '../authorization/internal/clients.ts';
import { signJwt } from './jwt-signature.ts';
import { currentRequest } from './oauth-request.ts';
import { refuse } from './refusals.ts';
import { askedValues, isPermission } from './requested-scopes.ts';
import type { Resources } from './resources.ts';
import { applicationClaims } from './token-claims.ts';
import { applicationFactsOf, requireToken } from './token-decisions.ts';
import { ACCESS_TOKEN_SECONDS } from './token-lifetimes.ts';
import type { VirtualIssuer } from './virtual-issuer.ts';

/**
 * The client credentials grant (RFC 6749, section 4.4) in place of the library's, which knows no consent: the token
 * carries the app roles that are assigned to the application in this tenant, or there is none. Nothing is stored but the
 * record, so the library's token models are left out: measured, they were a quarter of all that such a grant costs.
 */
export class ClientCredentialsGrant {
  readonly #resources: Resources;

  constructor(resources: Resources) {
    this.#resources = resources;
  }

  /** Replaces the library's handler. */
  register(provider: Provider, issuer: VirtualIssuer): void {
    const handle = (ctx: KoaContextWithOIDC) => this.#issue(ctx, issuer);
    provider.registerGrantType('client_credentials', handle, ['scope', 'resource']);
  }

  async #issue(ctx: KoaContextWithOIDC, issuer: VirtualIssuer): Promise<void> {
    const access_token = await this.#signAsOfNow(ctx, issuer);
    ctx.body = { access_token, expires_in: ACCESS_TOKEN_SECONDS, token_type: 'Bearer' };
    // What it was made from changed before its record was made: whether there is a token at all is asked anew.
    currentRequest().settleLostRace = async () => {
      await currentRequest().lookAgain?.();
      ctx.body = { ...(ctx.body as object), access_token: await this.#sign(ctx, issuer) };
      return true;
    };
  }

  /** Nothing is refused on the ground of what was remembered. */
  async #signAsOfNow(ctx: KoaContextWithOIDC, issuer: VirtualIssuer): Promise<string> {
    try {
      return await this.#sign(ctx, issuer);
    } catch (error) {
      const { lookAgain } = currentRequest();
      if (!lookAgain) throw error;
      await lookAgain();
      return this.#sign(ctx, issuer);
    }
  }

  async #sign(ctx: KoaContextWithOIDC, issuer: VirtualIssuer): Promise<string> {
    const { resource, roles } = await this.#assigned(ctx);
    await issuer.readyToSign('ES256');
    const request = currentRequest();
    const tokenId = randomUUID();
    const claims = applicationClaims(request, resource, roles, {
      iss: issuer.issuerOf(request.tenantId),
      jti: tokenId,
      client_id: ctx.oidc.client?.clientId ?? '',
      iat: Math.floor(Date.now() / 1_000),
      expiresIn: ACCESS_TOKEN_SECONDS,
    });
    const { appId: resourceId, displayName: resourceDisplayName } = resource;
    request.issued = { tokenId, familyId: undefined, resourceId, resourceDisplayName };
    return signJwt(request.keyring, { alg: 'ES256', typ: 'at+jwt' }, claims);
  }

  /** Named roles narrow; `.default` or nothing means all that is assigned; never more than that. */
  async #assigned(ctx: KoaContextWithOIDC): Promise<{ resource: ResourceState; roles: readonly string[] }> {
    const { resource: indicated } = ctx.oidc.params ?? {};
    if (Array.isArray(indicated)) throw refuse(errors.InvalidTarget, 'oneResource');
    const identifier = typeof indicated === 'string' ? indicated : this.#resources.identifiersOf(ctx);
    if (typeof identifier !== 'string') throw refuse(errors.InvalidScope, 'oneResource');
    const { client } = currentRequest();
    if (!client) throw new Error('A token is signed for a client that was not looked up.');
    const resource = await this.#resources.find(identifier);
    const named = this.#resources.askedOf(ctx, identifier).filter(isPermission);
    const { roles } = requireToken(applicationFactsOf(client, resource), {
      kind: 'application',
      resource: resource?.appId ?? identifier,
      asked: askedValues(named),
      via: 'clientCredentials',
    });
    if (!resource) throw refuse(errors.InvalidTarget, 'resourceUnknown');
    return { resource, roles };
  }
}
