import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { TestDatabase } from './database.ts';
import { asSuperuser, type TestTenant } from './tenants.ts';

export interface TestApplication {
  readonly appId: string;
  readonly id: string;
  readonly servicePrincipalId: string;
  readonly secret: string;
  readonly redirectUri: string;
}

export interface ApplicationProperties {
  readonly name?: string;
  readonly web?: readonly string[];
  readonly spa?: readonly string[];
  readonly native?: readonly string[];
  readonly isConfidential?: boolean;
  /** A public client without a redirect URI, such as a device's. */
  readonly isFallbackPublicClient?: boolean;
  readonly identifierUris?: readonly string[];
  readonly scopes?: readonly string[];
  readonly appRoles?: readonly {
    readonly id: string;
    readonly value: string;
    readonly allowedMemberTypes: readonly string[];
  }[];
  readonly keys?: readonly object[];
  readonly compatibility?: object;
  readonly jwksUri?: string;
  /** Multi-tenant: other tenants may add it. */
  readonly isPublished?: boolean;
}

export const REDIRECT_URI = 'https://app.example/callback';

/** An application with its presence in its home tenant. A web application with a secret unless told otherwise. */
export async function aClientApplication(
  database: TestDatabase,
  tenant: TestTenant,
  properties: ApplicationProperties = {},
): Promise<TestApplication> {
  const { name = 'Payroll', spa = [], native = [], isConfidential = true, isPublished = false } = properties;
  const { isFallbackPublicClient = false } = properties;
  const isPublic = isFallbackPublicClient || spa.length + native.length > 0;
  const web = properties.web ?? (isPublic ? [] : [REDIRECT_URI]);
  const [appId, id, secret] = [randomUUID(), randomUUID(), randomBytes(24).toString('base64url')];
  const scopes = (properties.scopes ?? []).map((value) => ({ id: randomUUID(), value, type: 'User', isEnabled: true }));
  const definition = {
    app_id: appId,
    display_name: name,
    sign_in_audience: isPublished ? 'AzureADMultipleOrgs' : 'AzureADMyOrg',
    identifier_uris: properties.identifierUris ?? [],
    web_redirect_uris: web,
    spa_redirect_uris: spa,
    public_client_redirect_uris: native,
    is_fallback_public_client: isFallbackPublicClient,
    oauth2_permission_scopes: JSON.stringify(scopes),
    app_roles: JSON.stringify(properties.appRoles ?? []),
    key_credentials: JSON.stringify((properties.keys ?? []).map((publicJwk) => ({ keyId: randomUUID(), publicJwk }))),
    compatibility: JSON.stringify(properties.compatibility ?? {}),
    jwks_uri: properties.jwksUri ?? null,
  };
  await insert(database, 'applications', { tenant_id: tenant.id, id, ...definition });
  if (isPublished) await insert(database, 'published_applications', { home_tenant_id: tenant.id, ...definition });
  if (isConfidential) await addSecret(database, tenant, { appId, id }, secret, isPublished);
  const servicePrincipalId = await addToTenant(database, tenant, appId, tenant.id);
  return { appId, id, servicePrincipalId, secret, redirectUri: [...web, ...spa, ...native][0] ?? REDIRECT_URI };
}

/** One more client secret, valid until `end` (SQL). */
export async function addSecret(
  database: TestDatabase,
  tenant: TestTenant,
  { appId, id }: { readonly appId: string; readonly id: string },
  secret: string,
  isPublished = false,
  end = "now() + interval '1 day'",
): Promise<string> {
  const keyId = randomUUID();
  const hmac = createHmac('sha256', database.sealer.derive('bailiwick/client-secrets/1')).update(secret).digest();
  await asSuperuser(
    database,
    `insert into password_credentials (tenant_id, key_id, application_id, hint, secret_hmac, start_at, end_at)
     values ($1, $2, $3, 'abc', $4, now() - interval '1 year', ${end})`,
    [tenant.id, keyId, id, hmac],
  );
  if (isPublished) {
    await asSuperuser(
      database,
      `insert into published_password_credentials (app_id, key_id, home_tenant_id, secret_hmac, start_at, end_at)
       values ($1, $2, $3, $4, now() - interval '1 year', ${end})`,
      [appId, keyId, tenant.id, hmac],
    );
  }
  return keyId;
}

/** The application's presence in a tenant; resolves to its service principal's id. */
export async function addToTenant(
  database: TestDatabase,
  tenant: TestTenant,
  appId: string,
  homeTenantId: string,
): Promise<string> {
  const id = randomUUID();
  const row = { tenant_id: tenant.id, id, app_id: appId, app_owner_organization_id: homeTenantId };
  await insert(database, 'service_principals', row);
  return id;
}

/** A person of the tenant. No password: `signIn` lays out the session. */
export async function aPerson(database: TestDatabase, tenant: TestTenant, name = 'alice'): Promise<string> {
  const id = randomUUID();
  await asSuperuser(
    database,
    `insert into users (tenant_id, id, user_principal_name, display_name, mail, sign_in_sessions_valid_from)
     values ($1, $2, $3, $4, $5, now() - interval '1 minute')`,
    [
      tenant.id,
      id,
      `${name}-${id.slice(0, 8)}@${tenant.domain}`,
      `${name} of ${tenant.domain}`,
      `${name}@mail.example`,
    ],
  );
  return id;
}

export interface Consent {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly resourceAppId?: string;
  readonly principalId?: string;
}

/** Grants delegated permissions, for all people of the tenant or for one; replaces what was granted before. */
export async function consentTo(database: TestDatabase, tenant: TestTenant, consent: Consent): Promise<void> {
  const { clientId, scopes, resourceAppId = DIRECTORY_APP_ID, principalId = null } = consent;
  await asSuperuser(
    database,
    `insert into oauth2_permission_grants (tenant_id, id, client_id, resource_id, consent_type, principal_id, scope)
     select $1, gen_random_uuid(), $2, id, $3, $4, $5 from service_principals where tenant_id = $1 and app_id = $6
     on conflict (tenant_id, client_id, resource_id, principal_id) do update set scope = excluded.scope`,
    [tenant.id, clientId, principalId ? 'Principal' : 'AllPrincipals', principalId, scopes, resourceAppId],
  );
}

/** Assigns an application permission of the directory API to a service principal. */
export async function assignRole(
  database: TestDatabase,
  tenant: TestTenant,
  servicePrincipalId: string,
  value: string,
): Promise<void> {
  await asSuperuser(
    database,
    `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
     select $1, gen_random_uuid(), 'ServicePrincipal', $2, id, $3 from service_principals where tenant_id = $1 and app_id = $4`,
    [tenant.id, servicePrincipalId, DIRECTORY_API.appRoles.find((role) => role.value === value)?.id, DIRECTORY_APP_ID],
  );
}

async function insert(database: TestDatabase, table: string, row: Record<string, unknown>): Promise<void> {
  const columns = Object.keys(row);
  await asSuperuser(
    database,
    `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
}
