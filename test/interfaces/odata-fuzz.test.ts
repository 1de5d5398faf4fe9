import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { listStatement } from '../../src/directory/list-statement.ts';
import { parseListRequest } from '../../src/interfaces/odata/list-request.ts';
import { newTenantId } from '../../src/vocabulary/ids.ts';
import { ListQueryError } from '../../src/vocabulary/list-query.ts';
import { THINGS } from '../support/list-filters.ts';

const tenantId = newTenantId();
const WORDS = [
  'title',
  'code',
  'tags',
  'parts',
  'score',
  'secretHash',
  'x',
  'x/name',
  'eq',
  'ne',
  'gt',
  'in',
  'and',
  'or',
  'not',
  'any',
  '/any(',
  'x:',
  '(',
  ')',
  ',',
  '/',
  ':',
  "'",
  "''",
  "'a'",
  "'--'",
  '1',
  '-1',
  'null',
  'true',
  '2024-01-01',
  '2024-01-01T00:00:00Z',
  'startsWith(',
  "contains(title,'%')",
  ' ',
  '  ',
  '\t',
  '\0',
  '\n',
  '\\',
  '%',
  ';',
  '--',
  '/*',
  '*/',
  '$1',
  '::',
  'U&',
  '0x',
  '\u2028',
  '\ud800',
  '😀',
  '12345678-0000-4000-8000-00000000000b',
];
const soup = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 60, size: 'max' })
  .chain((words) => fc.constantFrom(words.join(''), words.join(' ')));
const anything = fc.oneof(
  soup,
  fc.string({ unit: 'binary', maxLength: 400, size: 'max' }),
  fc.string({ maxLength: 9_000, size: 'max' }),
);
const names = fc.constantFrom('$filter', '$filter', '$select', '$orderby', '$top', '$count', '$skip', 'filter');

/** The statement's text, or undefined for a refusal; any other error is a fault. */
function compiled(search: string): string | undefined {
  try {
    const { query } = parseListRequest(search);
    return listStatement(THINGS, query, tenantId).text;
  } catch (error) {
    if (error instanceof ListQueryError && error.status === 400) return undefined;
    throw error;
  }
}

/** The best of three: a pause of the machine is no fault of the parser. */
function within50ms(run: () => unknown): boolean {
  return [1, 2, 3].some(() => {
    const start = performance.now();
    run();
    return performance.now() - start < 50;
  });
}

describe('whatever a client writes', () => {
  test('is a list or a refusal, in no time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(names, anything), { maxLength: 3 }), (options) => {
        const search = options.map(([name, value]) => new URLSearchParams({ [name]: value }).toString()).join('&');
        expect(within50ms(() => compiled(search))).toBe(true);
      }),
      { numRuns: 3_000, interruptAfterTimeLimit: 4_000 },
    );
  }, 20_000);

  test('is a list or a refusal when it is no query string at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000, size: 'max' }), (search) =>
        expect(within50ms(() => compiled(search))).toBe(true),
      ),
      { numRuns: 1_000, interruptAfterTimeLimit: 2_000 },
    );
  }, 20_000);

  test('never becomes SQL', () => {
    const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
    const text = anything.map((value) => `m4rk${value.slice(0, 500).replaceAll('\0', '')}m4rk`);
    fc.assert(
      fc.property(text, (value) => {
        const $filter = `title eq ${quoted(value)} or startsWith(code,${quoted(value)}) or tags/any(t:t in (${quoted(value)}))`;
        const statement = compiled(new URLSearchParams({ $filter }).toString());
        expect(statement).toContain('title');
        expect(statement).not.toContain('m4rk');
        expect(statement).toBe(
          compiled(new URLSearchParams({ $filter: $filter.replaceAll(quoted(value), "''") }).toString()),
        );
      }),
      { numRuns: 500, interruptAfterTimeLimit: 2_000 },
    );
  }, 20_000);
});
