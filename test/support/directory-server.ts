import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeVerifyAccessToken } from '../../src/authentication/tokens/access-tokens.ts';
import { CATALOGUE } from '../../src/authorization/catalogue/index.ts';
import { listKeys } from '../../src/authorization/internal/signing-keys.ts';
import type { AnyOperation } from '../../src/authorization/operation.ts';
import { makeDirectoryApi } from '../../src/interfaces/directory-api.ts';
import { SkipTokens } from '../../src/interfaces/odata/skip-token.ts';
import type { DirectoryError } from '../../src/vocabulary/errors.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import { type Answer, answerOf } from './answer.ts';
import type { TestDatabase } from './database.ts';
import { ORIGIN } from './tenants.ts';

export const DIRECTORY_ORIGIN = 'http://localhost:8401';

/** What kind of error an answer is: Graph's code, or at registration the RFC's. */
export const codeOf = ({ body }: Answer): string => body.error.code ?? body.error;

export interface TestDirectoryServer {
  readonly origin: string;
  readonly errors: unknown[];
  readonly refusals: DirectoryError[];
  call(
    token: string | undefined,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** The directory API on a port of its own, wired as `main.ts` wires it, with the directory login. */
export async function aDirectoryServer(
  database: Pick<TestDatabase, 'sealer' | 'authorization'>,
  catalogue: readonly AnyOperation[] = CATALOGUE,
  authorization = database.authorization('directory'),
  issuerOrigin = ORIGIN,
): Promise<TestDirectoryServer> {
  const errors: unknown[] = [];
  const refusals: DirectoryError[] = [];
  const findKey = async (tenantId: Parameters<Parameters<typeof makeVerifyAccessToken>[1]>[0], kid: string) => {
    const keys = await authorization.performInternal(internalPrincipal('tokenService', tenantId), listKeys, undefined);
    return keys.find((key) => key.kid === kid);
  };
  const handler = makeDirectoryApi({
    authorization,
    catalogue,
    verify: makeVerifyAccessToken(issuerOrigin, findKey),
    skipTokens: new SkipTokens(database.sealer.derive('bailiwick/skip-tokens/1')),
    origin: DIRECTORY_ORIGIN,
    addressOf: (request) => request.socket.remoteAddress,
    allowedOrigins: new Set(['https://app.example']),
    onRefusal: (error) => refusals.push(error),
    onError: (error) => errors.push(error),
  });
  const server: Server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listening on TCP
  return {
    origin,
    errors,
    refusals,
    call: async (token, method, path, body, headers = {}) => {
      const response = fetch(origin + path, {
        method,
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(body === undefined ? {} : { 'content-type': body instanceof Buffer ? 'image/png' : 'application/json' }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body) }),
      });
      return answerOf(await response);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
