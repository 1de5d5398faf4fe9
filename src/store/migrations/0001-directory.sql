-- Runtime logins are members of these roles: never owner, superuser or BYPASSRLS.
do $$
declare role_name text;
begin
  foreach role_name in array array['bailiwick_authentication', 'bailiwick_directory', 'bailiwick_operator'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin', role_name);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;
end $$;

-- A value sealed under the deployment's key-encryption key: a server with another key does not start.
create table deployment (
  singleton boolean primary key default true check (singleton),
  key_check bytea not null
);

create table tenants (
  id uuid primary key,
  display_name text not null,
  is_enabled boolean not null default true,
  created_at timestamptz not null default now()
);

-- What a process remembers of a tenant is remembered under this number; every write of the tenant raises it.
create table tenant_versions (
  tenant_id uuid primary key references tenants (id) on delete cascade,
  version bigint not null default 1
);

create table verified_domains (
  name text primary key check (name = lower(name)),
  tenant_id uuid not null references tenants (id) on delete cascade,
  is_default boolean not null default false,
  created_at timestamptz not null default now(),
  unique (tenant_id, name)
);

create table users (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id uuid not null,
  user_principal_name text not null,
  -- Under row level security Postgres searches no index on lower(…), which is not leakproof: hence columns.
  user_principal_name_key text not null generated always as (lower(user_principal_name)) stored,
  display_name text not null,
  display_name_key text not null generated always as (lower(display_name)) stored,
  given_name text,
  surname text,
  mail text,
  job_title text,
  account_enabled boolean not null default true,
  user_type text not null default 'Member' check (user_type in ('Member', 'Guest')),
  created_at timestamptz not null default now(),
  -- Whole seconds, as OIDC's auth_time is: who signs in within the second of his creation is signed in.
  sign_in_sessions_valid_from timestamptz not null default date_trunc('second', now()),
  last_password_change_at timestamptz,
  primary key (tenant_id, id)
);
create unique index users_by_principal_name on users (tenant_id, user_principal_name_key);
create index users_by_display_name on users (tenant_id, display_name_key, id);

create table user_passwords (
  tenant_id uuid not null,
  user_id uuid not null,
  password_hash text not null,
  force_change_next_sign_in boolean not null default false,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, user_id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);

create table groups (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id uuid not null,
  display_name text not null,
  display_name_key text not null generated always as (lower(display_name)) stored,
  mail_nickname text not null,
  description text,
  security_enabled boolean not null default true,
  mail_enabled boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create unique index groups_by_mail_nickname on groups (tenant_id, lower(mail_nickname));
create index groups_by_display_name on groups (tenant_id, display_name_key, id);

create table group_members (
  tenant_id uuid not null,
  group_id uuid not null,
  user_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, group_id, user_id),
  foreign key (tenant_id, group_id) references groups (tenant_id, id) on delete cascade,
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index group_members_by_user on group_members (tenant_id, user_id);

create table applications (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id uuid not null,
  app_id uuid not null,
  display_name text not null,
  description text,
  sign_in_audience text not null default 'AzureADMyOrg'
    check (sign_in_audience in ('AzureADMyOrg', 'AzureADMultipleOrgs')),
  publisher_domain text,
  identifier_uris text[] not null default '{}',
  web_redirect_uris text[] not null default '{}',
  web_logout_url text,
  spa_redirect_uris text[] not null default '{}',
  public_client_redirect_uris text[] not null default '{}',
  is_fallback_public_client boolean not null default false,
  oauth2_permission_scopes jsonb not null default '[]',
  app_roles jsonb not null default '[]',
  required_resource_access jsonb not null default '[]',
  key_credentials jsonb not null default '[]',
  compatibility jsonb not null default '{}',
  verified_publisher_domain text,
  verified_publisher_added_at timestamptz,
  home_page_url text,
  terms_of_service_url text,
  privacy_statement_url text,
  support_url text,
  logo bytea,
  logo_type text check (logo_type in ('image/png', 'image/jpeg')),
  logo_hash text,
  is_disabled boolean not null default false,
  registration text not null default 'manual' check (registration in ('manual', 'dynamic')),
  pre_authorized_applications jsonb not null default '[]',
  optional_claims jsonb not null default '{}',
  group_membership_claims text not null default 'None'
    check (group_membership_claims in ('None', 'SecurityGroup', 'ApplicationGroup', 'DirectoryRole', 'All')),
  -- Of the tokens for this API; null: the default hour.
  access_token_seconds integer check (access_token_seconds between 300 and 86400),
  jwks_uri text,
  tags text[] not null default '{}',
  notes text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, app_id),
  -- Who no longer has a domain is no longer verified by it.
  foreign key (tenant_id, verified_publisher_domain) references verified_domains (tenant_id, name) on delete set null (verified_publisher_domain)
);
create index applications_by_publisher on applications (tenant_id, verified_publisher_domain);
create index applications_by_display_name on applications (tenant_id, display_name, id);

create table password_credentials (
  tenant_id uuid not null,
  key_id uuid not null,
  application_id uuid not null,
  display_name text,
  hint text not null,
  secret_hmac bytea not null,
  start_at timestamptz not null default now(),
  end_at timestamptz not null,
  last_used_at timestamptz,
  primary key (tenant_id, key_id),
  foreign key (tenant_id, application_id) references applications (tenant_id, id) on delete cascade
);
create index password_credentials_by_application on password_credentials (tenant_id, application_id);

-- What other tenants must know of a multi-tenant application (wire.md, "Consent: one truth").
-- home_tenant_id is null for the deployment's own directory API.
create table published_applications (
  app_id uuid primary key,
  home_tenant_id uuid,
  display_name text not null,
  publisher_domain text,
  sign_in_audience text not null default 'AzureADMultipleOrgs',
  identifier_uris text[] not null default '{}',
  web_redirect_uris text[] not null default '{}',
  web_logout_url text,
  spa_redirect_uris text[] not null default '{}',
  public_client_redirect_uris text[] not null default '{}',
  is_fallback_public_client boolean not null default false,
  oauth2_permission_scopes jsonb not null default '[]',
  app_roles jsonb not null default '[]',
  required_resource_access jsonb not null default '[]',
  key_credentials jsonb not null default '[]',
  compatibility jsonb not null default '{}',
  verified_publisher_domain text,
  verified_publisher_added_at timestamptz,
  home_page_url text,
  terms_of_service_url text,
  privacy_statement_url text,
  support_url text,
  logo bytea,
  logo_type text check (logo_type in ('image/png', 'image/jpeg')),
  logo_hash text,
  is_disabled boolean not null default false,
  registration text not null default 'manual' check (registration in ('manual', 'dynamic')),
  pre_authorized_applications jsonb not null default '[]',
  optional_claims jsonb not null default '{}',
  group_membership_claims text not null default 'None'
    check (group_membership_claims in ('None', 'SecurityGroup', 'ApplicationGroup', 'DirectoryRole', 'All')),
  -- Of the tokens for this API; null: the default hour.
  access_token_seconds integer check (access_token_seconds between 300 and 86400),
  jwks_uri text,
  unique (home_tenant_id, app_id),
  -- A tenant publishes what it has, and nothing under somebody else's app id.
  foreign key (home_tenant_id, app_id) references applications (tenant_id, app_id) on delete cascade,
  -- Who no longer has a domain is no longer verified by it.
  foreign key (home_tenant_id, verified_publisher_domain) references verified_domains (tenant_id, name) on delete set null (verified_publisher_domain)
);
create index published_applications_by_publisher on published_applications (home_tenant_id, verified_publisher_domain);

-- The same for what other tenants remember of a published application. Outlives it, so that its end is seen too.
create table published_application_versions (
  app_id uuid primary key,
  home_tenant_id uuid references tenants (id) on delete set null,
  version bigint not null default 1
);

-- The key has the home in it: no tenant adds a secret to an application that another one published.
create table published_password_credentials (
  app_id uuid not null,
  key_id uuid not null,
  home_tenant_id uuid not null,
  secret_hmac bytea not null,
  start_at timestamptz not null,
  end_at timestamptz not null,
  primary key (app_id, key_id),
  foreign key (home_tenant_id, app_id) references published_applications (home_tenant_id, app_id) on delete cascade
);

create table service_principals (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id uuid not null,
  app_id uuid not null,
  app_owner_organization_id uuid,
  account_enabled boolean not null default true,
  app_role_assignment_required boolean not null default false,
  tags text[] not null default '{}',
  notes text,
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, app_id)
);

create table oauth2_permission_grants (
  tenant_id uuid not null,
  id uuid not null,
  client_id uuid not null,
  resource_id uuid not null,
  consent_type text not null check (consent_type in ('AllPrincipals', 'Principal')),
  principal_id uuid check ((consent_type = 'Principal') = (principal_id is not null)),
  scope text[] not null,
  -- Who added which scopes, when, and under which policy or request: [{scopes, by, policy, requestId, at}].
  origins jsonb not null default '[]',
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique nulls not distinct (tenant_id, client_id, resource_id, principal_id),
  foreign key (tenant_id, client_id) references service_principals (tenant_id, id) on delete cascade,
  foreign key (tenant_id, resource_id) references service_principals (tenant_id, id) on delete cascade,
  foreign key (tenant_id, principal_id) references users (tenant_id, id) on delete cascade
);

-- A scope that was taken away does not come back to token families that began before (wire.md, "Refresh").
create table revoked_scopes (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  client_id uuid not null,
  resource_id uuid not null,
  principal_id uuid,
  scope text not null,
  revoked_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
create index revoked_scopes_by_client on revoked_scopes (tenant_id, client_id, resource_id);

create table app_role_assignments (
  tenant_id uuid not null,
  id uuid not null,
  principal_type text not null check (principal_type in ('ServicePrincipal', 'User', 'Group')),
  service_principal_id uuid,
  user_id uuid,
  group_id uuid,
  resource_id uuid not null,
  app_role_id uuid not null,
  -- A user or service principal of this tenant, who may be gone since; null: the operator.
  granted_by uuid,
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (num_nonnulls(service_principal_id, user_id, group_id) = 1),
  unique nulls not distinct (tenant_id, service_principal_id, user_id, group_id, resource_id, app_role_id),
  foreign key (tenant_id, service_principal_id) references service_principals (tenant_id, id) on delete cascade,
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
  foreign key (tenant_id, group_id) references groups (tenant_id, id) on delete cascade,
  foreign key (tenant_id, resource_id) references service_principals (tenant_id, id) on delete cascade
);
create index app_role_assignments_by_user on app_role_assignments (tenant_id, user_id);
create index app_role_assignments_by_resource on app_role_assignments (tenant_id, resource_id);

create table role_assignments (
  tenant_id uuid not null,
  id uuid not null,
  role_definition_id uuid not null,
  user_id uuid,
  service_principal_id uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (num_nonnulls(service_principal_id, user_id) = 1),
  unique nulls not distinct (tenant_id, role_definition_id, user_id, service_principal_id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
  foreign key (tenant_id, service_principal_id) references service_principals (tenant_id, id) on delete cascade
);
create index role_assignments_by_user on role_assignments (tenant_id, user_id);

create table directory_audits (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  sequence bigint generated always as identity,
  activity_at timestamptz not null default clock_timestamp(),
  activity_display_name text not null,
  category text not null,
  operation_type text not null,
  result text not null check (result in ('success', 'failure')),
  result_reason text,
  correlation_id text not null,
  initiated_by jsonb not null,
  target_resources jsonb not null default '[]',
  additional_details jsonb not null default '[]',
  primary key (tenant_id, id)
);
create index directory_audits_by_time on directory_audits (tenant_id, activity_at, id);

create table sign_ins (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  created_at timestamptz not null default clock_timestamp(),
  event_type text not null,
  user_id uuid,
  user_principal_name text,
  user_display_name text,
  service_principal_id uuid,
  app_id text,
  app_display_name text,
  resource_id uuid,
  resource_display_name text,
  client_credential_type text,
  token_id text,
  family_id text,
  session_id text,
  ip_address text,
  user_agent text,
  correlation_id text not null,
  error_code integer not null default 0,
  failure_reason text,
  -- How the token, or its refusal, was decided: each step with its reason.
  decision jsonb,
  primary key (tenant_id, id)
);
create index sign_ins_by_time on sign_ins (tenant_id, created_at, id);
