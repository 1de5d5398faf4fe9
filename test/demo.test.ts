import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '..');
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'bailiwick-broken-'));
  for (const name of ['src', 'config', 'package.json']) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'bailiwick'), `#!/bin/sh\nexec "${process.execPath}" "${copy}/src/main.ts" "$@"\n`);
  chmodSync(join(copy, 'bailiwick'), 0o755);
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

type Edit = readonly [file: string, from: string, to: string];

/** Runs the check against the copy with these edits. Each text must be there, so that no test outlives what it breaks. */
async function checkBroken(...edits: readonly Edit[]) {
  const whole = edits.map(([file]) => readFileSync(join(copy, file), 'utf8'));
  for (const [file, from, to] of edits) {
    const text = readFileSync(join(copy, file), 'utf8');
    expect(text).toContain(from);
    writeFileSync(join(copy, file), text.replace(from, to));
  }
  try {
    return await checkDemo();
  } finally {
    // The first edit of a file was made to the whole one.
    for (const [index, [file]] of [...edits.entries()].reverse()) writeFileSync(join(copy, file), whole[index] ?? '');
  }
}

function checkDemo(): Promise<{ code: number; stdout: string }> {
  const words = [join(ROOT, 'scripts', 'demo-story', 'main.ts'), '--check'];
  const env = { ...process.env, BAILIWICK_CLI: join(copy, 'bailiwick'), LOG_LEVEL: 'silent' };
  return new Promise((done) => {
    execFile(process.execPath, words, { env }, (error, stdout) => done({ code: Number(error?.code ?? 0), stdout }));
  });
}

describe('demo --check', () => {
  test('passes on this build', async () => {
    const { code, stdout } = await checkDemo();
    expect(stdout).toContain('All of it came out as it must.');
    expect(code).toBe(0);
  }, 120_000);

  test.each<[string, RegExp, readonly Edit[]]>([
    [
      'that gives applications tokens without consent',
      /✗ Without consent the daemon gets no token: expected 400, but what came back was 200/,
      [['src/authorization/token-decision.ts', "if (pass.length === 0) return [step('role', 'nothingAssigned')];", '']],
    ],
    [
      'that takes a token’s word for what a person consented to',
      /✗ The access token is refused at once: expected 401, but what came back was 200/,
      [
        ['src/authorization/decide.ts', 'intersection(ceiling, state?.permissions ?? [])', '[...ceiling]'],
        [
          'src/authorization/decide.ts',
          "if (kind !== 'session' && state.permissions.length === 0) return 'consentGone';",
          "if (kind === 'application' && state.permissions.length === 0) return 'consentGone';",
        ],
      ],
    ],
    [
      'that refreshes what is no longer consented to',
      /✗ There are no new tokens: expected 400, but what came back was 200/,
      [['src/authentication/tokens/token-decisions.ts', 'if (!refusal) {', "if (!refusal || ask.via === 'refresh') {"]],
    ],
  ])(
    'fails on a build %s',
    async (_name, words, edits) => {
      const { code, stdout } = await checkBroken(...edits);
      expect(stdout).toMatch(words);
      expect(code).toBe(1);
    },
    120_000,
  );
});
