import { randomUUID } from 'node:crypto';
import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { ClientState, ResourceState } from '../authorization/internal/clients.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import { currentRequest, type OAuthRequest } from './oauth-request.ts';
import { refuse } from './refusals.ts';
import { askedValues, isPermission } from './requested-scopes.ts';
import type { Resources } from './resources.ts';
import { signAccessToken } from './tokens/jwt-signature.ts';
import { applicationClaims } from './tokens/token-claims.ts';
import { applicationFactsOf, requireToken } from './tokens/token-decisions.ts';
import { accessTokenSeconds } from './tokens/token-lifetimes.ts';
import type { VirtualIssuer } from './virtual-issuer.ts';

interface SignedToken {
  readonly access_token: string;
  readonly expires_in: number;
}

/** A scope may say the same a thousand times over: kept for each of ten thousand clients, half a gigabyte. */
const MAX_KEPT_SCOPE = 1_000;

/** What the token is for, and what it carries. */
interface Entitlement {
  readonly resource: ResourceState;
  readonly roles: readonly string[];
}

/** An entitlement, what was asked, and what the record says of it: nothing but the client's state went into it. */
interface RememberedAnswer extends Entitlement {
  readonly scope: unknown;
  readonly indicated: unknown;
  readonly decision: OAuthRequest['decision'];
  readonly used: OAuthRequest['used'];
}

/**
 * The client credentials grant (RFC 6749, section 4.4) in place of the library's, which knows no consent: the token
 * carries the app roles that are assigned to the application in this tenant, or there is none. Nothing is stored but the
 * record, so the library's token models are left out: measured, they were a quarter of all that such a grant costs.
 */
export class ClientCredentialsGrant {
  readonly #resources: Resources;
  readonly #remembered = new WeakMap<ClientState, RememberedAnswer>();

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
    const request = currentRequest();
    const { resource, roles } = this.#recall(ctx, request) ?? (await this.#decide(ctx, request));
    await issuer.readyToSign('ES256');
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
    const access_token = signAccessToken(request.keyring, claims);
    return { access_token, expires_in: accessTokenSeconds(resource) };
  }

  /** Decided once for each state of a client, as long as it asks for the same. */
  #recall({ oidc: { params } }: KoaContextWithOIDC, request: OAuthRequest): Entitlement | undefined {
    const remembered = request.client && this.#remembered.get(request.client);
    if (!remembered || remembered.scope !== params?.scope || remembered.indicated !== params?.resource)
      return undefined;
    request.decision = remembered.decision;
    request.used = remembered.used;
    return remembered;
  }

  async #decide(ctx: KoaContextWithOIDC, request: OAuthRequest): Promise<Entitlement> {
    const { client } = request;
    if (!client) throw new Error('A token is signed for a client that was not looked up.');
    const { scope, resource: indicated } = ctx.oidc.params ?? {};
    const entitlement = await this.#entitled(ctx, client, indicated);
    // Rows of another API change without the client's state; those of the directory API came along with it.
    if (entitlement.resource.appId === DIRECTORY_APP_ID && String(scope).length <= MAX_KEPT_SCOPE)
      this.#remembered.set(client, {
        ...{ ...entitlement, scope, indicated },
        ...{ decision: request.decision, used: request.used },
      });
    return entitlement;
  }

  /** Named roles narrow; `.default` or nothing means all that is assigned; never more than that. */
  async #entitled(ctx: KoaContextWithOIDC, client: ClientState, indicated: unknown): Promise<Entitlement> {
    if (Array.isArray(indicated)) throw refuse(errors.InvalidTarget, 'oneResource');
    const identifier = typeof indicated === 'string' ? indicated : this.#resources.identifiersOf(ctx);
    if (typeof identifier !== 'string') throw refuse(errors.InvalidScope, 'oneResource');
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
