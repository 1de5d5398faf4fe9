import { generateKeyPair, type KeyObject, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeySlot, NewSigningKey, SigningAlgorithm } from '../../authorization/internal/signing-keys.ts';

const generate = promisify(generateKeyPair);
const RSA_BITS = 2_048;

/** Makes a key pair in the thread pool: an RSA key takes a tenth of a second or more. */
export async function makeSigningKey(algorithm: SigningAlgorithm, slot: KeySlot): Promise<NewSigningKey> {
  const { publicKey, privateKey } = await keyPair(algorithm);
  const kid = randomUUID();
  return {
    kid,
    algorithm,
    slot,
    publicJwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' },
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
  };
}

function keyPair(algorithm: SigningAlgorithm): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return algorithm === 'ES256' ? generate('ec', { namedCurve: 'P-256' }) : generate('rsa', { modulusLength: RSA_BITS });
}
