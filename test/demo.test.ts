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

/** Edits a file of the copy; the text must be there, so that this test does not outlive what it breaks. */
function edit(file: string, from: string, to: string): void {
  const text = readFileSync(join(copy, file), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(copy, file), text.replace(from, to));
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

  test('fails on a build that gives out tokens without consent', async () => {
    edit(
      'src/authentication/client-credentials.ts',
      "if (assigned.length === 0) throw refuse(errors.InvalidScope, 'nothingAssigned');",
      '',
    );
    const { code, stdout } = await checkDemo();
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ Without consent the daemon gets no token: expected 400, but what came back was 200/);
  }, 120_000);
});
