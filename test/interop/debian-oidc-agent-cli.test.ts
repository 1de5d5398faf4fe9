import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { freePort } from '../../scripts/demo-story/processes.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Deployment } from '../support/deployment.ts';
import { changeApplication } from './administrator.ts';
import { debianClient, type Ran, ran, started } from './debian.ts';
import { ALICE, CONTOSO, DESKTOP, LOOPBACK, servedOrganizations, WEB } from './organizations.ts';
import { PersonAtPages } from './person-at-pages.ts';

/** An agent of a person's session: its own process, its own directory of accounts, nobody at a terminal. */
class Agent {
  readonly #deployment: Deployment;
  readonly #directory = mkdtempSync(join(tmpdir(), 'bailiwick-oidc-agent-'));
  #environment: Readonly<Record<string, string>>;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
    this.#environment = {
      ...{ HOME: this.#directory, OIDC_CONFIG_DIR: this.#directory, TMPDIR: this.#directory },
      OIDC_ENCRYPTION_PW: 'of-the-accounts-on-disk',
    };
  }

  async start(): Promise<void> {
    const { stdout, stderr } = await ran('oidc-agent', ['--json', '--pw-store'], this.#environment);
    if (!stdout) throw new Error(stderr);
    const { socket, dpid } = JSON.parse(stdout);
    this.#environment = { ...this.#environment, OIDC_SOCK: socket, OIDCD_PID: dpid };
  }

  /** Makes an account; `visit` goes where the agent says that a person must, once it has said all of it. */
  async generate(
    account: string,
    words: readonly string[],
    all: RegExp,
    visit: (said: string) => Promise<unknown>,
  ): Promise<Ran> {
    const { origin, certificateAuthority } = this.#deployment;
    const settings = [
      ...[account, '--manual', `--issuer=${origin}/${CONTOSO.id}/v2.0/`, `--cp=${certificateAuthority}`],
      ...['--scope=openid profile offline_access User.Read', '--pw-env', '--prompt=none', '--confirm-yes'],
    ];
    const { until, ended } = started('oidc-gen', [...settings, '--no-url-call', ...words], this.#environment);
    await visit(await until(all));
    return ended;
  }

  run(program: string, words: readonly string[]): Promise<Ran> {
    return ran(program, words, this.#environment);
  }

  async end(): Promise<void> {
    await this.run('oidc-agent', ['--kill']);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const BY_SECRET = [`--client-id=${WEB.appId}`, `--client-secret=${WEB.secret}`];
/** Without a secret it names itself in a Basic header with an empty password, and nowhere else. */
const PUBLIC = [`--client-id=${DESKTOP.appId}`, '--client-secret='];

debianClient('oidc-agent-cli', () => {
  let deployment: Deployment;
  let agent: Agent;

  beforeAll(async () => {
    deployment = await servedOrganizations();
    await changeApplication(deployment, WEB, {
      publicClient: { redirectUris: [LOOPBACK] },
    });
    agent = new Agent(deployment);
    await agent.start();
  }, 240_000);

  afterAll(async () => {
    await agent?.end();
    await deployment?.end();
  });

  const tokenOf = async (account: string, ...words: string[]) => {
    const { stdout, stderr } = await agent.run('oidc-token', [...words, account]);
    if (stderr) throw new Error(stderr);
    return stdout.trim();
  };

  describe.each([
    ['by secret', WEB, BY_SECRET],
    ['as a public client', DESKTOP, PUBLIC],
  ] as const)('%s', (account, { appId }, client) => {
    test('code and PKCE, to its own listener on loopback; then a token of the account', async () => {
      const words = [...client, '--flow=code', `--redirect-uri=${LOOPBACK}:${await freePort()}`];
      const made = await agent.generate(account, words, /https:\S+\s/, async (said) => {
        const [url = ''] = /https:\S+/.exec(said) ?? [];
        const answer = await fetch(await new PersonAtPages(deployment.origin, ALICE).arrive(url));
        expect(await answer.text()).not.toContain('Error');
      });
      expect(made).toMatchObject({ code: 0 });
      expect(decodeJwt(await tokenOf(account))).toMatchObject({ aud: DIRECTORY_APP_ID, azp: appId });
    }, 60_000);

    test('a fresh token by its refresh token', async () => {
      const first = await tokenOf(account);
      const second = await tokenOf(account, '--force-new');
      expect(decodeJwt(second)).toMatchObject({ oid: decodeJwt(first).oid, azp: appId });
      expect(second).not.toBe(first);
    });
  });

  test('as a public client, device code; then a fresh token by its refresh token', async () => {
    const words = [...PUBLIC, '--flow=device'];
    const made = await agent.generate('device', words, /code: \S+\s/, async (said) => {
      const [url = ''] = /https:\S+/.exec(said) ?? [];
      const [, user_code = ''] = /code: (\S+)/.exec(said) ?? [];
      const alice = new PersonAtPages(deployment.origin, ALICE);
      const page = await alice.goThrough(url);
      await alice.answer(await alice.browser.submit(page, { user_code, decision: 'accept' }));
      expect(alice.seen).toContain('Is this your device?');
    });
    expect(made).toMatchObject({ code: 0 });
    const tokens = [await tokenOf('device'), await tokenOf('device', '--force-new')];
    expect(new Set(tokens).size).toBe(2);
    for (const token of tokens) expect(decodeJwt(token)).toMatchObject({ aud: DIRECTORY_APP_ID, azp: DESKTOP.appId });
  }, 60_000);
});
