import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import type { Certificate } from './listener.ts';

/**
 * What the listeners prove themselves with: the configured files, or with `tls` a certificate of the deployment's own
 * authority. Undefined: plain http.
 */
export async function readCertificate({ tls }: Config, _own: boolean): Promise<Certificate | undefined> {
  if (!tls) return undefined;
  return { certificate: readFileSync(tls.certificateFile), key: readFileSync(tls.keyFile) };
}
