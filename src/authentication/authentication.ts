import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Authorization } from '../authorization/perform.ts';
import type { Outbound } from '../outbound/fetch.ts';
import type { RequestContext } from '../vocabulary/request-context.ts';
import { makeAnswers } from './answers.ts';
import { makeAuthenticationServer } from './authentication-server.ts';
import { Authorities } from './authorities/authorities.ts';
import { DirectedRequests } from './authorities/directed-requests.ts';
import { HomeRealm } from './authorities/home-realm.ts';
import { ClientCredentialsGrant } from './client-credentials.ts';
import { Clients } from './clients/clients.ts';
import { FederatedCredentials } from './clients/federated-credentials.ts';
import { RemoteKeys } from './clients/remote-keys.ts';
import { ReplayGuard } from './clients/replay-guard.ts';
import { preflightRoute } from './cross-origin.ts';
import { completeDeviceAuthorization } from './device/device-flow.ts';
import { DeviceGrant } from './device/device-grant.ts';
import { Exchange } from './exchange/exchange.ts';
import { OnBehalfOfGrant } from './exchange/on-behalf-of.ts';
import { TokenExchangeGrant } from './exchange/token-exchange.ts';
import { Grants } from './grants.ts';
import { ErrorPages } from './interaction/error-pages.ts';
import { makeInteraction } from './interaction/interaction.ts';
import { LibraryPages } from './interaction/library-pages.ts';
import { PageWriter } from './interaction/page-writer.ts';
import { Forms } from './interaction/submitted-form.ts';
import { Issuance } from './issuance.ts';
import { SigningKeys } from './keys/signing-keys.ts';
import { currentRequest } from './oauth-request.ts';
import { loadAssets } from './pages/assets.ts';
import type { Passwords } from './passwords/passwords.ts';
import { makeProvider, pairwiseSubject } from './provider.ts';
import { RefreshGrant } from './refresh/refresh-grant.ts';
import { type OnRefusal, RefusalRecords } from './refusal-records.ts';
import { Resources } from './resources.ts';
import { assetRoutes } from './routes/assets.ts';
import { logoRoute } from './routes/logo.ts';
import { discoveryRoute, keysRoute } from './routes/metadata.ts';
import { userinfoRoutes } from './routes/userinfo.ts';
import { Tenants } from './tenants.ts';
import { PersonClaims } from './tokens/optional-claims.ts';
import { PresentedTokens } from './tokens/presented-tokens.ts';
import { TokenClaims } from './tokens/token-claims.ts';
import { TokenEndpoints } from './tokens/token-endpoints.ts';
import { completeTokenResponse } from './tokens/token-response.ts';

export interface AuthenticationOptions {
  readonly authorization: Authorization;
  /** The public origin of sign-in and tokens, without a trailing slash. */
  readonly origin: string;
  /** The public origin of the directory API: its default identifier URI. */
  readonly directoryOrigin: string;
  readonly keys: {
    /** The keyed hash under which client secrets are stored. */
    hashClientSecret(secret: string): Buffer;
    /** 32 bytes for the pairwise subject identifiers. */
    readonly subject: Buffer;
    /** 32 bytes for the tokens by which our own forms are known. */
    readonly forms: Buffer;
  };
  readonly passwords: Passwords;
  /** The way to key sets that applications and federated credentials name. */
  readonly outbound: Outbound;
  /** A refusal that belongs to no tenant's records: the security log's. Holds no secret and no name that was tried. */
  readonly onRefusal: OnRefusal;
  /** The deployment has a mail server: people are told outside the pages. */
  readonly sendsMail: boolean;
  readonly addressOf: (request: IncomingMessage) => string | undefined;
  readonly onError: (error: unknown, context?: RequestContext) => void;
}

/** Puts the authorization server together; returns its request listener. */
export function makeAuthentication(options: AuthenticationOptions) {
  const { authorization, origin, directoryOrigin, keys, onError } = options;
  const signingKeys = new SigningKeys(authorization);
  const resources = new Resources(authorization, directoryOrigin);
  const replayGuard = new ReplayGuard(authorization);
  const remoteKeys = new RemoteKeys(options.outbound, onError);
  const federated = new FederatedCredentials(authorization, remoteKeys, replayGuard);
  const hashSecret = keys.hashClientSecret;
  const clients = new Clients({ authorization, signingKeys, remoteKeys, federated, hashSecret, onError });
  const personClaims = new PersonClaims(authorization, directoryOrigin);
  const grants = new Grants(authorization, resources, personClaims);
  const tokens = new PresentedTokens(authorization, signingKeys, origin);
  const exchange = new Exchange({ authorization, resources, grants, tokens });
  const tenants = new Tenants(authorization);
  const assets = loadAssets(origin);
  const writer = new PageWriter(assets);
  const errorPages = new ErrorPages(writer);
  const libraryPages = new LibraryPages({ authorization, tenants, writer, errorPages });
  const { provider, issuer } = makeProvider({
    authorization,
    origin,
    signingKeys,
    resources,
    clients,
    claims: new TokenClaims(authorization, resources, personClaims),
    grants,
    clientCredentialsGrant: new ClientCredentialsGrant(resources),
    refreshGrant: new RefreshGrant(authorization, resources, grants),
    deviceGrant: new DeviceGrant(authorization, resources, grants),
    exchangeGrants: [new OnBehalfOfGrant(exchange, resources), new TokenExchangeGrant(exchange, resources)],
    replayGuard,
    subjectKey: keys.subject,
    pages: libraryPages,
  });
  const refusalRecords = new RefusalRecords(authorization, options.onRefusal);
  refusalRecords.register(provider);
  const tokenEndpoints = new TokenEndpoints(authorization, tokens);
  const answer = makeAnswers({
    issuance: new Issuance(authorization, onError),
    completions: {
      token: completeTokenResponse,
      device_authorization: completeDeviceAuthorization,
      introspection: (ctx) => tokenEndpoints.introspect(ctx),
      revocation: (ctx) => tokenEndpoints.revoke(ctx),
    },
    refusalRecords,
    pages: libraryPages,
  });
  provider.use(answer);
  provider.on('server_error', (ctx, error) => {
    ctx.state.thrown = error;
  });
  // Unheard, Koa would write it to the console, past the log. A caller who hung up broke nothing of ours.
  const events: EventEmitter = provider;
  events.on('error', (error: unknown, ctx: KoaContextWithOIDC) => {
    if (error !== ctx.req.socket.errored) onError(error, currentRequest().context);
  });
  const homeRealm = new HomeRealm({
    ...{ authorization, origin, tenants, writer, errorPages },
    forms: new Forms(keys.forms, origin),
    onRefusal: options.onRefusal,
  });
  const interaction = makeInteraction({ ...options, provider, clients, resources, tenants, writer, errorPages });
  return makeAuthenticationServer({
    origin,
    issuer,
    tenants,
    authorities: new Authorities({ origin, directoryOrigin, homeRealm, directed: new DirectedRequests(tenants) }),
    routes: [
      discoveryRoute(origin, directoryOrigin),
      keysRoute(signingKeys),
      preflightRoute(authorization),
      logoRoute(authorization),
      ...userinfoRoutes({
        authorization,
        tokens,
        subjectOf: (tenantId, clientId, userId) => pairwiseSubject(keys.subject, tenantId, clientId, userId),
        onRefusal: options.onRefusal,
      }),
      ...interaction.routes,
    ],
    plainRoutes: new Map(assetRoutes(assets)),
    addressOf: options.addressOf,
    writeErrorPage: (response, status, reason, context) => errorPages.sendReason(response, status, reason, context),
    onRefusal: options.onRefusal,
    onError,
  });
}
