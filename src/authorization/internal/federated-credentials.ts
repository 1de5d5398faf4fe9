import { readTrustedIssuers } from '../../directory/federated-credentials.ts';
import { internalOperation } from '../operation.ts';

export type { TrustedIssuer } from '../../directory/federated-credentials.ts';

// Bound to the app id, so that what another tenant published of its application can be seen.
export const getTrustedIssuers = internalOperation({
  action: 'authentication/federatedCredentials/read',
  access: 'read',
  short: true,
  binding: (appId: string) => ({ appId }),
  run: (permit, appId: string) => readTrustedIssuers(permit, appId),
});
