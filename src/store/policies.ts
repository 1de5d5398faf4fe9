import type { Client } from 'pg';

interface Policy {
  readonly table: string;
  readonly name: string;
  readonly command: 'all' | 'select';
  /** The one condition, for rows seen and rows written. */
  readonly condition: string;
}

const BOUND_TENANT = `nullif(current_setting('bailiwick.tenant_id', true), '')::uuid`;
const BOUND_APP = `nullif(current_setting('bailiwick.app_id', true), '')::uuid`;

/** Every policy but those of tenant tables, each of which has `tenant_isolation` and nothing else. */
const GLOBAL_POLICIES: readonly Policy[] = [
  { table: 'tenants', name: 'tenant_isolation', command: 'all', condition: `id = ${BOUND_TENANT}` },
  isolationOf('tenant_versions'),
  { table: 'tenant_versions', name: 'read_by_all', command: 'select', condition: 'true' },
  isolationOf('verified_domains'),
  {
    table: 'verified_domains',
    name: 'asked_by_name',
    command: 'select',
    condition: `name = nullif(current_setting('bailiwick.domain', true), '')`,
  },
  ...[
    ...['application_ids', 'published_applications', 'published_application_versions'],
    ...['published_password_credentials', 'published_federated_identity_credentials', 'published_withdrawals'],
  ].map(
    (table): Policy => ({ table, name: 'home_tenant', command: 'all', condition: `home_tenant_id = ${BOUND_TENANT}` }),
  ),
  { table: 'published_application_versions', name: 'read_by_all', command: 'select', condition: 'true' },
  ...['published_applications', 'published_password_credentials', 'published_federated_identity_credentials'].map(
    (table): Policy => ({ table, name: 'asked_by_app_id', command: 'select', condition: `app_id = ${BOUND_APP}` }),
  ),
  {
    table: 'published_applications',
    name: 'present_in_tenant',
    command: 'select',
    condition: `exists (select from service_principals s
      where s.tenant_id = ${BOUND_TENANT} and s.app_id = published_applications.app_id)`,
  },
  {
    table: 'published_withdrawals',
    name: 'withdrawn_from_tenant',
    command: 'select',
    condition: `tenant_id = ${BOUND_TENANT}`,
  },
  ...['application_ids', 'published_applications'].map(
    (table): Policy => ({ table, name: 'deployment', command: 'all', condition: 'home_tenant_id is null' }),
  ),
  { table: 'deployment', name: 'read_by_all', command: 'select', condition: 'true' },
  { table: 'deployment', name: 'written_by_owner', command: 'all', condition: 'true' },
];

/** Policies for the owner alone, who is no runtime login. */
const OWNERS = ['deployment', 'written_by_owner'];

/** Tables of which one statement may see more than the bound tenant's rows, as their policies say. */
const GLOBAL_TABLES: ReadonlySet<string> = new Set(GLOBAL_POLICIES.map(({ table }) => table));

/**
 * How the policies of the live database differ from the reviewed ones. A further policy is one too many whatever it
 * says: Postgres shows a row that any one of them shows.
 */
export async function policyProblems(client: Client): Promise<string[]> {
  const { rows } = await client.query<{
    table: string;
    name: string;
    command: string;
    permissive: boolean;
    condition: string | null;
    check: string | null;
    forOwner: boolean;
  }>(`
    select c.relname as table, p.polname as name, case p.polcmd when '*' then 'all' when 'r' then 'select' else 'other' end as command,
      p.polpermissive as permissive, pg_get_expr(p.polqual, p.polrelid) as condition,
      pg_get_expr(p.polwithcheck, p.polrelid) as check, p.polroles = array[c.relowner] as "forOwner"
    from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace = 'public'::regnamespace`);
  const tables = await client.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'migrations'`,
  );
  const expected = [
    ...GLOBAL_POLICIES,
    ...tables.rows.filter(({ name }) => !GLOBAL_TABLES.has(name)).map(({ name }) => isolationOf(name)),
  ];
  const isAsReviewed = ({ table, name, command, condition }: Policy) =>
    rows.some(
      (row) =>
        row.table === table &&
        row.name === name &&
        row.command === command &&
        row.permissive &&
        row.check === null &&
        row.forOwner === OWNERS.includes(name) &&
        plain(row.condition ?? '') === plain(condition),
    );
  return [
    ...expected
      .filter((policy) => !isAsReviewed(policy))
      .map(({ table, name }) => `Table ${table} lacks its policy ${name}, or has it altered.`),
    ...rows
      .filter(({ table, name }) => !expected.some((policy) => policy.table === table && policy.name === name))
      .map(({ table, name }) => `Table ${table} has a policy ${name} that nobody reviewed.`),
  ];
}

function isolationOf(table: string): Policy {
  return { table, name: 'tenant_isolation', command: 'all', condition: `tenant_id = ${BOUND_TENANT}` };
}

/** Without what releases of Postgres write differently: spaces, parentheses, casts of literals, letter case. */
function plain(condition: string): string {
  return condition
    .toLowerCase()
    .replaceAll('::text', '')
    .replace(/[\s()]/g, '');
}
