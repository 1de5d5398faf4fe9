import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type SourceFile, violations } from './support/law.ts';

const ROOT = resolve(import.meta.dirname, '..');

function sourcesBelow(directory: string): SourceFile[] {
  return readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
    .map((file) => ({
      path: relative(ROOT, join(ROOT, directory, file)),
      text: readFileSync(join(ROOT, directory, file), 'utf8'),
    }));
}

const file = (path: string, text: string): SourceFile => ({ path, text });

describe('the law of the house', () => {
  test('holds for every file', () => {
    expect(violations([...sourcesBelow('src'), ...sourcesBelow('scripts')])).toEqual([]);
  });

  test.each([
    [
      'a room that looks up',
      [file('src/store/a.ts', "import { b } from '../directory/b.ts';"), file('src/directory/b.ts', '')],
    ],
    [
      'two doors that know each other',
      [file('src/interfaces/a.ts', "import '../authentication/b.ts';"), file('src/authentication/b.ts', '')],
    ],
    ['SQL outside the store', [file('src/directory/a.ts', "import pg from 'pg';")]],
    [
      'a library’s internals',
      [file('src/authentication/a.ts', "import x from 'oidc-provider/lib/helpers/errors.js';")],
    ],
    ['a package of another room', [file('src/interfaces/a.ts', "import argon2 from 'argon2';")]],
    ['the environment outside config.ts', [file('src/store/a.ts', 'const x = process.env.HOME;')]],
    ['a circle', [file('src/store/a.ts', "import './b.ts';"), file('src/store/b.ts', "import './a.ts';")]],
    ['a file that is too long', [file('src/store/a.ts', 'a\n'.repeat(401))]],
    ['an entry that is imported', [file('src/cli/a.ts', "import '../main.ts';"), file('src/main.ts', '')]],
    ['a room without a subject', [file('src/utils/a.ts', '')]],
    [
      'the command line in the store',
      [file('src/cli/apply.ts', "import '../store/b.ts';"), file('src/store/b.ts', '')],
    ],
    [
      'a sample that knows the server',
      [file('scripts/sample-app/main.ts', "import '../../src/config.ts';"), file('src/config.ts', '')],
    ],
    [
      'one of the small samples that does',
      [file('scripts/samples/daemon.ts', "import '../../src/config.ts';"), file('src/config.ts', '')],
    ],
    [
      'a sample that borrows from the demo',
      [file('scripts/samples/daemon.ts', "import '../demo-story/stage.ts';"), file('scripts/demo-story/stage.ts', '')],
    ],
  ])('is broken by %s', (_name, files) => {
    expect(violations(files)).not.toEqual([]);
  });
});
