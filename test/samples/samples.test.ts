import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser as Chromium } from 'playwright-core';
import { Browser, formsOf, headingOf, type Page, textOf } from '../../scripts/demo-story/browser.ts';
import { freePort, ROOT, stop } from '../../scripts/demo-story/processes.ts';
import { aChromium } from '../support/chromium.ts';
import { aClientCertificate } from '../support/client-certificate.ts';
import { aDatabase } from '../support/database.ts';
import { aDeployment, type Deployment } from '../support/deployment.ts';
import { aVisitor, fillSignIn, heading, press } from '../support/visitor.ts';

const run = promisify(execFile);
const ALICE = { username: 'alice@contoso.example', password: 'lantern-walnut-meadow-72' };
/** Where the samples are registered; where they listen here is another matter. */
const WEB = 'http://localhost:3001';

let deployment: Deployment;
let files: string;
let spa: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  deployment = await aDeployment({ tls: true, database: await aDatabase() });
  files = join(deployment.environment.DATA_DIRECTORY ?? '', 'samples');
  spa = `http://localhost:${await freePort()}`;
  await deployment.serve([], { DIRECTORY_ALLOWED_ORIGINS: spa });
  await deployment.bailiwick('apply', '-f', join(ROOT, 'config', 'demo.yaml'));
  // The machine of a test need not have openssl.
  const { certificate, privateKey } = aClientCertificate('Sample daemon');
  mkdirSync(files);
  writeFileSync(join(files, 'daemon.pem'), privateKey + certificate);
  await register();
}, 240_000);

afterAll(async () => {
  await Promise.all(running.map((child) => stop(child)));
  await deployment.end();
});

const register = () => run(join(ROOT, 'scripts', 'samples', 'register'), [], { env: environment() });

const SAMPLE = join(ROOT, 'scripts', 'samples', 'run');
const environment = () => ({ PATH: process.env.PATH, ...deployment.environment });
/** The variables as a shell would have them: nothing of this process but the path. */
const variablesOf = (name: string) => parseEnv(readFileSync(join(files, `${name}.env`), 'utf8'));

/** Starts a sample that serves, and waits until it does. */
async function served(name: string, origin: string, at?: number): Promise<string> {
  const port = at ?? (await freePort());
  const child = spawn(SAMPLE, [name], { env: { ...environment(), ORIGIN: origin, PORT: String(port) } });
  running.push(child);
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const address = `http://localhost:${port}`;
  for (let waited = 0; waited < 60_000 && child.exitCode === null; waited += 50) {
    if (await fetch(address).catch(() => undefined)) return address;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} does not answer: ${output}`);
}

/** Signs in with the tool's code as the person would, on another device. */
async function runTool(...words: string[]): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const child = spawn(SAMPLE, ['command-line-tool', ...words], { env: environment() });
  running.push(child);
  const written = { stdout: '', stderr: '' };
  const asked = new Promise<RegExpExecArray>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      written.stderr += text;
      const found = /(https:\S+) .*? ([A-Z0-9]{4}-?[A-Z0-9]{4})\b/.exec(written.stderr);
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(`The tool ended: ${written.stderr}`)));
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written.stdout += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [, page = '', code = ''] = await asked;
  await allowDevice(page, code);
  return { code: await ended, ...written };
}

async function allowDevice(address: string, code: string): Promise<void> {
  const device = new Browser(deployment.origin);
  let page: Page = await device.open(address);
  for (let pages = 0; pages < 8 && formsOf(page).length > 0; pages += 1) {
    const asked = formsOf(page)[0]?.fields ?? {};
    const known = { ...ALICE, user_code: code };
    const filled = Object.fromEntries(Object.entries(known).filter(([name]) => name in asked));
    page = await device.submit(page, { ...filled, decision: 'accept' });
    if (page.status === 200 && /ready|signed in|done|allowed/i.test(headingOf(page))) return;
  }
}

test('registering again changes nothing and shows no other secret', async () => {
  const before = variablesOf('web-app');
  expect(before.AZURE_CLIENT_SECRET).toMatch(/^[\w.~-]{40,}$/);
  expect(before.NODE_EXTRA_CA_CERTS).toBe(deployment.certificateAuthority);
  const { stdout } = await register();
  expect(stdout).toContain('nothing to change');
  expect(stdout).toMatch(/Sample daemon \(.*\): unchanged/);
  expect(variablesOf('web-app')).toEqual(before);
}, 120_000);

test('the daemon proves itself by its certificate and lists the people', async () => {
  const { stdout } = await run(SAMPLE, ['daemon'], { env: environment() });
  expect(stdout.trim().split('\n').sort()).toEqual([
    'Ada Okafor <ada@contoso.example>',
    'Alice Moreau <alice@contoso.example>',
    'Bob Tanaka <bob@contoso.example>',
    'Hugo Brandt <hugo@contoso.example>',
  ]);
}, 60_000);

test('the daemon without consent gets no token, and says why', async () => {
  const daemon = String(variablesOf('daemon').AZURE_CLIENT_ID);
  const permission = ['--tenant', 'contoso.example', '--client', daemon, '--app-role', 'User.Read.All'];
  await deployment.bailiwick('consent', 'revoke', ...permission);
  const failed = run(SAMPLE, ['daemon'], { env: environment() });
  await expect(failed).rejects.toThrow('AADSTS501051');
  await deployment.bailiwick('consent', 'grant', ...permission);
}, 60_000);

describe('the web app', () => {
  let address: string;

  beforeAll(async () => {
    address = await served('web-app', WEB);
  }, 60_000);

  test('signs a person in, shows her profile, and signs her out', async () => {
    const [atApp, atIssuer] = [new Browser(WEB, address), new Browser(deployment.origin)];
    expect(textOf(await atApp.open('/'))).toContain('Sign in');
    const begun = await atApp.open('/sign-in');
    const asked = await atIssuer.submit(await atIssuer.open(String(begun.location)), { ...ALICE, decision: 'accept' });
    const answered = await atIssuer.submit(asked, { decision: 'accept' });
    const account = await atApp.open(String(answered.location));
    expect(headingOf(account)).toBe('Hello, Alice Moreau');
    expect(textOf(account)).toContain('"userPrincipalName": "alice@contoso.example"');
    expect(account.text).not.toMatch(/eyJ[\w-]+\./);
    const leaving = await atApp.submit(account, {});
    const left = await atIssuer.submit(await atIssuer.open(String(leaving.location)), { logout: 'yes' });
    expect(left.location?.href).toMatch(/^http:\/\/localhost:3001\/(\?|$)/);
    expect(textOf(await atApp.open('/'))).toContain('Sign in');
  });

  test('takes no answer that another browser asked for, and says what the person declined', async () => {
    const [mine, theirs, atIssuer] = [
      new Browser(WEB, address),
      new Browser(WEB, address),
      new Browser(deployment.origin),
    ];
    await mine.open('/sign-in');
    const begun = await theirs.open('/sign-in');
    const page = await atIssuer.submit(await atIssuer.open(String(begun.location)), { ...ALICE, decision: 'accept' });
    expect(headingOf(await mine.open(String(page.location)))).toBe('That did not work');
    expect(headingOf(await theirs.open(String(page.location)))).toBe('Hello, Alice Moreau');
    const post = await mine.ask('/sign-out', { method: 'POST', body: '', headers: { Origin: 'https://evil.example' } });
    expect(post.status).toBe(403);
  });
});

describe('the single-page application', () => {
  let chromium: Chromium;

  beforeAll(async () => {
    const certificate = join(deployment.environment.DATA_DIRECTORY ?? '', 'tls', 'certificate.pem');
    chromium = await aChromium({ trusted: [readFileSync(certificate, 'utf8')] });
  }, 120_000);

  afterAll(() => chromium.close());

  test('signs a person in, reads her profile with a token of its own, and signs her out', async () => {
    // A browser goes where it is sent: the address at which the page listens has to be the registered one.
    const { AZURE_CLIENT_ID: appId } = variablesOf('spa');
    const moved = { appId, displayName: 'Sample single-page application', spa: { redirectUris: [`${spa}/`] } };
    writeFileSync(join(files, 'spa.json'), JSON.stringify(moved));
    await deployment.bailiwick('app', 'import', join(files, 'spa.json'), '--tenant', 'contoso.example');
    await served('spa', spa, Number(new URL(spa).port));
    const { page, close } = await aVisitor(chromium);
    await page.goto(`${spa}/`);
    await press(page, 'Sign in');
    await fillSignIn(page, ALICE);
    await press(page, 'Accept');
    await page.getByRole('button', { name: 'Read my profile' }).click();
    await page.locator('#answer', { hasText: 'alice@contoso.example' }).waitFor();
    expect(await heading(page)).toBe('Hello, Alice Moreau');
    await press(page, 'Sign out');
    await press(page, 'Sign out');
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(new URL(page.url()).origin).toBe(spa);
    await close();
  }, 120_000);
});

describe('the command-line tool', () => {
  test('acts for the person who allowed it on another device', async () => {
    const { code, stdout } = await runTool();
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ userPrincipalName: 'alice@contoso.example' }),
    ]);
  }, 120_000);

  test('calls the API, which asks the directory in her name', async () => {
    const address = await served('api', 'http://localhost:3003');
    const scope = `api://${variablesOf('api').AZURE_CLIENT_ID}/Greeting.Read`;
    const { code, stdout } = await runTool(`${address}/greeting`, scope);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { greeting: 'Hello', of: expect.objectContaining({ displayName: 'Alice Moreau' }) },
    ]);
    // A token for the directory is none for the API.
    const other = await runTool(`${address}/greeting`, 'User.Read');
    expect([other.code, JSON.parse(other.stdout)]).toEqual([1, { error: 'invalid_token' }]);
    expect((await fetch(`${address}/greeting`)).status).toBe(401);
  }, 180_000);
});
