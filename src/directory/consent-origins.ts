import type { Permit } from '../store/permit.ts';

/** Who made a grant or an assignment, and when: what the audit record of its making says. */
export interface ConsentOrigin {
  /** Of the grant or assignment. */
  readonly id: string;
  readonly grantedDateTime: Date;
  /** Graph's `auditActivityInitiator`; an app without an id is a part of the product itself. */
  readonly initiatedBy: {
    readonly user: { readonly id: string } | null;
    readonly app: { readonly appId: string | null; readonly displayName?: string } | null;
  };
}

/** The origins of grants and assignments, as far as their records are still there. */
export async function readConsentOrigins(
  permit: Permit<'directory/oAuth2PermissionGrants/standard/read'>,
  ids: readonly string[],
): Promise<readonly ConsentOrigin[]> {
  return permit.query<ConsentOrigin & Record<string, unknown>>({
    text: `select distinct on (target ->> 'id') target ->> 'id' as id, activity_at as "grantedDateTime",
        initiated_by as "initiatedBy"
      from directory_audits cross join jsonb_array_elements(target_resources) target
      where tenant_id = $1 and result = 'success' and operation_type in ('Add', 'Assign') and target ->> 'id' = any ($2)
      order by target ->> 'id', activity_at`,
    values: [permit.tenantId, ids],
  });
}
