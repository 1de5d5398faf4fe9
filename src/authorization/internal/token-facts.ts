import { readTokenFacts, type TokenParties } from '../../directory/token-facts.ts';
import { internalOperation } from '../operation.ts';

/** What a token would depend on now, before a family begins. */
export const getTokenFacts = internalOperation({
  action: 'authentication/tokens/read',
  access: 'read',
  short: true,
  binding: ({ appId }: TokenParties) => ({ appId }),
  run: (permit, parties: TokenParties) => readTokenFacts(permit, parties),
});
