// A web application: people sign in by the code flow with PKCE, and it reads their profile in their name.
//   scripts/samples/run web-app
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import * as client from 'openid-client';

const { OIDC_ISSUER = '', OIDC_CLIENT_ID = '', AZURE_CLIENT_SECRET = '', GRAPH_BASE_URL = '' } = process.env;
const { ORIGIN = 'http://localhost:3001', PORT = new URL(ORIGIN).port } = process.env;

interface SignIn {
  readonly expectedState: string;
  readonly expectedNonce: string;
  readonly pkceCodeVerifier: string;
}
/** What is known of a browser, by its cookie: a sign-in that is under way, or the tokens of who is signed in. */
interface Session {
  readonly signIn?: SignIn;
  readonly tokens?: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers;
}

const sessions = new Map<string, Session>();
const config = await client.discovery(new URL(OIDC_ISSUER), OIDC_CLIENT_ID, AZURE_CLIENT_SECRET);

const routes: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>> = {
  'GET /': async (request, response) => {
    const { tokens } = sessionOf(request);
    if (!tokens) return send(response, '<h1>Hello</h1><p><a href="/sign-in">Sign in</a></p>');
    const me = new URL('v1.0/me', GRAPH_BASE_URL);
    const answer = await client.fetchProtectedResource(config, tokens.access_token, me, 'GET');
    const profile = escaped(JSON.stringify(await answer.json(), null, 2));
    const name = escaped(String(tokens.claims()?.name));
    send(
      response,
      `<h1>Hello, ${name}</h1><pre>${profile}</pre><form method="post" action="/sign-out"><button>Sign out</button></form>`,
    );
  },
  'GET /sign-in': async (_request, response) => {
    const signIn = {
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
    };
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: `${ORIGIN}/callback`,
      scope: 'openid profile User.Read',
      state: signIn.expectedState,
      nonce: signIn.expectedNonce,
      code_challenge: await client.calculatePKCECodeChallenge(signIn.pkceCodeVerifier),
      code_challenge_method: 'S256',
    });
    begin(response, { signIn });
    redirect(response, url.href);
  },
  'GET /callback': async (request, response) => {
    const { signIn } = sessionOf(request);
    end(request);
    if (!signIn) return redirect(response, '/');
    const callback = new URL(request.url ?? '/', ORIGIN);
    begin(response, { tokens: await client.authorizationCodeGrant(config, callback, signIn) });
    redirect(response, '/');
  },
  'POST /sign-out': async (request, response) => {
    const { tokens } = sessionOf(request);
    end(request);
    const url = client.buildEndSessionUrl(config, {
      post_logout_redirect_uri: `${ORIGIN}/`,
      ...(tokens?.id_token ? { id_token_hint: tokens.id_token } : {}),
    });
    redirect(response, url.href);
  },
};

function sessionOf({ headers }: IncomingMessage): Session {
  return sessions.get(cookieOf(headers.cookie)) ?? {};
}

/** Under a new id each time, so that nobody can plant one that he knows before somebody signs in. */
function begin(response: ServerResponse, session: Session): void {
  const id = randomBytes(32).toString('base64url');
  sessions.set(id, session);
  const secure = ORIGIN.startsWith('https:') ? '; Secure' : '';
  response.setHeader('Set-Cookie', `session=${id}; Path=/; HttpOnly; SameSite=Lax${secure}`);
}

function end({ headers }: IncomingMessage): void {
  sessions.delete(cookieOf(headers.cookie));
}

function cookieOf(cookies = ''): string {
  return /(?:^|; )session=([\w-]{43})/.exec(cookies)?.[1] ?? '';
}

function send(response: ServerResponse, body: string, status = 200): void {
  const policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy });
  response.end(`<!doctype html><html lang="en"><title>Sample web app</title>${body}`);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { Location: location }).end();
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const server = createServer(async (request, response) => {
  const route = routes[`${request.method} ${new URL(request.url ?? '/', ORIGIN).pathname}`];
  if (!route) return send(response, '<h1>Not found</h1>', 404);
  // SameSite=Lax keeps foreign forms from a signed-in session; this says so once more.
  if (request.method === 'POST' && request.headers.origin !== ORIGIN) return send(response, '<h1>Refused</h1>', 403);
  await route(request, response).catch((error: Error) => {
    send(response, `<h1>That did not work</h1><p>${escaped(error.message)}</p>`, 400);
  });
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`The web app is at ${ORIGIN}`));
