import { z } from 'zod';
import { readConsentOrigins } from '../../directory/consent-origins.ts';
import { objectId } from '../catalogue/inputs.ts';
import { readOperation } from '../operation.ts';

export type { ConsentOrigin } from '../../directory/consent-origins.ts';

/**
 * For the command line, which may read no audit log: of the records only those by which these grants and assignments
 * were made. Callers of the HTTP API filter `/auditLogs/directoryAudits` instead. It has no route and is not in the catalogue.
 */
export const getConsentOrigins = readOperation({
  name: 'listConsentOrigins',
  summary: 'Tell who made grants and assignments, and when',
  action: 'directory/oAuth2PermissionGrants/standard/read',
  permissions: { delegated: [], application: [] },
  input: z.strictObject({ ids: z.array(objectId) }),
  run: (permit, { ids }) => readConsentOrigins(permit, ids),
});
