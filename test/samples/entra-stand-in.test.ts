import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { freePort, ROOT } from '../../scripts/demo-story/processes.ts';
import { aDatabase } from '../support/database.ts';
import { aDeployment, type Deployment } from '../support/deployment.ts';

interface Block {
  readonly language: string;
  /** For files: where the page puts it. */
  readonly file: string | undefined;
  readonly text: string;
}

const page = readFileSync(join(ROOT, 'docs', 'entra-stand-in.md'), 'utf8');
const blocks: Block[] = [...page.matchAll(/^```(\w+) ?(\S+)?\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', file, text = '']) => ({ language, file, text }),
);
const ofLanguage = (language: string) => blocks.filter((block) => block.language === language).map(({ text }) => text);
const fileOf = (name: string) => blocks.find(({ file }) => file === name)?.text ?? '';

/** A directory as a reader has it: the repository's files, and room for his own. */
function aReadersDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bailiwick-reader-'));
  for (const name of ['src', 'config', 'scripts', 'node_modules', 'package.json', 'package-lock.json'])
    symlinkSync(join(ROOT, name), join(directory, name));
  return directory;
}

function writeIn(directory: string, file: string, text: string): void {
  mkdirSync(dirname(join(directory, file)), { recursive: true });
  writeFileSync(join(directory, file), text);
}

const groups: number[] = [];

/** Runs a script as a step of a job does: it ends at the first failure, and what it leaves in the background stays. */
async function shell(script: string, cwd: string, environment: Record<string, string>): Promise<string> {
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const child = spawn('sh', ['-ec', script], { cwd, env: { ...environment, PATH: path }, detached: true });
  groups.push(child.pid ?? 0);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stderr}`);
  return stdout;
}

afterAll(() => {
  for (const group of groups) {
    try {
      process.kill(-group, 'SIGTERM');
    } catch {
      // It has ended already.
    }
  }
});

describe('the five minutes', () => {
  let deployment: Deployment;
  let directory: string;

  beforeAll(async () => {
    directory = aReadersDirectory();
    deployment = await aDeployment({ tls: true, database: await aDatabase() });
    await deployment.serve();
    await deployment.bailiwick('apply', '-f', join(ROOT, 'config', 'demo.yaml'));
  }, 120_000);

  afterAll(async () => {
    await deployment.end();
    rmSync(directory, { recursive: true });
  });

  test('come out as the page says', async () => {
    const [start, ...commands] = ofLanguage('sh');
    // What it starts is served by the test, at ports that are free.
    expect(start).toBe('./scripts/demo --tls\n');
    expect(commands).toHaveLength(3);
    for (const name of ['expenses.json', 'app.mjs']) writeIn(directory, name, fileOf(name));
    const said = await shell(commands.join('\n'), directory, { ...deployment.environment });
    const [imported = '', people = ''] = ofLanguage('text');
    expect(said.slice(0, imported.length)).toBe(imported);
    expect(said.slice(-people.length)).toBe(people);
    expect(people).toContain('Alice Moreau');
  }, 120_000);
});

describe('the job in CI', () => {
  test('starts Bailiwick, makes the organization, and gives the tests what they need', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bailiwick-job-'));
    const copy = aReadersDirectory();
    symlinkSync(copy, join(directory, 'bailiwick'));
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    writeIn(directory, 'test/contoso.yaml', fileOf('test/contoso.yaml'));
    writeIn(directory, 'app.mjs', fileOf('app.mjs'));
    const { jobs } = parse(fileOf('.github/workflows/test.yml'));
    const steps: { run?: string }[] = jobs.test.steps;
    const scripts = steps.flatMap(({ run }) => run ?? []);
    expect([scripts[0], scripts.at(-1)]).toEqual(['npm ci', 'npm test']);

    const [port, directoryPort] = [await freePort(), await freePort()];
    const job: Record<string, string> = {
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
      DATA_DIRECTORY: join(directory, '.data'),
      AUTHENTICATION_ORIGIN: `https://localhost:${port}`,
      DIRECTORY_ORIGIN: `https://localhost:${directoryPort}`,
      GITHUB_ENV: join(directory, 'github-env'),
    };
    try {
      for (const script of scripts.slice(1, -1)) await shell(script.replaceAll('8443', String(port)), directory, job);
      const given = parseEnv(readFileSync(job.GITHUB_ENV ?? '', 'utf8'));
      expect(given.NODE_EXTRA_CA_CERTS).toBe(join(directory, '.data', 'tls', 'ca.pem'));
      expect(await shell('node app.mjs', directory, { ...job, ...given } as Record<string, string>)).toBe(
        'Alice Moreau\n',
      );
    } finally {
      await ended();
      rmSync(realpathSync(join(directory, '.data', 'postgres')), { recursive: true, force: true });
      for (const made of [copy, directory]) rmSync(made, { recursive: true, force: true });
    }
  }, 240_000);
});

/** Ends what the last steps left in the background, and waits until it is gone. */
async function ended(): Promise<void> {
  for (const group of groups) {
    for (let waited = 0; waited < 20_000; waited += 100) {
      try {
        process.kill(-group, 'SIGTERM');
      } catch {
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
