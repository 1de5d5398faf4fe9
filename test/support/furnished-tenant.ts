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
  'federatedCredential',
  'scopeId',
  'grantPolicy',
  'includeSet',
  'excludeSet',
  'classification',
  'consentRequest',
  'userConsentRequest',
] as const;
export type ObjectName = (typeof OBJECTS)[number];
export type Objects = Readonly<Record<ObjectName, string>>;

export function newObjects(): Objects {
  return Object.fromEntries(OBJECTS.map((name) => [name, randomUUID()])) as Record<ObjectName, string>; // one of each
}

/** The user name of a furnished person: the same in whatever tenant he is furnished. */
export const nameOf = (id: string) => `${id}@people.example`;

const ROWS = `
  insert into users (tenant_id, id, user_principal_name, display_name)
    values ($tenant, $user, $userName, $marker), ($tenant, $member, $memberName, $marker);
  insert into groups (tenant_id, id, display_name, mail_nickname) values ($tenant, $group, $marker, $group);
  insert into group_members (tenant_id, group_id, user_id) values ($tenant, $group, $member);
  insert into applications (tenant_id, id, app_id, display_name, oauth2_permission_scopes, app_roles)
    values ($tenant, $application, $appId, $marker,
      jsonb_build_array(jsonb_build_object('id', $scopeId, 'value', 'Read', 'type', 'User', 'isEnabled', true),
        jsonb_build_object('value', 'Write', 'isEnabled', true)),
      jsonb_build_array(jsonb_build_object('id', $appRole, 'value', 'Use', 'allowedMemberTypes', '["Application","User"]'::jsonb))),
    ($tenant, $loneApplication, $loneAppId, $marker, '[]', '[]');
  insert into service_principals (tenant_id, id, app_id, app_owner_organization_id) values ($tenant, $resource, $appId, $tenant), ($tenant, $client, $clientAppId, $tenant);
  insert into password_credentials (tenant_id, key_id, application_id, hint, secret_hmac, end_at)
    values ($tenant, $secret, $application, 'abc', '\\x00', now() + interval '1 day');
  insert into oauth2_permission_grants (tenant_id, id, client_id, resource_id, consent_type, principal_id, scope)
    values ($tenant, $grant, $client, $resource, 'AllPrincipals', null, '{Read}'), ($tenant, $userGrant, $client, $resource, 'Principal', $member, '{Read}');
  insert into app_role_assignments (tenant_id, id, principal_type, service_principal_id, user_id, group_id, resource_id, app_role_id)
    values ($tenant, $clientAssignment, 'ServicePrincipal', $client, null, null, $resource, gen_random_uuid()),
      ($tenant, $userAssignment, 'User', null, $user, null, $resource, gen_random_uuid()), ($tenant, $groupAssignment, 'Group', null, null, $group, $resource, gen_random_uuid());
  insert into role_assignments (tenant_id, id, role_definition_id, user_id) values ($tenant, $roleAssignment, $role, $member);
  insert into directory_audits (tenant_id, id, activity_display_name, category, operation_type, result, correlation_id, initiated_by)
    values ($tenant, $audit, $marker, 'UserManagement', 'Add', 'success', 'x', '{}');
  insert into sign_ins (tenant_id, id, event_type, user_display_name, correlation_id) values ($tenant, $signIn, 'interactiveUser', $marker, 'x');
  insert into federated_identity_credentials (tenant_id, id, application_id, name, issuer, subject, audiences)
    values ($tenant, $federatedCredential, $application, $marker, 'https://idp.example.com', $marker, '{api://x}');
  insert into application_owners (tenant_id, id, application_id, user_id) values ($tenant, gen_random_uuid(), $application, $user);
  insert into service_principal_owners (tenant_id, id, owned_id, user_id) values ($tenant, gen_random_uuid(), $client, $user);
  insert into permission_grant_policies (tenant_id, id, display_name) values ($tenant, $grantPolicy, $marker);
  insert into permission_grant_condition_sets (tenant_id, id, policy_id, kind, permission_type)
    values ($tenant, $includeSet, $grantPolicy, 'includes', 'delegated'), ($tenant, $excludeSet, $grantPolicy, 'excludes', 'delegated');
  insert into delegated_permission_classifications (tenant_id, id, service_principal_id, permission_id, permission_name, classification)
    values ($tenant, $classification, $resource, gen_random_uuid(), $marker, 'low');
  insert into app_consent_requests (tenant_id, id, app_id, app_display_name, expires_at)
    values ($tenant, $consentRequest, $loneAppId, $marker, now() + interval '1 day');
  insert into user_consent_requests (tenant_id, id, app_consent_request_id, user_id, reason, scopes)
    values ($tenant, $userConsentRequest, $consentRequest, $member, $marker,
      jsonb_build_array(jsonb_build_object('resourceAppId', $appId, 'values', jsonb_build_array('Read'))));
  insert into tenant_policies (tenant_id, id, settings)
    values ($tenant, 'adminConsentRequestPolicy', jsonb_build_object('isEnabled', true, 'reviewers',
      jsonb_build_array(jsonb_build_object('query', '/users/' || $user, 'queryType', 'MicrosoftGraph'))))
    on conflict (tenant_id, id) do update set settings = excluded.settings;
  insert into tenant_policies (tenant_id, id, settings)
    values ($tenant, 'authorizationPolicy', '{"allowDynamicClientRegistration": true}') on conflict do nothing`;

/** Puts one object of every kind into the tenant. Whatever has a name is called `marker`. */
export async function furnish(
  database: TestDatabase,
  tenant: TestTenant,
  objects: Objects,
  marker: string,
): Promise<void> {
  const role = directoryRoleNamed('Groups Administrator')?.id ?? '';
  const names = { userName: nameOf(objects.user), memberName: nameOf(objects.member) };
  const values: Record<string, string> = { ...objects, ...names, tenant: tenant.id, marker, role };
  // Several statements at once take no parameters, and these are the test's own words.
  const text = ROWS.replace(/\$(\w+)/g, (_match, name) => `'${values[name]}'`);
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
  // Without an order Postgres gives the parts in the one that its plan has, which changes as tables grow.
  return `${sums.join(' union all ')} order by name`;
}
