import { expect } from '@jest/globals';
import type { TestAuthenticationServer } from './authentication-server.ts';
import type { TestDatabase } from './database.ts';
import { asSuperuser } from './tenants.ts';

/** An answer, however a test asked. */
export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Tables of records, limits and what caches are kept by: all that a refused request may touch. */
const TOUCHED = ['artifacts', 'directory_audits', 'sign_ins', 'sign_in_throttles', 'tenant_versions'];
/** Words that only the program, its database or its machine says. */
const INTERNAL = /\bat .+\.(ts|js):\d|\bselect .+ from\b|\binsert into\b|postgres|ECONNREFUSED|node_modules/i;

/**
 * The oracle of every refused request: it changed no row but records, throttles and replay markers; it gave nobody a
 * session, code or token; exactly one record (or as many as are named) says so, in the tenant or in the security log; neither the answer nor a
 * record holds a secret or speaks of the program.
 * @param secrets what no answer and no record may hold
 */
export async function refused<Answer extends Refusal>(
  { database, server }: { readonly database: TestDatabase; readonly server: TestAuthenticationServer },
  request: () => Promise<Answer>,
  secrets: readonly string[] = [],
  records = 1,
): Promise<Answer> {
  const before = await stateOf(database, server);
  const answer = await request();
  const after = await stateOf(database, server);
  expect(after.rows).toEqual(before.rows);
  expect(after.artifacts).toEqual(before.artifacts);
  expect(after.successes).toEqual(before.successes);
  const fresh = [...after.failures.slice(before.failures.length), ...after.logged.slice(before.logged.length)];
  expect(fresh).toHaveLength(records);
  const told = [answer.text, ...[...answer.headers].flat(), ...fresh.map((record) => JSON.stringify(record))].join(
    '\n',
  );
  expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);
  expect(told).not.toMatch(INTERNAL);
  expect(server.errors).toEqual([]);
  return answer;
}

async function stateOf(database: TestDatabase, { refusals }: TestAuthenticationServer) {
  const rows = await checksums(database);
  // An interaction waits for an answer and is worth nothing itself; a session without a person is nobody's.
  const artifacts = await asSuperuser<{ row: string }>(
    database,
    `select concat_ws(' ', model, family_id, user_id, consumed_at) as row from artifacts
      where model not in ('ReplayDetection', 'Interaction') and (model <> 'Session' or user_id is not null) order by 1`,
  );
  const failures = await asSuperuser<{ row: string }>(
    database,
    `select row from (
        select created_at as at, s::text as row from sign_ins s where error_code <> 0
        union all select activity_at, a::text from directory_audits a where result = 'failure') r order by at`,
  );
  const successes = await asSuperuser<{ id: string }>(
    database,
    `select id::text from sign_ins where error_code = 0 union all select id::text from directory_audits where result = 'success'
      order by 1`,
  );
  return { rows, artifacts: artifacts.map(({ row }) => row), failures, successes, logged: [...refusals] };
}

/** One checksum for each table, of all its rows. */
async function checksums(database: TestDatabase): Promise<Record<string, string>> {
  const tables = await asSuperuser<{ name: string }>(
    database,
    `select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> all ($1) order by 1`,
    [TOUCHED],
  );
  const sums = tables.map(
    ({ name }) =>
      `select '${name}' as name, md5(coalesce(string_agg(t::text, ';' order by t::text), '')) as sum from ${name} t`,
  );
  const rows = await asSuperuser<{ name: string; sum: string }>(database, sums.join(' union all '));
  return Object.fromEntries(rows.map(({ name, sum }) => [name, sum]));
}
