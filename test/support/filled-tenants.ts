import pg from 'pg';
import { parseTenantId, type TenantId } from '../../src/vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { TestDatabase } from './database.ts';

/** A tenant with a row in every table, whose every id and name begins with its mark: a foreign row is seen at once. */
export interface FilledTenant {
  readonly id: TenantId;
  readonly mark: string;
  /** Ids of the one row of each kind. */
  readonly user: string;
  readonly group: string;
  readonly application: string;
  readonly appId: string;
  readonly publishedAppId: string;
  readonly servicePrincipal: string;
  readonly directoryApi: string;
  readonly grant: string;
  readonly assignment: string;
  readonly roleAssignment: string;
  readonly record: string;
  readonly domain: string;
  readonly consentRequest: string;
  readonly federatedCredential: string;
}

export async function twoFilledTenants(database: TestDatabase): Promise<[FilledTenant, FilledTenant]> {
  const client = new pg.Client({ connectionString: database.superuserUrl });
  await client.connect();
  try {
    const tenants: [FilledTenant, FilledTenant] = [await fill(client, 'aaaaaaaa'), await fill(client, 'bbbbbbbb')];
    for (const { id, mark } of tenants) {
      const hash = database.sealer.keyedHash('bailiwick/user-codes/1', mark);
      await client.query('update artifacts set user_code_hash = $2 where tenant_id = $1', [id, hash]);
    }
    return tenants;
  } finally {
    await client.end();
  }
}

async function fill(client: pg.Client, mark: string): Promise<FilledTenant> {
  const id = (number: number) => `${mark}-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const tenant: FilledTenant = {
    id: parseTenantId(id(0)) as TenantId, // a GUID as it stands
    mark,
    user: id(1),
    group: id(2),
    application: id(3),
    appId: id(4),
    servicePrincipal: id(5),
    directoryApi: id(6),
    grant: id(7),
    assignment: id(8),
    record: id(9),
    publishedAppId: id(10),
    roleAssignment: id(16),
    domain: `${mark}.example`,
    consentRequest: id(18),
    federatedCredential: id(27),
  };
  for (const [text, ...values] of rowsOf(tenant, id)) await client.query(text, values);
  return tenant;
}

function rowsOf(tenant: FilledTenant, id: (number: number) => string): [string, ...unknown[]][] {
  const { mark, user, group, application, appId, publishedAppId, servicePrincipal, directoryApi } = tenant;
  const at = (table: string, columns: string, values: string, ...bound: unknown[]): [string, ...unknown[]] => [
    `insert into ${table} (tenant_id, ${columns}) values ($1, ${values})`,
    tenant.id,
    ...bound,
  ];
  const bytes = Buffer.from(mark);
  return [
    ['insert into tenants (id, display_name) values ($1, $2)', tenant.id, `${mark} tenant`],
    at('tenant_versions', 'version', '1'),
    at('verified_domains', 'name, is_default', '$2, true', tenant.domain),
    at('users', 'id, user_principal_name, display_name', '$2, $3, $3', user, `${mark}@${mark}.example`),
    at('user_passwords', 'user_id, password_hash', '$2, $3', user, `${mark} hash`),
    at('groups', 'id, display_name, mail_nickname', '$2, $3, $3', group, mark),
    at('group_members', 'group_id, user_id', '$2, $3', group, user),
    at(
      'applications',
      'id, app_id, display_name, identifier_uris, spa_redirect_uris, logo, logo_type, logo_hash',
      `$2, $3, $4, array[$4], array['https://spa.example/'], '\\x00', 'image/png', $4`,
      application,
      appId,
      `${mark} api`,
    ),
    at(
      'applications',
      'id, app_id, display_name, sign_in_audience',
      `$2, $3, $4, 'AzureADMultipleOrgs'`,
      id(11),
      publishedAppId,
      mark,
    ),
    at(
      'password_credentials',
      'key_id, application_id, hint, secret_hmac, end_at',
      `$2, $3, $4, $5, now() + interval '1 day'`,
      ...[id(12), application, mark, bytes],
    ),
    [
      'insert into published_applications (app_id, home_tenant_id, display_name) values ($1, $2, $3)',
      publishedAppId,
      tenant.id,
      mark,
    ],
    ['insert into application_ids (app_id, home_tenant_id) values ($1, $2)', publishedAppId, tenant.id],
    ['insert into published_application_versions (app_id, home_tenant_id) values ($1, $2)', publishedAppId, tenant.id],
    [
      `insert into published_password_credentials (app_id, key_id, home_tenant_id, secret_hmac, start_at, end_at)
        values ($1, $2, $3, $4, now(), now() + interval '1 day')`,
      ...[publishedAppId, id(13), tenant.id, bytes],
    ],
    at('service_principals', 'id, app_id', '$2, $3', servicePrincipal, appId),
    at('service_principals', 'id, app_id', '$2, $3', directoryApi, DIRECTORY_APP_ID),
    at(
      'oauth2_permission_grants',
      'id, client_id, resource_id, consent_type, principal_id, scope',
      `$2, $3, $4, 'Principal', $5, array['User.Read']`,
      ...[tenant.grant, servicePrincipal, directoryApi, user],
    ),
    at(
      'revoked_scopes',
      'id, client_id, resource_id, scope',
      `$2, $3, $4, 'User.ReadBasic.All'`,
      id(14),
      servicePrincipal,
      directoryApi,
    ),
    at(
      'app_role_assignments',
      'id, principal_type, service_principal_id, resource_id, app_role_id',
      `$2, 'ServicePrincipal', $3, $4, $5`,
      ...[tenant.assignment, servicePrincipal, directoryApi, id(15)],
    ),
    at('role_assignments', 'id, role_definition_id, user_id', '$2, $3, $4', tenant.roleAssignment, id(17), user),
    at(
      'directory_audits',
      'id, activity_display_name, category, operation_type, result, correlation_id, initiated_by, target_resources',
      `$2, $3, $3, 'Add', 'success', $3, '{}', jsonb_build_array(jsonb_build_object('id', $4::text))`,
      ...[tenant.record, mark, tenant.grant],
    ),
    at('sign_ins', 'id, event_type, correlation_id', '$2, $3, $3', tenant.record, mark),
    at(
      'signing_keys',
      'kid, algorithm, slot, public_jwk, sealed_private_key',
      `$2, 'ES256', 'current', jsonb_build_object('kid', $2::text), $3`,
      ...[mark, bytes],
    ),
    at(
      'token_families',
      'id, user_id, service_principal_id, expires_at',
      `$2, $3, $4, now() + interval '1 day'`,
      ...[mark, user, servicePrincipal],
    ),
    at('revoked_tokens', 'token_id, expires_at', `$2, now() + interval '1 day'`, mark),
    [
      `insert into artifacts (tenant_id, model, id_hash, uid_hash, payload, expires_at)
        values ($1, 'Session', sha256($2), sha256($2), $2, now() + interval '1 day')`,
      ...[tenant.id, bytes],
    ],
    at('sign_in_throttles', 'subject_hash', '$2', bytes),
    at('familiar_devices', 'user_id, device_hash', '$2, $3', user, bytes),
    ...governanceRowsOf(tenant, id, at),
  ];
}

function governanceRowsOf(
  tenant: FilledTenant,
  id: (number: number) => string,
  at: (table: string, columns: string, values: string, ...bound: unknown[]) => [string, ...unknown[]],
): [string, ...unknown[]][] {
  const { mark, user, application, publishedAppId, servicePrincipal, consentRequest } = tenant;
  return [
    at('tenant_policies', 'id, settings', `'authorizationPolicy', jsonb_build_object('mark', $2::text)`, mark),
    at(
      'tenant_policies',
      'id, settings',
      `'adminConsentRequestPolicy', jsonb_build_object('isEnabled', true, 'reviewers',
        jsonb_build_array(jsonb_build_object('query', '/users/' || $2::text, 'queryType', 'MicrosoftGraph')))`,
      user,
    ),
    at('permission_grant_policies', 'id, display_name', '$2, $2', mark),
    at(
      'permission_grant_condition_sets',
      'id, policy_id, kind, permission_type',
      `$2, $3, 'includes', 'delegated'`,
      id(19),
      mark,
    ),
    at(
      'delegated_permission_classifications',
      'id, service_principal_id, permission_id, permission_name, classification',
      `$2, $3, $4, $5, 'low'`,
      ...[id(20), servicePrincipal, id(21), mark],
    ),
    at(
      'app_consent_requests',
      'id, app_id, app_display_name, expires_at',
      `$2, $3, $4, now() + interval '1 day'`,
      ...[consentRequest, publishedAppId, mark],
    ),
    at(
      'user_consent_requests',
      'id, app_consent_request_id, user_id, reason, scopes',
      `$2, $3, $4, $5, '[]'`,
      ...[id(22), consentRequest, user, mark],
    ),
    at(
      'consent_request_decisions',
      'id, app_consent_request_id, reviewer_id, review_result, justification',
      `$2, $3, $4, 'Deny', $5`,
      ...[id(23), consentRequest, user, mark],
    ),
    at('outbox_messages', 'id, kind, channel, recipient, subject_id', `$2, 'test', 'mail', $3, $3`, id(24), mark),
    at('notification_secrets', 'id, sealed_secret', '$2, $3', mark, Buffer.from(mark)),
    at('application_owners', 'id, application_id, user_id', '$2, $3, $4', id(25), application, user),
    at('service_principal_owners', 'id, owned_id, user_id', '$2, $3, $4', id(26), servicePrincipal, user),
    at(
      'federated_identity_credentials',
      'id, application_id, name, issuer, subject, audiences',
      `$2, $3, $4, 'https://issuer.example', $4, array[$4]`,
      ...[tenant.federatedCredential, application, mark],
    ),
    [
      `insert into published_federated_identity_credentials (app_id, id, home_tenant_id, issuer, subject, audiences)
        values ($1, $2, $3, 'https://issuer.example', $4, array[$4])`,
      ...[publishedAppId, id(28), tenant.id, mark],
    ],
    [
      'insert into published_withdrawals (app_id, tenant_id, home_tenant_id) values ($1, $2, $3)',
      ...[publishedAppId, id(29), tenant.id],
    ],
  ];
}

/** Whether rows that Postgres answered hold anything of that tenant: its mark, as text or as bytes. */
export function holdsMark(rows: readonly unknown[], mark: string): boolean {
  const text = JSON.stringify(rows, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && 'type' in value && value.type === 'Buffer' && 'data' in value
      ? Buffer.from(value.data as number[]).toString('latin1') // how JSON shows a Buffer
      : value,
  );
  return text.includes(mark);
}
