import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeOutbound, type Outbound, type OutboundOptions } from '../../src/outbound/fetch.ts';
import { makeOwnCertificate } from '../../src/server/certificate-authority.ts';

/** An https server on loopback that counts what reaches it. Its name resolves nowhere. */
export interface Sink {
  readonly host: string;
  readonly port: number;
  readonly origin: string;
  /** PEM */
  readonly authority: string;
  /** For `OUTBOUND_ALLOW`. */
  readonly allow: string;
  readonly requests: readonly string[];
  readonly connections: number;
  outbound(options?: OutboundOptions): Outbound;
  close(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** @param answer anything else than `{"keys":[]}` */
export async function aSink(answer: Answer = (_request, response) => response.end('{"keys":[]}')): Promise<Sink> {
  const host = 'sink.example';
  const { authority, certificate, key } = makeOwnCertificate([host]);
  const requests: string[] = [];
  let connections = 0;
  const server = createServer({ cert: certificate, key }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // of a TCP server
  const allow = `${host}:${port}=127.0.0.1`;
  return {
    ...{ host, port, origin: `https://${host}:${port}`, authority, allow, requests },
    get connections() {
      return connections;
    },
    outbound: (options) => makeOutbound({ allow: [allow], authority, ...options }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
