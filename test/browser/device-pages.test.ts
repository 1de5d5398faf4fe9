import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aClientApplication, consentTo, type TestApplication } from '../support/applications.ts';
import { post } from '../support/authorize.ts';
import { aBrowserWorld, type BrowserWorld } from '../support/browser-world.ts';
import { examineAsShown } from '../support/examined.ts';
import { aPerson, type Person } from '../support/sign-in.ts';
import { aTenant, type TestTenant } from '../support/tenants.ts';
import { fillSignIn, heading, press } from '../support/visitor.ts';

const SCOPE = 'openid profile offline_access User.Read';

let world: BrowserWorld;
let database: BrowserWorld['database'];
let server: BrowserWorld['server'];
let tenant: TestTenant;
let alice: Person;
let device: TestApplication;

beforeAll(async () => {
  world = await aBrowserWorld();
  ({ database, server } = world);
  tenant = await aTenant(database, 'Contoso');
  alice = await aPerson(database, server, tenant, { name: 'Alice Moreau' });
  const properties = { name: 'Meeting room display', isConfidential: false, isFallbackPublicClient: true };
  device = await aClientApplication(database, tenant, properties);
  await consentTo(database, tenant, { clientId: device.servicePrincipalId, scopes: SCOPE.split(' ') });
}, 120_000);

afterAll(() => world.close());

test.each([
  ['desktop', 'light', { width: 1280, height: 900 }],
  ['phone', 'dark', { width: 390, height: 844 }],
] as const)('a person signs a device in: %s, %s', async (size, colorScheme, viewport) => {
  const { page, close } = await world.visitor({ colorScheme, viewport });
  const { body } = await post(server.origin, tenant, 'devicecode', { client_id: device.appId, scope: SCOPE });
  await page.goto(body.verification_uri);
  await fillSignIn(page, alice);
  await examineAsShown(page, `device-code-${size}`);
  await page.getByLabel('Code').fill(body.user_code.toLowerCase());
  await press(page, 'Continue');
  expect(await heading(page)).toBe('Is this your device?');
  await examineAsShown(page, `device-confirm-${size}`);
  await press(page, 'Continue');
  expect(await heading(page)).toBe('You are signed in on the device');
  await examineAsShown(page, `device-done-${size}`);
  await close();
});
