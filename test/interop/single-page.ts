import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { aChromium } from '../support/chromium.ts';
import type { Deployment } from '../support/deployment.ts';
import { aVisitor, type Visitor } from '../support/visitor.ts';

/** A real browser that accepts the deployment's certificate, and those of nobody else. */
export function aBrowserFor({ certificateAuthority }: Deployment): Promise<Browser> {
  return aChromium({ trusted: [readFileSync(join(dirname(certificateAuthority), 'certificate.pem'), 'utf8')] });
}

/** What the application's page calls at the server, in order: grants by their type, and pages by their endpoint. */
export interface Guest extends Visitor {
  readonly calls: string[];
}

export async function aGuest(browser: Browser): Promise<Guest> {
  const visitor = await aVisitor(browser);
  const calls: string[] = [];
  visitor.context.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.endsWith('/token')) calls.push(new URLSearchParams(request.postData() ?? '').get('grant_type') ?? '');
    else if (pathname.endsWith('/authorize')) calls.push('authorize');
  });
  return { ...visitor, calls };
}

/** Opens a page of the application, with its answer to whatever the address holds. */
export async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await ready(page);
}

/** The page has looked at what came back, if anything did. */
export async function ready(page: Page): Promise<void> {
  await page.waitForFunction('globalThis.answer !== undefined');
}

/** What the application's page has, in JSON: what was thrown is under `thrown`, as the library documents it. */
export function ask<T = unknown>(page: Page, expression: string): Promise<T> {
  return page.evaluate<T>(
    `(async () => ${expression})().catch((error) => ({ thrown: error.name, message: error.message, ...error }))`,
  );
}

/** Does what leads away from the page, and is on the next one. */
export async function leave(page: Page, expression: string): Promise<void> {
  const arrived = page.waitForEvent('framenavigated');
  await page.evaluate(`void ${expression}`);
  await arrived;
  await page.waitForLoadState();
}
