import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { importPKCS8, SignJWT } from 'jose';
import { addSigningKey } from '../../src/authorization/internal/signing-keys.ts';
import { addTenant } from '../../src/authorization/internal/tenants.ts';
import { directoryRoleNamed } from '../../src/vocabulary/directory-roles.ts';
import { newTenantId, type TenantId } from '../../src/vocabulary/ids.ts';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import type { TestDatabase } from './database.ts';
import { superuserOf } from './superuser.ts';

export const ORIGIN = 'http://localhost:8400';

export interface TestTenant {
  readonly id: TenantId;
  readonly domain: string;
  readonly issuer: string;
  readonly kid: string;
  /** Signs any claims with this tenant's own key: for forging as well as for honest tokens. */
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export const operatorOf = (tenantId: TenantId) => internalPrincipal('operator', tenantId);

/** A tenant with a verified domain, the directory API's service principal and an ES256 key, made by the product itself. */
export async function aTenant(database: TestDatabase, name = 'Tenant'): Promise<TestTenant> {
  const operator = database.operator;
  const id = newTenantId();
  const domain = `${name.toLowerCase()}-${id.slice(0, 8)}.example`;
  await operator.performInternal(operatorOf(id), addTenant, { displayName: name, domains: [domain] });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = randomUUID();
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
  await operator.performInternal(operatorOf(id), addSigningKey, {
    kid,
    algorithm: 'ES256',
    slot: 'current',
    publicJwk,
    privateKey: der,
  });
  const key = await importPKCS8(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'ES256');
  return {
    id,
    domain,
    kid,
    issuer: `${ORIGIN}/${id}/v2.0`,
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt', ...header }).sign(key),
  };
}

/** Runs SQL as the superuser, past every lock: only for laying out what a test needs and for looking at what it did. */
export async function asSuperuser<Row>(
  { superuserUrl }: Pick<TestDatabase, 'superuserUrl'>,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const superuser = superuserOf(superuserUrl);
  const { rows } = await superuser.query(text, values);
  // As the product's own writes do: what processes remember of the tenants is no longer true.
  if (!/^\s*select/i.test(text)) await superuser.query('update tenant_versions set version = version + 1');
  return rows;
}

export interface TestPrincipal {
  readonly id: string;
  readonly appId: string;
  readonly servicePrincipalId: string;
  /** Of a person: the token family. */
  readonly familyId?: string;
  token(overrides?: Record<string, unknown>): Promise<string>;
}

/** A service principal with application permissions of the directory API, and its app-only tokens. */
export async function anApplication(
  database: TestDatabase,
  tenant: TestTenant,
  permissions: readonly string[],
): Promise<TestPrincipal> {
  const { appId, servicePrincipalId } = await aServicePrincipal(database, tenant);
  for (const value of permissions) {
    const role = DIRECTORY_API.appRoles.find((known) => known.value === value);
    await asSuperuser(
      database,
      `insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, resource_id, app_role_id)
       select $1, gen_random_uuid(), 'ServicePrincipal', $2, id, $3 from service_principals where tenant_id = $1 and app_id = $4`,
      [tenant.id, servicePrincipalId, role?.id, DIRECTORY_APP_ID],
    );
  }
  const claims = {
    sub: servicePrincipalId,
    oid: servicePrincipalId,
    client_id: appId,
    azp: appId,
    idtyp: 'app',
    roles: permissions,
  };
  return {
    id: servicePrincipalId,
    appId,
    servicePrincipalId,
    token: (overrides) => mint(tenant, { ...claims, ...overrides }),
  };
}

/** A person with directory roles who uses an application that holds delegated scopes of the directory API. */
export async function aUser(
  database: TestDatabase,
  tenant: TestTenant,
  {
    scopes = ['User.Read'],
    roles = [],
    name = 'user',
  }: { scopes?: readonly string[]; roles?: readonly string[]; name?: string } = {},
): Promise<TestPrincipal> {
  const { appId, servicePrincipalId } = await aServicePrincipal(database, tenant);
  const id = randomUUID();
  const familyId = randomUUID();
  const upn = `${name}-${id.slice(0, 8)}@${tenant.domain}`;
  await asSuperuser(
    database,
    `insert into users (tenant_id, id, user_principal_name, display_name, sign_in_sessions_valid_from) values ($1, $2, $3, $4, now() - interval '1 minute')`,
    [tenant.id, id, upn, `${name} ${id.slice(0, 4)}`],
  );
  for (const role of roles) {
    await asSuperuser(
      database,
      'insert into role_assignments (tenant_id, id, role_definition_id, user_id) values ($1, gen_random_uuid(), $2, $3)',
      [tenant.id, directoryRoleNamed(role)?.id, id],
    );
  }
  await asSuperuser(
    database,
    `insert into oauth2_permission_grants (tenant_id, id, client_id, resource_id, consent_type, scope)
     select $1, gen_random_uuid(), $2, id, 'AllPrincipals', $3 from service_principals where tenant_id = $1 and app_id = $4`,
    [tenant.id, servicePrincipalId, scopes, DIRECTORY_APP_ID],
  );
  await asSuperuser(
    database,
    `insert into token_families (tenant_id, id, user_id, service_principal_id, expires_at) values ($1, $2, $3, $4, now() + interval '1 day')`,
    [tenant.id, familyId, id, servicePrincipalId],
  );
  const claims = {
    sub: id,
    oid: id,
    client_id: appId,
    azp: appId,
    fid: familyId,
    scp: scopes.join(' '),
    scope: scopes.join(' '),
  };
  return { id, appId, servicePrincipalId, familyId, token: (overrides) => mint(tenant, { ...claims, ...overrides }) };
}

async function aServicePrincipal(database: TestDatabase, tenant: TestTenant) {
  const [appId, servicePrincipalId] = [randomUUID(), randomUUID()];
  await asSuperuser(
    database,
    `with application as (insert into applications (tenant_id, id, app_id, display_name)
        values ($1, gen_random_uuid(), $3, 'Client of a test'))
      insert into service_principals (tenant_id, id, app_id, app_owner_organization_id) values ($1, $2, $3, $1)`,
    [tenant.id, servicePrincipalId, appId],
  );
  return { appId, servicePrincipalId };
}

function mint(tenant: TestTenant, claims: Record<string, unknown>): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const common = {
    iss: tenant.issuer,
    aud: DIRECTORY_APP_ID,
    tid: tenant.id,
    ver: '2.0',
    jti: randomUUID(),
    iat: now,
    nbf: now,
    exp: now + 3_600,
  };
  return tenant.sign({ ...common, ...claims });
}
