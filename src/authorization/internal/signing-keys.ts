import {
  insertSigningKey,
  listPublishedKeys,
  type NewSigningKey,
  readSigningKey,
} from '../../directory/signing-keys.ts';
import { internalOperation } from '../operation.ts';

export type { KeySlot, NewSigningKey, PublishedKey, SigningAlgorithm } from '../../directory/signing-keys.ts';

export const addSigningKey = internalOperation({
  action: 'authentication/signingKeys/create',
  access: 'write',
  short: true,
  run: (permit, key: NewSigningKey) => insertSigningKey(permit, key),
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
