import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { freePort } from '../../scripts/demo-story/processes.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { Deployment } from '../support/deployment.ts';
import { changeApplication } from './administrator.ts';
import { debianClient, type Ran, ran, started } from './debian.ts';
import { ALICE, CONTOSO, LOOPBACK, servedOrganizations, WEB } from './organizations.ts';
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

  /** Makes an account; `visit` goes where the agent says that a person must. */
  async generate(account: string, words: readonly string[], visit: (said: string) => Promise<unknown>): Promise<Ran> {
    const { origin, certificateAuthority } = this.#deployment;
    const all = [
      ...[account, '--manual', `--issuer=${origin}/${CONTOSO.id}/v2.0/`, `--client-id=${WEB.appId}`],
      ...[
        `--client-secret=${WEB.secret}`,
        `--cp=${certificateAuthority}`,
        '--scope=openid profile offline_access User.Read',
      ],
      ...['--pw-env', '--prompt=none', '--confirm-yes', '--no-url-call', ...words],
    ];
    const { until, ended } = started('oidc-gen', all, this.#environment);
    await visit(await until(/https:\S+\s/));
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

// As a public client it names itself in an empty Basic header alone, which is refused; hence by secret, and without device code.
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

  const tokenOf = async (...words: string[]) => {
    const { stdout, stderr } = await agent.run('oidc-token', [...words, 'alice']);
    if (stderr) throw new Error(stderr);
    return stdout.trim();
  };

  test('code and PKCE by secret, to its own listener on loopback; then a token of the account', async () => {
    const words = ['--flow=code', `--redirect-uri=${LOOPBACK}:${await freePort()}`];
    const made = await agent.generate('alice', words, async (said) => {
      const [url = ''] = /https:\S+/.exec(said) ?? [];
      const answer = await fetch(await new PersonAtPages(deployment.origin, ALICE).arrive(url));
      expect(await answer.text()).not.toContain('Error');
    });
    expect(made.code).toBe(0);
    expect(decodeJwt(await tokenOf())).toMatchObject({ aud: DIRECTORY_APP_ID, azp: WEB.appId });
  }, 60_000);

  test('a fresh token by its refresh token', async () => {
    const first = await tokenOf();
    const second = await tokenOf('--force-new');
    expect(decodeJwt(second)).toMatchObject({ oid: decodeJwt(first).oid, azp: WEB.appId });
    expect(second).not.toBe(first);
  });
});
