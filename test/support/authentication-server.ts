import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeAuthentication } from '../../src/authentication/authentication.ts';
import { checkCurrentPassword } from '../../src/authentication/passwords/current-password.ts';
import { Passwords } from '../../src/authentication/passwords/passwords.ts';
import { Tenants } from '../../src/authentication/tenants.ts';
import { Authorization } from '../../src/authorization/perform.ts';
import { makeOutbound, type Outbound } from '../../src/outbound/fetch.ts';
import type { OwnCertificate } from '../../src/server/certificate-authority.ts';
import type { TestDatabase } from './database.ts';

export interface TestAuthenticationServer {
  /** Where it listens. */
  readonly origin: string;
  /** By which clients know it; another listener's, as behind a load balancer, where that was given. */
  readonly publicOrigin: string;
  readonly errors: unknown[];
  readonly passwords: Passwords;
  /** What went to the security log. */
  readonly refusals: string[];
  close(): Promise<void>;
}

export interface TestServerOptions {
  /** That of another listener: as two processes behind one name. Its own unless given. */
  readonly publicOrigin?: string;
  /** The way to what other servers publish: one that leads nowhere in private networks unless given. */
  readonly outbound?: Outbound;
  /** Serves https with it. */
  readonly certificate?: OwnCertificate;
  /** Whether it is told that there is a mail server; it sends none itself. */
  readonly sendsMail?: boolean;
  /** Another door to the data, for builds that are broken on purpose. */
  readonly authorization?: Authorization;
}

/** The authorization server on a port of its own, wired as `main.ts` wires it, with the authentication login. */
export async function anAuthenticationServer(
  database: Pick<TestDatabase, 'sealer' | 'openStore'>,
  {
    publicOrigin,
    certificate,
    authorization: given,
    outbound = makeOutbound(),
    sendsMail = false,
  }: TestServerOptions = {},
): Promise<TestAuthenticationServer> {
  const errors: unknown[] = [];
  const refusals: string[] = [];
  const server = certificate
    ? createSecureServer({ cert: certificate.certificate, key: certificate.key })
    : createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ownOrigin = `${certificate ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`; // listening on TCP
  const origin = publicOrigin ?? ownOrigin;
  const secretKey = database.sealer.derive('bailiwick/client-secrets/1');
  const passwords = new Passwords({
    pepper: database.sealer.derive('bailiwick/passwords/1'),
    organizationWords: (tenantId) => new Tenants(authorization).words(tenantId),
  });
  const authorization: Authorization =
    given ??
    new Authorization(database.openStore('authentication'), {
      hashNewPassword: (...asked) => passwords.hashNewPassword(...asked),
      checkPassword: (tenantId, userId, password) =>
        checkCurrentPassword({ authorization, passwords }, { tenantId, userId }, password),
    });
  const handle = makeAuthentication({
    authorization,
    passwords,
    outbound,
    sendsMail,
    origin,
    directoryOrigin: 'http://localhost:8401',
    keys: {
      hashClientSecret: (secret) => createHmac('sha256', secretKey).update(secret).digest(),
      subject: database.sealer.derive('bailiwick/pairwise-subjects/1'),
      forms: database.sealer.derive('bailiwick/forms/1'),
    },
    addressOf: (request) => request.socket.remoteAddress,
    onRefusal: ({ reason }) => refusals.push(reason),
    onError: (error) => errors.push(error),
  });
  server.on('request', handle);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { origin: ownOrigin, publicOrigin: origin, errors, refusals, passwords, close };
}
