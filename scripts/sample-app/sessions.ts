import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registration, SignIn, Tokens } from './application.ts';

/** What this application knows of a browser: a sign-in that is under way, or who is signed in. */
export type Session =
  | { readonly state: 'signingIn'; readonly signIn: SignIn }
  | { readonly state: 'signedIn'; readonly registration: Registration; readonly tokens: Tokens };

const COOKIE = /(?:^|; )sample-session=([A-Za-z0-9_-]{43})/;
const MAX_SESSIONS = 1_000;

/** Sessions in memory, by a random cookie. Tokens stay here: the browser never sees one. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #attributes: string;

  constructor(origin: string) {
    // Lax, so that the cookie comes along when the issuer sends the browser back.
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${origin.startsWith('https:') ? '; Secure' : ''}`;
  }

  find(request: IncomingMessage): Session | undefined {
    return this.#sessions.get(idOf(request));
  }

  /** Under a new id each time, so that nobody can plant one that he knows before somebody signs in. */
  replace(request: IncomingMessage, response: ServerResponse, session: Session): void {
    this.#sessions.delete(idOf(request));
    if (this.#sessions.size >= MAX_SESSIONS) this.#sessions.delete(this.#sessions.keys().next().value ?? '');
    const id = randomBytes(32).toString('base64url');
    this.#sessions.set(id, session);
    response.setHeader('Set-Cookie', `sample-session=${id}; ${this.#attributes}`);
  }

  end(request: IncomingMessage, response: ServerResponse): void {
    this.#sessions.delete(idOf(request));
    response.setHeader('Set-Cookie', `sample-session=; Max-Age=0; ${this.#attributes}`);
  }
}

function idOf({ headers }: IncomingMessage): string {
  return COOKIE.exec(headers.cookie ?? '')?.[1] ?? '';
}
