import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, formsOf, headingOf, type Page, textOf } from '../scripts/demo-story/browser.ts';
import { freePort, ROOT, start, stop } from '../scripts/demo-story/processes.ts';
import { aDatabase, aTestDirectory } from './support/database.ts';
import { aDeployment, type Deployment } from './support/deployment.ts';

/** As config/demo.yaml has it registered; where it listens is another matter. */
const ORIGIN = 'http://localhost:8402';
const SECRET = 'demo-only.KfgcFM9u4-5TAQyo3j8zqCni8AoAuzbh';
const ALICE = { username: 'alice@contoso.example', password: 'lantern-walnut-meadow-72' };

let deployment: Deployment;
let sample: ChildProcess;
let address: string;
const seen: string[] = [];

beforeAll(async () => {
  deployment = await aDeployment({ database: await aDatabase() });
  await deployment.serve();
  await deployment.bailiwick('apply', '-f', join(ROOT, 'config', 'demo.yaml'));
  const port = await freePort();
  address = `http://localhost:${port}`;
  const settings = join(aTestDirectory(), 'sample.json');
  const written = readFileSync(join(ROOT, 'scripts', 'sample-app', 'demo.json'), 'utf8');
  const served = written
    .replaceAll('http://localhost:8400', deployment.origin)
    .replaceAll('http://localhost:8401', deployment.directoryOrigin);
  writeFileSync(settings, served);
  const environment = {
    SAMPLE_APP_CONFIG: settings,
    SAMPLE_APP_LISTEN: `127.0.0.1:${port}`,
    SAMPLE_APP_ORIGIN: ORIGIN,
  };
  sample = start(process.execPath, [join(ROOT, 'scripts', 'sample-app', 'main.ts')], environment, 'ignore');
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (await fetch(address).catch(() => undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('The sample application does not answer.');
}, 120_000);

afterAll(async () => {
  await stop(sample);
  await deployment.end();
});

/** One person's browser, at the sample application and at the issuer. */
function aBrowser() {
  const [atSample, atIssuer] = [new Browser(ORIGIN, address), new Browser(deployment.origin)];
  const look = (page: Page) => {
    seen.push(page.text, page.headers.get('set-cookie') ?? '');
    return page;
  };
  return {
    atSample,
    open: async (path: string) => look(await atSample.open(path)),
    press: async (page: Page, action: string) => {
      const which = formsOf(page).findIndex((form) => new URL(form.action).pathname === action);
      return look(await atSample.submit(page, {}, which));
    },
    /** From the application to the issuer, through its pages with these decisions, and back to the application. */
    throughIssuer: async (from: Page, decisions: readonly Readonly<Record<string, string>>[]) => {
      let page = await atIssuer.open(from.location?.href ?? '');
      for (const decision of decisions) page = await atIssuer.submit(page, decision);
      return page.location ? look(await atSample.open(page.location.href)) : page;
    },
  };
}

const signIn = { ...ALICE, decision: 'accept' };
const toHr = '/sign-in?application=hr';

describe('the sample application', () => {
  test('says in words that the person declined', async () => {
    const browser = aBrowser();
    const page = await browser.throughIssuer(await browser.open(toHr), [signIn, { decision: 'cancel' }]);
    expect(page.status).toBe(400);
    expect(textOf(page)).toContain('did not allow this application what it asked for');
    expect(textOf(page)).toContain('access_denied: AADSTS65004');
  });

  test('signs in, reads, refreshes and signs out at the issuer too', async () => {
    const browser = aBrowser();
    const account = await browser.throughIssuer(await browser.open(toHr), [signIn, { decision: 'accept' }]);
    expect(headingOf(account)).toBe('Hello, Alice Moreau');
    expect(textOf(await browser.press(account, '/me'))).toContain('"userPrincipalName": "alice@contoso.example"');
    expect(textOf(await browser.press(account, '/users'))).toContain('403');
    expect(textOf(await browser.press(account, '/refresh'))).toContain('The tokens are new.');
    const leaving = await browser.press(account, '/sign-out');
    expect(leaving.location?.searchParams.has('id_token_hint')).toBe(true);
    const left = await browser.throughIssuer(leaving, [{ logout: 'yes' }]);
    expect(headingOf(left)).toBe('Signed out');
    expect(headingOf(await browser.open('/'))).toBe('Sample app');
    const again = await browser.throughIssuer(await browser.open(toHr), []);
    expect(headingOf(again)).toBe('Sign in');
  });

  test('takes no answer that another browser asked for, and none twice', async () => {
    const [mine, theirs] = [aBrowser(), aBrowser()];
    await mine.open(toHr);
    const begun = await theirs.open(toHr);
    const issuer = new Browser(deployment.origin);
    const answered = await issuer.submit(await issuer.open(begun.location?.href ?? ''), signIn);
    const planted = await mine.open(answered.location?.href ?? '');
    expect(planted.status).toBe(400);
    expect(headingOf(await theirs.open(answered.location?.href ?? ''))).toBe('Hello, Alice Moreau');
    expect(headingOf(await theirs.open(answered.location?.href ?? ''))).toBe('Sign-in expired');
  });

  test('takes no form that stands elsewhere', async () => {
    const browser = aBrowser();
    browser.atSample.formHeaders = { Origin: 'https://evil.example' };
    const refused = await browser.atSample.ask('/sign-out', { method: 'POST', body: '', headers: { Origin: 'null' } });
    expect(refused.status).toBe(403);
  });

  test('shows a browser neither a secret nor a token', () => {
    const all = seen.join('\n');
    expect(all).toContain('Alice Moreau');
    expect(all).not.toContain(SECRET);
    expect(all).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]+/);
  });
});
