import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler } from 'express';
import session from 'express-session';
import passport, { type Profile } from 'passport';
import OpenIDConnectStrategy from 'passport-openidconnect';
import { CALLBACK, CONTOSO, WEB } from './organizations.ts';
import { type Credentials, PersonAtPages } from './person-at-pages.ts';

/** How the application ended a sign-in: the profile, passport's own error, or that it failed. */
export interface Outcome {
  readonly status: number;
  readonly body: {
    readonly profile?: Profile;
    readonly error?: string;
    readonly code?: string;
    readonly failed?: string[];
  };
}

/** An Express application as the library's page shows one: a session, two routes, and what it says of errors. */
export class PassportApplication {
  readonly #origin: string;
  readonly #server: Server;
  readonly #listening: Promise<unknown>;

  /** @param origin of the server that people sign in at */
  constructor(origin: string) {
    this.#origin = origin;
    const authority = `${origin}/${CONTOSO.id}`;
    const authenticator = new passport.Passport();
    authenticator.use(
      new OpenIDConnectStrategy(
        {
          issuer: `${authority}/v2.0`,
          authorizationURL: `${authority}/oauth2/v2.0/authorize`,
          tokenURL: `${authority}/oauth2/v2.0/token`,
          userInfoURL: `${authority}/oidc/userinfo`,
          clientID: WEB.appId,
          clientSecret: WEB.secret,
          callbackURL: CALLBACK,
          scope: ['profile'],
          nonce: 'on',
        },
        (_issuer: string, profile: Profile, done: (error: null, user: Profile) => void) => done(null, profile),
      ),
    );
    const app = express();
    app.use(session({ secret: 'test', resave: false, saveUninitialized: false }));
    const authenticate = authenticator.authenticate('openidconnect', { session: false, failWithError: true });
    app.get('/login', authenticate);
    app.get('/callback', authenticate, (request, response) => {
      response.json({ profile: request.user });
    });
    app.use(((error, _request, response, _next) => {
      response.status(error.status ?? 500).json({ error: error.message, code: error.code, name: error.name });
    }) satisfies ErrorRequestHandler);
    this.#server = app.listen(0, '127.0.0.1');
    this.#listening = once(this.#server, 'listening');
  }

  /** A sign-in from the application's own link to its own callback. */
  async signIn(person: Credentials, decision: 'accept' | 'cancel' = 'accept'): Promise<Outcome> {
    await this.#listening;
    const { port } = this.#server.address() as AddressInfo; // listening on TCP
    const own = `http://127.0.0.1:${port}`;
    const begun = await fetch(`${own}/login`, { redirect: 'manual' });
    const cookie = begun.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const answer = await new PersonAtPages(this.#origin, person).arrive(begun.headers.get('location') ?? '', decision);
    const ended = await fetch(`${own}/callback${answer.search}`, { headers: { Cookie: cookie } });
    return { status: ended.status, body: (await ended.json()) as Outcome['body'] }; // what the assertions check
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
