import { z } from 'zod';
import { createApplication } from '../../directory/applications.ts';
import { addSecret } from '../../directory/password-credentials.ts';
import { readTenantPolicy } from '../../directory/tenant-policies.ts';
import type { Permit } from '../../store/permit.ts';
import type { Application } from '../../vocabulary/applications.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import { writeOperation } from '../operation.ts';
import { writingOne } from './application-permissions.ts';
import { type ClientRegistration, clientMetadata } from './client-metadata.ts';

type Create = Permit<'directory/applications/create'>;

/** RFC 7591, where the initial access token is a token of the directory API: tenant and rights come from it alone. */
export const registerClient = writeOperation({
  name: 'registerClient',
  summary: 'Register a client (RFC 7591); it waits until an administrator consents to it',
  action: 'directory/applications/create',
  route: { method: 'POST', path: '/oauth2/register', status: 201 },
  permissions: writingOne,
  audit: { activity: 'Register application', type: 'Add', category: 'ApplicationManagement', object: 'Application' },
  input: z.strictObject({ body: clientMetadata }),
  target: () => ({ isOwned: true }),
  run: async (permit, { body }, { servicePrincipalId, grantedBy }) => {
    await requireAllowed(permit);
    const firstOwner = grantedBy.includes('Application.ReadWrite.OwnedBy') ? servicePrincipalId : undefined;
    const { value, changes } = await createApplication(permit, {
      ...body.properties,
      firstOwner,
      registration: 'dynamic',
    });
    const secret = await secretOf(permit, value, body);
    return { value: { ...answerOf(value, body), ...secret }, changes };
  },
});

async function requireAllowed(permit: Create): Promise<void> {
  const { allowDynamicClientRegistration } = await readTenantPolicy(permit, 'authorizationPolicy');
  if (!allowDynamicClientRegistration)
    throw new DirectoryError(
      'Authorization_RequestDenied',
      'The organization does not let clients register themselves.',
    );
}

async function secretOf(permit: Create, { id }: Application, { metadata }: ClientRegistration) {
  if (!metadata.token_endpoint_auth_method.startsWith('client_secret')) return {};
  const { value } = await addSecret(permit, id, {});
  return {
    client_secret: value.secretText,
    client_secret_expires_at: Math.floor(value.endDateTime.getTime() / 1_000),
  };
}

/** RFC 7591, section 3.2.1: what was registered, defaults included. */
function answerOf({ appId, displayName, createdDateTime }: Application, { metadata }: ClientRegistration) {
  const { software_statement: _, ...registered } = metadata;
  return {
    client_id: appId,
    client_id_issued_at: Math.floor(createdDateTime.getTime() / 1_000),
    ...registered,
    client_name: displayName,
    response_types: metadata.redirect_uris.length > 0 ? ['code'] : [],
  };
}
