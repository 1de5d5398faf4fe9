import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
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
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i;

/**
 * Listens with bounds on time, size and number.
 * @throws Error with a message for the operator when the port is taken
 */
export async function listen(
  { host, port }: Address,
  handle: RequestListener,
  certificate?: Certificate,
): Promise<Listening> {
  const answer: RequestListener = (request, response) =>
    isToOneHost(request) ? handle(request, response) : response.writeHead(400, { Connection: 'close' }).end();
  const server: Server = certificate
    ? createSecureServer(
        { ...LIMITS, cert: certificate.certificate, key: certificate.key, minVersion: 'TLSv1.2' },
        answer,
      )
    : createServer(LIMITS, answer);
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new Error(wordsOf(error, host, port), { cause: error })));
    server.listen(port, host, resolve);
  });
  return { close: (graceMs) => closeGracefully(server, graceMs) };
}

/**
 * Of two `Host` headers Node takes the first, and a proxy before it perhaps the last: who has them disagree gets nowhere
 * (RFC 9112, section 3.2; NET-05). Whether the host is ours is the proxy's to know.
 */
function isToOneHost({ rawHeaders, headers: { host } }: IncomingMessage): boolean {
  const isName = (text: string, index: number) => index % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host';
  const hosts = rawHeaders.filter(isName).length;
  return hosts === 0 || (hosts === 1 && HOST.test(host ?? ''));
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
