import pg from 'pg';

const pools = new Map<string, pg.Pool>();

/**
 * The superuser's connections to one database, kept: opening one costs more than most statements of a test. A test may
 * end them from outside, so a broken one is forgotten, and the next is opened when it is needed.
 */
export function superuserOf(url: string): pg.Pool {
  let pool = pools.get(url);
  if (!pool) {
    pool = new pg.Pool({ connectionString: url, max: 2, allowExitOnIdle: true });
    pool.on('error', () => {});
    pools.set(url, pool);
  }
  return pool;
}

export async function endSuperuser(url: string): Promise<void> {
  await pools.get(url)?.end();
  pools.delete(url);
}
