import { createHash, randomBytes } from 'node:crypto';
import { Browser, headingOf, type Page } from './browser.ts';
import type { Application, Organization, Person } from './demo.ts';
import type { Answer, Stage, TokenBody } from './stage.ts';

/** Whom a visitor asks, and for what. */
export interface Errand {
  readonly organization: Organization;
  readonly application: Application;
  readonly scope: string;
}

/** A person at a browser of his own, who goes from an application to the sign-in pages and back. */
export class Visitor {
  readonly #stage: Stage;
  readonly #person: Person;
  readonly #browser: Browser;
  readonly #errand: Errand;
  #verifier = '';

  constructor(stage: Stage, person: Person, errand: Errand) {
    this.#stage = stage;
    this.#person = person;
    this.#browser = new Browser(stage.origin);
    this.#errand = errand;
  }

  /** Begins at the application, and signs in where that is asked. Ends at the next page, or back at the application. */
  async begin(parameters: Readonly<Record<string, string>> = {}): Promise<Page> {
    const { organization, application, scope } = this.#errand;
    this.#verifier = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      client_id: application.appId,
      redirect_uri: callbackOf(application),
      response_type: 'code',
      scope,
      state: 'story',
      code_challenge: createHash('sha256').update(this.#verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    });
    const page = await this.#browser.open(`${this.#stage.origin}/${organization.id}/oauth2/v2.0/authorize?${query}`);
    if (!/^Sign in/.test(headingOf(page))) return page;
    const { userPrincipalName: username, password } = this.#person;
    return this.#browser.submit(page, { username, password, decision: 'accept' });
  }

  /** Presses a button of a page. */
  press(page: Page, fields: Readonly<Record<string, string>>): Promise<Page> {
    return this.#browser.submit(page, fields);
  }

  /** The application redeems the code that came back with the visitor. */
  redeem({ location }: Page): Promise<Answer<TokenBody>> {
    const { organization, application } = this.#errand;
    return this.#stage.token(organization, application, {
      grant_type: 'authorization_code',
      code: location?.searchParams.get('code') ?? '',
      redirect_uri: callbackOf(application),
      code_verifier: this.#verifier,
    });
  }

  refresh(refreshToken: string): Promise<Answer<TokenBody>> {
    const { organization, application } = this.#errand;
    return this.#stage.token(organization, application, { grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  /** The application sends the visitor to sign out; the page there asks first. */
  async signOut(idToken: string): Promise<Page> {
    const { organization } = this.#errand;
    const query = new URLSearchParams({ id_token_hint: idToken });
    const page = await this.#browser.open(`${this.#stage.origin}/${organization.id}/oauth2/v2.0/logout?${query}`);
    return this.press(page, { logout: 'yes' });
  }
}

/** What the application is told when the visitor comes back. */
export function toldTo({ location }: Page): URLSearchParams {
  return location?.searchParams ?? new URLSearchParams();
}

/** A page, or what the application is told, in words. */
export function wordsOf(page: Page): string {
  const told = toldTo(page);
  if (told.has('code')) return 'a code';
  if (told.has('error')) return `${told.get('error')} ${told.get('error_description') ?? ''}`.trim();
  return `${page.status} "${headingOf(page)}"`;
}

function callbackOf({ displayName, web }: Application): string {
  const [callback] = web?.redirectUris ?? [];
  if (callback === undefined) throw new Error(`config/demo.yaml gives ${displayName} no redirect URI.`);
  return callback;
}
