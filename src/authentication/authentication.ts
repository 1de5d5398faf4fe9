import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authorization } from '../authorization/perform.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import type { RequestContext } from '../vocabulary/principals.ts';
import { makeAuthenticationServer } from './authentication-server.ts';
import { Clients } from './clients.ts';
import { Grants } from './grants.ts';
import { ErrorPages } from './interaction/error-pages.ts';
import { makeInteraction } from './interaction/interaction.ts';
import { LibraryPages } from './interaction/library-pages.ts';
import { PageWriter } from './interaction/page-writer.ts';
import { Issuance } from './issuance.ts';
import { writeOAuthErrors } from './oauth-errors.ts';
import { loadAssets } from './pages/assets.ts';
import type { Passwords } from './passwords.ts';
import { makeProvider } from './provider.ts';
import { ReplayGuard } from './replay-guard.ts';
import { Resources } from './resources.ts';
import { assetRoutes } from './routes/assets.ts';
import { discoveryRoute, keysRoute } from './routes/metadata.ts';
import { SigningKeys } from './signing-keys.ts';
import { Tenants } from './tenants.ts';
import { TokenClaims } from './token-claims.ts';
import { completeTokenResponse } from './token-response.ts';

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
  /** A refusal that belongs to no tenant's records: the security log's. Holds no secret and no name that was tried. */
  readonly onRefusal: (
    refusal: { readonly tenantId: TenantId; readonly reason: string },
    context: RequestContext,
  ) => void;
  readonly addressOf: (request: IncomingMessage) => string | undefined;
  readonly isHealthy: () => Promise<boolean>;
  readonly onError: (error: unknown, context?: RequestContext) => void;
}

/** Puts the authorization server together; returns its request listener. */
export function makeAuthentication(options: AuthenticationOptions) {
  const { authorization, origin, directoryOrigin, keys, onError } = options;
  const signingKeys = new SigningKeys(authorization);
  const resources = new Resources(authorization, directoryOrigin);
  const clients = new Clients(authorization, signingKeys, keys.hashClientSecret);
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
    claims: new TokenClaims(authorization, resources),
    grants: new Grants(authorization),
    replayGuard: new ReplayGuard(authorization),
    subjectKey: keys.subject,
    pages: {
      error: (ctx, out) => {
        ctx.body = out;
      },
      confirmLogout: (ctx) => libraryPages.confirmLogout(ctx),
      loggedOut: (ctx) => libraryPages.loggedOut(ctx),
    },
  });
  const issuance = new Issuance(authorization);
  provider.use(libraryPages.middleware);
  provider.use(writeOAuthErrors);
  provider.use(issuance.middleware);
  provider.use(completeTokenResponse);
  provider.on('server_error', (ctx, error) => {
    ctx.state.thrown = error;
  });
  const interaction = makeInteraction({ ...options, provider, clients, resources, tenants, writer, errorPages });
  return makeAuthenticationServer({
    origin,
    issuer,
    tenants,
    routes: [discoveryRoute(origin), keysRoute(signingKeys), ...interaction.routes],
    plainRoutes: new Map([['/healthz', healthRoute(options.isHealthy)], ...assetRoutes(assets)]),
    addressOf: options.addressOf,
    writeErrorPage: (response, status, reason, context) => errorPages.sendReason(response, status, reason, context),
    onError,
  });
}

function healthRoute(isHealthy: () => Promise<boolean>) {
  return async (_request: IncomingMessage, response: ServerResponse) => {
    const healthy = await isHealthy();
    response.writeHead(healthy ? 200 : 503, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ status: healthy ? 'ok' : 'unavailable' }));
  };
}
