import { readAccount } from '../../directory/accounts.ts';
import { internalOperation } from '../operation.ts';

export type { Account } from '../../directory/accounts.ts';

export const getAccount = internalOperation({
  action: 'authentication/accounts/read',
  access: 'read',
  short: true,
  run: (permit, id: string) => readAccount(permit, id),
});
