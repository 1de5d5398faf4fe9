import { readTenantPolicy } from '../../directory/tenant-policies.ts';
import { internalOperation } from '../operation.ts';

/** What the organization allows of the ways to get a token. Read in each request that goes by it. */
export const getAuthorizationPolicy = internalOperation({
  action: 'authentication/tokens/read',
  access: 'read',
  short: true,
  run: (permit, _input: undefined) => readTenantPolicy(permit, 'authorizationPolicy'),
});
