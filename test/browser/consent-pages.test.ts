import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { loadAssets } from '../../src/authentication/pages/assets.ts';
import { pageHeaders } from '../../src/authentication/pages/headers.ts';
import { aChromium } from '../support/chromium.ts';
import { consentPages } from '../support/consent-pages.ts';
import { examine } from '../support/examined.ts';

const ORIGIN = 'https://login.test';

const assets = loadAssets(ORIGIN);
const pages = consentPages(assets.links, (text) => text);
const longNames = consentPages(assets.links, (text) => `${text}${'Wm'.repeat(80)}`);
let browser: Browser;

beforeAll(async () => {
  browser = await aChromium();
}, 120_000);
afterAll(() => browser.close());

/** The page as a browser gets it: with its headers, its stylesheet and nothing else. */
async function opened(markup: string) {
  const context = await browser.newContext();
  await context.route(`${ORIGIN}/**`, (route) => {
    const file = assets.files.get(new URL(route.request().url()).pathname);
    if (file) return route.fulfill({ body: file.body, contentType: file.contentType });
    return route.fulfill({ body: markup, headers: pageHeaders('self') });
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  await page.goto(`${ORIGIN}/page`);
  return { context, page, complaints };
}

describe('every page of consent', () => {
  test.each(Object.keys(pages))('%s: axe finds nothing, in light and dark, on phone and desktop', async (name) => {
    const { context, page, complaints } = await opened(String(pages[name]));
    await examine(page, name);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test.each(Object.keys(longNames))('%s stays within a phone, whatever it is called', async (name) => {
    const { context, page } = await opened(String(longNames[name]));
    await page.setViewportSize({ width: 320, height: 740 });
    expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0);
    await context.close();
  });
});
