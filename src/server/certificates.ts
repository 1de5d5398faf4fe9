import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { makeOwnCertificate } from './certificate-authority.ts';
import type { Certificate } from './listener.ts';

const RENEW_BEFORE_MS = 30 * 86_400_000;
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/**
 * What the listeners prove themselves with: the configured files, or the deployment's own certificate. Undefined: plain
 * http.
 * @param own whether to use, and make when it is not there, a certificate of an own authority in `tls/`
 */
export function readCertificate({ tls, dataDirectory, ...config }: Config, own: boolean): Certificate | undefined {
  if (tls) return { certificate: readFileSync(tls.certificateFile), key: readFileSync(tls.keyFile) };
  if (!own) return undefined;
  const hosts = [config.authentication, config.directory].map(({ origin }) => new URL(origin).hostname);
  const directory = join(dataDirectory, 'tls');
  ensureOwn(directory, [...new Set([...LOOPBACK, ...hosts.map((host) => host.replace(/^\[(.*)\]$/, '$1'))])]);
  return {
    certificate: readFileSync(join(directory, 'certificate.pem')),
    key: readFileSync(join(directory, 'key.pem')),
  };
}

/** Makes `ca.pem`, `certificate.pem` and `key.pem` unless they are there, good for these hosts and for a while yet. */
function ensureOwn(directory: string, hosts: readonly string[]): void {
  if (existsSync(join(directory, 'certificate.pem')) && isGood(directory, hosts)) return;
  const made = makeOwnCertificate(hosts);
  mkdirSync(join(directory, '..'), { recursive: true, mode: 0o700 });
  // All three appear at once: nobody sees a certificate beside the key of another.
  const fresh = mkdtempSync(`${directory}-`);
  writeFileSync(join(fresh, 'ca.pem'), made.authority, { mode: 0o644 });
  writeFileSync(join(fresh, 'certificate.pem'), made.certificate, { mode: 0o644 });
  writeFileSync(join(fresh, 'key.pem'), made.key, { mode: 0o600 });
  rmSync(directory, { recursive: true, force: true });
  renameSync(fresh, directory);
}

function isGood(directory: string, hosts: readonly string[]): boolean {
  const certificate = new X509Certificate(readFileSync(join(directory, 'certificate.pem')));
  const names = certificate.subjectAltName ?? '';
  const isNamed = (host: string) =>
    (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
  return names !== '' && hosts.every(isNamed) && certificate.validToDate.getTime() - Date.now() > RENEW_BEFORE_MS;
}
