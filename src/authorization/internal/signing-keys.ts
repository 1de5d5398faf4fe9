import {
  insertSigningKey,
  listPublishedKeys,
  type NewSigningKey,
  type Rotated,
  type Rotation,
  readSigningKey,
  rotateSigningKeys,
} from '../../directory/signing-keys.ts';
import { internalOperation } from '../operation.ts';

export type { KeySlot, NewSigningKey, PublishedKey, SigningAlgorithm } from '../../directory/signing-keys.ts';

export const addSigningKey = internalOperation({
  action: 'authentication/signingKeys/create',
  access: 'write',
  short: false,
  raisesVersion: true,
  run: (permit, key: NewSigningKey) => insertSigningKey(permit, key),
});

export const rotateKeys = internalOperation({
  action: 'authentication/signingKeys/rotate',
  access: 'write',
  short: false,
  raisesVersion: true,
  audit: { activity: 'Rotate signing key', category: 'KeyManagement', type: 'Update', object: 'SigningKey' },
  changes: ({ next }: Rotation, { outcome, current, retiring }: Rotated) =>
    outcome === 'rotated'
      ? [{ type: 'SigningKey', id: next.kid, before: { current: retiring }, after: { current, next: next.kid } }]
      : [],
  run: (permit, rotation: Rotation): Promise<Rotated> => rotateSigningKeys(permit, rotation),
});

export const listKeys = internalOperation({
  action: 'authentication/signingKeys/read',
  access: 'read',
  short: true,
  run: (permit, _input: undefined) => listPublishedKeys(permit),
});

export const getSigningKey = internalOperation({
  action: 'authentication/signingKeys/read',
  access: 'read',
  short: true,
  run: (permit, kid: string) => readSigningKey(permit, kid),
});
