// Serves the single-page application, spa.html: a page on msal-browser without a server of its own behind it.
//   scripts/samples/run spa
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { AZURE_AUTHORITY, AZURE_CLIENT_ID, AZURE_KNOWN_AUTHORITIES = '', GRAPH_BASE_URL } = process.env;
const { ORIGIN = 'http://localhost:3002', PORT = new URL(ORIGIN).port } = process.env;

const settings = {
  auth: {
    authority: AZURE_AUTHORITY,
    clientId: AZURE_CLIENT_ID,
    knownAuthorities: AZURE_KNOWN_AUTHORITIES.split(','),
  },
  graph: GRAPH_BASE_URL,
};
const msal = new URL('../../node_modules/@azure/msal-browser/lib/msal-browser.min.js', import.meta.url);
const files: Readonly<Record<string, readonly [type: string, content: string]>> = {
  '/': ['text/html; charset=utf-8', readFileSync(new URL('spa.html', import.meta.url), 'utf8')],
  '/msal-browser.min.js': ['text/javascript; charset=utf-8', readFileSync(msal, 'utf8')],
  '/settings.json': ['application/json', JSON.stringify(settings)],
};

const server = createServer((request, response) => {
  const [type, content] = files[new URL(request.url ?? '/', ORIGIN).pathname] ?? ['text/plain', undefined];
  response.writeHead(content === undefined ? 404 : 200, { 'Content-Type': type }).end(content);
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`The single-page application is at ${ORIGIN}`));
