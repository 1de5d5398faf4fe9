import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Sealer } from './sealing.ts';
import { readOrMake } from './write-once.ts';

const BYTES = 32;

/**
 * The sealer of the deployment. Its key is in a file (32 bytes, base64url); with `create` it is made, mode 0600, when it
 * is not there: only where the database is the embedded one, which is made along with it.
 * @throws when there is no key, or it is not 32 bytes
 */
export function openSealer(file: string, create: boolean): Sealer {
  if (!create && !existsSync(file)) {
    throw new Error(
      `There is no key-encryption key at ${file}. Make one: openssl rand -base64 32 | tr '+/' '-_' | tr -d '='`,
    );
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const text = readOrMake(file, () => randomBytes(BYTES).toString('base64url')).trim();
  const key = Buffer.from(/^[\w-]+$/.test(text) ? text : '', 'base64url');
  if (key.length !== BYTES) throw new Error(`The key-encryption key at ${file} is not ${BYTES} bytes in base64url.`);
  return new Sealer(key);
}
