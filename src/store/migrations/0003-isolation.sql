-- The second lock: whatever a query forgets, Postgres shows one tenant's rows.
-- nullif: a setting that was bound once and reset reads as '', which must mean "no tenant", not an error for the pool.
do $$
declare table_name text;
begin
  foreach table_name in array array[
    'users', 'user_passwords', 'groups', 'group_members', 'applications', 'password_credentials', 'service_principals',
    'oauth2_permission_grants', 'revoked_scopes', 'app_role_assignments', 'role_assignments', 'directory_audits',
    'sign_ins', 'signing_keys', 'token_families', 'revoked_tokens', 'artifacts', 'sign_in_throttles', 'familiar_devices'
  ] loop
    execute format('alter table %I enable row level security', table_name);
    execute format('alter table %I force row level security', table_name);
    execute format(
      'create policy tenant_isolation on %I using (tenant_id = nullif(current_setting(''bailiwick.tenant_id'', true), '''')::uuid)',
      table_name);
  end loop;
end $$;

alter table tenants enable row level security;
alter table tenants force row level security;
create policy tenant_isolation on tenants
  using (id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid);

-- Numbers that tell nothing but that something changed: read for many tenants in one round trip, raised by one's own.
alter table tenant_versions enable row level security;
alter table tenant_versions force row level security;
create policy tenant_isolation on tenant_versions
  using (tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid);
create policy read_by_all on tenant_versions for select using (true);
alter table published_application_versions enable row level security;
alter table published_application_versions force row level security;
create policy home_tenant on published_application_versions
  using (home_tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid);
create policy read_by_all on published_application_versions for select using (true);

-- A domain is shown to its own tenant, and to whoever asks for it by name (the tenant segment of a path).
alter table verified_domains enable row level security;
alter table verified_domains force row level security;
create policy tenant_isolation on verified_domains
  using (tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid);
create policy asked_by_name on verified_domains for select
  using (name = nullif(current_setting('bailiwick.domain', true), ''));

-- A published application is shown to its home, to tenants in which it is present, and to whoever asks by its app id.
alter table published_applications enable row level security;
alter table published_applications force row level security;
create policy home_tenant on published_applications
  using (home_tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid);
-- The deployment's own applications, which `migrate` writes as the owner.
create policy deployment on published_applications to current_user using (home_tenant_id is null);
create policy asked_by_app_id on published_applications for select
  using (app_id = nullif(current_setting('bailiwick.app_id', true), '')::uuid);
create policy present_in_tenant on published_applications for select
  using (exists (
    select from service_principals s
    where s.tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid and s.app_id = published_applications.app_id
  ));

alter table published_password_credentials enable row level security;
alter table published_password_credentials force row level security;
create policy home_tenant on published_password_credentials
  using (home_tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid);
create policy asked_by_app_id on published_password_credentials for select
  using (app_id = nullif(current_setting('bailiwick.app_id', true), '')::uuid);

-- The directory side may not read a secret's HMAC, so publishing an application copies them here, within the bound tenant.
create function publish_password_credentials(home_tenant uuid, application uuid) returns void
language sql security definer set search_path = public, pg_temp as $$
  insert into published_password_credentials (app_id, key_id, home_tenant_id, secret_hmac, start_at, end_at)
  select a.app_id, c.key_id, c.tenant_id, c.secret_hmac, c.start_at, c.end_at
  from password_credentials c
  join applications a on a.tenant_id = c.tenant_id and a.id = c.application_id
  join published_applications p on p.home_tenant_id = a.tenant_id and p.app_id = a.app_id
  where c.tenant_id = home_tenant and c.application_id = application
    and home_tenant = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid
  on conflict do nothing
$$;
revoke all on function publish_password_credentials(uuid, uuid) from public;
grant execute on function publish_password_credentials(uuid, uuid) to bailiwick_directory, bailiwick_operator;

grant usage on schema public to bailiwick_authentication, bailiwick_directory, bailiwick_operator;

-- Directory objects: both sides read; the directory side writes.
grant select on
  tenants, verified_domains, users, groups, group_members, applications, published_applications, service_principals,
  oauth2_permission_grants, revoked_scopes, app_role_assignments, role_assignments, token_families, revoked_tokens
  to bailiwick_authentication, bailiwick_directory, bailiwick_operator;
grant insert, update, delete on
  users, groups, group_members, applications, published_applications, service_principals, oauth2_permission_grants,
  app_role_assignments, role_assignments
  to bailiwick_directory, bailiwick_operator;
grant insert on revoked_scopes to bailiwick_authentication, bailiwick_directory, bailiwick_operator;
grant update (display_name) on tenants to bailiwick_directory, bailiwick_operator;

grant select on tenant_versions, published_application_versions to bailiwick_authentication, bailiwick_directory, bailiwick_operator;
grant update (version) on tenant_versions to bailiwick_authentication, bailiwick_directory, bailiwick_operator;
grant insert on tenant_versions to bailiwick_operator;
grant insert, update (version) on published_application_versions to bailiwick_directory, bailiwick_operator;

-- Credentials: the directory side can write one and never read it back.
grant insert, delete on user_passwords, password_credentials, published_password_credentials to bailiwick_directory, bailiwick_operator;
grant select (tenant_id, user_id, force_change_next_sign_in, changed_at),
  update (password_hash, force_change_next_sign_in, changed_at) on user_passwords to bailiwick_directory, bailiwick_operator;
grant select (tenant_id, key_id, application_id, display_name, hint, start_at, end_at, last_used_at)
  on password_credentials to bailiwick_directory, bailiwick_operator;
grant select (app_id, key_id, home_tenant_id) on published_password_credentials to bailiwick_directory, bailiwick_operator;
grant select (tenant_id, kid, algorithm, slot, public_jwk, created_at, activated_at, retired_at) on signing_keys
  to bailiwick_directory, bailiwick_operator;
grant update (revoked_at, revoked_reason) on token_families to bailiwick_directory, bailiwick_operator;

-- The authentication side: verifies credentials, holds signing keys and protocol state, records consent given on its pages.
grant select, update on user_passwords to bailiwick_authentication;
grant insert on user_passwords to bailiwick_authentication;
grant select, update (last_used_at) on password_credentials to bailiwick_authentication;
grant select on published_password_credentials to bailiwick_authentication;
grant update (sign_in_sessions_valid_from, last_password_change_at) on users to bailiwick_authentication;
grant select, insert, update on signing_keys to bailiwick_authentication;
grant select, insert, update, delete on token_families, revoked_tokens, artifacts, sign_in_throttles, familiar_devices
  to bailiwick_authentication;
grant insert, update, delete on oauth2_permission_grants to bailiwick_authentication;
grant insert, delete on service_principals, app_role_assignments to bailiwick_authentication;
-- An administrator at the pages disables an application; the token service notes what was used.
grant update (account_enabled, last_used_at) on service_principals to bailiwick_authentication;
grant update (last_used_at) on app_role_assignments to bailiwick_authentication;

-- Append-only for every runtime login. The database itself says when a record was made and in which order; the directory
-- side reads them back, and makes none of sign-ins, which it does not see.
grant insert (tenant_id, activity_display_name, category, operation_type, result, result_reason, correlation_id,
  initiated_by, target_resources, additional_details) on directory_audits
  to bailiwick_authentication, bailiwick_directory, bailiwick_operator;
grant insert (tenant_id, event_type, user_id, user_principal_name, user_display_name, service_principal_id, app_id,
  app_display_name, resource_id, resource_display_name, client_credential_type, token_id, family_id, session_id,
  ip_address, user_agent, correlation_id, error_code, failure_reason, decision) on sign_ins to bailiwick_authentication;
grant select on directory_audits, sign_ins to bailiwick_directory;
-- `consent list` tells who granted what, which is in the record of the act.
grant select on directory_audits to bailiwick_operator;

-- The operator makes tenants and rotates keys; it can not read a private key either.
grant insert, update (display_name, is_enabled) on tenants to bailiwick_operator;
grant insert, delete on verified_domains to bailiwick_operator;
grant insert, delete, update (slot, activated_at, retired_at) on signing_keys to bailiwick_operator;

alter table deployment enable row level security;
alter table deployment force row level security;
create policy read_by_all on deployment for select using (true);
create policy written_by_owner on deployment to current_user using (true);
grant select on deployment to bailiwick_authentication, bailiwick_directory, bailiwick_operator;

-- So that a server can check at its start that the database is up to date.
grant select on migrations to bailiwick_authentication, bailiwick_directory, bailiwick_operator;
