import { randomUUID } from 'node:crypto';
import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { ClientState, ResourceState } from '../authorization/internal/clients.ts';
import { signJwt } from './jwt-signature.ts';
import { currentRequest } from './oauth-request.ts';
import { refuse } from './refusals.ts';
import { isPermission } from './requested-scopes.ts';
import { type Resources, rolesOf } from './resources.ts';
import { applicationClaims } from './token-claims.ts';
import { accessTokenSeconds } from './token-lifetimes.ts';
import type { VirtualIssuer } from './virtual-issuer.ts';

interface SignedToken {
  readonly access_token: string;
  readonly expires_in: number;
}

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
    ctx.body = { ...(await this.#signAsOfNow(ctx, issuer)), token_type: 'Bearer' };
    // What it was made from changed before its record was made: whether there is a token at all is asked anew.
    currentRequest().settleLostRace = async () => {
      await currentRequest().lookAgain?.();
      ctx.body = { ...(ctx.body as object), ...(await this.#sign(ctx, issuer)) };
      return true;
    };
  }

  /** Nothing is refused on the ground of what was remembered. */
  async #signAsOfNow(ctx: KoaContextWithOIDC, issuer: VirtualIssuer): Promise<SignedToken> {
    try {
      return await this.#sign(ctx, issuer);
    } catch (error) {
      const { lookAgain } = currentRequest();
      if (!lookAgain) throw error;
      await lookAgain();
      return this.#sign(ctx, issuer);
    }
  }

  async #sign(ctx: KoaContextWithOIDC, issuer: VirtualIssuer): Promise<SignedToken> {
    requirePresence(currentRequest().client);
    const { resource, roles } = await this.#assigned(ctx);
    await issuer.readyToSign('ES256');
    const request = currentRequest();
    const tokenId = randomUUID();
    const claims = applicationClaims(request, resource, roles, {
      iss: issuer.issuerOf(request.tenantId),
      jti: tokenId,
      client_id: ctx.oidc.client?.clientId ?? '',
      iat: Math.floor(Date.now() / 1_000),
      expiresIn: accessTokenSeconds(resource),
    });
    const { appId: resourceId, displayName: resourceDisplayName } = resource;
    request.issued = { tokenId, familyId: undefined, resourceId, resourceDisplayName };
    const access_token = signJwt(request.keyring, { alg: 'ES256', typ: 'at+jwt' }, claims);
    return { access_token, expires_in: accessTokenSeconds(resource) };
  }

  /** Named roles narrow; `.default` or nothing means all that is assigned; never more than that. */
  async #assigned(ctx: KoaContextWithOIDC): Promise<{ resource: ResourceState; roles: readonly string[] }> {
    const { resource: indicated } = ctx.oidc.params ?? {};
    if (Array.isArray(indicated)) throw refuse(errors.InvalidTarget, 'oneResource');
    const identifier = typeof indicated === 'string' ? indicated : this.#resources.identifiersOf(ctx);
    if (typeof identifier !== 'string') throw refuse(errors.InvalidScope, 'oneResource');
    const resource = await this.#resources.find(identifier);
    if (!resource) throw refuse(errors.InvalidTarget, 'resourceUnknown');
    const named = this.#resources.askedOf(ctx, identifier).filter(isPermission);
    const assigned = rolesOf(currentRequest().client, resource);
    if (assigned.length === 0) throw refuse(errors.InvalidScope, 'nothingAssigned');
    const missing = named.find(({ value }) => !assigned.includes(value));
    if (missing) throw refuse(errors.InvalidScope, 'roleNotAssigned', missing.spelled);
    // Taken from what is assigned, never from the request's own words.
    const isWanted = (role: string) => named.length === 0 || named.some(({ value }) => value === role);
    return { resource, roles: assigned.filter(isWanted) };
  }
}

/** An application acts on its own only where the organization has added it. */
function requirePresence(client: ClientState | undefined): void {
  if (!client?.servicePrincipalId) throw refuse(errors.UnauthorizedClient, 'applicationAbsent');
  if (!client.isEnabled) throw refuse(errors.UnauthorizedClient, 'applicationDisabled');
}
