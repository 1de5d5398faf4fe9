create table signing_keys (
  tenant_id uuid not null references tenants (id) on delete cascade,
  kid text not null,
  algorithm text not null check (algorithm in ('ES256', 'RS256')),
  slot text not null check (slot in ('next', 'current', 'retiring')),
  public_jwk jsonb not null,
  sealed_private_key bytea not null,
  created_at timestamptz not null default now(),
  activated_at timestamptz,
  retired_at timestamptz,
  primary key (tenant_id, kid)
);
create unique index signing_keys_one_per_slot on signing_keys (tenant_id, algorithm, slot) where slot <> 'retiring';

create table token_families (
  tenant_id uuid not null references tenants (id) on delete cascade,
  id text not null,
  user_id uuid not null,
  service_principal_id uuid not null,
  session_uid text,
  -- As which of its kinds the client began the family; a web application's needs its credential at every refresh.
  platform text not null default 'web' check (platform in ('web', 'spa', 'publicClient')),
  created_at timestamptz not null default clock_timestamp(),
  -- When the person of its session proved who he is. What is revoked for him ends families by this, whenever they were written.
  authenticated_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_reason text,
  -- For tokens that an API got in exchange for the one it was called with: the family of that one, with which this ends.
  parent_id text,
  -- Who acts for whom (RFC 8693, section 4.1), outermost first.
  actor jsonb not null default '[]',
  primary key (tenant_id, id),
  foreign key (tenant_id, parent_id) references token_families (tenant_id, id) on delete cascade,
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
  foreign key (tenant_id, service_principal_id) references service_principals (tenant_id, id) on delete cascade
);
create index token_families_by_user on token_families (tenant_id, user_id, service_principal_id);
create index token_families_by_session on token_families (tenant_id, session_uid);
create index token_families_by_expiry on token_families (tenant_id, expires_at);
create index token_families_by_parent on token_families (tenant_id, parent_id) where parent_id is not null;

-- App-only tokens have no family; revoking one (RFC 7009) names it here until it would have expired.
create table revoked_tokens (
  tenant_id uuid not null references tenants (id) on delete cascade,
  token_id text not null,
  expires_at timestamptz not null,
  primary key (tenant_id, token_id)
);
create index revoked_tokens_by_expiry on revoked_tokens (tenant_id, expires_at);

-- oidc-provider's artifacts. The identifier is stored hashed, the payload sealed.
create table artifacts (
  tenant_id uuid not null references tenants (id) on delete cascade,
  model text not null,
  id_hash bytea not null,
  payload bytea not null,
  uid_hash bytea,
  user_code_hash bytea,
  family_id text,
  user_id uuid,
  authenticated_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  consumed_at timestamptz,
  successor bytea,
  primary key (tenant_id, model, id_hash)
);
create index artifacts_by_uid on artifacts (tenant_id, uid_hash) where uid_hash is not null;
create unique index artifacts_by_user_code on artifacts (tenant_id, user_code_hash) where user_code_hash is not null;
create index artifacts_by_family on artifacts (tenant_id, family_id) where family_id is not null;
create index artifacts_by_user on artifacts (tenant_id, user_id) where user_id is not null;
create index artifacts_by_expiry on artifacts (tenant_id, expires_at);

create table sign_in_throttles (
  tenant_id uuid not null references tenants (id) on delete cascade,
  subject_hash bytea not null,
  failures integer not null default 0,
  locked_until timestamptz,
  expires_at timestamptz not null default now() + interval '2 days',
  primary key (tenant_id, subject_hash)
);

create table familiar_devices (
  tenant_id uuid not null,
  user_id uuid not null,
  device_hash bytea not null,
  expires_at timestamptz not null default now() + interval '180 days',
  primary key (tenant_id, user_id, device_hash),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index sign_in_throttles_by_expiry on sign_in_throttles (tenant_id, expires_at);
create index familiar_devices_by_expiry on familiar_devices (tenant_id, expires_at);
