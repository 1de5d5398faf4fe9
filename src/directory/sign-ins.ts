import type { Permit } from '../store/permit.ts';
import type { AppId } from '../vocabulary/ids.ts';
import { versionMatches } from './versions.ts';

/** One sign-in or token issuance, granted or refused, before it has an id and a time. */
export interface SignInEntry {
  readonly eventType: 'interactiveUser' | 'nonInteractiveUser' | 'servicePrincipal';
  readonly userId?: string | undefined;
  readonly userPrincipalName?: string | undefined;
  readonly userDisplayName?: string | undefined;
  readonly servicePrincipalId?: string | undefined;
  readonly appId?: string | undefined;
  readonly appDisplayName?: string | undefined;
  readonly resourceId?: string | undefined;
  readonly resourceDisplayName?: string | undefined;
  readonly clientCredentialType?: string | undefined;
  /** The access token's `jti`. */
  readonly tokenId?: string | undefined;
  readonly familyId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly ipAddress?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly correlationId: string;
  /** 0 for success, else Entra's number of the reason. */
  readonly errorCode?: number | undefined;
  readonly failureReason?: string | undefined;
  /** How the token, or its refusal, was decided; small, and without secrets. */
  readonly decision?: object | undefined;
}

const COLUMNS = {
  tenant_id: 'uuid',
  event_type: 'text',
  user_id: 'uuid',
  user_principal_name: 'text',
  user_display_name: 'text',
  service_principal_id: 'uuid',
  app_id: 'text',
  app_display_name: 'text',
  resource_id: 'uuid',
  resource_display_name: 'text',
  client_credential_type: 'text',
  token_id: 'text',
  family_id: 'text',
  session_id: 'text',
  ip_address: 'text',
  user_agent: 'text',
  correlation_id: 'text',
  error_code: 'integer',
  failure_reason: 'text',
  decision: 'jsonb',
} as const;
const NAMES = Object.keys(COLUMNS).join(', ');
const TYPED = Object.entries(COLUMNS)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');

// One statement for records of many tenants. Each row is bound to its own tenant before row level security checks it:
// the binding is part of the join that yields the row. The versions are those of the statement's own snapshot.
const INSERT = {
  name: 'insert-sign-ins',
  text: `with asked as materialized (
      select r.*, r.assumed_version is null or
        ${versionMatches('r.assumed_version', 'r.tenant_id', 'r.assumed_app_id')} as is_current
      from jsonb_to_recordset($1::jsonb) as r (position integer, assumed_version text, assumed_app_id uuid, ${TYPED})
    ), written as (
      insert into sign_ins (${NAMES})
      select ${NAMES.replaceAll(/\w+/g, 'asked.$&')} from asked
      join lateral (select set_config('bailiwick.tenant_id', asked.tenant_id::text, true) as tenant_id) as bound
        on bound.tenant_id = asked.tenant_id::text
      where asked.is_current
    )
    select position from asked where not is_current`,
};

/** What a record's answer was made from: remembered, and not yet seen to be of this moment. */
export interface AssumedVersion {
  readonly appId: AppId;
  readonly version: string;
}

export interface SignInRecord {
  readonly tenantId: string;
  readonly entry: SignInEntry;
  /** The record is made only if this is still the version. */
  readonly assumed?: AssumedVersion | undefined;
}

/**
 * Records of any number of tenants: a statement that binds each row itself (`Store.selfBoundStatement`). Says of each
 * whether it was made.
 */
export async function insertSignIns(
  permit: Permit<'authentication/signIns/create' | 'authentication/tokens/issue'>,
  records: readonly SignInRecord[],
): Promise<boolean[]> {
  const outdated = await permit.query<{ position: number }>({
    ...INSERT,
    values: [JSON.stringify(records.map(rowOf))],
  });
  return records.map((_, index) => !outdated.some(({ position }) => position === index));
}

type Row = { readonly [Name in keyof typeof COLUMNS | 'position' | 'assumed_version' | 'assumed_app_id']: unknown };

function rowOf({ tenantId, entry, assumed }: SignInRecord, position: number): Row {
  return {
    position,
    assumed_version: assumed?.version,
    assumed_app_id: assumed?.appId,
    tenant_id: tenantId,
    event_type: entry.eventType,
    user_id: entry.userId,
    user_principal_name: entry.userPrincipalName,
    user_display_name: entry.userDisplayName,
    service_principal_id: entry.servicePrincipalId,
    app_id: entry.appId,
    app_display_name: entry.appDisplayName,
    resource_id: entry.resourceId,
    resource_display_name: entry.resourceDisplayName,
    client_credential_type: entry.clientCredentialType,
    token_id: entry.tokenId,
    family_id: entry.familyId,
    session_id: entry.sessionId,
    ip_address: entry.ipAddress,
    user_agent: entry.userAgent,
    correlation_id: entry.correlationId,
    error_code: entry.errorCode ?? 0,
    failure_reason: entry.failureReason,
    decision: entry.decision,
  };
}
