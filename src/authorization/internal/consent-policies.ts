import { readConsentPolicies } from '../../directory/consent-policies.ts';
import { internalOperation } from '../operation.ts';

/** What the consent page must know to tell what a person may agree to himself. */
export const getConsentPolicies = internalOperation({
  action: 'authentication/tokens/read',
  access: 'read',
  short: false,
  run: (permit, { appId, resourceIds }: { readonly appId: string; readonly resourceIds: readonly string[] }) =>
    readConsentPolicies(permit, appId, resourceIds),
});
