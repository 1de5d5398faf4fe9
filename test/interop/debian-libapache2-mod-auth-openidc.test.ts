import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { Browser, headingOf, type Page } from '../../scripts/demo-story/browser.ts';
import { freePort } from '../../scripts/demo-story/processes.ts';
import type { Deployment } from '../support/deployment.ts';
import { changeApplication } from './administrator.ts';
import { Apache, redirectUriAt, shownOn } from './apache.ts';
import { debianClient } from './debian.ts';
import { ADA, ALICE, CONTOSO, servedOrganizations, WEB } from './organizations.ts';
import { PersonAtPages } from './person-at-pages.ts';

/** Somebody with a browser, who goes to the site and, when it sends him there, through our pages. */
class Visitor {
  readonly site: Browser;
  readonly person: PersonAtPages;

  constructor(apache: Apache, { origin }: Deployment, credentials = ALICE) {
    this.site = new Browser(apache.origin);
    this.person = new PersonAtPages(origin, credentials);
  }

  /** The page that he comes to in the end. */
  async visit(path: string, decision: 'accept' | 'cancel' = 'accept'): Promise<Page> {
    const page = await this.site.open(path);
    if (!page.location) return page;
    return this.site.open((await this.person.arrive(page.location, decision)).href);
  }
}

debianClient('libapache2-mod-auth-openidc', () => {
  let deployment: Deployment;
  let apache: Apache;

  beforeAll(async () => {
    deployment = await servedOrganizations();
    const port = await freePort();
    const signedOut = `${new URL(redirectUriAt(port)).origin}/`;
    await changeApplication(deployment, WEB, { web: { redirectUris: [redirectUriAt(port), signedOut] } });
    const issuer = `${deployment.origin}/${CONTOSO.id}/v2.0`;
    apache = await Apache.start(port, deployment, { ...WEB, issuer, reservedFor: ADA.username });
  }, 240_000);

  afterAll(async () => {
    await apache?.stop();
    await deployment?.end();
  });

  test('a public page asks nobody', async () => {
    expect(shownOn(await new Visitor(apache, deployment).visit('/'))).toMatchObject({ REMOTE_USER: '(none)' });
  });

  test('code and PKCE through our pages; the protected page shows the claims', async () => {
    const alice = new Visitor(apache, deployment);
    const page = await alice.visit('/protected/');
    expect([page.status, page.url]).toEqual([200, `${apache.origin}/protected/`]);
    expect(shownOn(page)).toMatchObject({
      ...{ REMOTE_USER: ALICE.username, OIDC_CLAIM_name: 'Alice Moreau', OIDC_CLAIM_tid: CONTOSO.id },
    });
    expect(alice.person.seen).toEqual(['Sign in']);
    expect((await alice.site.ask('/protected/')).status).toBe(200);
  });

  test('Require claim: one person is let in, another is not', async () => {
    const path = '/reserved/';
    expect(shownOn(await new Visitor(apache, deployment, ADA).visit(path)).REMOTE_USER).toBe(ADA.username);
    expect((await new Visitor(apache, deployment).visit(path)).status).toBe(401);
  });

  test('refresh by its own hook: the site has another access token of the same person', async () => {
    const alice = new Visitor(apache, deployment);
    const { OIDC_access_token: first = '' } = shownOn(await alice.visit('/protected/'));
    const back = new URLSearchParams({ refresh: `${apache.origin}/protected/`, access_token: first });
    const { OIDC_access_token: second = '' } = shownOn(await alice.site.open(`${apache.redirectUri}?${back}`));
    expect(decodeJwt(second)).toMatchObject({ oid: decodeJwt(first).oid, azp: WEB.appId });
    expect(second).not.toBe(first);
  });

  test('logout ends both sessions and returns to the site', async () => {
    const alice = new Visitor(apache, deployment);
    await alice.visit('/protected/');
    const back = new URLSearchParams({ logout: `${apache.origin}/` });
    const { location } = await alice.site.open(`${apache.redirectUri}?${back}`);
    const asked = await alice.person.goThrough(location ?? '');
    expect(headingOf(asked)).toBe('Sign out?');
    const returned = await alice.person.browser.submit(asked, { logout: 'yes' });
    const out = await alice.site.open(returned.location?.href ?? '');
    expect([out.status, out.url]).toEqual([200, `${apache.origin}/`]);
    expect(shownOn(out)).toMatchObject({ REMOTE_USER: '(none)' });
    alice.person.seen.length = 0;
    await alice.visit('/protected/');
    expect(alice.person.seen).toEqual(['Sign in']);
  });

  // This version takes `iss` of an error (RFC 9207) for an answer of its own discovery, and its page speaks of that.
  test('a sign-in that the person cancelled: an error page of its own, and no session', async () => {
    const alice = new Visitor(apache, deployment);
    const page = await alice.visit('/protected/', 'cancel');
    expect(page.text).toContain('<title>Error</title>');
    expect((await alice.site.ask('/protected/')).status).toBe(302);
  });

  test('a callback that another browser began is refused', async () => {
    const [alice, mallory] = [new Visitor(apache, deployment), new Visitor(apache, deployment)];
    const { location } = await mallory.site.open('/protected/');
    const callback = await mallory.person.arrive(location ?? '');
    const page = await alice.site.open(callback.href);
    expect(page.status).not.toBe(200);
    expect((await alice.site.ask('/protected/')).status).toBe(302);
  });
});
