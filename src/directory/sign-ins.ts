import type { Permit } from '../store/permit.ts';

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
// the binding is part of the join that yields the row.
const INSERT = {
  name: 'insert-sign-ins',
  text: `insert into sign_ins (${NAMES})
    select r.* from jsonb_to_recordset($1::jsonb) as r (${TYPED})
    join lateral (select set_config('bailiwick.tenant_id', r.tenant_id::text, true) as tenant_id) as bound
      on bound.tenant_id = r.tenant_id::text`,
};

export interface SignInRecord {
  readonly tenantId: string;
  readonly entry: SignInEntry;
}

/** Records of any number of tenants: a statement that binds each row itself (`Store.selfBoundStatement`). */
export async function insertSignIns(
  permit: Permit<'authentication/signIns/create' | 'authentication/tokens/issue'>,
  records: readonly SignInRecord[],
): Promise<void> {
  await permit.query({ ...INSERT, values: [JSON.stringify(records.map(rowOf))] });
}

function rowOf({ tenantId, entry }: SignInRecord): { readonly [Name in keyof typeof COLUMNS]: unknown } {
  return {
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
