import { randomUUID } from 'node:crypto';
import { directoryRoleNamed } from '../../src/vocabulary/directory-roles.ts';
import type { TestDatabase } from './database.ts';
import { asSuperuser, type TestTenant } from './tenants.ts';

/** One object of every kind, by its id within the tenant. */
export const OBJECTS = [
  'user',
  'member',
  'group',
  'application',
  'appId',
  'resource',
  'appRole',
  'client',
  'clientAppId',
  'loneApplication',
  'loneAppId',
  'secret',
  'grant',
  'userGrant',
  'clientAssignment',
  'userAssignment',
  'groupAssignment',
  'roleAssignment',
  'audit',
  'signIn',
  'scopeId',
  'grantPolicy',
  'includeSet',
  'excludeSet',
  'classification',
] as const;
/** These have a number among the parameters of ROWS; those that came later are named there: `':scopeId'`. */
const NUMBERED = OBJECTS.indexOf('signIn') + 1;
export type ObjectName = (typeof OBJECTS)[number];
export type Objects = Readonly<Record<ObjectName, string>>;

export function newObjects(): Objects {
  return Object.fromEntries(OBJECTS.map((name) => [name, randomUUID()])) as Record<ObjectName, string>; // one of each
}

const ROWS = `
  insert into users (tenant_id, id, user_principal_name, display_name)
    values ($1, $2, $2 || '@' || $22, $23), ($1, $3, $3 || '@' || $22, $23);
  insert into groups (tenant_id, id, display_name, mail_nickname) values ($1, $4, $23, $4);
  insert into group_members (tenant_id, group_id, user_id) values ($1, $4, $3);
  insert into applications (tenant_id, id, app_id, display_name, oauth2_permission_scopes, app_roles)
    values ($1, $5, $6, $23, '[{"id":":scopeId","value":"Read","type":"User","isEnabled":true},{"value":"Write","isEnabled":true}]',
      jsonb_build_array(jsonb_build_object('id', $8, 'value', 'Use', 'allowedMemberTypes', '["Application","User"]'::jsonb))),
    ($1, $11, $12, $23, '[]', '[]');
  insert into service_principals (tenant_id, id, app_id, app_owner_organization_id) values ($1, $7, $6, $1), ($1, $9, $10, $1);
  insert into password_credentials (tenant_id, key_id, application_id, hint, secret_hmac, end_at)
    values ($1, $13, $5, 'abc', '\\x00', now() + interval '1 day');
  insert into oauth2_permission_grants (tenant_id, id, client_id, resource_id, consent_type, principal_id, scope)
    values ($1, $14, $9, $7, 'AllPrincipals', null, '{Read}'), ($1, $15, $9, $7, 'Principal', $3, '{Read}');
  insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, user_id, group_id, resource_id, app_role_id)
    values ($1, $16, 'ServicePrincipal', $9, null, null, $7, gen_random_uuid()),
      ($1, $17, 'User', null, $2, null, $7, gen_random_uuid()), ($1, $18, 'Group', null, null, $4, $7, gen_random_uuid());
  insert into role_assignments (tenant_id, id, role_definition_id, user_id) values ($1, $19, $24, $3);
  insert into directory_audits (tenant_id, id, activity_display_name, category, operation_type, result, correlation_id, initiated_by)
    values ($1, $20, $23, 'UserManagement', 'Add', 'success', 'x', '{}');
  insert into sign_ins (tenant_id, id, event_type, user_display_name, correlation_id) values ($1, $21, 'interactiveUser', $23, 'x');
  insert into permission_grant_policies (tenant_id, id, display_name) values ($1, ':grantPolicy', $23);
  insert into permission_grant_condition_sets (tenant_id, id, policy_id, kind, permission_type)
    values ($1, ':includeSet', ':grantPolicy', 'includes', 'delegated'), ($1, ':excludeSet', ':grantPolicy', 'excludes', 'delegated');
  insert into delegated_permission_classifications (tenant_id, id, service_principal_id, permission_id, permission_name, classification)
    values ($1, ':classification', $7, gen_random_uuid(), $23, 'low')`;

/** Puts one object of every kind into the tenant. Whatever has a name is called `marker`. */
export async function furnish(
  database: TestDatabase,
  tenant: TestTenant,
  objects: Objects,
  marker: string,
): Promise<void> {
  const role = directoryRoleNamed('Groups Administrator')?.id ?? '';
  const values = [tenant.id, ...OBJECTS.slice(0, NUMBERED).map((name) => objects[name]), tenant.domain, marker, role];
  // Several statements at once take no parameters, and these are the test's own words.
  const text = ROWS.replace(/\$(\d+)/g, (_match, index) => `'${values[Number(index) - 1]}'`).replace(
    /:(\w+)/g,
    (written, name) => objects[name as ObjectName] ?? written, // none when it is another word
  );
  await asSuperuser(database, text);
}

/** One number for each table's rows of the tenant. What was done leaves `directory_audits` and `tenant_versions` aside. */
export async function checksums(database: TestDatabase, tenant: TestTenant): Promise<Record<string, string>> {
  const statement = statements.get(database) ?? sumsOf(await tablesOf(database));
  statements.set(database, statement);
  const rows = await asSuperuser<{ name: string; sum: string }>(database, statement, [tenant.id]);
  return Object.fromEntries(rows.map(({ name, sum }) => [name, sum]));
}

/** The tables of a test's database stay the same: they are looked up once. */
const statements = new WeakMap<TestDatabase, string>();

async function tablesOf(database: TestDatabase): Promise<string[]> {
  const tables = await asSuperuser<{ name: string }>(
    database,
    `select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'tenant_id'
     and table_name <> 'tenant_versions' union all select 'tenants' order by 1`,
  );
  return tables.map(({ name }) => name);
}

function sumsOf(tables: readonly string[]): string {
  const sums = tables.map(
    (name) => `select '${name}' as name, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as sum
      from ${name} t where ${name === 'tenants' ? 'id' : 'tenant_id'} = $1`,
  );
  return sums.join(' union all ');
}
