import { describe, expect, test } from '@jest/globals';
import { adminConsentPage } from '../../src/authentication/pages/admin-consent.ts';
import type { ApplicationIdentity } from '../../src/authentication/pages/application.ts';
import { loadAssets } from '../../src/authentication/pages/assets.ts';
import { changePasswordPage, type PasswordProblem } from '../../src/authentication/pages/change-password.ts';
import { consentPage } from '../../src/authentication/pages/consent.ts';
import { confirmDevicePage, deviceEndedPage, userCodePage } from '../../src/authentication/pages/device.ts';
import { errorPage } from '../../src/authentication/pages/error.ts';
import { ASSET_HEADERS, contentSecurityPolicy, pageHeaders } from '../../src/authentication/pages/headers.ts';
import { homeRealmPage } from '../../src/authentication/pages/home-realm.ts';
import { myAccountPage } from '../../src/authentication/pages/my-account.ts';
import { needsApprovalPage } from '../../src/authentication/pages/needs-approval.ts';
import type { Permission } from '../../src/authentication/pages/permissions.ts';
import { selectAccountPage } from '../../src/authentication/pages/select-account.ts';
import { type SignInProblem, signInPage } from '../../src/authentication/pages/sign-in.ts';
import { signOutPage } from '../../src/authentication/pages/sign-out.ts';
import { signedOutPage } from '../../src/authentication/pages/signed-out.ts';
import { inUtc, inWords } from '../../src/authentication/pages/time.ts';
import { consentPages } from '../support/consent-pages.ts';

const { links, files } = loadAssets('https://login.test');

/** One model of each page; `t` gives every free text its value. */
function everyPage(t: (text: string) => string): Record<string, string> {
  const layout = { assets: links, tenant: { displayName: t('Contoso'), domain: t('contoso.example') } };
  const form = { action: '/interaction/1', csrf: t('token-7'), hidden: { xsrf: t('x-1') } };
  const account = { username: t('alice@contoso.example'), displayName: t('Alice Adams'), switchHref: '/switch' };
  const application: ApplicationIdentity = {
    displayName: t('Fabrikam Analytics'),
    appId: t('b2f0d7f4-5c3e-4d3a-8f0e-2d3c8f1a9b77'),
    publisher: t('Fabrikam'),
    trust: 'unverified',
    homeTenant: { displayName: t('Fabrikam'), domain: t('fabrikam.example') },
    redirectHost: t('analytics.fabrikam.example'),
  };
  const read: Permission = { value: t('User.Read'), title: t('Read you'), description: t('Reads it.'), state: 'new' };
  const list = [{ resource: t('Directory'), permissions: [read, { ...read, state: 'grantedToYou' as const }] }];
  const organization = t('Contoso');
  const pages = {
    signIn: signInPage({
      layout,
      form,
      application: t('HR'),
      username: t('alice'),
      problem: 'rejected',
      canCancel: true,
    }),
    homeRealm: homeRealmPage({
      ...{ layout, form, application: t('HR'), username: t('alice@contoso.example'), canCancel: true },
      ...{ purpose: 'signIn', problem: 'unknown' },
    }),
    confirm: signInPage({ layout, form, application: t('HR'), account }),
    password: changePasswordPage({ layout, form, account, forced: true, problems: ['tooShort'] }),
    consent: consentPage({ layout, form, account, application, permissions: list, forOrganization: { organization } }),
    adminConsent: adminConsentPage({
      layout,
      form,
      account,
      application,
      organization,
      delegated: list,
      applicationOnly: list,
    }),
    needsApproval: needsApprovalPage({
      ...{ layout, form, account, application, organization, permissions: list },
      ...{ approvers: [t('Global Administrator')], approvalLink: t('https://login.test/adminconsent?client_id=1') },
    }),
    selectAccount: selectAccountPage({ layout, form, account, application: t('HR') }),
    signOut: signOutPage({ layout, form, account, application: t('HR') }),
    signedOut: signedOutPage({ layout, everywhere: true, signInHref: '/again' }),
    myAccount: myAccountPage({
      ...{
        layout,
        account,
        changePasswordHref: '/password',
        signOut: form,
        signOutEverywhere: form,
        done: 'passwordChanged',
      },
      applicationsHref: '/my-applications',
      adminHref: '/admin',
    }),
    userCode: userCodePage({ layout, form, account, userCode: t('WDJB-MJHT'), problem: 'unknown' }),
    confirmDevice: confirmDevicePage({
      ...{ layout, form, account, application, organization, permissions: list, userCode: t('WDJB-MJHT') },
      ...{ askedAt: new Date('2026-03-09T14:03:07Z'), browser: { address: t('203.0.113.7') } },
      device: { address: t('198.51.100.9'), program: t('a-television/7') },
    }),
    deviceEnded: deviceEndedPage({ layout, ending: 'approved', accountHref: '/account' }),
    error: errorPage({
      ...{ layout, title: t('It failed'), happened: t('Something.'), next: [t('Go back.'), t('Ask.')] },
      ...{ correlationId: t('c-1'), timestamp: new Date('2026-03-09T14:03:07Z'), code: t('invalid_request') },
      link: { href: '/x', label: t('Back') },
    }),
  };
  return Object.fromEntries(
    Object.entries({ ...pages, ...consentPages(links, t) }).map(([name, page]) => [name, page.toString()]),
  );
}

const plain = everyPage((text) => text);
const names = Object.keys(plain);
const markup = (name: string): string => plain[name] ?? '';

/** Every tag with its attribute names, in order; throws when the text is not well-formed in the narrow way that we write. */
function structure(page: string): { tag: string; attributes: Map<string, string> }[] {
  const token = /<!doctype html>|<\/[a-z0-9]+>|<([a-z0-9]+)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*\/?>|[^<>]+/gy;
  const tags: { tag: string; attributes: Map<string, string> }[] = [];
  let end = 0;
  for (const match of page.matchAll(token)) {
    end = match.index + match[0].length;
    if (match[1] === undefined) continue;
    const attributes = [...(match[2] ?? '').matchAll(/([a-zA-Z-]+)(?:="([^"]*)")?/g)];
    tags.push({ tag: match[1], attributes: new Map(attributes.map(([, name, value]) => [name ?? '', value ?? ''])) });
  }
  if (end !== page.length) throw new Error(`not well-formed at: ${page.slice(end, end + 80)}`);
  return tags;
}

const shape = (page: string) => structure(page).map(({ tag, attributes }) => [tag, ...attributes.keys()].join(' '));
const fieldNames = (page: string) =>
  structure(page).flatMap(({ tag, attributes }) =>
    ['input', 'select', 'textarea', 'button'].includes(tag) && attributes.get('name')
      ? [`${attributes.get('name')}`]
      : [],
  );

describe('every page', () => {
  test('neutralises the names that others chose', () => {
    const hostile = everyPage((text) => `${text}\u202E\u200B\u0007`);
    for (const page of Object.values(hostile)) {
      expect(page.replace(/="[^"]*"/g, '')).not.toMatch(/\u202E|\u200B|\p{Cc}(?<!\n)/u);
    }
  });

  const payloads = [
    '"><script>alert(1)</script>',
    `' onmouseover='alert(1)`,
    '</title></textarea><img src=x onerror=alert(1)>',
    '&lt;b&gt;{{7*7}}',
  ];

  test.each(payloads)('has the same structure whatever is put into its texts: %s', (payload) => {
    const poisoned = everyPage((text) => text + payload);
    for (const name of names) expect(shape(poisoned[name] ?? '')).toEqual(shape(markup(name)));
  });

  test.each(names)('%s has no script, no inline style, no handler and nothing from elsewhere', (name) => {
    for (const { tag, attributes } of structure(markup(name))) {
      expect(['script', 'style', 'iframe', 'object', 'embed', 'base']).not.toContain(tag);
      for (const attribute of attributes.keys()) expect(attribute).not.toMatch(/^(?:on|style$|srcdoc$|http-equiv$)/);
    }
    const loaded = structure(markup(name)).filter(({ tag }) => tag === 'link' || tag === 'img');
    const addresses = loaded.map(({ attributes }) => attributes.get('href') ?? attributes.get('src'));
    expect(new Set(addresses)).toEqual(new Set([links.stylesheet, links.mark]));
  });

  test.each(names)('%s has a language, a title and one main heading', (name) => {
    const tags = structure(markup(name));
    expect(tags.find(({ tag }) => tag === 'html')?.attributes.get('lang')).toBe('en');
    expect(markup(name)).toMatch(/<title>[^<]+ · Contoso<\/title>/);
    expect(tags.filter(({ tag }) => tag === 'h1')).toHaveLength(1);
    expect(tags.filter(({ tag }) => tag === 'main')).toHaveLength(1);
  });

  test.each(names)('%s labels its fields, refers to ids that exist, and uses each id once', (name) => {
    const tags = structure(markup(name));
    const ids = tags.flatMap(({ attributes }) => attributes.get('id') ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const labelled = tags.filter(({ tag }) => tag === 'label').map(({ attributes }) => attributes.get('for'));
    for (const { tag, attributes } of tags) {
      const visible =
        ['input', 'select'].includes(tag) && attributes.get('type') !== 'hidden' && !attributes.has('hidden');
      if (visible) expect(labelled).toContain(attributes.get('id'));
      const references = ['for', 'aria-describedby', 'aria-labelledby'].flatMap(
        (key) => attributes.get(key)?.split(' ') ?? [],
      );
      for (const reference of references) expect(ids).toContain(reference);
    }
  });

  test.each(names)('%s posts its forms with a token', (name) => {
    for (const [form] of markup(name).matchAll(/<form[\s\S]*?<\/form>/g)) {
      // What changes nothing is asked by GET, and needs none.
      if (/^<form class="[a-z]+" method="get" action="\/t\/admin\/[a-z]+">/.test(form)) continue;
      expect(form).toMatch(/^<form method="post" action="\/interaction\/1"/);
      expect(form).toContain('<input type="hidden" name="csrf" value="token-7">');
      expect(form).toContain('<input type="hidden" name="xsrf" value="x-1">');
    }
  });

  test('has fields of stable names', () => {
    const hidden = 'xsrf csrf';
    expect(Object.fromEntries(names.map((name) => [name, fieldNames(markup(name)).join(' ')]))).toEqual({
      signIn: `${hidden} username password decision decision`,
      homeRealm: `${hidden} username decision decision`,
      userCode: `${hidden} user_code decision decision`,
      confirmDevice: `${hidden} decision decision`,
      deviceEnded: '',
      confirm: `${hidden} username password decision`,
      password: `${hidden} username currentPassword newPassword confirmPassword decision decision`,
      consent: `${hidden} forOrganization decision decision`,
      adminConsent: `${hidden} decision decision`,
      needsApproval: `${hidden} decision`,
      selectAccount: `${hidden} decision decision`,
      signOut: `${hidden} decision decision`,
      signedOut: '',
      myAccount: `${hidden} decision ${hidden} decision`,
      error: '',
      consentFurther: `${hidden} decision decision decision`,
      needsApprovalRequest: `${hidden} reason decision ${hidden} decision decision`,
      needsApprovalToAsk: `${hidden} reason decision ${hidden} decision decision`,
      needsApprovalAsked: `${hidden} decision decision`,
      needsApprovalDenied: `${hidden} decision ${hidden} reason decision`,
      requestSent: `${hidden} decision decision`,
      myApplications: '',
      myApplication: `${hidden} decision`,
      revoked: '',
      adminApplications: 'search',
      adminApplication: `${hidden} decision ${hidden} decision ${hidden} decision ${hidden} sure decision`,
      accessRevoked: '',
      requests: '',
      request: `${hidden} p0 p1 p2 consentType consentType justification decision decision`,
      requestToReview: `${hidden} p0 p1 p2 consentType consentType justification decision decision`,
      requestDecided: '',
      requestApproved: '',
      policies: `${hidden} p0 p1 decision ${hidden} isEnabled notifyReviewers remindersEnabled durationInDays r0 r1 r2 reviewer reviewerGroup reviewerRole decision`,
      explain: 'client user resource scope',
      explained: 'client user resource scope',
      explainRefused: 'client user resource scope',
      report: '',
    });
  });
});

describe('the pages one by one', () => {
  const layout = { assets: links, tenant: { displayName: 'Contoso', domain: 'contoso.example' } };
  const form = { action: '/interaction/1', csrf: 'token-7' };
  const account = { username: 'alice@contoso.example', switchHref: '/switch' };

  test.each<SignInProblem>(['usernameMissing', 'passwordMissing', 'rejected', 'throttled', 'busy', 'expired'])(
    'sign-in says %s in an alert and in the title, and never repeats a password',
    (problem) => {
      const page = signInPage({ layout, form, username: 'alice', problem, retryAfter: 30 }).toString();
      expect(page).toMatch(/id="error-summary" role="alert"/);
      expect(page).toContain('<title>Error: Sign in');
      expect(
        structure(page)
          .find(({ attributes }) => attributes.get('name') === 'password')
          ?.attributes.has('value'),
      ).toBe(false);
    },
  );

  test('sign-in describes both fields by a rejection, and one field by its own lack', () => {
    const rejected = signInPage({ layout, form, problem: 'rejected' }).toString();
    expect(rejected.match(/aria-describedby="error-summary"/g)).toHaveLength(2);
    const missing = signInPage({ layout, form, username: 'alice', problem: 'passwordMissing' }).toString();
    expect(missing).toMatch(/name="password"[^>]*aria-describedby="password-error" aria-invalid="true"/);
  });

  test('sign-in tells password managers what is what', () => {
    const page = signInPage({ layout, form }).toString();
    expect(page).toMatch(/name="username" type="text" autocomplete="username" required/);
    expect(page).toMatch(/name="password" type="password" autocomplete="current-password" required/);
    expect(signInPage({ layout, form, account }).toString()).toMatch(
      /name="username" autocomplete="username" value="alice@contoso.example" readonly hidden/,
    );
  });

  test.each<[PasswordProblem, string]>([
    ['currentRejected', 'currentPassword'],
    ['tooShort', 'newPassword'],
    ['commonPassword', 'newPassword'],
    ['organizationWord', 'newPassword'],
    ['notRepeated', 'confirmPassword'],
  ])('change of password marks %s at %s alone', (problem, name) => {
    const page = changePasswordPage({ layout, form, account, forced: false, problems: [problem] }).toString();
    expect(page).toContain(`<a href="#${name}">`);
    const failed = structure(page).filter(({ attributes }) => attributes.get('aria-invalid') === 'true');
    expect(failed.map(({ attributes }) => attributes.get('name'))).toEqual([name]);
  });

  test('change of password explains its rule', () => {
    const page = changePasswordPage({ layout, form, account, forced: true }).toString();
    expect(page).toContain('15 characters or more');
    expect(page).toMatch(/no capitals, digits or signs/);
    expect(page).toMatch(/common password, nor one built on words of <bdi>Contoso<\/bdi>/);
    expect(page).toMatch(/name="newPassword"[^>]*autocomplete="new-password"[^>]*aria-describedby="password-rule"/);
  });

  test('consent shows who asks, and warns of an unverified publisher', () => {
    for (const text of [
      'Fabrikam Analytics',
      'fabrikam.example',
      'analytics.fabrikam.example',
      'b2f0d7f4-',
      'Unverified publisher',
      '>New<',
      'Granted before',
    ])
      expect(markup('consent')).toContain(text);
    expect(markup('consent')).toContain('Consent on behalf of <bdi>Contoso</bdi>');
    expect(markup('consent')).toContain('href="/switch"');
  });

  test('consent of an ordinary person offers no consent for others, and cancels on Enter', () => {
    const application: ApplicationIdentity = {
      displayName: 'Micr\u043Esoft',
      appId: 'a',
      trust: 'organization',
      homeTenant: layout.tenant,
    };
    const page = consentPage({ layout, form, account, application, permissions: [] }).toString();
    expect(page).not.toContain('forOrganization');
    expect(page).toContain('Your organization');
    expect(page).toContain('look-alike letters');
    expect(page).toMatch(/value="cancel"[\s\S]*value="accept"/);
  });

  test('admin consent says for whom, and keeps the two kinds of permission apart', () => {
    expect(markup('adminConsent')).toContain('This counts for everybody in <bdi>Contoso</bdi>');
    expect(markup('adminConsent')).toMatch(/On behalf of a signed-in user[\s\S]*Without a signed-in user/);
  });

  test('sign-out can say yes in the words of the receiver', () => {
    const page = signOutPage({ layout, form, account, accept: { name: 'logout', value: 'yes' } }).toString();
    expect(page).toContain('name="logout" value="yes"');
  });

  test('an error page without a tenant still says what to do and what to pass on', () => {
    const page = errorPage({
      layout: { assets: links },
      title: 'T',
      happened: 'H',
      next: ['Do.'],
      correlationId: 'c-9',
      timestamp: new Date(0),
    }).toString();
    for (const text of [
      '<title>Error: T · Bailiwick</title>',
      'Do.',
      'c-9',
      'datetime="1970-01-01T00:00:00.000Z"',
      '1970-01-01 00:00:00 UTC',
    ])
      expect(page).toContain(text);
    expect(page).not.toContain('Error code');
  });

  test('times are put into words', () => {
    expect([inWords(0.2), inWords(30), inWords(91), inWords(600)]).toEqual([
      '1 second',
      '30 seconds',
      '2 minutes',
      '10 minutes',
    ]);
    expect(inUtc(new Date('2026-03-09T14:03:07.9Z'))).toBe('2026-03-09 14:03:07 UTC');
  });
});

describe('headers and assets', () => {
  test('a page runs no script, is framed by nobody and is not stored', () => {
    expect(contentSecurityPolicy('self')).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    );
    expect(contentSecurityPolicy('anywhere')).not.toContain('form-action');
    expect(pageHeaders('self')).toMatchObject({
      'X-Frame-Options': 'DENY',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    });
    expect(pageHeaders('self')['Referrer-Policy']).not.toBe('no-referrer');
  });

  test('assets are named by their content, immutable and load nothing else', () => {
    expect(links.stylesheet).toMatch(/^https:\/\/login\.test\/assets\/bailiwick\.[0-9a-f]{12}\.css$/);
    expect([...files.keys()].map((path) => `https://login.test${path}`)).toEqual([links.stylesheet, links.mark]);
    for (const { body } of files.values()) expect(body.toString()).not.toMatch(/url\(|@import|<script|<style|\son\w+=/);
    expect(ASSET_HEADERS['Cache-Control']).toContain('immutable');
  });
});
