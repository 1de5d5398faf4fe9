import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandLine, type Environment, freePort, ROOT, start, stop, takenPorts, untilHealthy } from './processes.ts';
import { StoryError } from './stage.ts';
import { tellStory } from './story.ts';

const BAILIWICK = process.env.BAILIWICK_CLI ?? join(ROOT, 'scripts', 'bailiwick');
const MANIFEST = join(ROOT, 'config', 'demo.yaml');
const DATA = join(ROOT, '.data');
const DEFAULTS = {
  plain: ['http://localhost:8400', 'http://localhost:8401', 'http://localhost:8402'],
  tls: ['https://localhost:8443', 'https://localhost:8444', 'https://localhost:8445'],
} as const;

const { values } = parseArgs({
  options: {
    check: { type: 'boolean' },
    tls: { type: 'boolean' },
    attach: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
const say = (line: string) => console.log(line);
const [origin, directoryOrigin, sampleOrigin] = DEFAULTS[values.tls ? 'tls' : 'plain'];

if (values.help) say('usage: scripts/demo [--check [--attach]] [--tls]');
else if (values.check && values.attach)
  await checked(() => tellStory({ origin, directoryOrigin, bailiwick: commandLine(BAILIWICK, {}) }, say));
else if (values.check) await checked(checkAlone);
else await live();

/** The story against a deployment of its own: fresh data, free ports, gone afterwards. */
async function checkAlone(): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'bailiwick-check-'));
  const [port, directoryPort] = [await freePort(), await freePort()];
  const scheme = values.tls ? 'https' : 'http';
  const environment = {
    DATA_DIRECTORY: data,
    AUTHENTICATION_ORIGIN: `${scheme}://localhost:${port}`,
    AUTHENTICATION_LISTEN: `127.0.0.1:${port}`,
    DIRECTORY_ORIGIN: `${scheme}://localhost:${directoryPort}`,
    DIRECTORY_LISTEN: `127.0.0.1:${directoryPort}`,
    // Refusals are a part of the story, and what the log says of them is not.
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'error',
  };
  let server: ChildProcess | undefined;
  try {
    server = await serve(environment);
    const bailiwick = commandLine(BAILIWICK, environment);
    await bailiwick('apply', '-f', MANIFEST);
    say('✓ Two organizations are set up from config/demo.yaml');
    await tellStory(
      { origin: environment.AUTHENTICATION_ORIGIN, directoryOrigin: environment.DIRECTORY_ORIGIN, bailiwick },
      say,
    );
  } finally {
    await stop(server);
    // As root, Postgres keeps its rows where its own user can reach them: the link says where.
    const postgres = join(data, 'postgres');
    if (existsSync(postgres)) rmSync(realpathSync(postgres), { recursive: true, force: true });
    rmSync(data, { recursive: true, force: true });
  }
}

async function live(): Promise<void> {
  const taken = await takenPorts(DEFAULTS[values.tls ? 'tls' : 'plain'].map((url) => Number(new URL(url).port)));
  if (taken.length > 0) {
    say(`Taken by another program, perhaps another demo: ${taken.map((port) => `localhost:${port}`).join(', ')}.`);
    say('End it and try again. (scripts/demo --check takes ports that are free.)');
    process.exitCode = 1;
    return;
  }
  const environment = {
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
    DATA_DIRECTORY: DATA,
    // The page of scripts/samples/spa.ts calls the directory API by itself.
    DIRECTORY_ALLOWED_ORIGINS: process.env.DIRECTORY_ALLOWED_ORIGINS ?? 'http://localhost:3002',
  };
  const server = await serve({ ...environment, AUTHENTICATION_ORIGIN: origin, DIRECTORY_ORIGIN: directoryOrigin });
  await commandLine(BAILIWICK, environment)('apply', '-f', MANIFEST);
  const sample = start(process.execPath, [join(ROOT, 'scripts', 'sample-app', 'main.ts')], sampleSettings(), 'inherit');
  say(`
Bailiwick runs. Sign-in and tokens: ${origin}   directory API: ${directoryOrigin}

Open the sample app:  ${sampleOrigin}${
    values.tls
      ? `
(Let your browser trust ${join(DATA, 'tls', 'ca.pem')}, which vouches for localhost alone.)`
      : ''
  }

Sign in as                     password
  alice@contoso.example        lantern-walnut-meadow-72      a plain user: consents for herself, needs approval for more
  ada@contoso.example          violet-tractor-harvest-31     Global Administrator of Contoso: consents for everybody
  carol@fabrikam.example       maple-satchel-tundra-85       the other organization

Try "Fabrikam Analytics at Contoso" as Alice (needs approval), then as Ada (consent for Contoso), then as Alice again.
The command line:  scripts/bailiwick consent list --tenant contoso.example
Ctrl-C ends everything.`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    server.once('exit', () => resolve());
    if (server.exitCode !== null) resolve();
  });
  await Promise.all([stop(sample), stop(server)]);
}

/** What the sample app must know of this deployment: origins, and over https a certificate of its own and whom to trust. */
function sampleSettings(): Environment {
  if (!values.tls) return {};
  const [plainOrigin, plainDirectory] = DEFAULTS.plain;
  const registered = readFileSync(join(ROOT, 'scripts', 'sample-app', 'demo.json'), 'utf8');
  const settings = join(DATA, 'sample-app.json');
  writeFileSync(settings, registered.replaceAll(plainOrigin, origin).replaceAll(plainDirectory, directoryOrigin));
  const tls = join(DATA, 'tls');
  return {
    SAMPLE_APP_CONFIG: settings,
    SAMPLE_APP_ORIGIN: sampleOrigin,
    SAMPLE_APP_LISTEN: `127.0.0.1:${new URL(sampleOrigin).port}`,
    TLS_CERTIFICATE_FILE: join(tls, 'certificate.pem'),
    TLS_KEY_FILE: join(tls, 'key.pem'),
    NODE_EXTRA_CA_CERTS: join(tls, 'ca.pem'),
  };
}

async function serve(environment: Environment): Promise<ChildProcess> {
  const child = start(BAILIWICK, ['serve', ...(values.tls ? ['--tls'] : [])], environment, 'inherit');
  try {
    const authority = values.tls ? join(environment.DATA_DIRECTORY ?? DATA, 'tls', 'ca.pem') : undefined;
    await untilHealthy(`${environment.AUTHENTICATION_ORIGIN}/healthz`, child, authority);
    await untilHealthy(`${environment.DIRECTORY_ORIGIN}/healthz`, child, authority);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return child;
}

async function checked(story: () => Promise<void>): Promise<void> {
  try {
    await story();
    say('\nAll of it came out as it must.');
  } catch (error) {
    say(`✗ ${error instanceof StoryError ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
