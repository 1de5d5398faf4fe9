import { expect } from '@jest/globals';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { Person } from './sign-in.ts';

/** A fresh browser profile. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What its console said and what it could not load. */
  readonly complaints: string[];
  /** Expects that there were no complaints. */
  close(): Promise<void>;
}

export async function aVisitor(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // A page that says that something failed has a status that says so too, which Chromium reports.
    if (!/status of 4\d\d|status of 503/.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`));
  const close = async () => {
    expect(complaints).toEqual([]);
    await context.close();
  };
  return { context, page, complaints, close };
}

export const heading = (page: Page) => page.locator('h1').textContent();

/** Presses, and is on the next page: what a test does then happens there. */
export async function press(page: Page, name: string, role: 'button' | 'link' = 'button'): Promise<void> {
  const arrived = page.waitForEvent('framenavigated');
  await page.getByRole(role, { name }).first().click();
  await arrived;
  await page.waitForLoadState();
}

export async function fillSignIn(
  page: Page,
  { username, password }: Pick<Person, 'username' | 'password'>,
): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(password);
  await press(page, 'Sign in');
}

const NAME = `(() => { const one = document.activeElement;
  const read = (one.labels?.[0] ?? one).cloneNode(true);
  for (const decoration of read.querySelectorAll('[aria-hidden=true]')) decoration.remove();
  return read.textContent.replace(/\\s+/g, ' ').trim(); })()`;
// Behind the last stop the document itself has its turn, as the browser's own frame would.
const RING = `(() => { const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return document.activeElement === document.body || (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0); })()`;
const MOST_STOPS = 60;

/** Somebody who has a keyboard and nothing else. Wherever he stops, he sees where he is. */
export class KeyboardAlone {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Goes on with Tab (or back) until what has that name; its name begins so, by its label or its own text. */
  async reach(name: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
    const passed: string[] = [];
    while (!passed.at(-1)?.startsWith(name)) {
      if (passed.length > MOST_STOPS) throw new Error(`${name} is not reached: ${[...new Set(passed)].join(', ')}`);
      await this.#page.keyboard.press(key);
      passed.push(await this.#page.evaluate<string>(NAME));
      const isSeen = await this.#page.evaluate<boolean>(RING);
      expect([passed.at(-1), isSeen]).toEqual([passed.at(-1), true]);
    }
  }

  async type(name: string, text: string): Promise<void> {
    await this.reach(name);
    await this.#page.keyboard.press('ControlOrMeta+A');
    await this.#page.keyboard.type(text);
  }

  /** A box that is to be changed, or one of several answers, once it is reached. */
  async choose(name: string, key: 'Space' | 'ArrowDown' | 'ArrowUp' = 'Space'): Promise<void> {
    await this.reach(name);
    await this.#page.keyboard.press(key);
  }

  /** Enter on a button or a link, and is on the next page. */
  async press(name: string): Promise<void> {
    await this.reach(name);
    await this.enter();
  }

  async enter(): Promise<void> {
    const arrived = this.#page.waitForEvent('framenavigated');
    await this.#page.keyboard.press('Enter');
    await arrived;
    await this.#page.waitForLoadState();
  }
}
