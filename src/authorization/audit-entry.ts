import type { AuditEntry } from '../directory/audits.ts';
import type { ObjectChange } from '../vocabulary/objects.ts';
import type { Principal } from '../vocabulary/principals.ts';
import type { RequestContext } from '../vocabulary/request-context.ts';
import type { AnyOperation, AuditWords } from './operation.ts';

const MAX_REASON = 1_000;
const MAX_ID = 128;

/** The record of an act that was done, with what changed on each object. */
export function successEntry(
  audit: AuditWords,
  principal: Principal,
  context: RequestContext,
  changes: readonly ObjectChange[],
): AuditEntry {
  const { activity, category, type } = audit;
  return {
    ...described(activity, category, type, principal, context),
    result: 'success',
    targetResources: changes.map(targetOf),
  };
}

/** The record of an act that was refused or failed. What was asked for is named by its id alone. */
export function failureEntry(
  operation: AnyOperation,
  principal: Principal,
  context: RequestContext,
  reason: string,
  targetId: string | undefined,
): AuditEntry {
  const { activity, category, type, object } = operation.audit ?? {
    activity: operation.summary,
    category: 'DirectoryManagement',
    type: 'Read',
    object: undefined,
  };
  return {
    ...described(activity, category, type, principal, context),
    result: 'failure',
    resultReason: printable(reason, MAX_REASON),
    targetResources: targetId
      ? [{ id: printable(targetId, MAX_ID), type: object ?? null, displayName: null, modifiedProperties: [] }]
      : [],
  };
}

/** Words of a caller: bounded, and without what Postgres refuses or a terminal obeys (AUD-05). */
function printable(text: string, max: number): string {
  return text
    .slice(0, max)
    .toWellFormed()
    .replace(/\p{Cc}/gu, '?');
}

function described(activity: string, category: string, type: string, principal: Principal, context: RequestContext) {
  const { correlationId, ipAddress, userAgent } = context;
  return {
    activityDisplayName: activity,
    category,
    operationType: type,
    correlationId,
    initiatedBy: initiatorOf(principal, ipAddress),
    additionalDetails: userAgent ? [{ key: 'User-Agent', value: userAgent }] : [],
  };
}

function initiatorOf(principal: Principal, ipAddress: string | undefined): object {
  switch (principal.kind) {
    case 'delegated':
      return { user: { id: principal.userId, ipAddress: ipAddress ?? null }, app: { appId: principal.appId } };
    case 'session':
      return { user: { id: principal.userId, ipAddress: ipAddress ?? null }, app: null };
    case 'application':
      return { user: null, app: { appId: principal.appId, servicePrincipalId: principal.servicePrincipalId } };
    case 'internal':
      return { user: null, app: { appId: null, displayName: `bailiwick ${principal.name}` } };
  }
}

function targetOf({ type, id, displayName, before, after }: ObjectChange): object {
  return { id, type, displayName: displayName ?? null, modifiedProperties: modifiedProperties(before, after) };
}

function modifiedProperties(before: object = {}, after: object = {}): object[] {
  const [old, fresh] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .map((name) => ({ displayName: name, oldValue: written(old.get(name)), newValue: written(fresh.get(name)) }))
    .filter(({ oldValue, newValue }) => oldValue !== newValue);
}

/** Graph keeps old and new values as JSON text. */
function written(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
