// A web application on openid-client. It knows the wire and nothing of the server: `node scripts/sample-app/main.ts`.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import {
  beginSignIn,
  endSignIn,
  type Registration,
  refresh,
  type SignIn,
  signOutUrl,
  type Tokens,
} from './application.ts';
import { accountPage, messagePage, startPage } from './view.ts';

interface Session {
  signIn?: SignIn;
  registration?: Registration;
  tokens?: Tokens;
}

interface Settings {
  readonly directoryOrigin: string;
  readonly applications: readonly Registration[];
}

const {
  SAMPLE_APP_CONFIG = new URL('./demo.json', import.meta.url).pathname,
  SAMPLE_APP_ORIGIN = 'http://localhost:8402',
  SAMPLE_APP_LISTEN = '127.0.0.1:8402',
  TLS_CERTIFICATE_FILE,
  TLS_KEY_FILE,
} = process.env;
const settings: Settings = JSON.parse(readFileSync(SAMPLE_APP_CONFIG, 'utf8'));
const sessions = new Map<string, Session>();
const MAX_SESSIONS = 1_000;

type Handler = (request: IncomingMessage, response: ServerResponse, session: Session, url: URL) => Promise<void> | void;

const routes: Readonly<Record<string, Handler>> = {
  'GET /': (_request, response, { registration, tokens }) =>
    send(response, registration && tokens ? accountPage(registration, tokens) : startPage(settings.applications)),
  'GET /sign-in': async (_request, response, session, url) => {
    const registration = settings.applications.find(({ key }) => key === url.searchParams.get('application'));
    if (!registration) return send(response, messagePage('Not found', 'There is no such application.'), 404);
    const begun = await beginSignIn(registration, SAMPLE_APP_ORIGIN);
    session.signIn = begun.signIn;
    redirect(response, begun.url.href);
  },
  'GET /callback': async (_request, response, session, url) => {
    const { signIn } = session;
    delete session.signIn;
    if (!signIn)
      return send(response, messagePage('Sign-in expired', 'No sign-in is in progress in this browser.'), 400);
    session.tokens = await endSignIn(signIn, url);
    session.registration = signIn.registration;
    redirect(response, '/');
  },
  'GET /signed-out': (_request, response) =>
    send(response, messagePage('Signed out', 'You are signed out of the application.')),
  'POST /me': (_request, response, session) => callDirectory(response, session, '/v1.0/me'),
  'POST /users': (_request, response, session) =>
    callDirectory(response, session, '/v1.0/users?$select=displayName,userPrincipalName'),
  'POST /refresh': async (_request, response, session) => {
    const { registration, tokens } = signedIn(session);
    session.tokens = await refresh(registration, tokens);
    send(response, accountPage(registration, session.tokens, 'The tokens are new.'));
  },
  'POST /sign-out': async (_request, response, session) => {
    const { registration, tokens } = signedIn(session);
    delete session.tokens;
    delete session.registration;
    redirect(response, (await signOutUrl(registration, tokens, SAMPLE_APP_ORIGIN)).href);
  },
};

async function callDirectory(response: ServerResponse, session: Session, path: string): Promise<void> {
  const { registration, tokens } = signedIn(session);
  const answer = await fetch(settings.directoryOrigin + path, {
    headers: { authorization: `Bearer ${tokens.accessToken}` },
  });
  const text = JSON.stringify(await answer.json(), null, 2);
  send(response, accountPage(registration, tokens, `${answer.status}\n${text}`));
}

function signedIn({ registration, tokens }: Session): { registration: Registration; tokens: Tokens } {
  if (!registration || !tokens) throw new Error('Not signed in.');
  return { registration, tokens };
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', SAMPLE_APP_ORIGIN);
  const handler = routes[`${request.method} ${url.pathname}`];
  if (!handler) return send(response, messagePage('Not found', 'There is nothing here.'), 404);
  if (request.method === 'POST' && request.headers.origin !== SAMPLE_APP_ORIGIN) {
    return send(response, messagePage('Refused', 'The form came from elsewhere.'), 403);
  }
  try {
    await handler(request, response, sessionOf(request, response), url);
  } catch (error) {
    send(response, messagePage('That did not work', wordsOf(error)), 400);
  }
}

/** What openid-client says of an answer of the server: `error` and `error_description` stand in its cause. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const described = 'error_description' in error ? error.error_description : undefined;
  return [error.message, 'error' in error ? error.error : undefined, described].filter(Boolean).join(' · ');
}

function sessionOf(request: IncomingMessage, response: ServerResponse): Session {
  const id = /(?:^|; )sample-session=([A-Za-z0-9_-]{43})/.exec(request.headers.cookie ?? '')?.[1];
  const known = id === undefined ? undefined : sessions.get(id);
  if (known) return known;
  const fresh = randomBytes(32).toString('base64url');
  const session: Session = {};
  if (sessions.size >= MAX_SESSIONS) sessions.delete(sessions.keys().next().value ?? '');
  sessions.set(fresh, session);
  const secure = SAMPLE_APP_ORIGIN.startsWith('https:') ? '; Secure' : '';
  response.setHeader('Set-Cookie', `sample-session=${fresh}; Path=/; HttpOnly; SameSite=Lax${secure}`);
  return session;
}

function send(response: ServerResponse, html: string, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(html);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { Location: location });
  response.end();
}

const [host = '127.0.0.1', port = '8402'] = SAMPLE_APP_LISTEN.split(/:(?=\d+$)/);
const server =
  TLS_CERTIFICATE_FILE && TLS_KEY_FILE
    ? createSecureServer({ cert: readFileSync(TLS_CERTIFICATE_FILE), key: readFileSync(TLS_KEY_FILE) })
    : createServer();
server.on('request', handle);
server.listen(Number(port), host, () => console.error(`The sample app is at ${SAMPLE_APP_ORIGIN}`));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.closeAllConnections();
    server.close();
  });
}
