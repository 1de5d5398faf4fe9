import { Browser, formsOf, headingOf, type Page } from '../../scripts/demo-story/browser.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const MAX_PAGES = 6;

/**
 * A person who goes through the pages as they come, from where a client library has sent the browser to where the
 * application gets its answer, or to a page that asks nothing more.
 */
export class PersonAtPages {
  readonly browser: Browser;
  readonly #credentials: Credentials;
  /** The headings that were seen, in order. */
  readonly seen: string[] = [];

  constructor(origin: string, credentials: Credentials) {
    this.browser = new Browser(origin);
    this.#credentials = credentials;
  }

  /** @param decision `cancel`: of the first page that asks */
  async goThrough(url: string | URL, decision: 'accept' | 'cancel' = 'accept'): Promise<Page> {
    return this.answer(await this.browser.open(String(url)), decision);
  }

  async answer(
    first: Page,
    decision: 'accept' | 'cancel' = 'accept',
    filled: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    let page = first;
    for (let pages = 0; pages < MAX_PAGES && page.location === undefined; pages += 1) {
      const heading = headingOf(page);
      const form = formsOf(page)[0];
      if (!form || !ASKS.test(heading)) return page;
      this.seen.push(heading);
      const known: Readonly<Record<string, string>> = { ...this.#credentials, ...filled };
      const asked = Object.keys(known).filter((name) => name in form.fields);
      const fields = Object.fromEntries(asked.map((name) => [name, known[name] ?? '']));
      page = await this.browser.submit(page, { ...fields, decision });
    }
    return page;
  }

  /** The URL at the application that the browser was sent to. */
  async arrive(url: string | URL, decision: 'accept' | 'cancel' = 'accept'): Promise<URL> {
    const { location, status, text } = await this.goThrough(url, decision);
    if (!location) throw new Error(`The application got no answer: ${status} ${text.slice(0, 4_000)}`);
    return location;
  }
}

/** Headings of pages that ask something; all others are the end. */
const ASKS = /^(Sign in|Confirm that|Allow|Is this the right account|Is this your device)/;
