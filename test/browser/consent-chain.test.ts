import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { aBrowserWorld, type BrowserWorld } from '../support/browser-world.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { examine } from '../support/examined.ts';
import { aMailServer, type MailServer } from '../support/mail-server.ts';
import { aCourier, type TestCourier } from '../support/outbox.ts';
import { takeRequests } from '../support/request-pages.ts';
import { Authorize, aPerson, aWebApplication, type Person, redeem, type WebApplication } from '../support/sign-in.ts';
import { aTenant, type TestTenant } from '../support/tenants.ts';
import { fillSignIn, heading, press, type Visitor } from '../support/visitor.ts';

const SCOPE = 'openid offline_access User.Read.All Group.Read.All';

let world: BrowserWorld;
let database: BrowserWorld['database'];
let server: BrowserWorld['server'];
let directory: TestDirectoryServer;
let mails: MailServer;
let courier: TestCourier;
let contoso: TestTenant;
let fabrikam: TestTenant;
let analytics: WebApplication & { readonly name: string };
let alice: Person;
let ada: Person;
/** Has no directory role. */
let rita: Person;

beforeAll(async () => {
  world = await aBrowserWorld();
  ({ database, server } = world);
  directory = await aDirectoryServer(database, undefined, undefined, server.origin);
  mails = await aMailServer({ tls: 'none' });
  courier = aCourier(database, { mailer: mails.mailer(), origin: server.origin });
  [contoso, fabrikam] = [await aTenant(database, 'Contoso'), await aTenant(database, 'Fabrikam')];
  ada = await aPerson(database, server, contoso, { name: 'Ada Okafor', roles: ['Global Administrator'] });
  rita = await aPerson(database, server, contoso, { name: 'Rita Berg' });
  await takeRequests(database, contoso, [rita]);
}, 120_000);

/** Both afresh, for what is granted stays. */
beforeEach(async () => {
  const name = `Fabrikam Analytics ${randomUUID().slice(0, 4)}`;
  const application = { name, redirectUri: world.redirectUri, published: true };
  analytics = { name, ...(await aWebApplication(database, fabrikam, application)) };
  alice = await aPerson(database, server, contoso, { name: 'Alice Moreau' });
});

afterAll(async () => {
  await Promise.all([directory.close(), mails.close()]);
  await world.close();
  expect(directory.errors).toEqual([]);
});

const at = (path: string) => `${server.origin}/${contoso.id}${path}`;
const main = (page: Page) => page.textContent('main');
const callDirectory = async (token: string, path: string) =>
  (await directory.call(token, 'GET', `/v1.0${path}`)).status;

/** The link in the newest mail that somebody got, once all that waits is sent. */
async function linkMailedTo({ username }: Person, said: string): Promise<string> {
  await courier.deliver();
  const mail = mails.received.findLast(({ to }) => to.includes(username));
  expect(mail?.text).toContain(said);
  return /https?:\/\/\S+/.exec(mail?.text ?? '')?.[0] ?? '';
}

async function tokensOf(page: Page, asked: Authorize) {
  expect(await heading(page)).toBe('done');
  const code = new URL(page.url()).searchParams.get('code') ?? '';
  return redeem(server, contoso, analytics, { code, code_verifier: asked.verifier });
}

describe('the chain of consent in a browser', () => {
  test.each([
    ['with JavaScript', true],
    ['without JavaScript', false],
  ])(
    '%s: refused, asked, told by mail, approved in part, gone on with, revoked, refused',
    async (_what, javaScriptEnabled) => {
      const [person, reviewer, administrator] = [
        await world.visitor({ javaScriptEnabled }),
        await world.visitor({ javaScriptEnabled }),
        await world.visitor({ javaScriptEnabled }),
      ];
      const look = async ({ page }: Visitor, name: string) => {
        if (javaScriptEnabled) await examine(page, name);
      };
      const asked = new Authorize(server, contoso, analytics, { scope: SCOPE });
      await person.page.goto(asked.url);
      await fillSignIn(person.page, alice);
      expect(await heading(person.page)).toBe('An administrator has to approve this');
      await look(person, 'chain-refused');
      await person.page.getByLabel('Why do you need it?').fill('For the quarterly report.\nIt lists everybody.');
      await press(person.page, 'Send the request');
      expect(await heading(person.page)).toBe('Your request is sent');
      await look(person, 'chain-sent');

      await reviewer.page.goto(await linkMailedTo(rita, '"Alice Moreau" asks that you allow an application.'));
      expect(await heading(reviewer.page)).toBe('Sign in');
      await fillSignIn(reviewer.page, rita);
      expect(await heading(reviewer.page)).toBe(analytics.name);
      expect(await main(reviewer.page)).toContain('For the quarterly report. It lists everybody.');
      await look(reviewer, 'chain-review');
      await reviewer.page.getByLabel('Read all groups').uncheck();
      await reviewer.page.getByLabel('What you tell those who asked').fill('People, but no groups.');
      await press(reviewer.page, 'Approve');
      expect(await main(reviewer.page)).toMatch(/Approved by Rita Berg on .*for those who asked/);
      await look(reviewer, 'chain-approved');

      await press(person.page, 'go on from here', 'link');
      expect(await main(person.page)).toContain('People, but no groups.');
      await look(person, 'chain-part');
      await press(person.page, 'Continue with what is granted');
      const tokens = await tokensOf(person.page, asked);
      expect(tokens.scope?.split(' ').sort()).toEqual(['User.Read.All', 'offline_access', 'openid']);
      expect(await callDirectory(tokens.access_token, '/users')).toBe(200);
      expect(await callDirectory(tokens.access_token, '/groups')).toBe(403);

      await person.page.goto(await linkMailedTo(alice, 'A part of it was allowed.'));
      expect(await main(person.page)).toContain('Approved in part');
      await look(person, 'chain-my-applications');

      await administrator.page.goto(at('/admin/applications?search=Fabrikam'));
      await fillSignIn(administrator.page, ada);
      await administrator.page.goto(at('/admin/requests?state=closed'));
      await look(administrator, 'chain-requests');
      await administrator.page.goto(at(`/admin/explain?client=${analytics.appId}&user=${alice.username}`));
      expect(await main(administrator.page)).toMatch(
        /gets a token for .*User\.Read\.All.*by Rita Berg.*when a request was approved/s,
      );
      await look(administrator, 'chain-explain');
      await administrator.page.goto(at('/admin/applications?search=Fabrikam'));
      await press(administrator.page, analytics.name, 'link');
      await press(administrator.page, 'Revoke the access for Alice Moreau');
      expect(await main(administrator.page)).toContain('has lost its access for Alice Moreau');
      await look(administrator, 'chain-revoked');

      expect(await callDirectory(tokens.access_token, '/users')).toBe(401);
      const refreshed = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
      expect((await redeem(server, contoso, analytics, refreshed)).error).toBe('invalid_grant');
      await person.page.goto(new Authorize(server, contoso, analytics, { scope: SCOPE }).url);
      expect(await heading(person.page)).toBe('An administrator has to approve this');
      await Promise.all([person, reviewer, administrator].map((visitor) => visitor.close()));
    },
    180_000,
  );
});
