import type { KeyObject } from 'node:crypto';
import type { KeySlot, SigningAlgorithm } from '../../authorization/internal/signing-keys.ts';

/** One signing key of one tenant. Only the current key needs its private half opened. */
export interface TenantKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly privateKey?: KeyObject;
}

/**
 * A tenant's signing keys as one request sees them. Immutable: a rotation makes a new keyring, so the `kid` that the
 * library writes into a header and the key that signs a few microtasks later are always the same.
 */
export interface TenantKeyring {
  /** `undefined`: the tenant has no key there, for instance no RSA key before its first need. */
  key(slot: KeySlot, algorithm: SigningAlgorithm): TenantKey | undefined;
}
