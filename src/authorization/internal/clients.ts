import { readLogo } from '../../directory/application-logos.ts';
import {
  findClient,
  listSpaRedirectUris,
  markSecretUsed,
  readClientDefinition,
  readResource,
} from '../../directory/clients.ts';
import { internalOperation } from '../operation.ts';

export type {
  ClientDefinition,
  ClientState,
  PublishedScope,
  ResourceState,
  StoredSecret,
} from '../../directory/clients.ts';

// Bound to the app id, so that an application that another tenant published can be seen.
const byAppId = (appId: string) => ({ appId });

/** All that there is to know of a client, in one round trip: both statements are queued at once. */
export const getClient = internalOperation({
  action: 'authentication/clients/read',
  access: 'read',
  short: true,
  binding: byAppId,
  run: async (permit, appId: string) => {
    const [state, definition] = await Promise.all([findClient(permit, appId), readClientDefinition(permit, appId)]);
    return state && { state, definition };
  },
});

export const getClientState = internalOperation({
  action: 'authentication/clients/read',
  access: 'read',
  short: true,
  binding: byAppId,
  run: (permit, appId: string) => findClient(permit, appId),
});

export const getClientDefinition = internalOperation({
  action: 'authentication/clients/read',
  access: 'read',
  short: true,
  binding: byAppId,
  run: (permit, appId: string) => readClientDefinition(permit, appId),
});

export const getLogo = internalOperation({
  action: 'authentication/clients/read',
  access: 'read',
  short: true,
  binding: byAppId,
  run: (permit, appId: string) => readLogo(permit, appId),
});

export const getResource = internalOperation({
  action: 'authentication/resources/read',
  access: 'read',
  short: true,
  run: (permit, name: { readonly appId?: string; readonly identifierUri?: string }) => readResource(permit, name),
});

export const noteSecretUse = internalOperation({
  action: 'authentication/secrets/markUsed',
  access: 'write',
  short: true,
  run: (permit, keyId: string) => markSecretUsed(permit, keyId),
});

export const getSpaRedirectUris = internalOperation({
  action: 'authentication/clients/read',
  access: 'read',
  short: true,
  run: (permit, _input: undefined) => listSpaRedirectUris(permit),
});
