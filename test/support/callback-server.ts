import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The end of an application: a page that shows with what parameters the browser came back. */
export async function aCallbackServer(): Promise<{ redirectUri: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    const outcome = query.get('error') ?? (query.has('code') || query.has('admin_consent') ? 'done' : 'nothing');
    response.end(
      `<!doctype html><html lang="en"><title>Application</title><link rel="icon" href="data:,"><h1>${outcome}</h1></html>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections());
  return { redirectUri: `http://localhost:${port}/callback`, close };
}
