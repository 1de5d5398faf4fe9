import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';

/** One directory audit record, before it has an id and a time. Graph's `directoryAudit` shapes inside. */
export interface AuditEntry {
  readonly activityDisplayName: string;
  readonly category: string;
  readonly operationType: string;
  readonly result: 'success' | 'failure';
  readonly resultReason?: string | undefined;
  readonly correlationId: string;
  readonly initiatedBy: object;
  readonly targetResources: readonly object[];
  readonly additionalDetails: readonly { readonly key: string; readonly value: string }[];
}

const INSERT = {
  name: 'insert-audit',
  text: `insert into directory_audits (tenant_id, activity_display_name, category, operation_type, result, result_reason,
      correlation_id, initiated_by, target_resources, additional_details)
    select $1::uuid, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10::jsonb where exists (select from tenants where id = $1)`,
};

/** Writes an audit record in the transaction of the act that it records. A tenant that is gone gets none. */
export async function insertAudit(permit: Permit<Action>, entry: AuditEntry): Promise<void> {
  await permit.query({
    ...INSERT,
    values: [
      permit.tenantId,
      entry.activityDisplayName,
      entry.category,
      entry.operationType,
      entry.result,
      entry.resultReason ?? null,
      entry.correlationId,
      JSON.stringify(entry.initiatedBy),
      JSON.stringify(entry.targetResources),
      JSON.stringify(entry.additionalDetails),
    ],
  });
}
