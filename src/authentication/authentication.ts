import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authorization } from '../authorization/perform.ts';
import type { RequestContext } from '../vocabulary/principals.ts';
import { makeAuthenticationServer } from './authentication-server.ts';
import { Clients } from './clients.ts';
import { Grants } from './grants.ts';
import { Issuance } from './issuance.ts';
import { writeOAuthErrors } from './oauth-errors.ts';
import { makeProvider } from './provider.ts';
import { ReplayGuard } from './replay-guard.ts';
import { Resources } from './resources.ts';
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
  };
  readonly addressOf: (request: IncomingMessage) => string | undefined;
  readonly isHealthy: () => Promise<boolean>;
  readonly onError: (error: unknown, context?: RequestContext) => void;
}

/** Puts the authorization server together; returns its request listener. */
export function makeAuthentication(options: AuthenticationOptions) {
  const { authorization, origin, directoryOrigin, keys, onError } = options;
  const signingKeys = new SigningKeys(authorization);
  const resources = new Resources(authorization, directoryOrigin);
  const { provider, issuer } = makeProvider({
    authorization,
    origin,
    signingKeys,
    resources,
    clients: new Clients(authorization, signingKeys, keys.hashClientSecret),
    claims: new TokenClaims(authorization, resources),
    grants: new Grants(authorization),
    replayGuard: new ReplayGuard(authorization),
    subjectKey: keys.subject,
    pages: {
      error: (ctx, out) => {
        ctx.body = out;
      },
      confirmLogout: () => {},
      loggedOut: () => {},
    },
  });
  const issuance = new Issuance(authorization);
  provider.use(writeOAuthErrors);
  provider.use(issuance.middleware);
  provider.use(completeTokenResponse);
  provider.on('server_error', (ctx, error) => {
    ctx.state.thrown = error;
  });
  return makeAuthenticationServer({
    origin,
    issuer,
    tenants: new Tenants(authorization),
    routes: [discoveryRoute(origin), keysRoute(signingKeys)],
    plainRoutes: new Map([['/healthz', healthRoute(options.isHealthy)]]),
    addressOf: options.addressOf,
    writeErrorPage: (response, status) => {
      response.statusCode = status;
      response.end();
    },
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
