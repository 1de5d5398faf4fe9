import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { aChromium } from '../../test/support/chromium.ts';
import { application, organization, type Person, person } from '../demo-story/demo.ts';
import { inOwnDeployment } from '../demo-story/own-deployment.ts';
import { type Deployment, ROOT } from '../demo-story/processes.ts';
import { Stage } from '../demo-story/stage.ts';
import { Visitor } from '../demo-story/visitor.ts';
import { ofFewColours } from './palette.ts';

/** The pages of consent as people of the demo see them on a server that runs. */
const FOLDER = join(ROOT, 'docs', 'img');
const SIZES = { desktop: 960, phone: 390 } as const;
const MOST_BYTES = 100_000;

const contoso = organization('Contoso');
const [hr, analytics] = [
  application(contoso, 'Contoso HR'),
  application(organization('Fabrikam'), 'Fabrikam Analytics'),
];
const [alice, bob, hugo, ada] = ['alice', 'bob', 'hugo', 'ada'].map((name) => person(contoso, name)) as [
  Person,
  Person,
  Person,
  Person,
]; // as many as there are names
const CALLBACK = new URL(analytics.web?.redirectUris[0] ?? '');
const WANTED = 'openid profile User.Read User.Read.All GroupMember.Read.All';

const browser = await aChromium();
mkdirSync(FOLDER, { recursive: true });
try {
  await inOwnDeployment({}, (deployment) => picture(browser, deployment));
} finally {
  await browser.close();
}

/** The story in the order in which its pages come up. */
async function picture(chromium: Browser, deployment: Deployment): Promise<void> {
  const at = (path: string) => `${deployment.origin}/${contoso.id}${path}`;
  const asks = (appId: string, scope: string) => {
    const request = { client_id: appId, redirect_uri: CALLBACK.href, response_type: 'code', scope, state: 'picture' };
    const pkce = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };
    return at(`/oauth2/v2.0/authorize?${new URLSearchParams({ ...request, ...pkce })}`);
  };
  const alices = await aPerson(chromium, alice, asks(hr.appId, 'openid profile email offline_access User.Read'));
  await taken(alices, 'consent');
  await pressed(alices, 'Accept');
  await used(deployment);

  await alices.goto(asks(analytics.appId, WANTED));
  await alices.getByLabel('Why do you need it?').fill('I prepare the quarterly report of who works where.');
  await taken(alices, 'request');
  await pressed(alices, 'Send the request');
  const bobs = await aPerson(chromium, bob, asks(analytics.appId, 'openid User.Read.All'));
  await bobs.getByLabel('Why do you need it?').fill('To find the colleague who looks after a site.');
  await pressed(bobs, 'Send the request');

  const hugos = await aPerson(chromium, hugo, at('/admin/requests'));
  await pressed(hugos, 'Fabrikam Analytics', 'link');
  await hugos.getByLabel('Read who is in which group').uncheck();
  await hugos.getByLabel('What you tell those who asked').fill('People, but not who is in which group.');
  await taken(hugos, 'review');
  await pressed(hugos, 'Approve');

  await alices.goto(at('/my-applications'));
  await taken(alices, 'my-applications');

  const adas = await aPerson(chromium, ada, at(`/v2.0/adminconsent?client_id=${analytics.appId}`));
  await taken(adas, 'admin-consent');
  const asked = { client: analytics.appId, user: alice.userPrincipalName, scope: 'User.Read.All GroupMember.Read.All' };
  await adas.goto(at(`/admin/explain?${new URLSearchParams(asked)}`));
  await taken(adas, 'explain');
  await adas.goto(at('/admin/applications'));
  await pressed(adas, 'Fabrikam Analytics', 'link');
  await taken(adas, 'application');
  await pressed(adas, 'Revoke the access for Alice Moreau');
  await taken(adas, 'revoked');
}

/** Signed in, at the page that he wanted. The application's own end of the way is nobody's concern here. */
async function aPerson(chromium: Browser, { userPrincipalName, password }: Person, address: string): Promise<Page> {
  const context: BrowserContext = await chromium.newContext({ reducedMotion: 'reduce' });
  await context.route(`${CALLBACK.origin}/**`, (route) => route.fulfill({ body: 'The application' }));
  const page = await context.newPage();
  await page.goto(address);
  await page.getByLabel('Username').fill(userPrincipalName);
  await page.getByLabel('Password').fill(password);
  await pressed(page, 'Sign in');
  return page;
}

/** Alice works with Contoso HR, so that there is a last time. */
async function used(deployment: Deployment): Promise<void> {
  const stage = new Stage(deployment, () => undefined);
  const errand = { organization: contoso, application: hr, scope: 'openid profile offline_access User.Read' };
  const visitor = new Visitor(stage, alice, errand);
  await visitor.redeem(await visitor.begin());
}

async function pressed(page: Page, name: string, role: 'button' | 'link' = 'button'): Promise<void> {
  const arrived = page.waitForEvent('framenavigated');
  await page.getByRole(role, { name }).first().click();
  await arrived;
  await page.waitForLoadState();
}

async function taken(page: Page, name: string): Promise<void> {
  for (const [size, width] of Object.entries(SIZES)) {
    await page.setViewportSize({ width, height: 700 });
    const picture = ofFewColours(await page.screenshot({ fullPage: true, caret: 'hide' }));
    if (picture.length > MOST_BYTES) throw new Error(`The picture ${name} for ${size} has ${picture.length} bytes.`);
    writeFileSync(join(FOLDER, `${name}-${size}.png`), picture);
  }
}
