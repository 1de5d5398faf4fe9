import { deleteExpired } from '../../directory/expired.ts';
import { internalOperation } from '../operation.ts';

/** Clears the tenant of what expired: input and result count rows of one table. */
export const dropExpired = internalOperation({
  action: 'authentication/expired/delete',
  access: 'write',
  short: false,
  run: (permit, limit: number) => deleteExpired(permit, limit),
});
