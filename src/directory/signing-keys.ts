import type { Permit } from '../store/permit.ts';

/** `current` signs. `next` and `retiring` only verify, so that processes may change over one after the other. */
export type KeySlot = 'next' | 'current' | 'retiring';
export type SigningAlgorithm = 'ES256' | 'RS256';

export interface PublishedKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly slot: KeySlot;
  /** RFC 7517, public parameters only. */
  readonly publicJwk: Record<string, unknown>;
}

export interface NewSigningKey extends PublishedKey {
  /** PKCS #8, DER. Sealed before it is stored. */
  readonly privateKey: Buffer;
}

/** Adds a key; nothing happens when its slot is taken, so that two processes can try at once. */
export async function insertSigningKey(
  permit: Permit<'authentication/signingKeys/create' | 'authentication/signingKeys/rotate'>,
  key: NewSigningKey,
): Promise<void> {
  const sealed = permit.seal('signing_keys', key.kid, 'sealed_private_key', key.privateKey);
  await permit.query({
    text: `insert into signing_keys (tenant_id, kid, algorithm, slot, public_jwk, sealed_private_key, activated_at)
      values ($1, $2, $3, $4, $5, $6, case when $4 = 'current' then now() end) on conflict do nothing`,
    values: [permit.tenantId, key.kid, key.algorithm, key.slot, JSON.stringify(key.publicJwk), sealed],
  });
}

/** A rotation: the key that is to be next, and how long the one that is next now must have been published. */
export interface Rotation {
  readonly next: NewSigningKey;
  readonly publishedSeconds: number;
  /** Retiring keys that signed nothing for this long are dropped. */
  readonly keptSeconds: number;
}

export interface Rotated {
  readonly outcome: 'rotated' | 'tooEarly' | 'noKeys';
  readonly current?: string | undefined;
  readonly retiring?: string | undefined;
}

/** Next becomes current, current retires, and a new key is published as next: all or nothing. */
export async function rotateSigningKeys(
  permit: Permit<'authentication/signingKeys/rotate'>,
  { next, publishedSeconds, keptSeconds }: Rotation,
): Promise<Rotated> {
  const keys = await permit.query<{ kid: string; slot: KeySlot; isOld: boolean }>({
    text: `select kid, slot, created_at <= now() - make_interval(secs => $3) as "isOld" from signing_keys
      where tenant_id = $1 and algorithm = $2 and slot <> 'retiring' for update`,
    values: [permit.tenantId, next.algorithm, publishedSeconds],
  });
  const [current, coming] = (['current', 'next'] as const).map((slot) => keys.find((key) => key.slot === slot));
  if (!current || !coming) return { outcome: 'noKeys' };
  if (!coming.isOld) return { outcome: 'tooEarly' };
  await permit.query({
    text: `update signing_keys set slot = 'retiring', retired_at = now() where tenant_id = $1 and kid = $2`,
    values: [permit.tenantId, current.kid],
  });
  await permit.query({
    text: `update signing_keys set slot = 'current', activated_at = now() where tenant_id = $1 and kid = $2`,
    values: [permit.tenantId, coming.kid],
  });
  await insertSigningKey(permit, next);
  await permit.query({
    text: `delete from signing_keys where tenant_id = $1 and algorithm = $2 and slot = 'retiring'
      and retired_at < now() - make_interval(secs => $3)`,
    values: [permit.tenantId, next.algorithm, keptSeconds],
  });
  return { outcome: 'rotated', current: coming.kid, retiring: current.kid };
}

/** All published keys of the tenant: what its JWKS shows. */
export async function listPublishedKeys(permit: Permit<'authentication/signingKeys/read'>): Promise<PublishedKey[]> {
  return permit.query<PublishedKey>({
    name: 'list-published-keys',
    text: `select kid, algorithm, slot, public_jwk as "publicJwk" from signing_keys where tenant_id = $1
      order by algorithm, slot, created_at`,
    values: [permit.tenantId],
  });
}

/** One key with its private part. Only the authentication login can read it. */
export async function readSigningKey(
  permit: Permit<'authentication/signingKeys/read'>,
  kid: string,
): Promise<NewSigningKey | undefined> {
  const [row] = await permit.query<PublishedKey & { sealed: Buffer }>({
    name: 'read-signing-key',
    text: `select kid, algorithm, slot, public_jwk as "publicJwk", sealed_private_key as sealed
      from signing_keys where tenant_id = $1 and kid = $2`,
    values: [permit.tenantId, kid],
  });
  if (!row) return undefined;
  const { sealed, ...key } = row;
  return { ...key, privateKey: permit.unseal('signing_keys', kid, 'sealed_private_key', sealed) };
}
