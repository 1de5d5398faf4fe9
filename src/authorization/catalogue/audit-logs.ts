import { z } from 'zod';
import { listAudits, listSignIns, readAudit, readSignIn } from '../../directory/audit-logs.ts';
import type { RecordedDecision } from '../../vocabulary/token-decision.ts';
import { explainedRecord } from '../explanation.ts';
import { readOperation } from '../operation.ts';
import { listQuery, objectId } from './inputs.ts';

const audits = {
  activity: 'Read directory audit logs',
  category: 'DirectoryManagement',
  type: 'Read',
  object: 'AuditLog',
} as const;
const signIns = { ...audits, activity: 'Read sign-in logs' } as const;
const permissions = { delegated: ['AuditLog.Read.All'], application: ['AuditLog.Read.All'] } as const;

export const getAudits = readOperation({
  name: 'listDirectoryAudits',
  summary: 'List directory audit records',
  action: 'directory/auditLogs/standard/read',
  list: true,
  route: { method: 'GET', path: '/auditLogs/directoryAudits', status: 200 },
  permissions,
  input: z.strictObject({ query: listQuery }),
  audit: audits,
  run: (permit, { query }) => listAudits(permit, query),
});

export const getAudit = readOperation({
  name: 'getDirectoryAudit',
  summary: 'Get a directory audit record',
  action: 'directory/auditLogs/standard/read',
  route: { method: 'GET', path: '/auditLogs/directoryAudits/:id', status: 200 },
  permissions,
  input: z.strictObject({ id: objectId }),
  audit: audits,
  run: (permit, { id }) => readAudit(permit, id),
});

export const getSignIns = readOperation({
  name: 'listSignIns',
  summary: 'List sign-in records',
  action: 'directory/signInLogs/standard/read',
  list: true,
  route: { method: 'GET', path: '/auditLogs/signIns', status: 200 },
  permissions,
  input: z.strictObject({ query: listQuery }),
  audit: signIns,
  run: async (permit, { query }) => {
    const page = await listSignIns(permit, query);
    return { ...page, value: page.value.map(withWords) };
  },
});

export const getSignIn = readOperation({
  name: 'getSignIn',
  summary: 'Get a sign-in record',
  action: 'directory/signInLogs/standard/read',
  route: { method: 'GET', path: '/auditLogs/signIns/:id', status: 200 },
  permissions,
  input: z.strictObject({ id: objectId }),
  audit: signIns,
  run: async (permit, { id }) => withWords(await readSignIn(permit, id)),
});

/** How the token was decided is kept without words; they are made here. */
function withWords(signIn: object & { readonly tokenDecision?: RecordedDecision | null }): object {
  const { tokenDecision } = signIn;
  return tokenDecision ? { ...signIn, tokenDecision: explainedRecord(tokenDecision) } : signIn;
}
