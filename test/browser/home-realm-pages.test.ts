import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aBrowserWorld, type BrowserWorld } from '../support/browser-world.ts';
import { examineAsShown } from '../support/examined.ts';
import { Authorize, aPerson, aWebApplication, type Person, redeem, type WebApplication } from '../support/sign-in.ts';
import { aTenant, type TestTenant } from '../support/tenants.ts';
import { heading, KeyboardAlone, press } from '../support/visitor.ts';

const ORGANIZATIONS = { id: 'organizations' };

let world: BrowserWorld;
let database: BrowserWorld['database'];
let server: BrowserWorld['server'];
let contoso: TestTenant;
let notes: WebApplication;
let alice: Person;

beforeAll(async () => {
  world = await aBrowserWorld();
  ({ database, server } = world);
  contoso = await aTenant(database, 'Contoso');
  const fabrikam = await aTenant(database, 'Fabrikam');
  const properties = { name: 'Fabrikam Notes', redirectUri: world.redirectUri, published: true };
  notes = await aWebApplication(database, fabrikam, properties);
  alice = await aPerson(database, server, contoso, { name: 'Alice Moreau' });
}, 120_000);

afterAll(() => world.close());

test('with a keyboard alone a person says where he belongs, mistypes, signs in there and gets to the application', async () => {
  const { page, close } = await world.visitor();
  const keys = new KeyboardAlone(page);
  const asked = new Authorize(server, ORGANIZATIONS, notes);
  await page.goto(asked.url);
  await page.locator('#username:focus').waitFor();
  await page.keyboard.type('alice@contso.example');
  await keys.enter();
  expect(await page.getByRole('alert').textContent()).toContain('No organization here has the domain contso.example');
  expect(await page.title()).toMatch(/^Error: Sign in/);
  await page.locator('#username:focus').waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.type(alice.username);
  await keys.press('Next');
  expect(new URL(page.url()).pathname).toMatch(new RegExp(`^/${contoso.id}/interaction/`));
  expect(await page.locator('#username').inputValue()).toBe(alice.username);
  await page.locator('#password:focus').waitFor();
  await page.keyboard.type(alice.password);
  await keys.enter();
  await keys.press('Accept');
  expect(await heading(page)).toBe('done');
  const answer = new URL(page.url()).searchParams;
  expect([answer.get('state'), answer.get('iss')]).toEqual([asked.state, `${server.origin}/${contoso.id}/v2.0`]);
  const redeemed = { code: answer.get('code') ?? '', code_verifier: asked.verifier };
  expect(await redeem(server, ORGANIZATIONS, notes, redeemed)).toMatchObject({ token_type: 'Bearer' });

  await page.goto(new Authorize(server, ORGANIZATIONS, notes).url);
  await page.locator('#username:focus').waitFor();
  await page.keyboard.type(alice.username);
  await keys.enter();
  expect(await heading(page)).toBe('Is this the right account?');
  await keys.press('Continue');
  expect(await heading(page)).toBe('done');
  await close();
});

test.each([
  ['desktop', 'light', { width: 1280, height: 900 }],
  ['phone', 'dark', { width: 390, height: 844 }],
] as const)('axe finds nothing, also with the longest domain: %s, %s', async (size, colorScheme, viewport) => {
  const { context, page, close } = await world.visitor({ colorScheme, viewport });
  await page.goto(new Authorize(server, ORGANIZATIONS, notes).url);
  await examineAsShown(page, `home-realm-${size}`);
  await page.getByLabel('Username').fill(`alice@${`${'w'.repeat(60)}.`.repeat(3)}example`);
  await press(page, 'Next');
  await examineAsShown(page, `home-realm-unknown-${size}`);
  await page.goto(`${server.origin}/organizations/oauth2/v2.0/logout?logout_hint=alice@nowhere.example`);
  await context.addCookies(
    [contoso.id, '00000000-0000-4000-8000-000000000000'].map((id) => ({
      ...{ name: `bailiwick-session-${id}`, value: 'a', url: server.origin },
    })),
  );
  await page.reload();
  expect(await heading(page)).toBe('Which account do you want to sign out?');
  await examineAsShown(page, `home-realm-sign-out-${size}`);
  await page.goto(`${server.origin}/organizations/oauth2/v2.0/authorize?client_id=${contoso.id}`);
  expect(await heading(page)).toBe('This application is not for every organization');
  await examineAsShown(page, `home-realm-application-${size}`);
  await close();
});
