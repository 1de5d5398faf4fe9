import type { Client } from 'pg';

export const SIDES = ['authentication', 'directory', 'operator'] as const;
/** Which of the three runtime logins. */
export type Side = (typeof SIDES)[number];

/** Columns that hold credentials and keys: the authentication side alone reads them. */
const SECRET_COLUMNS = [
  ['user_passwords', 'password_hash'],
  ['password_credentials', 'secret_hmac'],
  ['published_password_credentials', 'secret_hmac'],
  ['signing_keys', 'sealed_private_key'],
  ['artifacts', 'payload'],
  ['notification_secrets', 'sealed_secret'],
] as const;
const RECORDS = ['directory_audits', 'sign_ins', 'consent_request_decisions'] as const;

/**
 * What this login could do beyond its part: powers that pass by row level security, rights of another role (which
 * membership gives, whether it is inherited or taken by SET ROLE), reading secrets, altering records.
 */
export async function loginProblems(client: Client, expected: Side | undefined): Promise<string[]> {
  const { rows } = await client.query<{ name: string; isSuperuser: boolean; problems: string[]; sides: Side[] }>(
    POWERS,
    [SIDES.map((side) => `bailiwick_${side}`)],
  );
  const [login] = rows;
  if (!login) return [];
  const { name, isSuperuser, problems, sides } = login;
  const sentence = (problem: string) => `The database login ${name} ${problem}.`;
  // A superuser has every right there is: one sentence says it.
  if (isSuperuser) return [sentence('is superuser')];
  const [side, other] = sides;
  if (!side) return [...problems, 'belongs to no side: it is no member of a bailiwick role'].map(sentence);
  if (other) return [...problems, `belongs to several sides: ${sides.join(', ')}`].map(sentence);
  return [
    ...problems,
    ...(expected && side !== expected ? [`is the ${side} side's, not the ${expected} side's`] : []),
    ...(await grantProblems(client, side)),
  ].map(sentence);
}

const POWERS = `
  select current_user as name, me.rolsuper as "isSuperuser",
    array(select replace(r, 'bailiwick_', '') from unnest($1::text[]) r
      where exists (select from pg_roles where rolname = r) and pg_has_role(current_user, r, 'member')) as sides,
    array_remove(array[
      case when bool_or(r.rolbypassrls) then 'bypasses row level security' end,
      case when bool_or(r.rolcreaterole) then 'can create roles' end,
      case when bool_or(r.rolcreatedb) then 'can create databases' end,
      case when bool_or(r.rolreplication) then 'can replicate the database' end,
      case when exists (select from pg_class c where c.relnamespace = 'public'::regnamespace
        and pg_has_role(current_user, c.relowner, 'member')) then 'owns tables' end,
      case when has_schema_privilege(current_user, 'public', 'create') then 'can create objects in the schema' end,
      case when exists (select from unnest(array['tenant_id', 'app_id', 'domain']) s
        where current_setting('bailiwick.' || s, true) <> '') then 'is bound to a tenant before any transaction' end
    ], null) || array(select 'may act as ' || x.rolname from pg_roles x where pg_has_role(current_user, x.oid, 'member')
      and x.rolname <> current_user and x.rolname <> all ($1)) as problems
  from pg_roles me join pg_roles r on pg_has_role(current_user, r.oid, 'member')
  where me.rolname = current_user group by me.rolsuper`;

async function grantProblems(client: Client, side: Side): Promise<string[]> {
  const secrets = side === 'authentication' ? [] : SECRET_COLUMNS;
  const { rows } = await client.query<{ problem: string }>(
    `select 'can read ' || t || '.' || k as problem from unnest($1::text[], $2::text[]) as s (t, k)
      where to_regclass(t) is not null and has_column_privilege(t, k, 'select')
    union all
    select 'can ' || p || ' ' || t from unnest($3::text[]) t, unnest(array['update', 'delete']) p
      where to_regclass(t) is not null and (has_table_privilege(t, p)
        or p = 'update' and has_any_column_privilege(t, 'update'))
    union all
    select 'can ' || p || ' ' || c.relname from pg_class c, unnest(array['truncate', 'trigger', 'references']) p
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege(c.oid, p)`,
    [secrets.map(([table]) => table), secrets.map(([, column]) => column), RECORDS],
  );
  return rows.map(({ problem }) => problem);
}
