// A web application on openid-client. It knows the wire and nothing of the server: `node scripts/sample-app/main.ts`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { beginSignIn, endSignIn, refresh, signOutUrl } from './application.ts';
import { explain } from './errors.ts';
import { type Session, Sessions } from './sessions.ts';
import { settings } from './settings.ts';
import { accountPage, messagePage, startPage } from './view.ts';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly session: Session | undefined;
}
type SignedInExchange = Exchange & { readonly session: Extract<Session, { state: 'signedIn' }> };
type Handler = (exchange: Exchange) => Promise<void> | void;

const { origin, directoryOrigin, applications } = settings;
const sessions = new Sessions(origin);

const routes: Readonly<Record<string, Handler>> = {
  'GET /': ({ response, session }) =>
    send(response, session?.state === 'signedIn' ? accountPage(session) : startPage(applications)),
  'GET /sign-in': async ({ request, response, url }) => {
    const registration = applications.find(({ key }) => key === url.searchParams.get('application'));
    if (!registration) return send(response, messagePage('Not found', 'There is no such application.'), 404);
    const begun = await beginSignIn(registration, origin);
    sessions.replace(request, response, { state: 'signingIn', signIn: begun.signIn });
    redirect(response, begun.url.href);
  },
  'GET /callback': async ({ request, response, url, session }) => {
    if (session?.state !== 'signingIn')
      return send(response, messagePage('Sign-in expired', 'No sign-in is under way in this browser.'), 400);
    sessions.end(request, response);
    const { registration } = session.signIn;
    const tokens = await endSignIn(session.signIn, url);
    sessions.replace(request, response, { state: 'signedIn', registration, tokens });
    redirect(response, '/');
  },
  'GET /signed-out': ({ response }) => send(response, messagePage('Signed out', 'You are signed out.')),
  'POST /me': signedIn((exchange) => callDirectory(exchange, '/me')),
  'POST /users': signedIn((exchange) => callDirectory(exchange, '/users?$select=displayName,userPrincipalName')),
  'POST /refresh': signedIn(async ({ request, response, session }) => {
    const renewed = { ...session, tokens: await refresh(session.registration, session.tokens) };
    sessions.replace(request, response, renewed);
    send(response, accountPage(renewed, 'The tokens are new.'));
  }),
  // Here first, then at the issuer: else the next sign-in would go through without a question.
  'POST /sign-out': signedIn(async ({ request, response, session }) => {
    sessions.end(request, response);
    redirect(response, (await signOutUrl(session.registration, session.tokens, origin)).href);
  }),
};

/** For who is signed in; anybody else begins at the start. */
function signedIn(handle: (exchange: SignedInExchange) => Promise<void>): Handler {
  return ({ session, ...exchange }) =>
    session?.state === 'signedIn' ? handle({ ...exchange, session }) : redirect(exchange.response, '/');
}

async function callDirectory({ response, session }: SignedInExchange, path: string): Promise<void> {
  const answer = await fetch(`${directoryOrigin}/v1.0${path}`, {
    headers: { authorization: `Bearer ${session.tokens.accessToken}` },
  });
  const text = JSON.stringify(await answer.json(), null, 2);
  send(response, accountPage(session, `${answer.status} ${answer.statusText}\n${text}`));
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', origin);
  const handler = routes[`${request.method} ${url.pathname}`];
  if (!handler) return send(response, messagePage('Not found', 'There is nothing here.'), 404);
  // A form on another site could post here in the person's name; browsers say where a post comes from.
  if (request.method === 'POST' && request.headers.origin !== origin)
    return send(response, messagePage('Refused', 'The form came from elsewhere.'), 403);
  try {
    await handler({ request, response, url, session: sessions.find(request) });
  } catch (error) {
    const { title, words } = explain(error);
    send(response, messagePage(title, words), 400);
  }
}

function send(response: ServerResponse, html: string, status = 200): void {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(html);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { Location: location, 'Cache-Control': 'no-store' });
  response.end();
}

const server = settings.tls ? createSecureServer(settings.tls) : createServer();
server.on('request', serve);
server.listen(settings.port, settings.host, () => console.error(`The sample app is at ${origin}`));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.closeAllConnections();
    server.close();
  });
}
