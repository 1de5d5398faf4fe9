import { noteLastUses } from '../../directory/last-uses.ts';
import { internalOperation } from '../operation.ts';

/** Raises no version: nothing that is decided depends on it. */
export const noteUses = internalOperation({
  action: 'authentication/use/note',
  access: 'write',
  short: true,
  run: (permit, ids: readonly string[]) => noteLastUses(permit, ids),
});
