import { type DatabaseUrls, ensureDatabase, startEmbeddedPostgres } from './embedded-postgres.ts';
import { openSealer } from './key-encryption-key.ts';
import type { Sealer } from './sealing.ts';

/** Where a deployment keeps its rows and the key that seals some of them. */
export interface DatabaseLocation {
  readonly dataDirectory: string;
  /** Undefined: the embedded Postgres in the data directory. */
  readonly database: Partial<Record<keyof DatabaseUrls, string | undefined>> | undefined;
  readonly keyEncryptionKeyFile: string;
}

export interface Database {
  readonly isEmbedded: boolean;
  readonly sealer: Sealer;
  /** @throws when the configuration names no such login */
  url(login: keyof DatabaseUrls): string;
  /** Ends the embedded Postgres, if it was started for this. */
  close(): Promise<void>;
}

const NAME = 'bailiwick';
const VARIABLES = {
  owner: 'DATABASE_URL',
  authentication: 'AUTHENTICATION_DATABASE_URL',
  directory: 'DIRECTORY_DATABASE_URL',
  operator: 'OPERATOR_DATABASE_URL',
} as const satisfies Record<keyof DatabaseUrls, string>;

/** Finds the deployment's database; starts the embedded one when the configuration names none. */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  const { database, dataDirectory, keyEncryptionKeyFile } = location;
  if (!database) return openEmbedded(dataDirectory, keyEncryptionKeyFile);
  const sealer = openSealer(keyEncryptionKeyFile, false);
  const url = (login: keyof DatabaseUrls) => {
    const found = database[login];
    if (found) return found;
    throw new Error(`${VARIABLES[login]} (or ${VARIABLES[login]}_FILE) must be set for this command.`);
  };
  return { isEmbedded: false, sealer, url, close: () => Promise.resolve() };
}

async function openEmbedded(dataDirectory: string, keyEncryptionKeyFile: string): Promise<Database> {
  const postgres = await startEmbeddedPostgres(dataDirectory);
  try {
    await ensureDatabase(postgres.superuser, NAME);
    const urls = postgres.urls(NAME);
    const sealer = openSealer(keyEncryptionKeyFile, true);
    return { isEmbedded: true, sealer, url: (login) => urls[login], close: postgres.stop };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}
