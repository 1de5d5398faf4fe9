import { z } from 'zod';
import { listConsentUsage } from '../../directory/consent-usage.ts';
import { readOperation } from '../operation.ts';
import { listQuery } from './inputs.ts';

const READ = ['Directory.Read.All', 'Directory.ReadWrite.All'] as const;

export const getConsentUsage = readOperation({
  name: 'listConsentUsage',
  summary: 'List what applications were granted, when it was last used, and what may be wrong with it',
  action: 'directory/servicePrincipals/tokenDecisions/read',
  list: true,
  route: { method: 'GET', path: '/reports/consentUsage', status: 200 },
  permissions: { delegated: READ, application: READ },
  input: z.strictObject({ query: listQuery }),
  run: (permit, { query }) => listConsentUsage(permit, query),
});
