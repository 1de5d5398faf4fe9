/** A page or an answer as a browser without JavaScript got it. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Where a redirect leads, when it was not followed (to an application). */
  readonly location: URL | undefined;
}

interface FormOnPage {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Values of its buttons. */
  readonly answers: readonly string[];
}

interface Asked {
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly body?: URLSearchParams | string;
  readonly headers?: Readonly<Record<string, string>>;
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  quot: '"',
  amp: '&',
};
const MAX_HOPS = 10;

/** A browser without JavaScript: cookies by path, redirects within the origin, forms as they stand on the page. */
export class Browser {
  readonly origin: string;
  /** Name → value and path. Change them to play an attacker. */
  readonly cookies = new Map<string, { value: string; path: string }>();
  /** Each `Set-Cookie` line ever received. */
  readonly setCookies: string[] = [];
  /** What every form is sent with; real browsers send both. */
  formHeaders: Record<string, string>;

  readonly #address: string;

  /** @param address of the process that serves the origin for this browser */
  constructor(origin: string, address = origin) {
    this.origin = origin;
    this.#address = address;
    this.formHeaders = { Origin: origin, 'Sec-Fetch-Site': 'same-origin' };
  }

  /** One request, no redirect followed. */
  async ask(address: string, { method = 'GET', body, headers = {} }: Asked = {}): Promise<Page> {
    const url = new URL(address, this.origin);
    const type = body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' };
    const sent = { Accept: 'text/html', ...type, Cookie: this.#cookiesFor(url), ...headers };
    const served = url.href.replace(this.origin, this.#address);
    const response = await fetch(served, { method, body: body?.toString() ?? null, headers: sent, redirect: 'manual' });
    this.#keep(response.headers.getSetCookie());
    const location = response.headers.get('location');
    return {
      url: url.href,
      status: response.status,
      headers: response.headers,
      text: await response.text(),
      location: location === null ? undefined : new URL(location, url),
    };
  }

  /** Opens an address and follows redirects as long as they stay at the origin. */
  async open(address: string, asked: Asked = {}): Promise<Page> {
    let page = await this.ask(address, asked);
    for (let hops = 0; page.location?.origin === this.origin; hops += 1) {
      if (hops === MAX_HOPS) throw new Error(`Redirected in a circle at ${page.location.href}`);
      page = await this.ask(page.location.href);
    }
    return page;
  }

  /** Fills a form of the page in (the first that has such a button), presses that, and follows where it leads. */
  async submit(page: Page, filled: Readonly<Record<string, string>>, which?: number): Promise<Page> {
    const forms = formsOf(page);
    const answering = forms.find(({ answers }) => filled.decision !== undefined && answers.includes(filled.decision));
    const form = which === undefined ? (answering ?? forms[0]) : forms[which];
    if (!form) throw new Error(`There is no form on ${page.url} (${page.status}): ${page.text.slice(0, 2_000)}`);
    const body = new URLSearchParams({ ...form.fields, ...filled });
    return this.open(form.action, { method: 'POST', body, headers: this.formHeaders });
  }

  #cookiesFor(url: URL): string {
    return [...this.cookies]
      .filter(
        ([, { path }]) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
      )
      .map(([name, { value }]) => `${name.split('|')[0]}=${value}`)
      .join('; ');
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      this.setCookies.push(line);
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const path = /; ?path=([^;]+)/i.exec(line)?.[1] ?? '/';
      const isGone = value === '' || /expires=Thu, 01 Jan 1970/i.test(line);
      // The same name may stand on several paths: interactions do.
      if (isGone) this.cookies.delete(`${name}|${path}`);
      else this.cookies.set(`${name}|${path}`, { value, path });
    }
  }
}

/** The forms of a page with their hidden and filled fields; buttons are not among them. */
export function formsOf({ text, url }: Page): FormOnPage[] {
  return [...text.matchAll(/<form method="post" action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(
    ([, action = '', content = '']) => ({
      action: new URL(decoded(action), url).href,
      fields: Object.fromEntries(
        [...content.matchAll(/<input [^>]*>/g)]
          .map(([tag]) => [attribute(tag, 'name'), attribute(tag, 'value'), attribute(tag, 'type')] as const)
          .filter(([name, , type]) => name !== undefined && type !== 'checkbox')
          .map(([name, value]) => [name, value ?? '']),
      ),
      answers: [...content.matchAll(/<button [^>]*>/g)].flatMap(([tag]) => attribute(tag, 'value') ?? []),
    }),
  );
}

/** The text of a page as it is read: without tags. */
export function textOf({ text }: Page): string {
  return decoded(text.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ');
}

export function headingOf({ text }: Page): string {
  return decoded(/<h1[^>]*>(.*?)<\/h1>/s.exec(text)?.[1] ?? '');
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? undefined : decoded(value);
}

function decoded(text: string): string {
  return text.replace(/&(?:#(\d+)|(\w+));/g, (entity, code?: string, name = '') =>
    code === undefined ? (ENTITIES[name] ?? entity) : String.fromCodePoint(Number(code)),
  );
}
