import pg from 'pg';

/** What a look at the database from outside says, for whoever runs it. */
export interface DatabaseInspection {
  readonly serverVersion: number;
  /** How far the database's clock is ahead of this machine's, in milliseconds; the round trip bounds the error. */
  readonly clockSkewMs: number;
  readonly roundTripMs: number;
  readonly isReplica: boolean;
}

/** @throws what the driver throws when the database can not be reached or refuses the login */
export async function inspectDatabase(url: string): Promise<DatabaseInspection> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  await client.connect();
  try {
    const before = Date.now();
    const { rows } = await client.query<{ version: string; now: string; replica: boolean }>(
      `select current_setting('server_version_num') as version, extract(epoch from clock_timestamp()) * 1000 as now,
        pg_is_in_recovery() as replica`,
    );
    const roundTripMs = Date.now() - before;
    const [row] = rows;
    if (!row) throw new Error('The database does not answer.');
    const clockSkewMs = Math.round(Number(row.now) - before - roundTripMs / 2);
    return { serverVersion: Number(row.version), clockSkewMs, roundTripMs, isReplica: row.replica };
  } finally {
    await client.end();
  }
}
