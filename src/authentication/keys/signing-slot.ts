import type { KeyObject } from 'node:crypto';
import { ExternalSigningKey } from 'oidc-provider';
import type { KeySlot, SigningAlgorithm } from '../../authorization/internal/signing-keys.ts';
import { signBytes } from '../tokens/jwt-signature.ts';
import type { TenantKey, TenantKeyring } from './tenant-keyring.ts';

export const signingAlgorithms: readonly SigningAlgorithm[] = ['ES256', 'RS256'];
const keySlots: readonly KeySlot[] = ['current', 'next', 'retiring'];

/**
 * The keys for `jwks.keys` of the one Provider: one object for each slot and algorithm, which answers with the key of
 * the tenant whose request is being served. Needs `features.externalSigningSupport`. The library signs with the first
 * key that fits, hence `current` first, and verifies an `id_token_hint` with the one whose `kid` it names.
 *
 * @param keyring the keyring of the request being served; `undefined` outside one, which happens when the Provider is
 *   constructed and reads each key once. The library's own JWKS route would show those placeholders: never route to it.
 */
export function makeSigningSlots(keyring: () => TenantKeyring | undefined): ExternalSigningKey[] {
  return signingAlgorithms.flatMap((algorithm) => keySlots.map((slot) => new SigningSlot(slot, algorithm, keyring)));
}

class SigningSlot extends ExternalSigningKey {
  readonly #slot: KeySlot;
  readonly #algorithm: SigningAlgorithm;
  readonly #keyring: () => TenantKeyring | undefined;

  constructor(slot: KeySlot, algorithm: SigningAlgorithm, keyring: () => TenantKeyring | undefined) {
    super();
    this.#slot = slot;
    this.#algorithm = algorithm;
    this.#keyring = keyring;
  }

  #required(): TenantKey {
    const key = this.#keyring()?.key(this.#slot, this.#algorithm);
    if (!key) throw new Error(`the tenant in scope has no ${this.#slot} ${this.#algorithm} key`);
    return key;
  }

  override get alg(): SigningAlgorithm {
    return this.#algorithm;
  }

  override get kty(): string {
    return this.#algorithm === 'ES256' ? 'EC' : 'RSA';
  }

  /** An empty slot has a name too, so that the library reaches `sign` or `keyObject`, which refuse with a clear error. */
  override get kid(): string {
    return this.#keyring()?.key(this.#slot, this.#algorithm)?.kid ?? `${this.#slot}-${this.#algorithm}`;
  }

  override get pub(): undefined {
    return undefined;
  }

  override get crv(): string | undefined {
    return this.#algorithm === 'ES256' ? 'P-256' : undefined;
  }

  override get x() {
    return this.#placeholder('ES256');
  }

  override get y() {
    return this.#placeholder('ES256');
  }

  override get n() {
    return this.#placeholder('RS256');
  }

  override get e() {
    return this.#placeholder('RS256');
  }

  #placeholder(algorithm: SigningAlgorithm): string | undefined {
    return this.#algorithm === algorithm ? 'external' : undefined;
  }

  override keyObject(): KeyObject {
    return this.#required().publicKey;
  }

  override async sign(data: Uint8Array): Promise<Uint8Array> {
    return signBytes(this.#required(), data);
  }
}
