import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs', 'security-cases.md');
const NUMBER = /\b(?!UTF)[A-Z]{3}-\d{2}\b/g;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;
/** Number, attack, and where it is tried or why not. */
const ROW = /^\| ([A-Z]{3}-\d{2}) +\| ([^|]+?) +\| (.*?) *\|$/gm;
const UNTESTED = /^(Does not apply yet\.|\*\*No test yet\.\*\*)/;

/** The numbers that each test file has, by its path in the repository. */
type Tests = ReadonlyMap<string, ReadonlySet<string>>;

/** The numbers in a test file's titles. Comments do not count, and outside of titles there are none. */
function numbersIn(source: string): Set<string> {
  return new Set(source.replace(COMMENT, '').match(NUMBER) ?? []);
}

/** How the page and the tests contradict each other, a line each. */
function contradictions(page: string, tests: Tests): string[] {
  const rows = [...page.matchAll(ROW)].map(([, number = '', , where = '']) => ({ number, where }));
  const listed = rows.map(({ number }) => number);
  const tried = [...tests].flatMap(([file, numbers]) => [...numbers].map((number) => ({ file, number })));
  return [
    ...listed.filter((number, at) => listed.indexOf(number) < at).map((number) => `${number} is listed twice.`),
    ...rows.flatMap(({ number, where }) => {
      if (UNTESTED.test(where))
        return tried.some((each) => each.number === number) ? [`${number} is tested after all.`] : [];
      const files = [...where.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = '']) => file);
      if (files.length === 0) return [`${number} has neither a test nor a reason.`];
      return files.filter((file) => !tests.get(file)?.has(number)).map((file) => `${file} has no test of ${number}.`);
    }),
    ...tried
      .filter(({ number }) => !listed.includes(number))
      .map(({ file, number }) => `${file} tests ${number}, which is not listed.`),
  ];
}

/** The page with the files that have each number now. What no test has keeps its words. */
function withFiles(page: string, tests: Tests): string {
  return page.replace(ROW, (row, number: string, attack: string) => {
    const files = [...tests].filter(([, numbers]) => numbers.has(number)).map(([file]) => file);
    const links = files.map((file) => `[\`${file.replace(/^test\/|\.test\.ts$/g, '')}\`](../${file})`);
    return links.length === 0 ? row : `| ${number} | ${attack} | ${links.join(', ')} |`;
  });
}

function readTests(): Tests {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).sort();
  return new Map(
    files
      .filter((file) => file.endsWith('.test.ts') && file !== 'security-cases.test.ts')
      .map((file) => [`test/${file}`, numbersIn(readFileSync(join(ROOT, 'test', file), 'utf8'))]),
  );
}

describe('the list of security cases', () => {
  test('is what the tests have: run `scripts/security-cases` when this fails', () => {
    const tests = readTests();
    if (process.env.BAILIWICK_WRITE_DOCUMENTS) writeFileSync(PAGE, withFiles(readFileSync(PAGE, 'utf8'), tests));
    const page = readFileSync(PAGE, 'utf8');
    expect([...page.matchAll(ROW)].length).toBeGreaterThan(150);
    expect(contradictions(page, tests)).toEqual([]);
  });

  test('is held against titles, not comments', () => {
    expect([...numbersIn("/* ABC-01 */ test('ABC-02: x', () => {}); // ABC-03\n")]).toEqual(['ABC-02']);
  });

  const one: Tests = new Map([['test/a.test.ts', new Set(['ABC-01'])]]);
  const ROW_OF_ONE = '| ABC-01 | x | [`a`](../test/a.test.ts) |';

  test.each([
    ['a number without a test', `${ROW_OF_ONE}\n| ABC-02 | x | [\`a\`](../test/a.test.ts) |`],
    ['a number without anything', `${ROW_OF_ONE}\n| ABC-02 | x | soon |`],
    ['a test without a number', ''],
    ['a tested case that it calls untested', '| ABC-01 | x | **No test yet.** Soon. |'],
    ['a number twice', `${ROW_OF_ONE}\n${ROW_OF_ONE}`],
  ])('would be caught with %s', (_what, page) => {
    expect(contradictions(page, one)).toHaveLength(1);
    expect(contradictions(ROW_OF_ONE, one)).toEqual([]);
  });

  test('learns which files have a number, and keeps the reason of what none has', () => {
    const untested = '| ABC-02 | y | Does not apply yet. None. |';
    expect(withFiles(`| ABC-01 | x | **No test yet.** Soon. |\n${untested}`, one)).toBe(`${ROW_OF_ONE}\n${untested}`);
  });
});
