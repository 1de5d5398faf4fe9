import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { aClientApplication, consentTo, type TestApplication } from '../support/applications.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { post } from '../support/authorize.ts';
import { aChromium } from '../support/chromium.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aPerson, type Person } from '../support/sign-in.ts';
import { aTenant, type TestTenant } from '../support/tenants.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where to keep a picture of every page, for people to look at. */
const PICTURES = process.env.BAILIWICK_PICTURES;
const SCOPE = 'openid profile offline_access User.Read';

let database: TestDatabase;
let server: TestAuthenticationServer;
let browser: Browser;
let tenant: TestTenant;
let alice: Person;
let device: TestApplication;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  browser = await aChromium();
  tenant = await aTenant(database, 'Contoso');
  alice = await aPerson(database, server, tenant, { name: 'Alice Moreau' });
  const properties = { name: 'Meeting room display', isConfidential: false, isFallbackPublicClient: true };
  device = await aClientApplication(database, tenant, properties);
  await consentTo(database, tenant, { clientId: device.servicePrincipalId, scopes: SCOPE.split(' ') });
}, 120_000);

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await browser.close();
  await server.close();
  await database.drop();
});

async function press(page: Page, name: string): Promise<void> {
  const arrived = page.waitForEvent('framenavigated');
  await page.getByRole('button', { name }).click();
  await arrived;
  await page.waitForLoadState();
}

/** No violation of WCAG that axe knows, and a picture where somebody wants to look. */
async function looked(page: Page, name: string): Promise<void> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}

test.each([
  ['desktop', 'light', { width: 1280, height: 900 }],
  ['phone', 'dark', { width: 390, height: 844 }],
] as const)('a person signs a device in: %s, %s', async (size, colorScheme, viewport) => {
  const context = await browser.newContext({ javaScriptEnabled: true, colorScheme, viewport, bypassCSP: true });
  const page = await context.newPage();
  const { body } = await post(server.origin, tenant, 'devicecode', { client_id: device.appId, scope: SCOPE });
  await page.goto(body.verification_uri);
  await page.getByLabel('Username').fill(alice.username);
  await page.getByLabel('Password').fill(alice.password);
  await press(page, 'Sign in');
  await looked(page, `device-code-${size}`);
  await page.getByLabel('Code').fill(body.user_code.toLowerCase());
  await press(page, 'Continue');
  expect(await page.locator('h1').textContent()).toBe('Is this your device?');
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  await looked(page, `device-confirm-${size}`);
  await press(page, 'Continue');
  expect(await page.locator('h1').textContent()).toBe('You are signed in on the device');
  await looked(page, `device-done-${size}`);
  await context.close();
});
