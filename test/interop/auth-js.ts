import { Auth, type AuthConfig } from '@auth/core';
import { CONTOSO, WEB } from './organizations.ts';
import { type Credentials, PersonAtPages } from './person-at-pages.ts';

const ORIGIN = 'https://app.example';

/** An application of Auth.js with this server as its one provider, and a browser that keeps its cookies. */
export class AuthApplication {
  readonly #origin: string;
  readonly #config: AuthConfig;
  readonly #cookies = new Map<string, string>();
  /** What it logged as errors: the class of each, and the server's words in it. */
  readonly errors: Error[] = [];

  /** @param origin of the server that people sign in at */
  constructor(origin: string, clientSecret = WEB.secret) {
    this.#origin = origin;
    this.#config = {
      secret: 'a secret of this test',
      trustHost: true,
      basePath: '/auth',
      logger: { error: (error) => this.errors.push(error) },
      providers: [
        {
          ...{ id: 'bailiwick', name: 'Bailiwick', type: 'oidc', issuer: `${origin}/${CONTOSO.id}/v2.0` },
          ...{ clientId: WEB.appId, clientSecret },
        },
      ],
    };
  }

  async #ask(path: string, form?: Readonly<Record<string, string>>): Promise<Response> {
    const headers = new Headers({ Cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') });
    if (form) headers.set('Content-Type', 'application/x-www-form-urlencoded');
    const body = form ? new URLSearchParams(form) : null;
    const request = new Request(new URL(path, ORIGIN), { method: form ? 'POST' : 'GET', headers, body });
    const response = await Auth(request, this.#config);
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }

  /** A sign-in from its own button to its own callback; where it sends the browser at the end. */
  async signIn(person: Credentials, decision: 'accept' | 'cancel' = 'accept'): Promise<string> {
    const { csrfToken } = (await (await this.#ask('/auth/csrf')).json()) as { csrfToken: string }; // its own page's
    const begun = await this.#ask('/auth/signin/bailiwick', { csrfToken, callbackUrl: `${ORIGIN}/home` });
    const to = begun.headers.get('location') ?? '';
    if (!to.startsWith(this.#origin)) return to;
    const answer = await new PersonAtPages(this.#origin, person).arrive(to, decision);
    const ended = await this.#ask(`${answer.pathname}${answer.search}`);
    return ended.headers.get('location') ?? '';
  }

  async session(): Promise<unknown> {
    return (await this.#ask('/auth/session')).json();
  }
}
