import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '..');
const PAGE = join('docs', 'security-cases.md');
const NUMBER = /\b(?!UTF)[A-Z]{3}-\d{2}\b/g;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;

interface Row {
  readonly number: string;
  /** Test files that the page names, relative to the repository. */
  readonly files: readonly string[];
  readonly saysUntested: boolean;
}

function rowsOf(page: string): Row[] {
  return [...page.matchAll(/^\| ([A-Z]{3}-\d{2}) +\|[^|]+\| (.*?) *\|$/gm)].map(([, number = '', where = '']) => {
    const saysUntested = /^(Does not apply yet\.|\*\*No test yet\.\*\*)/.test(where);
    const files = saysUntested ? [] : [...where.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = '']) => file);
    return { number, files, saysUntested };
  });
}

/** The numbers in a test file's titles. Comments do not count, and outside of titles there are none. */
function numbersIn(source: string): Set<string> {
  return new Set(source.replace(COMMENT, '').match(NUMBER) ?? []);
}

/** How the page and the tests contradict each other, a line each. */
function contradictions(rows: readonly Row[], tests: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const listed = rows.map(({ number }) => number);
  const tried = [...tests].flatMap(([file, numbers]) => [...numbers].map((number) => ({ file, number })));
  return [
    ...listed.filter((number, at) => listed.indexOf(number) < at).map((number) => `${number} is listed twice.`),
    ...rows.flatMap(({ number, files, saysUntested }) => [
      ...(files.length === 0 && !saysUntested ? [`${number} has neither a test nor a reason.`] : []),
      ...files.filter((file) => !tests.get(file)?.has(number)).map((file) => `${file} has no test of ${number}.`),
      ...(saysUntested && tried.some((each) => each.number === number) ? [`${number} is tested after all.`] : []),
    ]),
    ...tried
      .filter(({ number }) => !listed.includes(number))
      .map(({ file, number }) => `${file} tests ${number}, which is not listed.`),
  ];
}

const tests = new Map(
  readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && file !== 'security-cases.test.ts')
    .map((file) => [`test/${file}`, numbersIn(readFileSync(join(ROOT, 'test', file), 'utf8'))] as const),
);

describe('the list of security cases', () => {
  test('is what the tests have', () => {
    const rows = rowsOf(readFileSync(join(ROOT, PAGE), 'utf8'));
    expect(rows.length).toBeGreaterThan(150);
    expect(contradictions(rows, tests)).toEqual([]);
  });

  test('is held against titles, not comments', () => {
    expect([...numbersIn("/* ABC-01 */ test('ABC-02: x', () => {}); // ABC-03\n")]).toEqual(['ABC-02']);
  });

  const found = new Map([['test/a.test.ts', new Set(['ABC-01'])]]);
  test.each([
    ['a number without a test', '| ABC-01 | x | [`a`](../test/a.test.ts) |\n| ABC-02 | x | [`a`](../test/a.test.ts) |'],
    ['a number without anything', '| ABC-01 | x | [`a`](../test/a.test.ts) |\n| ABC-02 | x | soon |'],
    ['a test without a number', ''],
    ['a tested case that it calls untested', '| ABC-01 | x | **No test yet.** Soon. |'],
    ['a number twice', '| ABC-01 | x | [`a`](../test/a.test.ts) |\n| ABC-01 | x | [`a`](../test/a.test.ts) |'],
  ])('would be caught with %s', (_what, page) => {
    expect(contradictions(rowsOf(page), found)).not.toEqual([]);
  });
});
