import { readGrantedScopes } from '../../directory/consents.ts';
import { internalOperation } from '../operation.ts';

export type { GrantedScopes } from '../../directory/consents.ts';

/** What the consent page must know: what was granted before. */
export const getGrantedScopes = internalOperation({
  action: 'authentication/tokens/read',
  access: 'read',
  short: true,
  run: (permit, who: { readonly appId: string; readonly userId: string }) => readGrantedScopes(permit, who),
});
