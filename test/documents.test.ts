import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '..');
const LINK = /\[[^\]]*\]\(([^()\s]+)\)/g;
const FENCED = /^```[\s\S]*?^```$/gm;

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const filesBelow = (directory: string, ending: string, recursive = true) =>
  readdirSync(join(ROOT, directory), { recursive, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(directory, file));

const documents = [...filesBelow('.', '.md', false), ...filesBelow('docs', '.md')];

/** Headings as they are named in a link. */
function anchorsOf(text: string): string[] {
  return [...text.replace(FENCED, '').matchAll(/^#{1,6} (.+)$/gm)].map(([, words = '']) =>
    words
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

function brokenLinksOf(path: string, text = read(path)): string[] {
  const links = [...text.replace(FENCED, '').matchAll(LINK)].map(([, link = '']) => link);
  const isBroken = (link: string) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(file === '' ? text : read(target)).includes(anchor);
  };
  return links.filter((link) => !/^[a-z]+:/.test(link) && isBroken(link)).map((link) => `${path}: ${link}`);
}

describe('the documents', () => {
  test('link to what is there', () => {
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'SECURITY.md', 'docs/configuration.md']));
    expect(documents.flatMap((path) => brokenLinksOf(path))).toEqual([]);
  });

  test('with a link to nowhere would be caught', () => {
    const text = '# One\n\n[a](docs/nothing.md) [b](#one) [c](#two) [d](docs/docker.md#nothing) ![e](docs/docker.md)';
    expect(brokenLinksOf('README.md', text)).toHaveLength(3);
  });

  test('explain every variable of the configuration, and none that does not exist', () => {
    const variables = [...read('src/config.ts').matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name = '']) => name);
    expect(variables.length).toBeGreaterThan(10);
    const rows = read('docs/configuration.md').match(/^\| `[A-Z].*$/gm) ?? [];
    const explained = rows.flatMap((row) => row.split('|')[1]?.match(/[A-Z][A-Z_]+/g) ?? []);
    expect(explained.sort()).toEqual([...new Set(variables)].sort());
  });

  test('show every client of test/interop working, in the version that is pinned', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json'));
    const pinned: Record<string, string> = { ...dependencies, ...devDependencies };
    const cells = (line: string) => line.split('|').map((cell) => cell.trim());
    const rows = (read('docs/interop.md').match(/^\| .*$/gm) ?? []).map(cells).slice(2);
    expect(rows.filter(([, , , , result]) => result !== 'works')).toEqual([]);
    expect(rows.filter(([, name = '', version]) => name in pinned && pinned[name] !== version)).toEqual([]);
    const clients = new Set(rows.map(([, name = '']) => name.replace(/^@/, '').replaceAll('/', '-')));
    const files = filesBelow('test/interop', '.test.ts').map((file) =>
      basename(file, '.test.ts').replace(/^debian-/, ''),
    );
    const isShown = (file: string) => file === 'compatibility' || [...clients].some((name) => name.endsWith(file));
    expect([files.length > 5, files.filter((file) => !isShown(file))]).toEqual([true, []]);
  });

  test('have the headings of the wire that the code cites', () => {
    const sources = ['src', 'scripts', 'test'].flatMap((directory) => filesBelow(directory, '.ts')).map(read);
    const cited = sources.flatMap((text) => [...text.matchAll(/wire\.md, "([A-Z][^"]+)"/g)].map(([, words]) => words));
    expect(cited.length).toBeGreaterThan(10);
    const headings = [...read('docs/wire.md').matchAll(/^## (.+)$/gm)].map(([, words]) => words);
    expect(cited.filter((words) => !headings.includes(words))).toEqual([]);
  });
});
