import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeAuthentication } from '../../src/authentication/authentication.ts';
import { checkCurrentPassword } from '../../src/authentication/current-password.ts';
import { Passwords } from '../../src/authentication/passwords.ts';
import { Tenants } from '../../src/authentication/tenants.ts';
import { Authorization } from '../../src/authorization/perform.ts';
import type { TestDatabase } from './database.ts';

export interface TestAuthenticationServer {
  readonly origin: string;
  /** Where this process listens; its origin may be another's, as behind a load balancer. */
  readonly address: string;
  readonly errors: unknown[];
  readonly passwords: Passwords;
  /** What went to the security log. */
  readonly refusals: string[];
  close(): Promise<void>;
}

/** The authorization server on a port of its own, wired as `main.ts` wires it, with the authentication login. */
export async function anAuthenticationServer(
  database: TestDatabase,
  publicOrigin?: string,
): Promise<TestAuthenticationServer> {
  const errors: unknown[] = [];
  const refusals: string[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://localhost:${(server.address() as AddressInfo).port}`; // listening on TCP
  const origin = publicOrigin ?? address;
  const secretKey = database.sealer.derive('bailiwick/client-secrets/1');
  const passwords = new Passwords({
    pepper: database.sealer.derive('bailiwick/passwords/1'),
    organizationWords: (tenantId) => new Tenants(authorization).words(tenantId),
  });
  const authorization: Authorization = new Authorization(database.openStore('authentication'), {
    hashNewPassword: (...asked) => passwords.hashNewPassword(...asked),
    checkPassword: (tenantId, userId, password) =>
      checkCurrentPassword({ authorization, passwords }, { tenantId, userId }, password),
  });
  const handle = makeAuthentication({
    authorization,
    passwords,
    origin,
    directoryOrigin: 'http://localhost:8401',
    keys: {
      hashClientSecret: (secret) => createHmac('sha256', secretKey).update(secret).digest(),
      subject: database.sealer.derive('bailiwick/pairwise-subjects/1'),
      forms: database.sealer.derive('bailiwick/forms/1'),
    },
    addressOf: (request) => request.socket.remoteAddress,
    isHealthy: async () => true,
    onRefusal: ({ reason }) => refusals.push(reason),
    onError: (error) => errors.push(error),
  });
  server.on('request', handle);
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()).closeIdleConnections());
  return { origin, address, errors, refusals, passwords, close };
}
