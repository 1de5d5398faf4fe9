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
}

const COLUMN_NAMES = [
  ...[
    'tenant_id',
    'event_type',
    'user_id',
    'user_principal_name',
    'user_display_name',
    'service_principal_id',
    'app_id',
  ],
  ...['app_display_name', 'resource_id', 'resource_display_name', 'client_credential_type', 'token_id', 'family_id'],
  ...['session_id', 'ip_address', 'user_agent', 'correlation_id', 'error_code', 'failure_reason'],
];
const COLUMNS = `(${COLUMN_NAMES.join(', ')})`;

// One statement for records of many tenants. Each row is bound to its own tenant before row level security checks it:
// the binding is part of the join that yields the row.
const INSERT_MANY = {
  name: 'insert-sign-ins',
  text: `insert into sign_ins ${COLUMNS}
    select r.* from jsonb_to_recordset($1::jsonb) as r (tenant_id uuid, event_type text, user_id uuid, user_principal_name text,
      user_display_name text, service_principal_id uuid, app_id text, app_display_name text, resource_id uuid,
      resource_display_name text, client_credential_type text, token_id text, family_id text, session_id text,
      ip_address text, user_agent text, correlation_id text, error_code integer, failure_reason text)
    join lateral (select set_config('bailiwick.tenant_id', r.tenant_id::text, true) as tenant_id) as bound
      on bound.tenant_id = r.tenant_id::text`,
};

const INSERT = {
  name: 'insert-sign-in',
  text: `insert into sign_ins ${COLUMNS}
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
};

export async function insertSignIn(
  permit: Permit<'authentication/signIns/create' | 'authentication/tokens/issue'>,
  entry: SignInEntry,
): Promise<void> {
  await permit.query({ ...INSERT, values: valuesOf(permit.tenantId, entry) });
}

/** Records of several tenants, as a statement that binds each row itself (`Store.selfBoundStatement`). */
export async function insertSignIns(
  permit: Permit<'authentication/signIns/create'>,
  records: readonly { readonly tenantId: string; readonly entry: SignInEntry }[],
): Promise<void> {
  await permit.query({
    ...INSERT_MANY,
    values: [JSON.stringify(records.map(({ tenantId, entry }) => rowOf(tenantId, entry)))],
  });
}

function rowOf(tenantId: string, entry: SignInEntry): Record<string, unknown> {
  const values = valuesOf(tenantId, entry);
  return Object.fromEntries(COLUMN_NAMES.map((name, index) => [name, values[index]]));
}

function valuesOf(tenantId: string, entry: SignInEntry): unknown[] {
  const { eventType, userId, userPrincipalName, userDisplayName, servicePrincipalId, appId, appDisplayName } = entry;
  const { resourceId, resourceDisplayName, clientCredentialType, tokenId, familyId, sessionId } = entry;
  const { ipAddress, userAgent, correlationId, errorCode = 0, failureReason } = entry;
  const described = [eventType, userId, userPrincipalName, userDisplayName, servicePrincipalId, appId, appDisplayName];
  const issued = [resourceId, resourceDisplayName, clientCredentialType, tokenId, familyId, sessionId];
  const request = [ipAddress, userAgent, correlationId, errorCode, failureReason];
  return [tenantId, ...[...described, ...issued, ...request].map((value) => value ?? null)];
}
