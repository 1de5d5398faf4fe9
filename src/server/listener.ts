import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Certificate {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** An address that is being listened on. */
export interface Listening {
  /** Stops accepting, lets what is in flight finish, and cuts what has not after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** A caller who sends slowly must be done with the headers in ten seconds and with the whole request in thirty. */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 32_768,
  /** Longer than what load balancers use, so that they never write into a connection that is being closed. */
  keepAliveTimeout: 65_000,
};
const MAX_CONNECTIONS = 4_000;
const MAX_HEADERS = 100;

/**
 * Listens with bounds on time, size and number.
 * @throws Error with a message for the operator when the port is taken
 */
export async function listen(
  { host, port }: Address,
  handle: RequestListener,
  certificate?: Certificate,
): Promise<Listening> {
  const server: Server = certificate
    ? createSecureServer(
        { ...LIMITS, cert: certificate.certificate, key: certificate.key, minVersion: 'TLSv1.2' },
        handle,
      )
    : createServer(LIMITS, handle);
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new Error(wordsOf(error, host, port), { cause: error })));
    server.listen(port, host, resolve);
  });
  return { close: (graceMs) => closeGracefully(server, graceMs) };
}

async function closeGracefully(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}

function wordsOf(error: Error, host: string, port: number): string {
  const code = 'code' in error ? error.code : undefined;
  const place = `${host}:${port}`;
  if (code === 'EADDRINUSE')
    return `${place} is taken by another program. End it, or listen elsewhere: AUTHENTICATION_LISTEN, DIRECTORY_LISTEN.`;
  if (code === 'EACCES') return `This user may not listen on ${place}.`;
  if (code === 'EADDRNOTAVAIL') return `${place} is not an address of this machine.`;
  return `Can not listen on ${place}: ${error.message}`;
}
