import type pg from 'pg';

/** The parts of docs/data-model.md that are generated, by the name of their markers. */
export async function generatedParts(client: pg.Client): Promise<Record<string, string>> {
  return {
    diagram: await diagram(client),
    policies: await policies(client),
    grants: await grants(client),
  };
}

const TABLES = `select oid, relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'migrations'`;

async function diagram(client: pg.Client): Promise<string> {
  const columns = await client.query<{ table: string; name: string; type: string; isKey: boolean; refers: boolean }>(`
    select t.relname as table, a.attname as name, replace(format_type(a.atttypid, a.atttypmod), ' with time zone', 'tz') as type,
      exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary and a.attnum = any (i.indkey)) as "isKey",
      exists (select from pg_constraint c where c.conrelid = t.oid and c.contype = 'f' and a.attnum = any (c.conkey)) as refers
    from (${TABLES}) t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    order by t.relname, a.attnum`);
  // That every row belongs to a tenant goes without a line.
  const keys = await client.query<{ from: string; to: string; by: string; optional: boolean }>(`
    select c.confrelid::regclass::text as from, c.conrelid::regclass::text as to,
      (select string_agg(a.attname, ' ' order by o) from unnest(c.conkey) with ordinality k (n, o)
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n where a.attname !~ 'tenant_id$') as by,
      exists (select from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any (c.conkey) and not a.attnotnull) as optional
    from pg_constraint c where c.contype = 'f' and c.connamespace = 'public'::regnamespace and c.confrelid <> 'tenants'::regclass
    order by 1, 2, 3`);
  const tables = Map.groupBy(columns.rows, ({ table }) => table);
  const entities = [...tables].flatMap(([table, rows]) => [
    `  ${table} {`,
    ...rows.map(({ name, type, isKey, refers }) => {
      const marks = [...(isKey ? ['PK'] : []), ...(refers ? ['FK'] : [])].join(', ');
      return `    ${type.replaceAll(' ', '_').replace('[]', '_array')} ${name}${marks && ` ${marks}`}`;
    }),
    '  }',
  ]);
  const relations = keys.rows.map(
    ({ from, to, by, optional }) => `  ${from} ${optional ? '|o' : '||'}--o{ ${to} : "${by}"`,
  );
  return ['```mermaid', 'erDiagram', ...relations, ...entities, '```'].join('\n');
}

async function policies(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ table: string; name: string; command: string; condition: string }>(`
    select t.relname as table, p.polname as name, case p.polcmd when '*' then 'all' else 'select' end
        || case when p.polroles = array[0::oid] then '' else ', for the owner' end as command,
      regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\\s+', ' ', 'g') as condition
    from pg_policy p join (${TABLES}) t on t.oid = p.polrelid order by 1, 2`);
  const common = `tenant_id = (NULLIF(current_setting('bailiwick.tenant_id'::text, true), ''::text))::uuid`;
  const isCommon = (row: (typeof rows)[number]) => row.name === 'tenant_isolation' && row.condition === `(${common})`;
  return [
    '| table | policy | for | condition |',
    '|---|---|---|---|',
    `| ${rows
      .filter(isCommon)
      .map(({ table }) => `\`${table}\``)
      .join(', ')} | \`tenant_isolation\` | all | \`${common}\` |`,
    ...rows
      .filter((row) => !isCommon(row))
      .map(({ table, name, command, condition }) => `| \`${table}\` | \`${name}\` | ${command} | \`${condition}\` |`),
  ].join('\n');
}

async function grants(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ table: string; role: string; rights: string }>(`
    with verbs (verb, o) as (values ('select', 1), ('insert', 2), ('update', 3), ('delete', 4)),
    held as (
      select t.relname as table, r.role, v.verb, v.o, has_table_privilege(r.role, t.oid, v.verb) as whole,
        (select string_agg(a.attname, ', ' order by a.attnum) from pg_attribute a
          where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and v.verb <> 'delete'
            and has_column_privilege(r.role, t.oid, a.attnum, case v.verb when 'delete' then 'select' else v.verb end)) as columns
      from (${TABLES}) t, verbs v,
        unnest(array['bailiwick_authentication', 'bailiwick_directory', 'bailiwick_operator']) as r (role))
    select "table", role, string_agg(verb || case when whole then '' else ' (' || columns || ')' end, ', ' order by o) as rights
    from held where whole or columns is not null group by 1, 2 order by 1, 2`);
  const tables = Map.groupBy(rows, ({ table }) => table);
  const of = (held: typeof rows, side: string) => held.find(({ role }) => role === `bailiwick_${side}`)?.rights ?? '–';
  return [
    '| table | authentication | directory | operator |',
    '|---|---|---|---|',
    ...[...tables].map(
      ([table, held]) =>
        `| \`${table}\` | ${of(held, 'authentication')} | ${of(held, 'directory')} | ${of(held, 'operator')} |`,
    ),
  ].join('\n');
}
