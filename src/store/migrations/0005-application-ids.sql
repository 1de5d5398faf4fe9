-- An app id names one application over the whole deployment, whoever of its organizations has it, and for good: an
-- application leaves consents in others when it is gone. Refers to nothing, so that it outlives both.
-- home_tenant_id is null for the deployment's own directory API.
create table application_ids (
  app_id uuid primary key,
  home_tenant_id uuid
);

-- What there is already, once for each id: who published it comes first. Forced, row level security binds the owner too.
alter table applications no force row level security;
alter table published_applications no force row level security;
alter table published_application_versions no force row level security;
insert into application_ids (app_id, home_tenant_id) select app_id, home_tenant_id from published_applications;
insert into application_ids (app_id, home_tenant_id) select app_id, home_tenant_id from published_application_versions
  on conflict do nothing;
insert into application_ids (app_id, home_tenant_id) select app_id, tenant_id from applications order by created_at
  on conflict do nothing;
alter table applications force row level security;
alter table published_applications force row level security;
alter table published_application_versions force row level security;

-- Shown to its home alone. Whether somebody else has an id, the key says to who would take it, and not who.
alter table application_ids enable row level security;
alter table application_ids force row level security;
create policy home_tenant on application_ids
  using (home_tenant_id = nullif(current_setting('bailiwick.tenant_id', true), '')::uuid);
create policy deployment on application_ids to current_user using (home_tenant_id is null);
grant select, insert on application_ids to bailiwick_directory, bailiwick_operator;
