import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { dropDatabase, ensureDatabase, startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { preparePostgresHost } from '../../src/store/postgres-host.ts';
import { scramVerifier } from '../../src/store/scram-verifier.ts';
import { aDatabase } from '../support/database.ts';

/** Nobody's, and never ours: of the machine's `nobody`. */
const STRANGER = 65_534;
const isRoot = process.getuid?.() === 0;

describe('the directory of the embedded Postgres', () => {
  let directory: string;
  let predictable: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bailiwick-host-'));
    const name = createHash('sha256').update(directory).digest('hex').slice(0, 12);
    predictable = isRoot ? `/var/tmp/bailiwick-postgres-${name}` : `/tmp/bailiwick-${process.getuid?.()}-${name}`;
  });
  afterEach(() => {
    for (const path of [directory, predictable]) rmSync(path, { recursive: true, force: true });
  });

  test('is reached by nobody else', async () => {
    const host = await preparePostgresHost(directory);
    for (const path of [host.dataDirectory, host.socketDirectory]) expect(statSync(path).mode & 0o777).toBe(0o700);
    await expect(preparePostgresHost(directory)).resolves.toEqual(host);
  });

  // Only root can make what a stranger would make; as anybody else, a directory of root's is a stranger's.
  test('is not the one that somebody else made first, with binaries in it', async () => {
    if (!isRoot) {
      symlinkSync('/usr', predictable);
      await expect(preparePostgresHost(directory)).rejects.toThrow('belongs to another user');
      return;
    }
    mkdirSync(join(predictable, 'native', 'bin'), { recursive: true });
    writeFileSync(join(predictable, 'native', 'bin', 'postgres'), '#!/bin/sh\n', { mode: 0o755 });
    chownSync(predictable, STRANGER, STRANGER);
    await expect(preparePostgresHost(directory)).rejects.toThrow('belongs to another user');
    expect(statSync(predictable).uid).toBe(STRANGER);
  });

  test('is not somebody else’s link to a directory, which would be given away', async () => {
    const target = mkdtempSync(join(tmpdir(), 'bailiwick-target-'));
    chmodSync(target, 0o755);
    symlinkSync(target, predictable);
    if (isRoot) lchownSync(predictable, STRANGER, STRANGER);
    const prepared = preparePostgresHost(directory);
    if (isRoot) await expect(prepared).rejects.toThrow('belongs to another user');
    else await prepared;
    if (isRoot) expect([statSync(target).uid, statSync(target).mode & 0o777]).toEqual([0, 0o755]);
    rmSync(target, { recursive: true });
  });
});

test('a database is made once by processes that start together', async () => {
  const { superuserUrl, drop } = await aDatabase();
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  try {
    await Promise.all(Array.from({ length: 8 }, () => ensureDatabase(superuserUrl, name)));
    const client = new pg.Client({ connectionString: superuserUrl });
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    await client.end();
    expect(rowCount).toBe(1);
  } finally {
    await dropDatabase(superuserUrl, name);
    await drop();
  }
});

describe('passwords of the database', () => {
  test('SEC-01: are in no file that others can read, nor left over when it was made', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bailiwick-host-'));
    chmodSync(directory, 0o755);
    const postgres = await startEmbeddedPostgres(directory, ['fsync=off']);
    try {
      const { dataDirectory, socketDirectory } = await preparePostgresHost(directory);
      expect(statSync(join(directory, 'postgres-logins.json')).mode & 0o077).toBe(0);
      for (const left of [directory, socketDirectory, dirname(dataDirectory)])
        expect(existsSync(join(left, `initdb-${process.pid}`))).toBe(false);
    } finally {
      await postgres.stop();
      rmSync(join(directory, 'postgres'), { recursive: true, force: true });
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('SEC-01: are sent as what Postgres keeps of them, and open the login', async () => {
    const database = await aDatabase();
    const client = new pg.Client({ connectionString: database.superuserUrl });
    await client.connect();
    const [role, password] = ['bailiwick_scram_test', 'päss wörd of the login'];
    try {
      const verifier = scramVerifier(password);
      await client.query(`create role ${role} login password ${client.escapeLiteral(verifier)}`);
      const kept = await client.query('select rolpassword from pg_authid where rolname = $1', [role]);
      expect(kept.rows[0].rolpassword).toBe(verifier);
      const { host, port, database: name } = client;
      const entering = new pg.Client({ host, port, database: name ?? '', user: role, password });
      await entering.connect();
      await entering.end();
      const stranger = new pg.Client({ host, port, database: name ?? '', user: role, password: `${password}!` });
      await expect(stranger.connect()).rejects.toMatchObject({ code: '28P01' });
      const logins = await client.query(
        `select rolname from pg_authid where rolcanlogin and rolname like 'bailiwick%' and rolpassword not like 'SCRAM-SHA-256$%'`,
      );
      expect(logins.rows).toEqual([]);
    } finally {
      await client.query(`drop role if exists ${role}`);
      await client.end();
      await database.drop();
    }
  });
});
