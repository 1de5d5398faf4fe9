-- Settings of which a tenant has one each. No row means the default (vocabulary/consent-policy.ts); zod is the schema.
create table tenant_policies (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id text not null check (id in ('authorizationPolicy', 'adminConsentRequestPolicy')),
  settings jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

-- Who may consent to what for himself: the tenant's own policies, beside those that are built in and stand in no table.
create table permission_grant_policies (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id text not null check (id ~ '^[a-z0-9-]{1,64}$'),
  display_name text not null,
  description text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

create table permission_grant_condition_sets (
  tenant_id uuid not null,
  id uuid not null,
  policy_id text not null,
  kind text not null check (kind in ('includes', 'excludes')),
  permission_type text not null check (permission_type in ('delegated', 'application', 'delegatedUserConsentable')),
  permission_classification text not null default 'all' check (permission_classification in ('all', 'low', 'medium', 'high')),
  -- any, own or an app id
  resource_application text not null default 'any',
  permissions text[] not null default '{all}',
  client_application_ids text[] not null default '{all}',
  client_application_tenant_ids text[] not null default '{all}',
  client_application_publisher_ids text[] not null default '{all}',
  client_applications_from_verified_publisher_only boolean not null default false,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id),
  foreign key (tenant_id, policy_id) references permission_grant_policies (tenant_id, id) on delete cascade
);
create index permission_grant_condition_sets_by_policy on permission_grant_condition_sets (tenant_id, policy_id);

-- How much this tenant thinks a published scope can harm it.
create table delegated_permission_classifications (
  tenant_id uuid not null,
  id uuid not null,
  service_principal_id uuid not null,
  permission_id uuid not null,
  permission_name text not null,
  classification text not null check (classification in ('low', 'medium', 'high')),
  primary key (tenant_id, id),
  unique (tenant_id, service_principal_id, permission_id),
  foreign key (tenant_id, service_principal_id) references service_principals (tenant_id, id) on delete cascade
);

-- What people asked administrators to consent to. The application may not be present, hence its name of that moment.
create table app_consent_requests (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id uuid not null,
  app_id uuid not null,
  app_display_name text not null,
  status text not null default 'InProgress' check (status in ('InProgress', 'Completed', 'Expired')),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  completed_at timestamptz,
  primary key (tenant_id, id)
);
create unique index app_consent_requests_one_open on app_consent_requests (tenant_id, app_id) where status = 'InProgress';
create index app_consent_requests_by_time on app_consent_requests (tenant_id, created_at, id);
create index app_consent_requests_by_expiry on app_consent_requests (tenant_id, expires_at) where status = 'InProgress';

-- Everybody who asked, each with what he asked for: [{resourceAppId, values}].
create table user_consent_requests (
  tenant_id uuid not null,
  id uuid not null,
  app_consent_request_id uuid not null,
  user_id uuid not null,
  reason text not null,
  scopes jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id),
  unique (tenant_id, app_consent_request_id, user_id),
  foreign key (tenant_id, app_consent_request_id) references app_consent_requests (tenant_id, id) on delete cascade,
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index user_consent_requests_by_user on user_consent_requests (tenant_id, user_id);

-- Append-only: one for each request.
create table consent_request_decisions (
  tenant_id uuid not null,
  id uuid not null,
  app_consent_request_id uuid not null,
  reviewer_id uuid,
  review_result text not null check (review_result in ('Approve', 'Deny')),
  justification text,
  consent_type text check (consent_type in ('AllPrincipals', 'Principal')),
  approved jsonb not null default '[]',
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id),
  foreign key (tenant_id, app_consent_request_id) references app_consent_requests (tenant_id, id) on delete cascade,
  foreign key (tenant_id, reviewer_id) references users (tenant_id, id) on delete set null (reviewer_id)
);
create unique index consent_request_decisions_by_request on consent_request_decisions (tenant_id, app_consent_request_id);
create index consent_request_decisions_by_reviewer on consent_request_decisions (tenant_id, reviewer_id);

-- What is to be told outside, written in the transaction of the deed it tells of. Each is told once.
create table outbox_messages (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id uuid not null,
  kind text not null,
  channel text not null check (channel in ('mail', 'webhook')),
  recipient text not null,
  subject_id text not null,
  parameters jsonb not null default '{}',
  created_at timestamptz not null default now(),
  attempts integer not null default 0,
  -- Whoever sends it moves this on before he does: until then nobody else does.
  next_attempt_at timestamptz not null default now(),
  -- What could not be told by then is told no more.
  deliver_until timestamptz not null default now() + interval '7 days',
  settled_at timestamptz,
  -- dropped: there was nobody to tell; dead: it was given up.
  outcome text check (outcome in ('sent', 'dropped', 'dead')),
  last_error text,
  -- As long as it stands here the same thing is not told again.
  expires_at timestamptz not null default now() + interval '60 days',
  primary key (tenant_id, id),
  unique (tenant_id, kind, channel, recipient, subject_id),
  check ((settled_at is null) = (outcome is null))
);
create index outbox_messages_to_send on outbox_messages (tenant_id, next_attempt_at) where settled_at is null;
create index outbox_messages_dead on outbox_messages (tenant_id) where outcome = 'dead';
create index outbox_messages_by_expiry on outbox_messages (tenant_id, expires_at);

-- The keys by which a receiver of webhooks knows that they are ours; sealed like signing keys. One that was replaced signs
-- beside the new one until it ends.
create table notification_secrets (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id text not null,
  sealed_secret bytea not null,
  created_at timestamptz not null default now(),
  ends_at timestamptz,
  primary key (tenant_id, id)
);

create table application_owners (
  tenant_id uuid not null,
  id uuid not null,
  application_id uuid not null,
  user_id uuid,
  service_principal_id uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (num_nonnulls(user_id, service_principal_id) = 1),
  unique nulls not distinct (tenant_id, application_id, user_id, service_principal_id),
  foreign key (tenant_id, application_id) references applications (tenant_id, id) on delete cascade,
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
  foreign key (tenant_id, service_principal_id) references service_principals (tenant_id, id) on delete cascade
);
create index application_owners_by_user on application_owners (tenant_id, user_id);
create index application_owners_by_service_principal on application_owners (tenant_id, service_principal_id);

create table service_principal_owners (
  tenant_id uuid not null,
  id uuid not null,
  owned_id uuid not null,
  user_id uuid,
  service_principal_id uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (num_nonnulls(user_id, service_principal_id) = 1),
  unique nulls not distinct (tenant_id, owned_id, user_id, service_principal_id),
  foreign key (tenant_id, owned_id) references service_principals (tenant_id, id) on delete cascade,
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
  foreign key (tenant_id, service_principal_id) references service_principals (tenant_id, id) on delete cascade
);
create index service_principal_owners_by_user on service_principal_owners (tenant_id, user_id);
create index service_principal_owners_by_service_principal on service_principal_owners (tenant_id, service_principal_id);

-- Whose tokens, issued elsewhere, sign this application in.
create table federated_identity_credentials (
  tenant_id uuid not null,
  id uuid not null,
  application_id uuid not null,
  name text not null,
  issuer text not null,
  subject text not null,
  audiences text[] not null check (cardinality(audiences) = 1),
  description text,
  primary key (tenant_id, id),
  unique (tenant_id, application_id, name),
  unique (tenant_id, application_id, issuer, subject),
  foreign key (tenant_id, application_id) references applications (tenant_id, id) on delete cascade
);

-- The same for the tenants in which a published application acts.
create table published_federated_identity_credentials (
  app_id uuid not null,
  id uuid not null,
  home_tenant_id uuid not null,
  issuer text not null,
  subject text not null,
  audiences text[] not null check (cardinality(audiences) = 1),
  primary key (app_id, id),
  foreign key (home_tenant_id, app_id) references published_applications (home_tenant_id, app_id) on delete cascade
);

-- From which tenants its publisher has withdrawn an application. That tenant may be unknown: the publisher does not learn it.
create table published_withdrawals (
  app_id uuid not null,
  tenant_id uuid not null,
  home_tenant_id uuid not null,
  withdrawn_at timestamptz not null default now(),
  primary key (app_id, tenant_id),
  foreign key (home_tenant_id, app_id) references applications (tenant_id, app_id) on delete cascade
);
create index published_withdrawals_by_tenant on published_withdrawals (tenant_id);

do $$
declare table_name text;
begin
  foreach table_name in array array[
    'tenant_policies', 'permission_grant_policies', 'permission_grant_condition_sets', 'delegated_permission_classifications',
    'app_consent_requests', 'user_consent_requests', 'consent_request_decisions', 'outbox_messages', 'notification_secrets',
    'application_owners', 'service_principal_owners', 'federated_identity_credentials'
  ] loop
    execute format('alter table %I enable row level security', table_name);
    execute format('alter table %I force row level security', table_name);
    execute format(
      'create policy tenant_isolation on %I using (tenant_id = nullif(current_setting(''bailiwick.tenant_id'', true), '''')::uuid)',
      table_name);
  end loop;
end $$;

alter table published_federated_identity_credentials enable row level security;
alter table published_federated_identity_credentials force row level security;
create policy home_tenant on published_federated_identity_credentials
  using (home_tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid);
create policy asked_by_app_id on published_federated_identity_credentials for select
  using (app_id = nullif(current_setting('bailiwick.app_id', true), '')::uuid);

alter table published_withdrawals enable row level security;
alter table published_withdrawals force row level security;
create policy home_tenant on published_withdrawals
  using (home_tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid);
create policy withdrawn_from_tenant on published_withdrawals for select
  using (tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid);

grant select on
  tenant_policies, permission_grant_policies, permission_grant_condition_sets, delegated_permission_classifications,
  app_consent_requests, user_consent_requests, consent_request_decisions, application_owners, service_principal_owners,
  federated_identity_credentials, published_federated_identity_credentials, published_withdrawals
  to bailiwick_authentication, bailiwick_directory, bailiwick_operator;
grant insert, update, delete on
  tenant_policies, permission_grant_policies, permission_grant_condition_sets, delegated_permission_classifications,
  federated_identity_credentials, published_federated_identity_credentials
  to bailiwick_directory, bailiwick_operator;
grant insert, delete on application_owners, service_principal_owners, published_withdrawals
  to bailiwick_directory, bailiwick_operator;
-- An administrator sets the two policies at the pages too.
grant insert, update on tenant_policies to bailiwick_authentication;

-- People ask and reviewers decide, at the pages and through the API. Who asks again widens what he asked for. A decision is a record.
grant insert, update (status, completed_at) on app_consent_requests to bailiwick_authentication, bailiwick_directory, bailiwick_operator;
grant insert, update (reason, scopes) on user_consent_requests to bailiwick_authentication, bailiwick_directory, bailiwick_operator;
grant insert on consent_request_decisions to bailiwick_authentication, bailiwick_directory, bailiwick_operator;

grant insert on outbox_messages to bailiwick_authentication, bailiwick_directory, bailiwick_operator;
grant select, update, delete on outbox_messages to bailiwick_authentication;
-- The operator sees that something can not be told, and not what.
grant select (tenant_id, id, kind, channel, created_at, settled_at, outcome, last_error) on outbox_messages to bailiwick_operator;

grant select on notification_secrets to bailiwick_authentication;
grant insert, delete, select (tenant_id, id, created_at, ends_at), update (ends_at) on notification_secrets to bailiwick_operator;
