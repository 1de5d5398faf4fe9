import { mkdirSync } from 'node:fs';
import { adminConsentPage } from '../../src/authentication/pages/admin-consent.ts';
import { loadAssets } from '../../src/authentication/pages/assets.ts';
import { pageHeaders } from '../../src/authentication/pages/headers.ts';
import type { Html } from '../../src/authentication/pages/html.ts';
import { aChromium } from '../../test/support/chromium.ts';
import { consentPages } from '../../test/support/consent-pages.ts';

/** The product's own pages, with the models on which they are tested: no server, so that a picture changes with its page alone. */
const ORIGIN = 'https://login.example';
const FOLDER = new URL('../../docs/img/', import.meta.url).pathname;
const SIZES = { desktop: 1280, phone: 390 } as const;

const assets = loadAssets(ORIGIN);
const pages = consentPages(assets.links, (text) => text);

/** What is pictured, by the name of its file. */
const PICTURED: Readonly<Record<string, Html | undefined>> = {
  consent: pages.consentFurther,
  'admin-consent': anAdminConsent(),
  'my-applications': pages.myApplications,
  application: pages.adminApplication,
  revoked: pages.accessRevoked,
};

const browser = await aChromium();
mkdirSync(FOLDER, { recursive: true });
for (const [name, markup] of Object.entries(PICTURED)) {
  if (!markup) throw new Error(`There is no page for ${name}.`);
  for (const [size, width] of Object.entries(SIZES)) {
    const context = await browser.newContext({ viewport: { width, height: 800 }, reducedMotion: 'reduce' });
    await context.route(`${ORIGIN}/**`, (route) => {
      const file = assets.files.get(new URL(route.request().url()).pathname);
      if (file) return route.fulfill({ body: file.body, contentType: file.contentType });
      return route.fulfill({ body: String(markup), headers: pageHeaders('self') });
    });
    const page = await context.newPage();
    await page.goto(`${ORIGIN}/page`);
    await page.screenshot({ path: `${FOLDER}${name}-${size}.png`, fullPage: true });
    await context.close();
  }
}
await browser.close();

function anAdminConsent(): Html {
  const permission = (value: string, title: string, description: string) =>
    ({ value, title, description, state: 'new' }) as const;
  return adminConsentPage({
    layout: { assets: assets.links, tenant: { displayName: 'Contoso', domain: 'contoso.example' } },
    form: { action: '/', csrf: '' },
    account: { username: 'ada@contoso.example', displayName: 'Ada Okafor', switchHref: '/' },
    application: {
      displayName: 'Fabrikam Analytics',
      appId: 'b2f0d7f4-5c3e-4d3a-8f0e-2d3c8f1a9b77',
      publisher: 'Fabrikam',
      trust: 'verified',
      verifiedPublisher: 'fabrikam.example',
      homeTenant: { displayName: 'Fabrikam', domain: 'fabrikam.example' },
      redirectHost: 'analytics.fabrikam.example',
    },
    organization: 'Contoso',
    delegated: [
      {
        resource: 'Bailiwick directory',
        permissions: [
          permission('User.Read.All', 'Read all users', 'Reads the profiles of everybody in the organization.'),
        ],
      },
    ],
    applicationOnly: [
      {
        resource: 'Bailiwick directory',
        permissions: [
          permission('AuditLog.Read.All', 'Read the audit log', 'Reads who did what, without a signed-in user.'),
        ],
      },
    ],
  });
}
