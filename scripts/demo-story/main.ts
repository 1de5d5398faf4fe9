import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BAILIWICK, inOwnDeployment, MANIFEST, serve } from './own-deployment.ts';
import { commandLine, type Environment, ROOT, start, stop, takenPorts } from './processes.ts';
import { StoryError } from './stage.ts';
import { tellStory } from './story.ts';

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

/** The story against a deployment of its own. */
async function checkAlone(): Promise<void> {
  await inOwnDeployment({ tls: values.tls }, async (deployment) => {
    say('✓ Two organizations are set up from config/demo.yaml');
    await tellStory(deployment, say);
  });
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
  const server = await serve(
    { ...environment, AUTHENTICATION_ORIGIN: origin, DIRECTORY_ORIGIN: directoryOrigin },
    values.tls === true,
  );
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
  hugo@contoso.example         pebble-orchard-compass-58     reviews what others ask for
  ada@contoso.example          violet-tractor-harvest-31     Global Administrator of Contoso: consents for everybody
  carol@fabrikam.example       maple-satchel-tundra-85       the other organization

Try "Fabrikam Analytics at Contoso" as Alice (needs approval: she asks), decide as Hugo at ${origin}/contoso.example/admin/requests,
then as Alice again; or as Ada (consent for Contoso).
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

async function checked(story: () => Promise<void>): Promise<void> {
  try {
    await story();
    say('\nAll of it came out as it must.');
  } catch (error) {
    say(`✗ ${error instanceof StoryError ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
