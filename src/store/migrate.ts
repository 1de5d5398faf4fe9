import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import type { Database } from './database.ts';
import { scramVerifier } from './scram-verifier.ts';

export const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url));
/** What is sealed to recognise the key-encryption key by. */
export const KEY_CHECK = { tenantId: '', table: 'deployment', row: 'singleton', column: 'key_check' };

const RUNTIME_LOGINS = ['authentication', 'directory', 'operator'] as const;

/** A deployment-wide application that every tenant may know of; config/directory-api.json is one. */
export interface DeploymentApplication {
  readonly appId: string;
  readonly displayName: string;
  readonly identifierUris: readonly string[];
  readonly oauth2PermissionScopes: readonly unknown[];
  readonly appRoles: readonly unknown[];
}

/**
 * Brings the database to the newest version as its owner, under an advisory lock (a second caller waits), makes the
 * runtime logins that its URLs name, and writes down the deployment's own applications.
 * @returns the names of the migrations that ran
 */
export async function migrate(
  { url, sealer }: Pick<Database, 'url' | 'sealer'>,
  applications: readonly DeploymentApplication[],
): Promise<string[]> {
  const client = new pg.Client({ connectionString: url('owner') });
  await client.connect();
  try {
    // The runner has a lock of its own, for the migrations alone. This one ends with the connection.
    await client.query(`select pg_advisory_lock(hashtext('bailiwick/migrate'))`);
    const ran = await runner({
      dbClient: client,
      dir: MIGRATIONS,
      direction: 'up',
      migrationsTable: 'migrations',
      advisoryLockMode: 'wait',
      logger: { info: () => {}, warn: () => {}, error: () => {} },
    });
    for (const login of RUNTIME_LOGINS) await ensureLogin(client, url(login), `bailiwick_${login}`);
    await client.query('insert into deployment (key_check) values ($1) on conflict do nothing', [
      sealer.seal(KEY_CHECK, 'bailiwick'),
    ]);
    for (const application of applications) await publish(client, application);
    return ran.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

async function ensureLogin(client: pg.Client, url: string, role: string): Promise<void> {
  const { user, password } = parseIntoClientConfig(url);
  if (!user || typeof password !== 'string')
    throw new Error(`The URL of the ${role} login lacks a user or a password.`);
  const login = client.escapeIdentifier(user);
  const { rows } = await client.query<{ belongs: boolean }>(
    `select pg_has_role(rolname, $2, 'member') as belongs from pg_roles where rolname = $1`,
    [user, role],
  );
  if (rows.length === 0)
    await client.query(
      `create role ${login} login nosuperuser nobypassrls password ${client.escapeLiteral(scramVerifier(password))}`,
    );
  if (!rows[0]?.belongs) await client.query(`grant ${client.escapeIdentifier(role)} to ${login}`);
}

async function publish(client: pg.Client, application: DeploymentApplication): Promise<void> {
  const { appId, displayName, identifierUris, oauth2PermissionScopes, appRoles } = application;
  await client.query('insert into application_ids (app_id) values ($1) on conflict do nothing', [appId]);
  await client.query(
    `insert into published_applications (app_id, display_name, identifier_uris, oauth2_permission_scopes, app_roles)
     values ($1, $2, $3, $4, $5)
     on conflict (app_id) do update set display_name = excluded.display_name, identifier_uris = excluded.identifier_uris,
       oauth2_permission_scopes = excluded.oauth2_permission_scopes, app_roles = excluded.app_roles`,
    [appId, displayName, identifierUris, JSON.stringify(oauth2PermissionScopes), JSON.stringify(appRoles)],
  );
}
