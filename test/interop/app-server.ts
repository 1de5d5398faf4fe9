import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ROOT } from '../../scripts/demo-story/processes.ts';

/** Where single-page applications live: pages, and the files of a client library as its package has them. */
export interface AppServer {
  readonly origin: string;
  /** @param scripts files below node_modules, which run before the page's own module */
  addPage(path: string, scripts: readonly string[], module: string): void;
  close(): Promise<void>;
}

export async function anAppServer(): Promise<AppServer> {
  const pages = new Map<string, string>();
  const scripts = new Set<string>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const page = pages.get(pathname);
    if (page !== undefined) response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page);
    else if (scripts.has(pathname))
      response.setHeader('Content-Type', 'text/javascript').end(readFileSync(join(ROOT, 'node_modules', pathname)));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  return {
    origin: `http://localhost:${port}`,
    addPage: (path, files, module) => {
      const tags = files.map((file) => {
        scripts.add(`/${file}`);
        return `<script src="/${file}"></script>`;
      });
      const head = `<meta charset="utf-8"><title>Application</title><link rel="icon" href="data:,">`;
      const body = `<h1>Application</h1><script type="module">${module}</script>`;
      pages.set(path, `<!doctype html><html lang="en"><head>${head}${tags.join('')}</head><body>${body}</body></html>`);
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}
