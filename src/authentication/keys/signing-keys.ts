import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import {
  addSigningKey,
  getSigningKey,
  type KeySlot,
  listKeys,
  type NewSigningKey,
  type PublishedKey,
  type SigningAlgorithm,
} from '../../authorization/internal/signing-keys.ts';
import type { Authorization } from '../../authorization/perform.ts';
import type { TenantId } from '../../vocabulary/ids.ts';
import { internalPrincipal } from '../../vocabulary/principals.ts';
import { makeSigningKey } from './signing-key-material.ts';
import type { TenantKey, TenantKeyring } from './tenant-keyring.ts';

/** Names of the keys that a tenant publishes now, as the client's look-up reads them along. */
export type PublishedKeyNames = readonly Pick<PublishedKey, 'kid' | 'algorithm' | 'slot'>[];

const MAX_KEYRINGS = 5_000;

/**
 * The signing keys of all tenants. A keyring is remembered by the very set of keys it was made from, which is read in
 * each request: a rotation or a withdrawal is seen by the next request of every process.
 */
export class SigningKeys {
  readonly #authorization: Authorization;
  readonly #making = new Map<string, Promise<void>>();
  readonly #keyrings = new LRUCache<string, TenantKeyring>({ max: MAX_KEYRINGS });

  constructor(authorization: Authorization) {
    this.#authorization = authorization;
  }

  /** The keys that a tenant publishes, for its JWKS. */
  published(tenantId: TenantId): Promise<PublishedKey[]> {
    return this.#authorization.performInternal(internalPrincipal('tokenService', tenantId), listKeys, undefined);
  }

  async keyring(tenantId: TenantId, names: PublishedKeyNames): Promise<TenantKeyring> {
    const fingerprint = `${tenantId} ${names.map(({ kid, slot }) => `${slot}:${kid}`).join(' ')}`;
    const known = this.#keyrings.get(fingerprint);
    if (known) return known;
    const principal = internalPrincipal('tokenService', tenantId);
    const keys: Partial<Record<KeySlot, Partial<Record<SigningAlgorithm, TenantKey>>>> = {};
    for (const { kid, slot, algorithm } of names) {
      const stored = await this.#authorization.performInternal(principal, getSigningKey, kid);
      // Several keys may be retiring; the newest is the one whose hints are still worth verifying.
      // In the slot of the names: a rotation may have moved it since, but what this request signs with is what it began with.
      if (stored && !keys[slot]?.[algorithm]) keys[slot] = { ...keys[slot], [algorithm]: opened({ ...stored, slot }) };
    }
    const keyring = { key: (slot: KeySlot, algorithm: SigningAlgorithm) => keys[slot]?.[algorithm] };
    this.#keyrings.set(fingerprint, keyring);
    return keyring;
  }

  /** Makes the tenant's current and next key of an algorithm, unless another process was first: then that one's. */
  async make(tenantId: TenantId, algorithm: SigningAlgorithm): Promise<TenantKeyring> {
    // Whoever needs the key while it is being made waits for it: an RSA key costs a quarter of a second of a core.
    const name = `${tenantId} ${algorithm}`;
    const making =
      this.#making.get(name) ?? this.#makeMissing(tenantId, algorithm).finally(() => this.#making.delete(name));
    this.#making.set(name, making);
    await making;
    return this.keyring(tenantId, await this.published(tenantId));
  }

  /** The request may remember less than there is: a key is made only where the rows of this moment lack it. */
  async #makeMissing(tenantId: TenantId, algorithm: SigningAlgorithm): Promise<void> {
    const published = await this.published(tenantId);
    const lacks = (slot: KeySlot) => !published.some((key) => key.slot === slot && key.algorithm === algorithm);
    for (const slot of (['current', 'next'] as const).filter(lacks)) {
      const key = await makeSigningKey(algorithm, slot);
      await this.#authorization.performInternal(internalPrincipal('tokenService', tenantId), addSigningKey, key);
    }
  }
}

function opened({ kid, slot, publicJwk, privateKey }: NewSigningKey): TenantKey {
  const publicKey: KeyObject = createPublicKey({ key: publicJwk, format: 'jwk' });
  if (slot !== 'current') return { kid, publicKey };
  return { kid, publicKey, privateKey: createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }) };
}
