import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Deployment } from '../support/deployment.ts';

const MODULES = [
  'mpm_event',
  'authn_core',
  'authz_core',
  'authz_user',
  'dir',
  'headers',
  'include',
  'ssl',
  'auth_openidc',
];
/** What a page of the site shows, by the names that mod_auth_openidc gives them. */
const SHOWN = ['REMOTE_USER', 'OIDC_CLAIM_name', 'OIDC_CLAIM_tid', 'OIDC_CLAIM_roles', 'OIDC_access_token'];

/** How Apache is a client here. */
export interface ApacheClient {
  readonly issuer: string;
  readonly appId: string;
  readonly secret: string;
  /** The username that alone is let into `/reserved/`. */
  readonly reservedFor: string;
}

/**
 * A site of Apache's over https on a port of its own, with the deployment's certificate, as a user of its own where it
 * is started by root. `/` is everybody's, `/protected/` asks for a sign-in, `/reserved/` for a claim. Each page shows
 * what Apache knows of who asks.
 */
export class Apache {
  readonly origin: string;
  readonly redirectUri: string;
  readonly #directory: string;
  readonly #configuration: string;
  readonly #end: () => Promise<unknown>;

  private constructor(port: number, deployment: Deployment, client: ApacheClient) {
    this.origin = originAt(port);
    this.redirectUri = redirectUriAt(port);
    this.#directory = mkdtempSync(join(tmpdir(), 'bailiwick-apache-'));
    chmodSync(this.#directory, 0o755);
    for (const place of ['', 'protected', 'reserved']) {
      mkdirSync(join(this.#directory, 'site', place), { recursive: true });
      writeFileSync(join(this.#directory, 'site', place, 'index.html'), page());
    }
    copyFileSync(deployment.certificateAuthority, join(this.#directory, 'ca.pem'));
    this.#configuration = join(this.#directory, 'apache.conf');
    const tls = dirname(deployment.certificateAuthority);
    writeFileSync(this.#configuration, configurationOf(port, this.#directory, tls, client), { mode: 0o600 });
    // What is wrong with the configuration is written there too.
    const log = openSync(join(this.#directory, 'error.log'), 'a');
    const words = ['-d', this.#directory, '-f', this.#configuration, '-D', 'FOREGROUND'];
    const child = spawn('/usr/sbin/apache2', words, {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'ignore', log],
    });
    closeSync(log);
    const ended = new Promise((done) => child.once('exit', done));
    this.#end = () => {
      child.kill('SIGTERM');
      return ended;
    };
  }

  /** @param port which is free, and registered: see `redirectUriAt` */
  static async start(port: number, deployment: Deployment, client: ApacheClient): Promise<Apache> {
    const apache = new Apache(port, deployment, client);
    for (let waited = 0; waited < 10_000; waited += 100) {
      const answer = await fetch(apache.origin).catch(() => undefined);
      if (answer?.ok) return apache;
      await sleep(100);
    }
    const { log } = apache;
    await apache.stop();
    throw new Error(`Apache did not start: ${log}`);
  }

  get log(): string {
    return readFileSync(join(this.#directory, 'error.log'), 'utf8');
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const originAt = (port: number) => `https://localhost:${port}`;
export const redirectUriAt = (port: number) => `${originAt(port)}/protected/callback`;

const page = () => `<dl>${SHOWN.map((name) => `<dt>${name}<dd><!--#echo var="${name}" -->`).join('')}</dl>`;

/** What a page of the site says. */
export function shownOn({ text }: { readonly text: string }): Record<string, string> {
  const shown = [...text.matchAll(/<dt>(\w+)<dd>([^<]*)/g)];
  if (shown.length === 0) throw new Error(`Not a page of the site: ${text}`);
  return Object.fromEntries(shown.map(([, name, value]) => [name, value]));
}

function configurationOf(port: number, directory: string, tls: string, client: ApacheClient): string {
  const modules = MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const user = process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : [];
  return `${[...modules, ...user].join('\n')}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile apache.pid
ErrorLog error.log
LogLevel warn
DocumentRoot site
DirectoryIndex index.html
SSLEngine on
SSLCertificateFile ${tls}/certificate.pem
SSLCertificateKeyFile ${tls}/key.pem
<Directory ${directory}/site>
  Options +Includes
  ForceType text/html
  SetOutputFilter INCLUDES
</Directory>
# What Node's fetch can not say, as a browser does where somebody follows a link.
RequestHeader set Sec-Fetch-Mode navigate early
OIDCProviderMetadataURL ${client.issuer}/.well-known/openid-configuration
OIDCCABundlePath ca.pem
OIDCClientID ${client.appId}
OIDCClientSecret ${client.secret}
OIDCRedirectURI ${redirectUriAt(port)}
OIDCCryptoPassphrase ${randomBytes(24).toString('base64url')}
OIDCPKCEMethod S256
OIDCScope "openid profile email offline_access"
OIDCRemoteUserClaim preferred_username
<Location /protected/>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /reserved/>
  AuthType openid-connect
  Require claim preferred_username:${client.reservedFor}
</Location>
`;
}
